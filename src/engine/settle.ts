import type { DataFrame, LazyDataFrame } from 'nodejs-polars';
import type { OrderColumn } from '../contract/contract';
import { POSITION } from './names';
import { numbersOf, pl } from './polars';

export const keyName = (index: number): string => `k${index}`;
export const orderName = (index: number): string => `o${index}`;

export interface SettledKeys {
  /** Positions of the rows that lost. */
  readonly losers: Float64Array;
  /** Losers that share their whole ordering value with the winner of their key: columns `winner`, `position`. */
  readonly ties: DataFrame | null;
}

/**
 * Chooses the winner of every key (SEMANTICS 4.2) among complete groups of rows.
 *
 * @param rows columns k0 …, o0 … (NaN already null), `position`; no key part is null. Rows whose key occurs once may be there.
 */
export async function settleKeys(
  rows: LazyDataFrame,
  keys: number,
  orderBy: readonly OrderColumn[],
): Promise<SettledKeys> {
  const keyNames = Array.from({ length: keys }, (_, i) => keyName(i)) as [string, ...string[]];
  // Not by sorting: Polars 0.24 takes a column of nulls, or one marked as sorted, for sorted already, and
  // turns it round when the other direction is asked for, which breaks the order of a stable sort before it.
  let best = rows;
  for (const [i, { direction }] of orderBy.entries()) {
    const value = pl.col(orderName(i));
    const bestValue = (direction === 'desc' ? value.max() : value.min()).over(...keyNames);
    best = best
      .withColumns(bestValue.alias('best'))
      .filter(value.eq(pl.col('best')).fillNull(pl.lit(false)).or(pl.col('best').isNull()))
      .drop('best');
  }
  // What is left of each key are the rows that share the greatest ordering value; the latest of them wins.
  const tied = await best
    .withColumns(
      pl
        .col(POSITION)
        .max()
        .over(...keyNames)
        .alias('winner'),
    )
    .select(pl.col('winner'), pl.col(POSITION))
    .collect();
  const losers = await rows
    .select(pl.col(POSITION))
    .join(tied.lazy().select(pl.col('winner').alias(POSITION)), { on: POSITION, how: 'anti' })
    .collect();
  const ties = await tied
    .lazy()
    .filter(pl.col(POSITION).neq(pl.col('winner')))
    .collect();
  return { losers: positionsOf(losers), ties: ties.height === 0 ? null : ties };
}

/**
 * Positions of all rows whose value occurs twice or more.
 *
 * @param rows columns k0 … (no null), `position`.
 */
export async function settleUnique(rows: LazyDataFrame, columns: number): Promise<Float64Array> {
  const names = Array.from({ length: columns }, (_, i) => keyName(i));
  const flagged = await rows
    .groupBy(names)
    .agg(pl.col(POSITION).count().alias('rows'), pl.col(POSITION))
    .filter(pl.col('rows').gt(pl.lit(1)))
    .select(pl.col(POSITION))
    .explode(POSITION)
    .collect();
  return positionsOf(flagged);
}

export function positionsOf(frame: DataFrame, column: string = POSITION): Float64Array {
  if (frame.height === 0) return new Float64Array(0);
  return numbersOf(frame, column) as Float64Array;
}
