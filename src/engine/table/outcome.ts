import type { PlannedPartition } from '../../discovery/plan-types';
import { AMBIGUOUS, type RowSets, SUPERSEDED, UNDECIDED, UNRECOVERABLE } from '../row-sets';
import type { PartitionResolution } from '../types';
import type { LostRows, Settled } from './lost-rows';
import type { Member } from './members';
import type { RepeatedValues } from './repeated-values';
import { keyedRows } from './keyed-rows';
import type { Session } from './session';
import { difference, minus, union } from './sorted-rows';
import type { TableIndexes } from './table-indexes';
import { rowsOf, sameSets, setNames, writeVerdicts } from './verdicts';

/** What key resolution in scope `table` found. */
export interface TableResolution {
  /** What the run rewrites: what it takes, and what that couples, in date order. */
  readonly partitions: readonly PlannedPartition[];
  /** One for each of `partitions`. */
  readonly resolutions: readonly PartitionResolution[];
}

/** What was decided, by what: keys, then each `unique` gate by the name of its row set. */
export interface Decided {
  readonly settled: Settled;
  readonly lost: LostRows;
  readonly repeated: ReadonlyMap<string, RepeatedValues>;
}

const NONE = new Uint32Array(0);

/** The verdicts of every member after this run; of those not taken, the ones whose verdicts changed are coupled. */
export async function outcomeOf(session: Session, indexes: TableIndexes, decided: Decided): Promise<TableResolution> {
  const names = setNames(indexes.keys.gates.map(({ gate }) => gate.name));
  const taken = new Map(session.input.partitions.map((partition) => [partition.date, partition]));
  const partitions: PlannedPartition[] = [];
  const resolutions: PartitionResolution[] = [];
  for (const member of session.members) {
    session.hooks.signal?.throwIfAborted();
    if (!isConcerned(member, decided)) continue;
    const sets = await setsOf(session, member, decided);
    let planned = taken.get(member.source.date);
    if (planned === undefined) {
      const old = await session.verdicts.of(member.committed!);
      if (sameSets(old, sets, names)) continue;
      planned = await coupled(session, indexes, member, altered(old, sets, names));
    }
    partitions.push(planned);
    resolutions.push(await write(session, planned, sets));
  }
  return { partitions, resolutions };
}

/** Whether anything of a member was decided in this run; nobody looks at the verdicts of the others. */
function isConcerned(member: Member, { settled, repeated }: Decided): boolean {
  const { index, taken } = member;
  if (taken || settled.whole(member) || settled.touched.has(index) || settled.undecided.has(index)) return true;
  return [...repeated.values()].some(({ concerns }) => concerns(index));
}

async function setsOf(session: Session, member: Member, { settled, lost, repeated }: Decided): Promise<RowSets> {
  const { index, committed } = member;
  const sets = new Map([[SUPERSEDED, await lost.of(index)]]);
  for (const [set, { flagged, decided }] of repeated) {
    const again = await decided(index);
    const left = again === 'all' ? NONE : minus(rowsOf(await session.verdicts.of(committed!), set), again);
    sets.set(set, union(left, await flagged.rows(index)));
  }
  for (const [set, rows] of [
    [AMBIGUOUS, settled.ambiguous],
    [UNRECOVERABLE, settled.unrecoverable],
  ] as const) {
    const left = settled.whole(member) ? NONE : await lost.untouched(member, set);
    sets.set(set, union(left, await rows.rows(index)));
  }
  const before = member.taken ? NONE : rowsOf(await session.verdicts.of(committed!), UNDECIDED);
  return sets.set(UNDECIDED, union(before, await settled.undecided.rows(index)));
}

const altered = (old: RowSets, sets: RowSets, names: readonly string[]): Uint32Array =>
  names.map((name) => difference(rowsOf(old, name), rowsOf(sets, name))).reduce(union, NONE);

/** A partition that another one's change alters. */
async function coupled(
  { work }: Session,
  indexes: TableIndexes,
  { index, committed, source }: Member,
  rowsAltered: Uint32Array,
): Promise<PlannedPartition> {
  await work.makeReadable([index]);
  const { keys } = await keyedRows(indexes.section(index, 0), rowsAltered);
  const { date, files, fingerprint } = committed!;
  const { rows, bytes } = source;
  const rebuilt = work.rebuilt(index);
  const planned: PlannedPartition = {
    date,
    reason: 'coupled',
    files,
    fingerprint,
    rows,
    bytes,
    keys: distinct(keys.toSorted()),
  };
  return rebuilt === null ? planned : { ...planned, rebuilt };
}

/** How many different ones ascending numbers are. */
function distinct(sorted: Float64Array): number {
  let count = 0;
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) count++;
  return count;
}

async function write({ input }: Session, { date }: PlannedPartition, sets: RowSets): Promise<PartitionResolution> {
  const { outputRoot, outputPath, run, attempt } = input;
  const path = await outputPath({ kind: 'verdicts', date, run, attempt, n: 0 });
  const verdicts = await writeVerdicts(outputRoot, path, sets);
  return {
    date,
    superseded: rowsOf(sets, SUPERSEDED).length,
    ambiguous: rowsOf(sets, AMBIGUOUS).length,
    unrecoverable: rowsOf(sets, UNRECOVERABLE).length,
    undecided: rowsOf(sets, UNDECIDED).length,
    rowSets: verdicts?.path ?? null,
    verdicts: verdicts === null ? [] : [verdicts],
  };
}
