import { TerminalError } from '../errors';
import { type PartitionDate, parsePartitionDate } from './partition-date';
import { LeaveReason, type PlanScope } from './plan-types';
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

/**
 * Refuses a run that would mix two sets of resolution rules in one table (SEMANTICS 8.2).
 * @throws TerminalError `RestateRequired`
 */
export function assertResolvable(input: SelectionInput, { left }: Selection): void {
  const { contract, digests, scope, state } = input;
  if (state.commit === null || state.partitions.size === 0) return;
  if (state.commit.digests.resolution === digests.resolution) return;
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
  const gone = left.filter(({ reason }) => reason === LeaveReason.Gone).map(({ date }) => date);
  if (gone.length === 0) return;
  const named = gone.slice(0, NAMED).join(', ') + (gone.length > NAMED ? ` and ${gone.length - NAMED} more` : '');
  throw new TerminalError(
    'RestateRequired',
    `${changed}, and ${gone.length === 1 ? 'one published partition' : `${gone.length} published partitions`} ` +
      `cannot be restated, because the raw files are gone: ${named}. Restore them, or take the change back, ` +
      'or publish to a new path (publish.path). The published table is as it was.',
  );
}
