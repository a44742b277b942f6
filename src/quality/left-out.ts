import type { PartitionDate } from '../discovery/partition-date';
import { LeaveReason, type LeftPartition } from '../discovery/plan-types';
import { dates, plural } from './format';

/** Partitions that a run leaves out of what it publishes, or leaves standing, for one reason. */
export interface LeftOut {
  readonly reason: LeaveReason;
  /** In date order, one at least. */
  readonly dates: readonly PartitionDate[];
  /** Somebody is to decide about them: until then they are listed by every run. */
  readonly held: boolean;
  /** One line for people. */
  readonly what: string;
  /** The command that changes it; null where only the contract does. */
  readonly command: string | null;
}

interface Kind {
  readonly held: boolean;
  readonly what: (count: number, named: string) => string;
  readonly command: (pipeline: string, first: PartitionDate, last: PartitionDate) => string | null;
}

const lateCommand: Kind['command'] = (pipeline) => `tidegate run ${pipeline} --include-late`;
const goneCommand: Kind['command'] = (pipeline) => `tidegate run ${pipeline} --remove-gone`;
const one = (count: number, singular: string, many: string): string => (count === 1 ? singular : many);

/** In the order in which they are told. */
const KINDS: Partial<Record<LeaveReason, Kind>> = {
  [LeaveReason.LateHeld]: {
    held: true,
    what: (count, named) =>
      `${plural(count, 'late partition')} ${one(count, 'is', 'are')} held (${named}): new or changed, and older than the window`,
    command: lateCommand,
  },
  [LeaveReason.GoneHeld]: {
    held: true,
    what: (count, named) =>
      `${plural(count, 'published partition')} whose raw files are gone ${one(count, 'is', 'are')} held (${named})`,
    command: goneCommand,
  },
  [LeaveReason.LateNotTaken]: {
    held: false,
    what: (count, named) =>
      `${plural(count, 'partition')} older than the window ${one(count, 'holds', 'hold')} data that is not published (${named})`,
    command: (pipeline, first, last) => `tidegate backfill ${pipeline} --from ${first} --to ${last}`,
  },
  [LeaveReason.LateIgnored]: {
    held: false,
    what: (count, named) =>
      `${plural(count, 'late partition')} ${one(count, 'is', 'are')} ignored (${named}), as incremental.late says`,
    command: lateCommand,
  },
  [LeaveReason.Gone]: {
    held: false,
    what: (count, named) =>
      `${plural(count, 'published partition')} whose raw files are gone ${one(count, 'is', 'are')} kept (${named})`,
    command: goneCommand,
  },
  [LeaveReason.Future]: {
    held: false,
    what: (count, named) =>
      `${plural(count, 'partition')} dated later than tomorrow (UTC) ${one(count, 'was', 'were')} left (${named}); ` +
      'incremental.future: accept takes such partitions',
    command: () => null,
  },
};

/** What is held, ignored, kept or left for later, with the commands that decide about it. `left` is in date order. */
export function leftOut(pipeline: string, left: readonly LeftPartition[]): LeftOut[] {
  return (Object.entries(KINDS) as [LeaveReason, Kind][]).flatMap(([reason, { held, what, command }]) => {
    const found = left.filter((partition) => partition.reason === reason);
    const [first, last] = [found[0], found.at(-1)];
    if (first === undefined || last === undefined) return [];
    return {
      reason,
      dates: found.map(({ date }) => date),
      held,
      what: what(found.length, dates(found)),
      command: command(pipeline, first.date, last.date),
    };
  });
}

/** Whether a published partition stays although its raw files are gone. */
export const isGone = (reason: LeaveReason): boolean => reason === LeaveReason.Gone || reason === LeaveReason.GoneHeld;

/** How many partitions wait for somebody to decide about them. */
export function countHeld(left: readonly LeftPartition[]): number {
  return left.filter(({ reason }) => KINDS[reason]?.held === true).length;
}
