import type { DataFrame, Expr, LazyDataFrame } from 'nodejs-polars';
import type { Column, Contract } from '../contract/contract';
import { inChunks } from './chunks';
import { NO_HASH } from './duplicates';
import { shortHashOf, shortHashesOf } from './hashes';
import { POSITION, internalName, internalNames, typeOf } from './names';
import { asDeclared } from './polars-types';
import { mayBeRepeated } from './repeated';
import { orderValue } from './resolve-scope';
import { SUPERSEDED, uniqueSet } from './row-sets';
import type { RowSets } from './row-sets';
import { keyName, orderName, positionsOf, settleKeys, settleUnique } from './settle';
import { WINNER, comparedColumns, concat, differingWinners } from './settle-ambiguous';
import { frameOf, pl } from './polars';

export interface BatchResolution {
  readonly superseded: number;
  readonly ambiguous: number;
  readonly sets: RowSets;
}

/**
 * Resolves the keys of a partition that is in memory as one batch, in scope `partition`: what `resolve`
 * finds, without reading a second time (SEMANTICS 4, 5.3).
 *
 * @param rows the whole partition, in order: columns c0 … as declared.
 */
export async function resolveBatch(contract: Contract, rows: DataFrame): Promise<BatchResolution> {
  const { primaryKey, orderBy } = contract.deduplicate;
  const key = columnsOf(contract, primaryKey);
  const gates = contract.gates
    .filter((gate) => gate.kind === 'unique')
    .map((gate) => ({ name: gate.name, columns: columnsOf(contract, gate.columns) }));
  // One by one: together they would share the search for nulls, which costs more than it saves.
  const hashes = await Promise.all(
    [shortHashOf(key), ...gates.map(({ columns }) => shortHashOf(columns, key))].map((hash) =>
      shortHashesOf(rows, hash),
    ),
  );

  const candidates = mayBeRepeated(hashes[0]!);
  const order = columnsOf(
    contract,
    orderBy.map(({ column }) => column),
  );
  const settled =
    candidates.length === 0
      ? { losers: new Float64Array(0), ties: null }
      : await settleKeys(
          await rowsAt(rows, candidates, [
            ...key.map((column, i) => asDeclared(column).alias(keyName(i))),
            ...order.map((column, i) => orderValue(column).alias(orderName(i))),
          ]),
          primaryKey.length,
          orderBy,
        );
  const losers = Uint32Array.from(settled.losers).toSorted();
  const ambiguous = settled.ties === null ? 0 : await countAmbiguous(contract, rows, settled.ties);

  const sets = new Map([[SUPERSEDED, losers]]);
  for (const [i, { name, columns }] of gates.entries()) {
    const ofWinners = hashes[i + 1]!;
    inChunks(losers.length, (from, to) => clear(ofWinners, losers, from, to));
    const repeated = mayBeRepeated(ofWinners);
    if (repeated.length === 0) continue;
    const values = await rowsAt(
      rows,
      repeated,
      columns.map((column, j) => asDeclared(column).alias(keyName(j))),
    );
    sets.set(uniqueSet(name), Uint32Array.from(await settleUnique(values, columns.length)).toSorted());
  }
  return { superseded: losers.length, ambiguous, sets };
}

/** The declared columns called `names`, as they are called in memory. */
function columnsOf(contract: Contract, names: readonly string[]): Column[] {
  return internalNames(contract, names).map((name, i) => ({ name, type: typeOf(contract, names[i]!) }));
}

/** These columns of these rows (ascending, one at least), with their number as `position`. */
async function rowsAt(rows: DataFrame, indexes: Uint32Array, columns: readonly Expr[]): Promise<LazyDataFrame> {
  const some = await rows
    .lazy()
    .select(pl.allAt(indexes))
    .select(...columns)
    .collect();
  return pl.concat([some, frameOf({ [POSITION]: Float64Array.from(indexes) })], { how: 'horizontal' }).lazy();
}

function clear(hashes: Uint32Array, indexes: Uint32Array, from: number, to: number): void {
  for (let i = from; i < to; i++) hashes[indexes[i]!] = NO_HASH;
}

async function countAmbiguous(contract: Contract, rows: DataFrame, ties: DataFrame): Promise<number> {
  const compared = comparedColumns(contract);
  if (compared.length === 0) return 0;
  const winners = positionsOf(ties, WINNER);
  const losers = positionsOf(ties);
  const own = Float64Array.from(new Set(winners));
  const groups = frameOf({
    [WINNER]: concat(winners, own),
    [POSITION]: concat(losers, own),
  });
  const some = await rowsAt(
    rows,
    Uint32Array.from(concat(losers, own)).toSorted(),
    compared.map((i) => pl.col(internalName(i))),
  );
  return (await differingWinners(some, groups, compared)).length;
}
