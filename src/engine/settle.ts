import pl from 'nodejs-polars';
import type { DataFrame, LazyDataFrame } from 'nodejs-polars';
import type { OrderColumn } from '../contract/contract';
import { POSITION } from './names';

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
  const keyNames = Array.from({ length: keys }, (_, i) => keyName(i));
  const orderNames = orderBy.map((_, i) => orderName(i));
  // Polars 0.24 cannot sort by several columns each in its own direction: stable sorts, the last one first.
  let sorting = rows.sort(POSITION, true);
  for (const [i, { direction }] of [...orderBy.entries()].reverse()) {
    sorting = sorting.sort(orderName(i), direction === 'desc', true, true);
  }
  const sorted = await sorting.collect();
  const winners = await sorted
    .lazy()
    .unique({ subset: keyNames, keep: 'first', maintainOrder: true })
    .select(pl.col(POSITION))
    .collect();
  if (winners.height === sorted.height) return { losers: new Float64Array(0), ties: null };
  const losers = await sorted
    .lazy()
    .select(pl.col(POSITION))
    .join(winners.lazy(), { on: POSITION, how: 'anti' })
    .collect();
  // A winner is the latest of the rows it ties with, so it is the maximum of its group.
  const ties = await sorted
    .lazy()
    .groupBy([...keyNames, ...orderNames])
    .agg(pl.col(POSITION).count().alias('rows'), pl.col(POSITION).max().alias('winner'), pl.col(POSITION))
    .filter(pl.col('rows').gt(pl.lit(1)))
    .select(pl.col('winner'), pl.col(POSITION))
    .join(winners.lazy().select(pl.col(POSITION).alias('winner')), { on: 'winner', how: 'semi' })
    .explode(POSITION)
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
  return frame.getColumn(column).toTypedArray() as Float64Array;
}
