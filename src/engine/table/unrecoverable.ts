import type { Member } from './members';
import { keyedRows } from './search';
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
  const lost: { readonly index: number; readonly rows: Uint32Array; readonly keys: Float64Array }[] = [];
  for (const member of members) {
    const { index } = member;
    const unavailable = await work.unavailable(index);
    const rows = whole(member) ? unavailable : both(unavailable, await touched.rows(index));
    if (rows.length === 0) continue;
    await undecided.add(index, rows);
    lost.push({ index, ...(await keyedRows(indexes.section(index, 0), rows)) });
  }
  if (lost.length === 0) return { undecided, unrecoverable };
  const keys = Float64Array.from(lost.flatMap((one) => [...one.keys]));
  const found = await session.search(
    indexes.parts(0, () => false),
    { sections: [], keys },
  );
  const there = new Set<number>();
  for (const index of found.touched.partitions()) {
    const rows = minus(await found.touched.rows(index), await work.unavailable(index));
    for (const key of (await keyedRows(indexes.section(index, 0), rows)).keys) there.add(key);
  }
  for (const { index, rows, keys: own } of lost) {
    await unrecoverable.add(
      index,
      rows.filter((_, i) => !there.has(own[i]!)),
    );
  }
  return { undecided, unrecoverable };
}
