import type { PartitionDate } from '../discovery/partition-date';
import { LeaveReason, type Plan } from '../discovery/plan-types';
import { dates, formatBytes, formatCount, plural } from './format';
import { isGone, leftOut } from './left-out';
import type { PartitionReport, RemovedReport } from './report-types';
import { planWarnings, restateCommand } from './restate';

interface Found {
  readonly plan: Plan;
  readonly partitions: readonly PartitionReport[];
  readonly removed: readonly RemovedReport[];
  readonly stale: readonly PartitionDate[];
  /** What of a partition was undecided before the run. */
  readonly undecidedBefore: (date: PartitionDate) => number;
}

/** What the policy of the contract settles for good is no warning. */
const SETTLED: ReadonlySet<string> = new Set([LeaveReason.Gone, LeaveReason.LateIgnored]);

/** What a reader of the report should know beyond its numbers, most telling first. */
export function warningsOf({ plan, partitions, removed, stale, undecidedBefore }: Found): string[] {
  const { pipeline, left } = plan;
  return [
    ...removedWarnings(removed),
    ...planWarnings(plan),
    ...rowWarnings(plan, partitions),
    ...undecidedWarnings(partitions, undecidedBefore),
    ...ignoredWarnings(plan),
    ...leftOut(pipeline, left)
      .filter(({ reason }) => !SETTLED.has(reason))
      .map(({ what, held, command }) => {
        if (command === null) return `${what}.`;
        return held ? `${what}. To decide: ${command}` : `${what}. Take it with: ${command}`;
      }),
    ...staleWarnings(plan, stale),
  ];
}

function removedWarnings(removed: readonly RemovedReport[]): string[] {
  if (removed.length === 0) return [];
  const sum = (of: 'published' | 'quarantined'): string => formatCount(removed.reduce((all, one) => all + one[of], 0));
  return [
    `${plural(removed.length, 'partition')} whose raw files are gone ${removed.length === 1 ? 'was' : 'were'} removed from the ` +
      `table (${dates(removed)}): ${sum('published')} published and ${sum('quarantined')} rejected rows.`,
  ];
}

function rowWarnings({ contract }: Plan, partitions: readonly PartitionReport[]): string[] {
  const warnings: string[] = [];
  const misfiled = partitions.filter((partition) => partition.misfiled > 0);
  if (misfiled.length > 0) {
    const rows = misfiled.reduce((sum, partition) => sum + partition.misfiled, 0);
    warnings.push(
      `${plural(rows, 'row')} in ${dates(misfiled)} ${rows === 1 ? 'carries' : 'carry'} another value in the stored column ` +
        `${contract.source.partitionColumn} than the folder says; the folder's date was used.`,
    );
  }
  const lost = partitions.filter((partition) => (partition.unrecoverable ?? 0) > 0);
  if (lost.length > 0) {
    const rows = lost.reduce((sum, partition) => sum + (partition.unrecoverable ?? 0), 0);
    warnings.push(
      `${plural(rows, 'superseded row')} in ${dates(lost)} ought to come back, since the row that replaced ${rows === 1 ? 'it' : 'them'} is gone, ` +
        'and cannot: the raw files are gone too. Restore them to get them back.',
    );
  }
  const tied = partitions.filter((partition) => partition.ambiguous > 0);
  if (tied.length > 0) {
    const keys = tied.reduce((sum, partition) => sum + partition.ambiguous, 0);
    warnings.push(
      `${plural(keys, 'primary key')} in ${dates(tied)} ${keys === 1 ? 'has' : 'have'} several newest rows that differ; ` +
        'the last one stored won. A further column in deduplicate.orderBy would settle them.',
    );
  }
  return warnings;
}

/** Only of the run that adds to them: the count stays in the table until the files are back. */
function undecidedWarnings(partitions: readonly PartitionReport[], before: Found['undecidedBefore']): string[] {
  const addedTo = ({ date, undecided = 0 }: PartitionReport): number => Math.max(0, undecided - before(date));
  const grown = partitions.filter((partition) => addedTo(partition) > 0);
  if (grown.length === 0) return [];
  const rows = grown.reduce((sum, partition) => sum + addedTo(partition), 0);
  return [
    `${plural(rows, 'superseded row')} in ${dates(grown)} may be due to come back, and cannot be decided: the raw files are gone. ` +
      `An older version of the record may be published instead. Put the files back and run: it is decided then.`,
  ];
}

function ignoredWarnings({ ignored }: Plan): string[] {
  if (ignored.length === 0) return [];
  const files = ignored.reduce((sum, entry) => sum + entry.count, 0);
  const bytes = ignored.reduce((sum, entry) => sum + entry.bytes, 0);
  return [
    `${plural(ignored.length, 'entry', 'entries')} under the source root ` +
      `${ignored.length === 1 ? 'belongs' : 'belong'} to no partition and ` +
      `${ignored.length === 1 ? 'was' : 'were'} ignored (${plural(files, 'file')}, ${formatBytes(bytes)}).`,
  ];
}

/** A backfill restates what there are raw files of, and only that. */
function staleWarnings({ contract, left }: Plan, stale: readonly PartitionDate[]): string[] {
  const gone = new Set(left.filter(({ reason }) => isGone(reason)).map(({ date }) => date));
  const saying = (some: readonly PartitionDate[], remedy: string): string[] => {
    if (some.length === 0) return [];
    const stand = some.length === 1 ? 'stands' : 'stand';
    const named = dates(some.map((date) => ({ date })));
    return [`${plural(some.length, 'published partition')} still ${stand} under earlier gates (${named}). ${remedy}`];
  };
  return [
    ...saying(
      stale.filter((date) => !gone.has(date)),
      `Restate with: ${restateCommand(contract)}`,
    ),
    ...saying(
      stale.filter((date) => gone.has(date)),
      'The raw files are gone: to restate, put them back first.',
    ),
  ];
}
