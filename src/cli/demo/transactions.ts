import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import pl from 'nodejs-polars';
import type { PartitionDate } from '../../discovery';
import { addDays } from '../../discovery';

/** One row as the payment system writes it. */
export interface Transaction {
  readonly transaction_id: string;
  readonly user_id: string | null;
  readonly transaction_receipt: string;
  /** Cents; decimal(12,2) in the files. */
  readonly cents: number;
  readonly currency: string;
  readonly status: string;
  /** Microseconds since the epoch, UTC. */
  readonly updated_at: number;
}

const CURRENCIES = ['EUR', 'USD', 'GBP'] as const;
const DAY_US = 86_400_000_000;

/** The same numbers every time: a demo is easier to trust when it can be repeated. (mulberry32, public domain.) */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A day's transactions, all valid, each once. */
export function dayOf(date: PartitionDate, count: number, next: () => number): Transaction[] {
  const midnight = Date.parse(`${date}T00:00:00Z`) * 1000;
  return Array.from({ length: count }, (_, index) => {
    const id = `${date.replaceAll('-', '')}-${String(index + 1).padStart(4, '0')}`;
    return {
      transaction_id: `T-${id}`,
      user_id: `U-${String(1 + Math.floor(next() * 900)).padStart(4, '0')}`,
      transaction_receipt: `R-${id}`,
      cents: 100 + Math.floor(next() * 50_000),
      currency: CURRENCIES[Math.floor(next() * CURRENCIES.length)]!,
      status: 'pending',
      updated_at: midnight + Math.floor((index / count) * DAY_US),
    };
  });
}

/** A newer version of a transaction: settled, some hours later. */
export function settled(transaction: Transaction, hours: number): Transaction {
  return { ...transaction, status: 'settled', updated_at: transaction.updated_at + hours * 3_600_000_000 };
}

export function days(from: PartitionDate, count: number): PartitionDate[] {
  return Array.from({ length: count }, (_, index) => addDays(from, index));
}

/** Writes rows as one Parquet file of a partition, the way a job upstream would. */
export async function land(
  raw: string,
  date: PartitionDate,
  name: string,
  rows: readonly Transaction[],
): Promise<string> {
  const folder = path.join(raw, `date=${date}`);
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, name);
  const column = <T>(of: (row: Transaction) => T): T[] => rows.map(of);
  const frame = pl
    .DataFrame({
      transaction_id: column((row) => row.transaction_id),
      user_id: pl.Series(
        'user_id',
        column((row) => row.user_id),
        pl.Utf8,
      ),
      transaction_receipt: column((row) => row.transaction_receipt),
      amount: column((row) => (row.cents / 100).toFixed(2)),
      currency: column((row) => row.currency),
      status: column((row) => row.status),
      updated_at: column((row) => BigInt(row.updated_at)),
    })
    .lazy()
    .withColumns(pl.col('amount').cast(pl.Decimal(12, 2)), pl.col('updated_at').cast(pl.Datetime('us', 'UTC')));
  await frame.sinkParquet(file, { compression: 'zstd', compressionLevel: 1 }).collect();
  return file;
}

/** What one query over everything that landed gives: of each transaction the newest row, when it is valid. */
export function expectedTable(landed: readonly Transaction[]): Map<string, Transaction> {
  const newest = new Map<string, Transaction>();
  for (const row of landed) {
    const known = newest.get(row.transaction_id);
    if (!known || row.updated_at >= known.updated_at) newest.set(row.transaction_id, row);
  }
  return new Map([...newest].filter(([, row]) => row.user_id !== null && row.cents > 0));
}

/** The published rows of one version, in whatever order they lie. `files`: paths, or patterns of them. */
export async function readPublished(files: readonly string[]): Promise<Transaction[]> {
  const rows: Transaction[] = [];
  for (const file of files) rows.push(...(await readRows(file)));
  return rows;
}

async function readRows(file: string): Promise<Transaction[]> {
  const frame = await pl
    .scanParquet(file)
    .select(
      'transaction_id',
      'user_id',
      'transaction_receipt',
      pl.col('amount').cast(pl.Utf8).alias('amount'),
      'currency',
      'status',
      pl.col('updated_at').cast(pl.Int64).cast(pl.Float64).alias('updated_at'),
    )
    .collect();
  return frame.toRecords().map(({ amount, ...row }) => ({
    ...(row as Omit<Transaction, 'cents'>),
    cents: Math.round(Number(amount) * 100),
  }));
}

/** How the published rows differ from the expected ones; empty when they are the same, each once. */
export function differences(published: readonly Transaction[], expected: ReadonlyMap<string, Transaction>): string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  for (const row of published) {
    const { transaction_id: id } = row;
    const wanted = expected.get(id);
    if (seen.has(id)) found.push(`${id} is there twice`);
    else if (!wanted) found.push(`${id} should not be there`);
    else if (Object.entries(wanted).some(([key, value]) => row[key as keyof Transaction] !== value)) {
      found.push(`${id} is not its newest version`);
    }
    seen.add(id);
  }
  for (const id of expected.keys()) if (!seen.has(id)) found.push(`${id} is missing`);
  return found;
}
