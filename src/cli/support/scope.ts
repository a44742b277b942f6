import type { Command } from 'commander';
import { Option } from 'commander';
import type { IncrementalScope, PartitionDate, PlanScope } from '../../discovery';
import { parseDate, parseDates } from './options';
import { UsageError } from './exit';

export interface RangeOptions {
  from?: PartitionDate;
  to?: PartitionDate;
  all?: boolean;
  stale?: boolean;
}

/** The options that say what a backfill takes. */
export function addRangeOptions(command: Command): Command {
  return command
    .addOption(new Option('--from <date>', 'first partition date').argParser(parseDate).conflicts(['all', 'stale']))
    .addOption(
      new Option('--to <date>', 'last partition date, included').argParser(parseDate).conflicts(['all', 'stale']),
    )
    .addOption(new Option('--all', 'every partition, in one commit').conflicts('stale'))
    .option('--stale', 'the partitions published under earlier gates (scope window: take --all)');
}

/**
 * What those options ask for; null when none was given.
 * @throws UsageError when they do not go together.
 */
export function rangeScope({ from, to, all, stale }: RangeOptions): (PlanScope & { kind: 'backfill' }) | null {
  if (all) return { kind: 'backfill', select: 'all' };
  if (stale) return { kind: 'backfill', select: 'stale' };
  if (from === undefined && to === undefined) return null;
  if (from === undefined || to === undefined) {
    throw new UsageError(`--from and --to go together: ${from === undefined ? '--from' : '--to'} is missing`);
  }
  if (to < from) throw new UsageError(`--to ${to} is before --from ${from}`);
  return { kind: 'backfill', from, to };
}

export interface DecisionOptions {
  /** True: all of them. */
  includeLate?: PartitionDate[] | true;
  removeGone?: PartitionDate[] | true;
}

/** The options that decide about what a policy holds or ignores. */
export function addDecisionOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--include-late [dates]',
        'take late partitions too, whatever incremental.late says: all, or these',
      ).argParser(parseDates),
    )
    .addOption(
      new Option(
        '--remove-gone [dates]',
        'remove published partitions whose raw files are gone, whatever incremental.gone says: all, or these',
      ).argParser(parseDates),
    );
}

/** What those options decide; nothing when none was given. */
export function decisionsOf({ includeLate, removeGone }: DecisionOptions): Omit<IncrementalScope, 'kind'> {
  return {
    ...(includeLate !== undefined && { includeLate: includeLate === true ? 'all' : includeLate }),
    ...(removeGone !== undefined && { removeGone: removeGone === true ? 'all' : removeGone }),
  };
}
