import type { Contract } from '../contract/contract';
import { isDecided, listedAnyway } from './decisions';
import type { ListedPartition, SourceListing } from './listing';
import { byDate } from './order';
import type { PartitionDate } from './partition-date';
import { LeaveReason, type LeftPartition, type PlanScope, type RemovedPartition, TakeReason } from './plan-types';
import { assertResolvable, assertSourceHoldsSomething } from './refusals';
import { REMOVE, type Verdict, exclusionOf, judgeOf } from './verdicts';
import { windowStart } from './window';

interface Judgement {
  readonly date: PartitionDate;
  readonly partition: ListedPartition | undefined;
  readonly verdict: Verdict;
}

/** What discovery needs of the table; a `TableState` is one. */
export interface PlanState {
  /** 0 for a table without commits. */
  readonly version: number;
  readonly watermark: PartitionDate | null;
  /** The newest commit's rules; null for a table without commits. */
  readonly commit: { readonly digests: { readonly resolution: string } } | null;
  readonly partitions: ReadonlyMap<PartitionDate, ConsumedPartition>;
}

/** What a published partition was computed from, and by which rules. */
export interface ConsumedPartition {
  readonly fingerprint: string;
  readonly rowsDigest: string;
  /** Set when rows of it could not be decided while its raw files were gone: with them back, it counts as changed. */
  readonly undecided?: number;
}

export interface SelectionInput {
  readonly contract: Contract;
  /** Of the contract. */
  readonly digests: { readonly resolution: string; readonly rows: string };
  readonly scope: PlanScope;
  readonly state: PlanState;
  readonly listing: SourceListing;
  /** In UTC. */
  readonly today: PartitionDate;
}

export interface SelectedPartition extends ListedPartition {
  readonly reason: TakeReason;
}

export interface Selection {
  /** In date order. */
  readonly taken: readonly SelectedPartition[];
  /** In date order. */
  readonly removed: readonly RemovedPartition[];
  /** In date order. */
  readonly left: readonly LeftPartition[];
}

/**
 * Which partitions a run takes, which it removes and which it leaves, and why (SEMANTICS 3.1–3.6). An incremental
 * run and `backfill --all` judge every partition listed or published, once; other backfills say nothing of what was
 * not asked for, but in scope `table` they take along what was consumed and has changed, since its rows decide
 * about the keys of others.
 * @throws TerminalError `RequestError` for a range that ends before it begins or a decision about no date;
 *   `RestateRequired` when the contract's resolution rules are not those of the table and this run does not restate
 *   all of it; `SourceError` when the raw zone is empty and `gone: remove` would empty the table.
 */
export function selectPartitions(input: SelectionInput): Selection {
  const { listing, state, scope } = input;
  const judge = judgeOf(input);
  const listed = new Map(listing.partitions.map((partition) => [partition.date, partition]));
  const dates = [...new Set([...listed.keys(), ...state.partitions.keys()])];
  const judged = dates.map((date) => {
    const partition = listed.get(date);
    return { date, partition, verdict: judge(date, partition) };
  });
  const taken: SelectedPartition[] = [];
  const removed: RemovedPartition[] = [];
  const left: LeftPartition[] = listedAnyway(scope, new Set(dates));
  for (const { date, partition, verdict } of wholeWindow(input, judged)) {
    if (verdict === null) continue;
    if (verdict === REMOVE) removed.push({ date, reason: 'gone' });
    else if (typeof verdict !== 'string') left.push({ date, ...verdict, ...notGone(scope, date, partition) });
    else if (partition !== undefined) taken.push({ ...partition, reason: verdict });
  }
  const selection = {
    taken: taken.toSorted(byDate),
    removed: removed.toSorted(byDate),
    left: left.toSorted(byDate),
  };
  assertResolvable(input, selection);
  assertSourceHoldsSomething(input, selection);
  return selection;
}

/**
 * In scope `window`, an incremental run takes its whole window when anything in it changed, and else nothing
 * (SEMANTICS 1.4): a key is resolved over what the run reads. What is dated before the start or in the future stays out.
 */
function wholeWindow(input: SelectionInput, judged: readonly Judgement[]): readonly Judgement[] {
  const { contract, scope, state } = input;
  if (contract.deduplicate.scope !== 'window' || scope.kind !== 'incremental') return judged;
  const from = windowStart(state.watermark, contract.incremental.lookback);
  const inWindow = ({ date }: Judgement): boolean => from === null || date >= from;
  if (!judged.some((one) => typeof one.verdict === 'string' && inWindow(one))) return judged;
  const excludedAs = exclusionOf(input);
  return judged.map((one) =>
    isUnchanged(one.verdict) && inWindow(one) && excludedAs(one.date) === null
      ? { ...one, verdict: TakeReason.Lookback }
      : one,
  );
}

/** Who asked to remove a partition whose files are there is told why it stays. */
function notGone(
  scope: PlanScope,
  date: PartitionDate,
  partition: ListedPartition | undefined,
): Pick<LeftPartition, 'hint'> {
  if (scope.kind !== 'incremental' || !Array.isArray(scope.removeGone) || partition === undefined) return {};
  return isDecided(scope.removeGone, date) ? { hint: 'not removed: its raw files are there' } : {};
}

function isUnchanged(verdict: Verdict): boolean {
  return typeof verdict === 'object' && verdict?.reason === LeaveReason.Unchanged;
}
