import { join } from 'node:path';
import type { DataFrame, LazyDataFrame } from 'nodejs-polars';
import type { Contract } from '../contract/contract';
import { detached } from './detached';
import { releaseNativeMemory } from './memory';
import { POSITION, internalName } from './names';
import { asDeclared, isFloat } from './polars-types';
import { baseOf, partitionOf } from './positions';
import { position } from './read';
import { lowerBound, readRows } from './read-rows';
import { readerOf } from './resolve-scope';
import type { ScopeWork } from './resolve-scope';
import { positionsOf } from './settle';
import { batchRows } from './slices';
import { frameOf, pl } from './polars';

export const WINNER = 'winner';

/** For each partition, how many keys have their winner in it and are ambiguous. */
export async function countAmbiguous(work: ScopeWork, ties: readonly DataFrame[]): Promise<number[]> {
  const counts = work.partitions.map(() => 0);
  await findAmbiguous(work, ties, (winners) => {
    for (const winner of winners) {
      const partition = partitionOf(winner);
      counts[partition] = counts[partition]! + 1;
    }
  });
  return counts;
}

/**
 * Tells the positions of winners that tie with a row that differs in a declared column; null equals
 * null, NaN equals NaN (SEMANTICS 4.3). Whole rows are compared, in batches by the winner's position:
 * a file delivered twice is read along in order, once.
 */
export async function findAmbiguous(
  work: ScopeWork,
  ties: readonly DataFrame[],
  onWinners: (positions: Float64Array) => Promise<void> | void,
): Promise<void> {
  const compared = comparedColumns(work.contract);
  if (ties.length === 0 || compared.length === 0) return;
  const all = ties.length === 1 ? ties[0]! : pl.concat([...ties]);
  const sorted = await all.lazy().sort(WINNER, false).collect();
  const winners = positionsOf(sorted, WINNER);
  const losers = positionsOf(sorted);
  const limit =
    work.limits.rowsAtATime ?? Math.min(...work.partitions.map((partition) => batchRows(work.contract, partition)));
  for (let from = 0; from < winners.length;) {
    work.signal?.throwIfAborted();
    let to = Math.min(winners.length, from + limit);
    while (to < winners.length && winners[to] === winners[to - 1]) to++;
    await onWinners(await ambiguousAmong(work, compared, winners.subarray(from, to), losers.subarray(from, to)));
    from = to;
  }
}

/** Indexes of the columns in which rows that share key and ordering value can differ. */
export function comparedColumns(contract: Contract): number[] {
  const { primaryKey, orderBy } = contract.deduplicate;
  return contract.columns.flatMap(({ name, type }, i) => {
    if (primaryKey.includes(name)) return [];
    // NaN and null order alike and yet differ.
    if (orderBy.some(({ column }) => column === name) && !isFloat(type)) return [];
    return [i];
  });
}

async function ambiguousAmong(
  work: ScopeWork,
  compared: readonly number[],
  winners: Float64Array,
  losers: Float64Array,
): Promise<Float64Array> {
  const own = winners.filter((winner, i) => i === 0 || winner !== winners[i - 1]);
  const groups = frameOf({
    [WINNER]: concat(winners, own),
    [POSITION]: concat(losers, own),
  });
  const positions = concat(losers, own).toSorted();
  const frames: DataFrame[] = [];
  for (const { partition, batch } of work.batches) {
    const base = baseOf(partition) + batch.start;
    const from = lowerBound(positions, base);
    const to = lowerBound(positions, base + batch.rows);
    if (from === to) continue;
    const indexes = Uint32Array.from(positions.subarray(from, to), (at) => at - base);
    const frame = await readRows(readerOf(work, partition), batch, indexes, (piece) => [
      ...compared.map((i) => asDeclared(work.contract.columns[i]!).alias(internalName(i))),
      position(piece, baseOf(partition), POSITION),
    ]);
    if (frame !== null) frames.push(await detached(frame, join(work.scratch, 'compared')));
    await releaseNativeMemory({ rows: batch.rows, columns: compared.length, bytes: 0 });
  }
  return differingWinners((frames.length === 1 ? frames[0]! : pl.concat(frames)).lazy(), groups, compared);
}

/**
 * The winners that differ from a row they tie with.
 * @param rows columns c0 … as compared, `position`.
 * @param groups columns `winner`, `position`: rows that tie, the winner itself too.
 */
export async function differingWinners(
  rows: LazyDataFrame,
  groups: DataFrame,
  compared: readonly number[],
): Promise<Float64Array> {
  const differing = await rows
    .join(groups.lazy(), { on: POSITION, how: 'inner' })
    .unique({ subset: [WINNER, ...compared.map(internalName)], keep: 'any' })
    .groupBy(WINNER)
    .agg(pl.col(POSITION).count().alias('versions'))
    .filter(pl.col('versions').gt(pl.lit(1)))
    .select(pl.col(WINNER))
    .collect();
  return positionsOf(differing, WINNER);
}

export function concat(a: Float64Array, b: Float64Array): Float64Array {
  const all = new Float64Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
