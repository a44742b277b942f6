import type { Contract } from '../contract/contract';
import { assertResolvable, requestedRange } from './refusals';
import type { ListedPartition, SourceListing } from './listing';
import { fingerprint } from './manifest';
import { byDate } from './order';
import { type PartitionDate, addDays, daysBetween } from './partition-date';
import { LeaveReason, type LeftPartition, type PlanScope, TakeReason } from './plan-types';
import { windowStart } from './window';

/** What discovery needs of the table; a `TableState` is one. */
export interface PlanState {
  /** 0 for a table without commits. */
  readonly version: number;
  readonly watermark: PartitionDate | null;
  /** The newest commit's rules; null for a table without commits. */
  readonly commit: { readonly digests: { readonly resolution: string } } | null;
  readonly partitions: ReadonlyMap<PartitionDate, { readonly fingerprint: string; readonly rowsDigest: string }>;
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
  readonly left: readonly LeftPartition[];
}

/** Dates without data that a backfill lists, at most. */
const MOST_MISSING_LISTED = 1_000;

type Verdict = TakeReason | Omit<LeftPartition, 'date'> | null;

/**
 * Which partitions a run takes and which it leaves, and why (SEMANTICS 3.1–3.6). An incremental run and
 * `backfill --all` take or leave every partition listed or published, once; other backfills say
 * nothing of what was not asked for.
 * @throws TerminalError `RequestError` for a range that ends before it begins, `RestateRequired` when the
 *   contract's resolution rules are not those of the table and this run does not restate all of it.
 */
export function selectPartitions(input: SelectionInput): Selection {
  const { listing, state } = input;
  const judge = judgeOf(input);
  const listed = new Map(listing.partitions.map((partition) => [partition.date, partition]));
  const dates = new Set([...listed.keys(), ...state.partitions.keys()]);
  const taken: SelectedPartition[] = [];
  const left: LeftPartition[] = missingDates(input.scope, dates);
  for (const date of dates) {
    const partition = listed.get(date);
    const verdict = judge(date, partition);
    if (verdict === null) continue;
    if (typeof verdict !== 'string') left.push({ date, ...verdict });
    else if (partition !== undefined) taken.push({ ...partition, reason: verdict });
  }
  const selection = { taken: taken.toSorted(byDate), left: left.toSorted(byDate) };
  assertResolvable(input, selection);
  return selection;
}

type Judge = (date: PartitionDate, partition: ListedPartition | undefined) => Verdict;

function judgeOf(input: SelectionInput): Judge {
  const { scope } = input;
  if (scope.kind === 'incremental') return incremental(input);
  if (!('select' in scope)) return ranged(input, requestedRange(scope));
  return scope.select === 'all' ? everything(input) : stale(input);
}

function incremental(input: SelectionInput): Judge {
  const { contract, state } = input;
  const from = windowStart(state.watermark, contract.incremental.lookback);
  return (date, partition) => {
    const consumed = state.partitions.get(date);
    if (partition === undefined) return { reason: LeaveReason.Gone };
    if (isBeforeStart(contract, date)) return { reason: LeaveReason.BeforeStart };
    if (isFuture(input, date)) return future(input);
    if (from === null || date >= from) return consumed === undefined ? TakeReason.New : TakeReason.Lookback;
    if (consumed?.fingerprint === fingerprint(partition.files)) return { reason: LeaveReason.Unchanged };
    return {
      reason: LeaveReason.LateNotTaken,
      hint:
        `${consumed === undefined ? 'never published' : 'changed since it was published'}, and older than the window ` +
        `that begins ${from}; to take it: tidegate backfill ${contract.pipeline} --from ${date} --to ${date}`,
    };
  };
}

function ranged(input: SelectionInput, range: { readonly from: PartitionDate; readonly to: PartitionDate }): Judge {
  return (date, partition) => {
    if (date < range.from || date > range.to) return null;
    if (partition === undefined) return { reason: LeaveReason.Gone };
    return isFuture(input, date) ? future(input) : TakeReason.Requested;
  };
}

function everything(input: SelectionInput): Judge {
  return (date, partition) => {
    if (partition === undefined) return { reason: LeaveReason.Gone };
    if (input.state.partitions.has(date)) return TakeReason.Requested;
    if (isBeforeStart(input.contract, date)) return { reason: LeaveReason.BeforeStart };
    return isFuture(input, date) ? future(input) : TakeReason.Requested;
  };
}

function stale({ state, digests }: SelectionInput): Judge {
  return (date, partition) => {
    const consumed = state.partitions.get(date);
    if (consumed === undefined || consumed.rowsDigest === digests.rows) return null;
    return partition === undefined ? { reason: LeaveReason.Gone } : TakeReason.Stale;
  };
}

function isBeforeStart({ incremental: { start } }: Contract, date: PartitionDate): boolean {
  return start !== null && date < start;
}

function isFuture({ contract, today }: SelectionInput, date: PartitionDate): boolean {
  return contract.incremental.future === 'leave' && date > addDays(today, 1);
}

function future({ today }: SelectionInput): Omit<LeftPartition, 'date'> {
  return {
    reason: LeaveReason.Future,
    hint: `later than ${addDays(today, 1)}, tomorrow in UTC; incremental.future: accept takes it`,
  };
}

/** The dates of a backfill's range that hold no data and never did. */
function missingDates(scope: PlanScope, known: ReadonlySet<PartitionDate>): LeftPartition[] {
  if (scope.kind !== 'backfill' || 'select' in scope) return [];
  const missing: LeftPartition[] = [];
  const days = daysBetween(scope.from, scope.to);
  let date = scope.from;
  for (let day = 0; day <= days; day += 1, date = addDays(date, 1)) {
    if (known.has(date)) continue;
    if (missing.length === MOST_MISSING_LISTED) {
      const last = missing.pop()!;
      missing.push({ ...last, hint: `the first ${MOST_MISSING_LISTED} dates without data are listed; there are more` });
      break;
    }
    missing.push({ date, reason: LeaveReason.NoData });
  }
  return missing;
}
