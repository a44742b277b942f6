import type { Contract } from '../contract/contract';
import { isDecided } from './decisions';
import type { ListedPartition } from './listing';
import { fingerprint } from './manifest';
import { type PartitionDate, addDays } from './partition-date';
import { type IncrementalScope, LeaveReason, type LeftPartition, TakeReason } from './plan-types';
import { assertDecisions, requestedRange } from './refusals';
import type { SelectionInput } from './selection';
import { windowStart } from './window';

/** The partition leaves the table. */
export const REMOVE = 'remove';

/** What becomes of a partition: taken, removed, left; null: the run has nothing to do with it. */
export type Verdict = TakeReason | typeof REMOVE | Omit<LeftPartition, 'date'> | null;

/** `partition`: as the raw zone holds it; undefined when it does not. */
export type Judge = (date: PartitionDate, partition: ListedPartition | undefined) => Verdict;

/** The rules by which a run of this scope judges single partitions (SEMANTICS 3). */
export function judgeOf(input: SelectionInput): Judge {
  const { scope } = input;
  if (scope.kind === 'incremental') return incremental(input, scope);
  if (!('select' in scope)) return takingAlong(input, ranged(input, requestedRange(scope)));
  return takingAlong(input, scope.select === 'all' ? everything(input) : stale(input));
}

type Change = 'new' | 'changed' | 'unchanged';

/** What happened to a partition since it was consumed. */
function changeOf({ state }: SelectionInput, date: PartitionDate, { files }: ListedPartition): Change {
  const consumed = state.partitions.get(date);
  if (consumed === undefined) return 'new';
  return consumed.fingerprint === fingerprint(files) && consumed.undecided === undefined ? 'unchanged' : 'changed';
}

function incremental(input: SelectionInput, scope: IncrementalScope): Judge {
  const { contract, state } = input;
  const { lookback, reprocess } = contract.incremental;
  assertDecisions(contract, scope);
  const from = windowStart(state.watermark, lookback);
  const excludedAs = exclusionOf(input);
  return (date, partition) => {
    if (partition === undefined) return isDecided(scope.removeGone, date) ? REMOVE : gone(contract, date);
    const change = changeOf(input, date, partition);
    const excluded = excludedAs(date);
    // Whatever else is said of it: its rows as consumed are no more, and those of other partitions depend on them.
    const decidesAboutOthers = contract.deduplicate.scope === 'table' && change === 'changed';
    if (excluded !== null && !decidesAboutOthers) {
      return change === 'unchanged' ? { reason: LeaveReason.Unchanged } : excluded;
    }
    if (from === null || date >= from) {
      if (change !== 'unchanged') return change === 'new' ? TakeReason.New : TakeReason.Changed;
      return reprocess === 'always' ? TakeReason.Lookback : { reason: LeaveReason.Unchanged };
    }
    if (change === 'unchanged') return { reason: LeaveReason.Unchanged };
    return isDecided(scope.includeLate, date) ? TakeReason.Late : late(contract, date, change, from);
  };
}

/** What policy says of a new or changed partition older than the window. */
function late(contract: Contract, date: PartitionDate, change: Change, from: PartitionDate): Verdict {
  const { pipeline, deduplicate, incremental: policy } = contract;
  const found =
    `${change === 'new' ? 'never published' : 'changed since it was published'}, and older than the window ` +
    `that begins ${from}; to take it: tidegate`;
  if (deduplicate.scope === 'window') {
    return { reason: LeaveReason.LateNotTaken, hint: `${found} backfill ${pipeline} --from ${date} --to ${date}` };
  }
  if (policy.late === 'process') return TakeReason.Late;
  return {
    reason: policy.late === 'hold' ? LeaveReason.LateHeld : LeaveReason.LateIgnored,
    hint: `${found} run ${pipeline} --include-late ${date}`,
  };
}

/** What policy says of a published partition whose raw files are gone. */
function gone({ pipeline, incremental: policy }: Contract, date: PartitionDate): Verdict {
  if (policy.gone === 'remove') return REMOVE;
  if (policy.gone === 'keep') return { reason: LeaveReason.Gone };
  return {
    reason: LeaveReason.GoneHeld,
    hint: `published, and its raw files are gone; to remove it from the table: tidegate run ${pipeline} --remove-gone ${date}`,
  };
}

function ranged(input: SelectionInput, range: { readonly from: PartitionDate; readonly to: PartitionDate }): Judge {
  const futureIs = futureOf(input);
  return (date, partition) => {
    if (date < range.from || date > range.to) return null;
    if (partition === undefined) return gone(input.contract, date);
    return futureIs(date) ?? TakeReason.Requested;
  };
}

function everything(input: SelectionInput): Judge {
  const futureIs = futureOf(input);
  return (date, partition) => {
    if (partition === undefined) return gone(input.contract, date);
    if (input.state.partitions.has(date)) return TakeReason.Requested;
    if (isBeforeStart(input.contract, date)) return { reason: LeaveReason.BeforeStart };
    return futureIs(date) ?? TakeReason.Requested;
  };
}

function stale({ contract, state, digests }: SelectionInput): Judge {
  return (date, partition) => {
    const consumed = state.partitions.get(date);
    if (consumed === undefined || consumed.rowsDigest === digests.rows) return null;
    return partition === undefined ? gone(contract, date) : TakeReason.Stale;
  };
}

/** In scope `table`: what was consumed and has changed goes with any run, since its rows decide about the keys of others. */
function takingAlong(input: SelectionInput, judge: Judge): Judge {
  if (input.contract.deduplicate.scope !== 'table') return judge;
  return (date, partition) => {
    const verdict = judge(date, partition);
    if (typeof verdict === 'string' || partition === undefined) return verdict;
    return changeOf(input, date, partition) === 'changed' ? TakeReason.Changed : verdict;
  };
}

/** What is said of a date that incremental runs leave out, before the start or in the future; null for all others. */
export function exclusionOf(input: SelectionInput): (date: PartitionDate) => Omit<LeftPartition, 'date'> | null {
  const futureIs = futureOf(input);
  return (date) => (isBeforeStart(input.contract, date) ? { reason: LeaveReason.BeforeStart } : futureIs(date));
}

function isBeforeStart({ incremental: { start } }: Contract, date: PartitionDate): boolean {
  return start !== null && date < start;
}

/** What is said of a partition dated later than tomorrow in UTC; null for all others, and where the contract accepts them. */
function futureOf({ contract, today }: SelectionInput): (date: PartitionDate) => Omit<LeftPartition, 'date'> | null {
  if (contract.incremental.future === 'accept') return () => null;
  const tomorrow = addDays(today, 1);
  const left = {
    reason: LeaveReason.Future,
    hint: `later than ${tomorrow}, tomorrow in UTC; incremental.future: accept takes it`,
  };
  return (date) => (date > tomorrow ? left : null);
}
