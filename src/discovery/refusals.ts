import { TerminalError } from '../errors';
import type { Contract } from '../contract/contract';
import { isDecided } from './decisions';
import { type PartitionDate, parsePartitionDate } from './partition-date';
import { type IncrementalScope, LeaveReason, type PlanScope } from './plan-types';
import type { Selection, SelectionInput } from './selection';

const NAMED = 20;

type Range = { readonly from: PartitionDate; readonly to: PartitionDate };

/** @throws TerminalError `RequestError` when the range is no range of real dates. */
export function requestedRange({ from, to }: Extract<PlanScope, Range>): Range {
  for (const [end, date] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (parsePartitionDate(date) === null) {
      throw new TerminalError(
        'RequestError',
        `--${end} ${JSON.stringify(date)} is not a date. Write it as YYYY-MM-DD.`,
      );
    }
  }
  if (to < from) {
    throw new TerminalError(
      'RequestError',
      `the backfill ends before it begins: from ${from}, to ${to}. Both ends are included; give the earlier date as --from.`,
    );
  }
  return { from, to };
}

/** @throws TerminalError `RequestError` when a decision is about no date, or about what this scope cannot decide. */
export function assertDecisions({ pipeline, deduplicate }: Contract, scope: IncrementalScope): void {
  for (const [option, decision] of [
    ['include-late', scope.includeLate],
    ['remove-gone', scope.removeGone],
  ] as const) {
    const wrong = decision === 'all' ? undefined : decision?.find((date) => parsePartitionDate(date) === null);
    if (wrong !== undefined) {
      throw new TerminalError(
        'RequestError',
        `--${option} ${JSON.stringify(wrong)} is not a date. Write it as YYYY-MM-DD.`,
      );
    }
  }
  if (deduplicate.scope === 'window' && scope.includeLate !== undefined) {
    throw new TerminalError(
      'RequestError',
      `--include-late is not for scope window, which resolves keys over the window alone. ` +
        `Take late partitions with: tidegate backfill ${pipeline} --from <date> --to <date>`,
    );
  }
}

/**
 * Refuses to empty the table by policy because the raw zone is empty: one that is not mounted looks like this.
 * @throws TerminalError `SourceError`
 */
export function assertSourceHoldsSomething(input: SelectionInput, { removed }: Selection): void {
  const { contract, listing, scope } = input;
  const { pipeline, source } = contract;
  if (removed.length === 0 || listing.partitions.length > 0) return;
  if (scope.kind === 'incremental' && removed.every(({ date }) => isDecided(scope.removeGone, date))) return;
  // No other run is served while the rules differ.
  const before = isRuledOtherwise(input) ? 'take the change of the contract back, then: ' : '';
  throw new TerminalError(
    'SourceError',
    `the raw zone ${source.path} of pipeline ${pipeline} holds no partition at all, and incremental.gone: remove would ` +
      `take ${removed.length === 1 ? 'the last one' : `all ${removed.length}`} out of the table. If a disk is not mounted, ` +
      `mount it and run again. If it is meant: ${before}tidegate run ${pipeline} --remove-gone. ` +
      'The published table is as it was.',
  );
}

/** Whether the table holds rows that were resolved by other rules than the contract's. */
function isRuledOtherwise({ digests, state: { commit, partitions } }: SelectionInput): boolean {
  return commit !== null && partitions.size > 0 && commit.digests.resolution !== digests.resolution;
}

/**
 * Refuses a run that would mix two sets of resolution rules in one table (SEMANTICS 8.2).
 * @throws TerminalError `RestateRequired`
 */
export function assertResolvable(input: SelectionInput, { left }: Selection): void {
  const { contract, scope } = input;
  if (!isRuledOtherwise(input)) return;
  const changed =
    `the contract of pipeline ${contract.pipeline} resolves rows by other rules than the published table ` +
    '(declared columns, primary key, ordering, scope or unique gates were changed)';
  if (scope.kind !== 'backfill' || !('select' in scope) || scope.select !== 'all') {
    throw new TerminalError(
      'RestateRequired',
      `${changed}. Restate the whole table in one commit: tidegate backfill ${contract.pipeline} --all. ` +
        'Or take the change back. The published table is as it was.',
    );
  }
  const gone = left
    .filter(({ reason }) => reason === LeaveReason.Gone || reason === LeaveReason.GoneHeld)
    .map(({ date }) => date);
  if (gone.length === 0) return;
  const named = gone.slice(0, NAMED).join(', ') + (gone.length > NAMED ? ` and ${gone.length - NAMED} more` : '');
  throw new TerminalError(
    'RestateRequired',
    `${changed}, and ${gone.length === 1 ? 'one published partition' : `${gone.length} published partitions`} ` +
      `cannot be restated, because the raw files are gone: ${named}. Restore them, or take the change back, ` +
      'or let them go (incremental.gone: remove), or publish to a new path (publish.path). ' +
      'The published table is as it was.',
  );
}
