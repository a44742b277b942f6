import type { UniqueGate } from '../../contract/contract';
import { hashOf } from '../hashes';
import { valuesOf } from '../resolve-scope';
import { settleUnique } from '../settle';
import type { Section } from './index-file';
import type { LostRows, Settled } from './lost-rows';
import { allKeys, keyedRows } from './keyed-rows';
import type { Session } from './session';
import type { SpilledRows } from './spilled-rows';
import type { TableIndexes } from './table-indexes';

/** What was decided about one `unique` gate. */
export interface RepeatedValues {
  readonly flagged: SpilledRows;
  /** Whether anything of a member was decided again. */
  readonly concerns: (index: number) => boolean;
  /** The rows of a member that were decided again: all others keep the flag that is committed. */
  readonly decided: (index: number) => Promise<Uint32Array | 'all'>;
}

/**
 * Finds the rows that violate a `unique` gate among those that win, where a change may concern them.
 *
 * @param section of the gate, in the indexes.
 * @param flips Rows of members not taken that began or ceased to lose: their values are touched too.
 */
export async function findRepeatedValues(
  session: Session,
  indexes: TableIndexes,
  gate: UniqueGate,
  section: number,
  { whole }: Settled,
  lost: LostRows,
  flips: SpilledRows,
): Promise<RepeatedValues> {
  const { work, members } = session;
  const columns = work.columns(gate.columns);
  const flagged = session.rows();
  const flag = async (repeated: SpilledRows): Promise<void> =>
    session.settle(repeated, hashOf(columns), valuesOf(columns), async (rows) => {
      await flagged.addPositions(await settleUnique(rows, gate.columns.length));
    });
  if (gate.scope === 'partition') {
    const affected = members.filter((member) => whole(member) || flips.has(member.index));
    await work.makeReadable(affected.map(({ index }) => index));
    for (const { index } of affected) {
      const alone = { partition: index, section: indexes.section(index, section), whole: true };
      const { repeated, touched } = await session.search([alone], NOTHING, (some) => lost.of(some));
      await flag(repeated);
      await repeated.close();
      await touched.close();
    }
    const decided = new Set(affected.map(({ index }) => index));
    return {
      flagged,
      concerns: (index) => decided.has(index),
      decided: (index) => Promise.resolve(decided.has(index) ? 'all' : NONE),
    };
  }
  const touchedBy = indexes.touchedBy(section, await keysOf(flips, (index) => indexes.section(index, section)));
  const found = await session.search(indexes.parts(section, whole), touchedBy, (index) => lost.of(index));
  await work.makeReadable(found.repeated.partitions());
  await flag(found.repeated);
  return {
    flagged,
    concerns: (index) => whole(members[index]!) || found.touched.has(index),
    decided: async (index) => (whole(members[index]!) ? 'all' : found.touched.rows(index)),
  };
}

const NONE = new Uint32Array(0);
const NOTHING = { sections: [], keys: new Float64Array(0) };

/** The hashes of rows in the section of each member. */
async function keysOf(rows: SpilledRows, section: (index: number) => Section): Promise<Float64Array> {
  const parts: Float64Array[] = [];
  for (const index of rows.partitions()) parts.push((await keyedRows(section(index), await rows.rows(index))).keys);
  return allKeys(parts);
}
