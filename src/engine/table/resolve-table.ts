import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataFrame } from 'nodejs-polars';
import { hashOf } from '../hashes';
import type { ResolveTableInput } from '../inputs';
import { keysAndOrder } from '../resolve-scope';
import { SUPERSEDED, uniqueSet } from '../row-sets';
import { settleKeys } from '../settle';
import { findAmbiguous } from '../settle-ambiguous';
import { writing } from '../write-error';
import type { TableHooks } from './hooks';
import { type TableLimits, limitsOf } from './limits';
import { LostRows, type Settled } from './lost-rows';
import type { Member } from './members';
import { type TableResolution, outcomeOf } from './outcome';
import { type RepeatedValues, findRepeatedValues } from './repeated-values';
import { Session } from './session';
import { difference } from './sorted-rows';
import type { SpilledRows } from './spilled-rows';
import { TableIndexes } from './table-indexes';
import { findLostForGood } from './unrecoverable';
import { rowsOf } from './verdicts';

/**
 * Resolves primary keys and `unique` gates over the whole table, exactly, in proportion to what changed: a key index
 * for each partition tells which rows elsewhere a change can touch; only those are read and decided again, with all
 * rows that share their key. The verdicts of all other rows are those committed (SEMANTICS 1.2).
 *
 * @throws VoidPlan when a file of the plan, or one that the table was computed from, changed.
 * @throws TerminalError `UnreadableFile`.
 */
export async function resolveTable(
  input: ResolveTableInput,
  hooks: TableHooks = {},
  limits: TableLimits = limitsOf(input.contract),
): Promise<TableResolution> {
  const scratch = join(input.scratch, `scratch-${randomUUID()}`);
  const session = new Session(input, hooks, limits, scratch);
  try {
    await writing(scratch, () => mkdir(scratch, { recursive: true }));
    const resolution = await resolveIn(session);
    await session.work.verifyRead();
    return resolution;
  } finally {
    await Promise.allSettled([session.close()]);
    await rm(scratch, { recursive: true, force: true });
  }
}

async function resolveIn(session: Session): Promise<TableResolution> {
  const indexes = new TableIndexes(session);
  await indexes.prepare();
  const settled = await settle(session, indexes);
  const lost = new LostRows(session, settled);
  const flips = await flipsOf(session, settled, lost);
  const repeated = new Map<string, RepeatedValues>();
  for (const [i, { gate }] of indexes.keys.gates.entries()) {
    repeated.set(uniqueSet(gate.name), await findRepeatedValues(session, indexes, gate, i + 1, settled, lost, flips));
  }
  const outcome = await outcomeOf(session, indexes, { settled, lost, repeated });
  await indexes.tidy();
  return outcome;
}

/** Chooses the winner of every key that the run touches. */
async function settle(session: Session, indexes: TableIndexes): Promise<Settled> {
  const { members, work, input } = session;
  // Where an old index is lost, all is decided afresh; what comes out the same is left as it is.
  const all = indexes.touched === 'all';
  const whole = ({ taken }: Member): boolean => taken || all;
  const { touched, repeated } = await session.search(indexes.parts(0, whole), indexes.touchedBy(0));
  await work.makeReadable(all ? members.map(({ index }) => index) : touched.partitions());

  const { primaryKey, orderBy } = input.contract.deduplicate;
  const losers = session.rows();
  const ambiguous = session.rows();
  let ties: DataFrame[] = [];
  const settleTies = async (): Promise<void> => {
    const some = ties;
    ties = [];
    await findAmbiguous(work, some, (winners) => ambiguous.addPositions(winners));
  };
  const hash = hashOf(work.columns(primaryKey));
  await session.settle(repeated, hash, keysAndOrder(input.contract), async (rows) => {
    const found = await settleKeys(rows, primaryKey.length, orderBy);
    await losers.addPositions(found.losers);
    if (found.ties === null) return;
    ties.push(found.ties);
    if (ties.reduce((sum, { height }) => sum + height, 0) > session.limits.candidatesAtATime) await settleTies();
  });
  await settleTies();
  const lostForGood = await findLostForGood(session, indexes, whole, touched);
  return { whole, touched, losers, ambiguous, ...lostForGood };
}

/** Rows of members that the run does not take which began, or ceased, to lose. */
async function flipsOf(session: Session, settled: Settled, lost: LostRows): Promise<SpilledRows> {
  const { members, verdicts } = session;
  const flips = session.rows();
  for (const member of members) {
    const { index, taken, committed } = member;
    if (taken || !(settled.whole(member) || settled.touched.has(index))) continue;
    const old = rowsOf(await verdicts.of(committed!), SUPERSEDED);
    await flips.add(index, difference(old, await lost.of(index)));
  }
  return flips;
}
