import type { Member } from './members';
import { lowerBound } from '../read-rows';
import { type KeyedRows, allKeys, keyedRows } from './keyed-rows';
import type { Session } from './session';
import { both, minus } from './sorted-rows';
import type { SpilledRows } from './spilled-rows';
import type { TableIndexes } from './table-indexes';

/** Superseded rows of partitions whose raw files are gone: nothing but the hash of their key is left of them. */
export interface LostForGood {
  /** Those that the change may concern: were the raw files there, it could be told. */
  readonly undecided: SpilledRows;
  /** Of these, those of which no other row has the key any more: they ought to come back and cannot (SEMANTICS 3.4). */
  readonly unrecoverable: SpilledRows;
}

/**
 * Finds the rows that cannot be decided any more, and those that are missing for certain.
 *
 * @param touched Rows that the change may concern; of members that are `whole`, all.
 */
export async function findLostForGood(
  session: Session,
  indexes: TableIndexes,
  whole: (member: Member) => boolean,
  touched: SpilledRows,
): Promise<LostForGood> {
  const { work, members } = session;
  const [undecided, unrecoverable] = [session.rows(), session.rows()];
  const lost: ({ readonly index: number } & KeyedRows)[] = [];
  for (const member of members) {
    const { index } = member;
    const unavailable = await work.unavailable(index);
    // An index that had to be made from what was published does not know them: then any of them may be concerned.
    const all = whole(member) || indexes.isPartial(index);
    const rows = all ? unavailable : both(unavailable, await touched.rows(index));
    if (rows.length === 0) continue;
    await undecided.add(index, rows);
    const keyed = await keyedRows(indexes.section(index, 0), rows);
    if (keyed.rows.length > 0) lost.push({ index, ...keyed });
  }
  if (lost.length === 0) return { undecided, unrecoverable };
  const nothing = indexes.parts(0, () => false);
  const found = await session.search(nothing, { sections: [], keys: allKeys(lost.map(({ keys }) => keys)) });
  const remaining: Float64Array[] = [];
  for (const index of found.touched.partitions()) {
    const rows = minus(await found.touched.rows(index), await work.unavailable(index));
    remaining.push((await keyedRows(indexes.section(index, 0), rows)).keys);
  }
  const there = allKeys(remaining).toSorted();
  for (const { index, rows, keys } of lost) {
    const missing = rows.filter((_, i) => there[lowerBound(there, keys[i]!)] !== keys[i]);
    await unrecoverable.add(index, missing);
  }
  return { undecided, unrecoverable };
}
