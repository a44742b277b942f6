import type { Contract } from '../contract/contract';
import type { CountedFile } from './manifest';
import type { PartitionDate } from './partition-date';

/** Why a partition is taken (SEMANTICS 3.2). */
export const TakeReason = {
  New: 'new',
  Lookback: 'lookback',
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
  LateNotTaken: 'late: not taken',
  Future: 'future',
  /** Published before, raw files gone since: what was published is kept. */
  Gone: 'gone: kept',
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

/** What is planned and computed from raw files. */
export type PlanScope =
  | { readonly kind: 'incremental' }
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
  readonly left: readonly LeftPartition[];
  readonly ignored: readonly IgnoredEntry[];
  readonly contract: Contract;
  readonly digests: { readonly resolution: string; readonly rows: string };
}
