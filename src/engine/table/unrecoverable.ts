import type { Member } from './members';
import { keyedRows } from './search';
import type { Session } from './session';
import { both, minus } from './sorted-rows';
import type { SpilledRows } from './spilled-rows';
import type { TableIndexes } from './table-indexes';

/**
 * Superseded rows of partitions whose raw files are gone, of which no other row has the key any more: they ought to
 * come back and cannot (SEMANTICS 3.4). Told by the hash of the key, since nothing else is left of them.
 *
 * @param touched Rows that the change may concern; of members that are `whole`, all.
 */
export async function findUnrecoverable(
  session: Session,
  indexes: TableIndexes,
  whole: (member: Member) => boolean,
  touched: SpilledRows,
): Promise<SpilledRows> {
  const { work, members } = session;
  const unrecoverable = session.rows();
  const lost: { readonly index: number; readonly rows: Uint32Array; readonly keys: Float64Array }[] = [];
  for (const member of members) {
    const { index } = member;
    const unavailable = await work.unavailable(index);
    const rows = whole(member) ? unavailable : both(unavailable, await touched.rows(index));
    if (rows.length > 0) lost.push({ index, ...(await keyedRows(indexes.section(index, 0), rows)) });
  }
  if (lost.length === 0) return unrecoverable;
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
  return unrecoverable;
}
