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
  /** Of the plan that was run; of a rollback, of what it was asked for. */
  readonly planDigest: string;
  readonly watermark: { readonly before: PartitionDate | null; readonly after: PartitionDate | null };
  /** First and last date of the partitions this commit rewrote or removed; of a rollback, of those it changed. */
  readonly range: { readonly from: PartitionDate; readonly to: PartitionDate } | null;
  readonly digests: { readonly resolution: string; readonly rows: string };
  /** Partitions rewritten by this commit; of a rollback, those it changed, those it took away among them. */
  readonly partitions: number;
  /** Partitions that this commit took out of the table because their raw files are gone. Absent: none. */
  readonly removed?: number;
  /** Of the partitions rewritten by this commit; of a rollback, of those it brought back. */
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
  /**
   * Absent or above 0: superseded rows that could have come back while the raw files were gone. Once the files are there
   * again, as they were or not, it is computed afresh.
   */
  readonly undecided?: number;
  /** The version that wrote it. */
  readonly version: number;
  /** Paths relative to the version's folder. */
  readonly curated: readonly OutputFile[];
  readonly quarantine: readonly OutputFile[];
  /**
   * Of scope `table`: which of its rows lost, are flagged by `unique` gates, or tie, by row number (see `RowSets`).
   * The next run goes on from them. One file, or none where there are no such rows.
   */
  readonly verdicts: readonly OutputFile[];
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
  /** Goes into the version as report.json; its `commit`, and what it overwrote of other writers', are filled in by publish. */
  readonly report: Report;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly phase: string; readonly done: number; readonly total: number }) => void;
}

/** A request for a new version with the content of an earlier one. */
export interface RollbackInput {
  readonly requestId: string;
  readonly run: string;
  /** The version whose files, watermark and consumed manifests come back. */
  readonly to: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: PublishInput['onProgress'];
}

export interface VerifyOptions {
  /** Default: the newest. */
  readonly version?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: PublishInput['onProgress'];
}

/** Something that is not what the commit says. */
export interface VerifyFault {
  readonly check: VerifyCheck;
  /** Relative to the table's root; null where it is not about one file. */
  readonly path: string | null;
  readonly date: PartitionDate | null;
  /** Expected and found, in one line. */
  readonly message: string;
}

/**
 * What is checked:
 * - `file`: it exists, is a regular file, and has its size;
 * - `digest`: its bytes have their SHA-256;
 * - `rows`: its footer counts as many rows as the state says, and its row groups add up to them;
 * - `schema`: its columns are the contract's, in order (quarantine: with its reserved ones);
 * - `statistics`: no value lies outside the minimum and maximum recorded of it, and nulls are as many; the log of a Delta
 *   table says of each file of the newest version what follows from its footer;
 * - `conservation`: read = superseded + quarantined + published, by partition, and the files hold just that;
 * - `state`: fingerprints are those of the manifests, and commits are numbered without gaps;
 * - `report`: report.json says what the content says.
 */
export type VerifyCheck = 'file' | 'digest' | 'rows' | 'schema' | 'statistics' | 'conservation' | 'state' | 'report';

export interface VerifyReport {
  readonly version: number;
  readonly partitions: number;
  readonly files: number;
  readonly bytes: number;
  readonly rows: number;
  /** Files without a recorded digest: made before digests were. */
  readonly withoutDigest: number;
  /** None: the version is what its commit says. */
  readonly faults: readonly VerifyFault[];
}

/** Which version: by number, or the one that readers saw at a moment. Neither: the newest. Both are a `RequestError`. */
export interface VersionChoice {
  readonly version?: number;
  readonly asOf?: Date;
}

/** Where a version is read. */
export interface VersionPlace {
  readonly version: number;
  /** Absolute, and real, so that readers can pin it: the folder of the version, or the root of a Delta table. */
  readonly path: string;
  readonly curated: string;
  readonly quarantine: string;
  /** The report's file. */
  readonly report: string;
  /** Where one path holds all versions (Delta): the versions of the two tables for readers to name. */
  readonly deltaVersions?: { readonly curated: number; readonly quarantine: number | null };
}

export interface VacuumReport {
  readonly dryRun: boolean;
  /** Versions whose data was (or would be) removed; their commit.json stays. */
  readonly versions: readonly number[];
  /** Paths relative to the table's root, with their bytes. */
  readonly removed: readonly { readonly path: string; readonly bytes: number; readonly why: string }[];
  readonly bytes: number;
}

/** The two outputs of a run, and the two tables they make up. */
export type OutputKind = 'curated' | 'quarantine';

/** What a run writes for a partition: rows of the two tables, and what was decided about them. */
export type FileKind = OutputKind | 'verdicts';

/** Which file an attempt writes. */
export interface OutputName {
  readonly kind: FileKind;
  readonly date: PartitionDate;
  readonly run: string;
  /** The uuid drawn when the attempt started. */
  readonly attempt: string;
  /** The how-manieth of its kind and date, from 0. */
  readonly n: number;
}

/** A published table in one format. Every method first finishes what an interrupted publisher left claimed but not shown. */
export interface Table {
  /** Absolute path, or `s3://` URL, of the table's root. */
  readonly path: string;
  /** Whether output files are written to staging and linked from there, or at once where the table will name them. */
  readonly layout: 'staged' | 'in place';
  /** The folder of key indexes: relative to the table's root. They follow from raw files, and no commit names them. */
  readonly indexFolder: string;
  /** Where an attempt writes a file: relative to the table's root. No two names give the same path. */
  outputPath(name: OutputName): string;
  /**
   * The committed state. Creates nothing. A missing or empty folder is a table at version 0.
   * @throws TerminalError `TargetError` when the folder holds something else or another pipeline's table.
   */
  read(): Promise<TableState>;
  /**
   * Whether commits can be made where the table lies: asked before the work for one is done. Leaves nothing behind.
   * @throws TerminalError `TargetError` when the store does not honour conditional writes, with the reason.
   */
  checkStore(): Promise<void>;
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
  /** Where a version's report lies: a file's path, or an `s3://` URL. */
  reportFile(version: number): Promise<string>;
  /**
   * Makes a new version with the content of an earlier one: its files, watermark, consumed manifests and digests.
   * Or returns the commit that already holds this request id.
   * @throws VoidPlan when somebody else published meanwhile.
   * @throws TerminalError `RequestError` when there is no such version or its data is gone.
   */
  rollback(input: RollbackInput): Promise<Commit>;
  /**
   * Reads a version whole and holds it against its commit. Faults are returned, not thrown.
   * @throws TerminalError `RequestError` when there is no such version or its data was removed.
   */
  verify(options?: VerifyOptions): Promise<VerifyReport>;
  /**
   * Where a version is read, pinned.
   * @throws TerminalError `RequestError` when there is none, or its data was removed.
   */
  pathOf(choice?: VersionChoice): Promise<VersionPlace>;
  vacuum(options: {
    readonly dryRun: boolean;
    readonly olderThanHours: number;
    readonly now?: Date;
  }): Promise<VacuumReport>;
}
