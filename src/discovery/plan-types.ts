import type { Contract } from '../contract/contract';
import type { CountedFile } from './manifest';
import type { PartitionDate } from './partition-date';

/** Why a partition is taken (SEMANTICS 3.2). */
export const TakeReason = {
  /** Never consumed, and in the window. */
  New: 'new',
  /** In the window or, in scope `table`, consumed by any run before: its files are no longer those consumed. */
  Changed: 'changed',
  /** Never consumed or changed, and older than the window. */
  Late: 'late',
  /** In the window and taken unchanged: `reprocess: always`, or because something else of the window changed in scope `window`. */
  Lookback: 'lookback',
  /** The change of another partition alters its outcome (scope `table`). */
  Coupled: 'coupled',
  Requested: 'requested',
  Stale: 'stale',
  /** Brought back by a rollback. */
  Restored: 'restored',
} as const;
export type TakeReason = (typeof TakeReason)[keyof typeof TakeReason];

/** Why a partition is left (SEMANTICS 3.2). */
export const LeaveReason = {
  Unchanged: 'unchanged',
  BeforeStart: 'before-start',
  /** Scope `window` never takes what is older than the window. */
  LateNotTaken: 'late: not taken',
  /** Left until somebody decides (`incremental.late: hold`). */
  LateHeld: 'held: late',
  /** Left for good (`incremental.late: ignore`). */
  LateIgnored: 'late: ignored',
  Future: 'future',
  /** Published before, raw files gone since: what was published is kept. */
  Gone: 'gone: kept',
  /** The same, until somebody decides (`incremental.gone: hold`). */
  GoneHeld: 'held: gone',
  /** Asked for by a backfill, and there is no data for it. */
  NoData: 'no data',
  /** Taken away by a rollback: the version restored does not have it. */
  NotRestored: 'not in the restored version',
} as const;
export type LeaveReason = (typeof LeaveReason)[keyof typeof LeaveReason];

export interface PlannedPartition {
  readonly date: PartitionDate;
  readonly reason: TakeReason;
  /** Sorted by the UTF-8 bytes of their path: this order is the order of rows. */
  readonly files: readonly CountedFile[];
  readonly fingerprint: string;
  readonly rows: number;
  readonly bytes: number;
  /** Of a coupled one: through how many primary keys or unique values; 0 where no index knows the rows concerned. */
  readonly keys?: number;
  /** Of a coupled one whose raw files are gone: what stands in for them. */
  readonly rebuilt?: RebuiltPartition;
}

/**
 * Files that hold what is known of a partition's raw rows, in their places: those that were published or
 * quarantined; the others are nulls, and superseded for good (SEMANTICS 3.4).
 */
export interface RebuiltPartition {
  /** Location that the paths are relative to. */
  readonly root: string;
  /** Under the paths of the raw files that had rows. */
  readonly files: readonly CountedFile[];
  /** As counted when there were raw files. */
  readonly misfiled: number;
}

/** A published partition that leaves the table with this run. */
export interface RemovedPartition {
  readonly date: PartitionDate;
  /** Its raw files are gone. */
  readonly reason: 'gone';
}

export interface LeftPartition {
  readonly date: PartitionDate;
  readonly reason: LeaveReason;
  /** What to do about it, such as the backfill command that takes it. */
  readonly hint?: string;
}

/** Something under the source root that is not part of any partition. */
export interface IgnoredEntry {
  /** Relative to the source root; untrusted text. */
  readonly path: string;
  readonly reason: string;
  /** Files in it. */
  readonly count: number;
  readonly bytes: number;
}

/** What a run is asked to do. */
export type RunScope = PlanScope | RollbackScope;

/** Which of the partitions that a policy holds or ignores: all of them, or those of these dates. */
export type Decision = 'all' | readonly PartitionDate[];

export interface IncrementalScope {
  readonly kind: 'incremental';
  /** Late partitions that this run takes, whatever `incremental.late` says. */
  readonly includeLate?: Decision;
  /** Gone partitions that this run removes, whatever `incremental.gone` says. */
  readonly removeGone?: Decision;
}

/** What is planned and computed from raw files. */
export type PlanScope =
  | IncrementalScope
  | { readonly kind: 'backfill'; readonly from: PartitionDate; readonly to: PartitionDate }
  | { readonly kind: 'backfill'; readonly select: 'all' | 'stale' };

/** A new version with the content of an earlier one: nothing is computed. */
export interface RollbackScope {
  readonly kind: 'rollback';
  /** The version to restore. */
  readonly to: number;
}

/**
 * What a run will do, frozen: a pure function of the contract, the table's state, the listing and
 * the UTC day, so that `tidegate plan` prints exactly the object a run executes. Who asked, and
 * when, is not part of it.
 */
export interface Plan {
  readonly formatVersion: 1;
  readonly pipeline: string;
  readonly scope: PlanScope;
  /** The table as it was when the plan was made; version 0 is a table without commits. */
  readonly base: { readonly version: number; readonly watermark: PartitionDate | null };
  /** First date of the window an incremental run looks at; null when there is no watermark, or in a backfill. */
  readonly windowFrom: PartitionDate | null;
  /** The watermark after this run is committed. */
  readonly watermark: PartitionDate | null;
  /** In date order. */
  readonly partitions: readonly PlannedPartition[];
  /** In date order. They are published in the base version, and not in the next. */
  readonly removed: readonly RemovedPartition[];
  readonly left: readonly LeftPartition[];
  readonly ignored: readonly IgnoredEntry[];
  readonly contract: Contract;
  readonly digests: { readonly resolution: string; readonly rows: string };
}
