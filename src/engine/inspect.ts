import pl from 'nodejs-polars';
import type { Expr } from 'nodejs-polars';
import type { ScanOptions } from '../storage';
import { storedColumn } from './polars-types';
import { QuarantineColumn } from './types';

/** How the values of a column are compared: whole numbers exactly; dates and times (`moment`) as those they are stored as. */
export type ValueKind = 'integer' | 'moment' | 'float' | 'text' | 'boolean' | 'decimal';

export interface InspectedColumn {
  readonly name: string;
  readonly kind: ValueKind;
}

/** What is really in a column of some rows. NaN counts as a value, and neither as least nor as greatest. */
export interface ColumnFacts {
  readonly values: number;
  readonly nulls: number;
  readonly min: bigint | number | string | null;
  readonly max: bigint | number | string | null;
}

export interface ParquetSource {
  readonly url: string;
  readonly scanOptions: ScanOptions;
}

/** Decodes rows [offset, offset + rows) of a Parquet file, and says what each column holds, in the order of `columns`. */
export async function inspectRows(
  { url, scanOptions }: ParquetSource,
  columns: readonly InspectedColumn[],
  { offset, rows }: { readonly offset: number; readonly rows: number },
): Promise<ColumnFacts[]> {
  if (columns.length === 0) return [];
  const facts = await pl
    .scanParquet(url, { glob: false, ...scanOptions })
    .slice(offset, rows)
    .select(...columns.flatMap(({ name, kind }, index) => factsOf(storedColumn(name), kind, index)))
    .collect();
  const row = facts.toRecords()[0]!;
  return columns.map(({ kind }, index) => ({
    values: Number(row[`v${index}`]),
    nulls: Number(row[`n${index}`]),
    min: parse(row[`a${index}`], kind),
    max: parse(row[`z${index}`], kind),
  }));
}

function factsOf(column: Expr, kind: ValueKind, index: number): Expr[] {
  const comparable = asComparable(column, kind);
  // As text what JavaScript's numbers cannot hold.
  const told = (value: Expr): Expr => (kind === 'float' || kind === 'boolean' ? value : value.cast(pl.Utf8));
  return [
    column.count().cast(pl.Float64).alias(`v${index}`),
    column.nullCount().cast(pl.Float64).alias(`n${index}`),
    told(comparable.min()).alias(`a${index}`),
    told(comparable.max()).alias(`z${index}`),
  ];
}

function asComparable(column: Expr, kind: ValueKind): Expr {
  if (kind === 'float') return column.cast(pl.Float64).fillNan(pl.lit(null));
  if (kind === 'boolean') return column.cast(pl.Int32).cast(pl.Float64);
  // Dates and times as the whole numbers they are stored as.
  return kind === 'moment' ? column.cast(pl.Int64) : column;
}

function parse(value: unknown, kind: ValueKind): bigint | number | string | null {
  if (value === null || value === undefined) return null;
  // Texts, and numbers told as texts, unless JavaScript's numbers hold them.
  if (typeof value !== 'string') return Number(value);
  return kind === 'text' ? value : kind === 'decimal' ? Number(value) : BigInt(value);
}

/** How many rows of a quarantine file violate each gate, by gate name. */
export async function countViolations({ url, scanOptions }: ParquetSource): Promise<Map<string, number>> {
  const named = await pl
    .scanParquet(url, { glob: false, ...scanOptions })
    .select(pl.col(QuarantineColumn.Violations).explode())
    .groupBy(QuarantineColumn.Violations)
    .agg(pl.count(QuarantineColumn.Violations).cast(pl.Float64).alias('count'))
    .collect();
  return new Map(named.toRecords().map((row) => [String(row[QuarantineColumn.Violations]), Number(row['count'])]));
}
