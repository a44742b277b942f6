import type { DataFrame } from 'nodejs-polars';
import type { Flag } from './flags';
import { maskOf } from './mask';
import { LOST, MISFILED, PASSED, REJECTED } from './names';
import { lowerBound } from './read-rows';
import { SUPERSEDED, uniqueSet } from './row-sets';
import type { RowSets } from './row-sets';
import type { Batch } from './slices';
import { frameOf, pl } from './polars';

export interface Judged {
  /** As read, with the flags, and booleans `passed` and `rejected`: a superseded row is neither. */
  readonly rows: DataFrame;
  /** By flag. */
  readonly violations: readonly number[];
  readonly misfiled: number;
  readonly passed: number;
  readonly rejected: number;
}

/**
 * Marks the rows of a batch that lost, and evaluates every flag; counts are of the rows that did not lose.
 * @param rows as {@link flagsOf} expects them; a boolean column `misfiled` is counted where there is one.
 */
export async function judge(rows: DataFrame, batch: Batch, flags: readonly Flag[], sets: RowSets): Promise<Judged> {
  const lost = maskIn(sets.get(SUPERSEDED), batch);
  const marks: Record<string, Uint8Array> = lost === null ? {} : { [LOST]: lost };
  for (const { column, violates } of flags) {
    if (!('gate' in violates)) continue;
    const mask = maskIn(sets.get(uniqueSet(violates.gate)), batch);
    if (mask !== null) marks[column] = mask;
  }
  const marked = await pl
    .concat([rows, frameOf(marks)], { how: 'horizontal' })
    .lazy()
    .select(
      (marks[LOST] === undefined ? pl.lit(false) : pl.col(LOST).eq(pl.lit(1))).alias(LOST),
      ...flags.map(({ column, violates }) => {
        if (!('gate' in violates)) return violates.alias(column);
        return (marks[column] === undefined ? pl.lit(false) : pl.col(column).eq(pl.lit(1))).alias(column);
      }),
    )
    .collect();
  const kept = pl.col(LOST).not();
  const isRejected = pl.anyHorizontal(flags.map(({ column }) => pl.col(column)));
  // Once: writing filters by them, twice.
  const judged = await marked
    .lazy()
    .select(
      ...flags.map(({ column }) => pl.col(column).and(kept).alias(column)),
      kept.and(isRejected.not()).alias(PASSED),
      kept.and(isRejected).alias(REJECTED),
    )
    .collect();
  const sums = await judged
    .lazy()
    .select(...judged.columns.map((column) => pl.col(column).sum().cast(pl.Float64).alias(column)))
    .collect();
  const counted = sums.row(0) as number[];
  const [passed, rejected] = counted.slice(flags.length) as [number, number];
  const isCounted = rows.columns.includes(MISFILED);
  const misfiled = isCounted ? await countTrue(rows, MISFILED) : 0;
  return {
    rows: pl.concat([isCounted ? rows.drop(MISFILED) : rows, judged], { how: 'horizontal' }),
    violations: counted.slice(0, flags.length),
    misfiled,
    passed,
    rejected,
  };
}

async function countTrue(rows: DataFrame, column: string): Promise<number> {
  const sum = await rows.lazy().select(pl.col(column).sum().cast(pl.Float64)).collect();
  return sum.row(0)[0] as number;
}

/** One byte a row of the batch, 1 for those in `set`; null when there is none. */
function maskIn(set: Uint32Array | undefined, batch: Batch): Uint8Array | null {
  if (set === undefined) return null;
  const from = lowerBound(set, batch.start);
  const to = lowerBound(set, batch.start + batch.rows);
  if (from === to) return null;
  return maskOf(set.subarray(from, to), batch.rows, batch.start);
}
