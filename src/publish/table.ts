import type { CountedFile } from '../discovery/manifest';
import type { PartitionDate } from '../discovery/partition-date';
import type { Plan, RunScope } from '../discovery/plan-types';
import type { OutputFile, PartitionResult } from '../engine/types';
import type { Counts } from '../quality/counts';
import type { Report } from '../quality/report-types';

/** The header of a commit: small, and kept for ever, so that request ids stay known. */
export interface Commit {
  readonly formatVersion: 1;
  readonly pipeline: string;
  /** 1 and up, without gaps. */
  readonly version: number;
  readonly requestId: string;
  /** The short digest of the request id that names the run's folders and files. */
  readonly run: string;
  readonly scope: RunScope;
  readonly planDigest: string;
  readonly watermark: { readonly before: PartitionDate | null; readonly after: PartitionDate | null };
  /** First and last date of the partitions this commit rewrote. */
  readonly range: { readonly from: PartitionDate; readonly to: PartitionDate } | null;
  readonly digests: { readonly resolution: string; readonly rows: string };
  /** Partitions rewritten by this commit. */
  readonly partitions: number;
  /** Of the partitions rewritten by this commit. */
  readonly totals: Counts;
  /** UTC, ISO 8601. */
  readonly committedAt: string;
  /** Host and process that published. */
  readonly committedBy: string;
}

/** The published outcome of one source partition and what it was computed from. */
export interface PartitionState {
  readonly date: PartitionDate;
  readonly files: readonly CountedFile[];
  readonly fingerprint: string;
  readonly counts: Counts;
  /** Digest of the row-wise gates it was published under; differs from the contract's when stale. */
  readonly rowsDigest: string;
  /** The version that wrote it. */
  readonly version: number;
  /** Paths relative to the version's folder. */
  readonly curated: readonly OutputFile[];
  readonly quarantine: readonly OutputFile[];
}

/** Everything needed to go on, as committed. */
export interface TableState {
  /** 0 for a table without commits. */
  readonly version: number;
  /** The newest commit. */
  readonly commit: Commit | null;
  readonly watermark: PartitionDate | null;
  readonly partitions: ReadonlyMap<PartitionDate, PartitionState>;
}

export interface PublishInput {
  readonly requestId: string;
  readonly run: string;
  readonly plan: Plan;
  readonly planDigest: string;
  readonly results: readonly PartitionResult[];
  /** Goes into the version as report.json; its `commit` is filled in by publish. */
  readonly report: Report;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly phase: string; readonly done: number; readonly total: number }) => void;
}

export interface VacuumReport {
  readonly dryRun: boolean;
  /** Versions whose data was (or would be) removed; their commit.json stays. */
  readonly versions: readonly number[];
  /** Paths relative to the table's root, with their bytes. */
  readonly removed: readonly { readonly path: string; readonly bytes: number; readonly why: string }[];
  readonly bytes: number;
}

/** A published table in one format. Every method first finishes what an interrupted publisher left claimed but not shown. */
export interface Table {
  /** Absolute path of the table's root. */
  readonly path: string;
  /**
   * The committed state. Creates nothing. A missing or empty folder is a table at version 0.
   * @throws TerminalError `TargetError` when the folder holds something else or another pipeline's table.
   */
  read(): Promise<TableState>;
  /** Marks the folder as this pipeline's table, so that staging may begin. Idempotent. */
  claimFolder(): Promise<void>;
  /** The commit of a request id, however old. */
  find(requestId: string): Promise<Commit | null>;
  /**
   * Makes a run's output visible in one atomic step, or returns the commit that already holds this request id.
   * @throws VoidPlan when the table's version is no longer the plan's base version.
   * @throws TerminalError `ConservationError` when read ≠ superseded + quarantined + published.
   */
  publish(input: PublishInput): Promise<Commit>;
  /** Newest first. */
  history(limit?: number): Promise<Commit[]>;
  report(version?: number): Promise<Report>;
  /** Absolute, real path of a version's folder (the newest when not given), for readers to pin. */
  pathOf(version?: number): Promise<string>;
  vacuum(options: {
    readonly dryRun: boolean;
    readonly olderThanHours: number;
    readonly now?: Date;
  }): Promise<VacuumReport>;
}
