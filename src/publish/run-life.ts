/** How long versions stay readable: at least the newest `versions`, and each at least `days` after it was replaced. */
export interface Keep {
  readonly versions: number;
  readonly days: number;
}

export interface VacuumOptions {
  readonly dryRun: boolean;
  /** How long a run must have shown no sign of life before what it left is taken; an hour at least. */
  readonly olderThanHours: number;
  readonly keep: Keep;
  readonly now: Date;
}

const MS_PER_HOUR = 3_600_000;
const HOURS_PER_DAY = 24;
/** What is younger than this may belong to a run under way, whatever is asked for. */
const LEAST_HOURS = 1;

/** What vacuum takes of runs, by when they last showed a sign of life. Moments are milliseconds since the epoch. */
export interface Cutoffs {
  readonly hours: number;
  /** Data and whatever else is unfinished: of runs last heard of before this. */
  readonly unfinished: number;
  /** Plans and results, which are kept as long as versions: of runs last heard of before this. */
  readonly documents: number;
}

export function cutoffsOf({ now, olderThanHours, keep }: Omit<VacuumOptions, 'dryRun'>): Cutoffs {
  const hours = Math.max(olderThanHours, LEAST_HOURS);
  const ago = (some: number): number => now.getTime() - some * MS_PER_HOUR;
  return { hours, unfinished: ago(hours), documents: ago(Math.max(hours, keep.days * HOURS_PER_DAY)) };
}

/**
 * When each run last wrote anything: data, documents, or the sign of life that its activities give every
 * minute (`_runs/<run>/alive`). A run is one thing: its first group of partitions may have been written
 * hours before its last one, and is published with it.
 */
export class RunLives {
  readonly #last = new Map<string, number>();

  see(run: string, at: number): void {
    this.#last.set(run, Math.max(at, this.#last.get(run) ?? at));
  }

  /** Whether a run that left something has shown no sign of life since `before`. */
  isQuiet(run: string, before: number): boolean {
    return (this.#last.get(run) ?? before) < before;
  }
}

/** Why vacuum takes it, in words for a person. */
export const WHY = {
  staged: (hours: number) => `staged by a run without a sign of life for ${hours} hours`,
  documents: 'plans and results of a run that ended long ago',
  interrupted: 'a file whose writing was interrupted',
} as const;
