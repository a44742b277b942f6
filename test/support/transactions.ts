import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pl from 'nodejs-polars';
import type { Scope } from '../../src/contract';

/** The columns of a transaction, as both formats can hold them. */
export const TRANSACTION_COLUMNS = {
  transaction_id: 'string',
  user_id: 'string',
  transaction_receipt: 'string',
  amount: 'float64',
  updated_at: 'timestamp[us]',
} as const;

/** One raw transaction, as the end-to-end tests write them. */
export interface Transaction {
  readonly transaction_id: string;
  readonly user_id: string | null;
  readonly transaction_receipt: string;
  readonly amount: number | null;
  /** Milliseconds since the epoch. */
  readonly updated_at: number;
}

export function transaction(id: number | string, fields: Partial<Transaction> = {}): Transaction {
  return {
    transaction_id: `t${id}`,
    user_id: `u${id}`,
    transaction_receipt: `r${id}`,
    amount: 10,
    updated_at: Date.UTC(2026, 4, 1),
    ...fields,
  };
}

/** `count` transactions with ids `<prefix>-0 …`, nothing wrong with them. */
export function transactions(prefix: string, count: number, fields: Partial<Transaction> = {}): Transaction[] {
  return Array.from({ length: count }, (_, index) =>
    transaction(`${prefix}-${index}`, { amount: index + 1, ...fields }),
  );
}

/** Writes rows as `<root>/date=<date>/<name>`, as Parquet. */
export function land(root: string, date: string, rows: readonly Transaction[], name = 'part-0.parquet'): void {
  const file = join(root, `date=${date}`, name);
  mkdirSync(dirname(file), { recursive: true });
  const column = <K extends keyof Transaction>(key: K): Transaction[K][] => rows.map((row) => row[key]);
  const frame = pl.DataFrame({
    transaction_id: pl.Series('transaction_id', column('transaction_id'), pl.Utf8),
    user_id: pl.Series('user_id', column('user_id'), pl.Utf8),
    transaction_receipt: pl.Series('transaction_receipt', column('transaction_receipt'), pl.Utf8),
    amount: pl.Series('amount', column('amount'), pl.Float64),
    updated_at: pl.Series('updated_at', column('updated_at'), pl.Int64).cast(pl.Datetime('ms')).alias('updated_at'),
  });
  writeFileSync(file, frame.writeParquet());
}

export interface ContractOptions {
  readonly pipeline?: string;
  readonly lookback?: number;
  readonly scope?: Scope;
  /**
   * More of `incremental`. By default a run computes its window anew, so that one without new data commits too;
   * tests about what a run skips say `reprocess: changed`, which is the product's default.
   */
  readonly policy?: string;
  /** YAML appended at the top level. */
  readonly more?: string;
}

/** The contract the end-to-end tests use, beside `raw/` and `curated/`. */
export function contractYaml({
  pipeline = 'transactions',
  lookback = 3,
  scope = 'window',
  policy = 'reprocess: always',
  more = '',
}: ContractOptions = {}): string {
  return `pipeline: ${pipeline}
source: { path: ../raw, partitionColumn: date }
columns:
  transaction_id: string
  user_id: string
  transaction_receipt: string
  amount: float64
  updated_at: timestamp[ms]
incremental: { lookback: ${lookback}${policy && `, ${policy}`} }
deduplicate: { primaryKey: [transaction_id], orderBy: [updated_at], scope: ${scope} }
gates:
  - { kind: notNull, column: user_id }
  - { kind: inRange, column: amount, greaterThan: 0 }
  - { kind: unique, columns: [transaction_receipt] }
publish: { path: ../curated, format: directory }
${more}`;
}
