import type { PartitionDate } from '../discovery/partition-date';
import type { IgnoredEntry, LeftPartition, RemovedPartition, RunScope, TakeReason } from '../discovery/plan-types';
import type { Counts } from './counts';

/** Counts as a report tells them. */
export interface ReportCounts extends Counts {
  /**
   * Of `superseded`, those that may be due to come back, which only their raw files can tell, and these are gone (the
   * `unrecoverable` ones among them). Absent: none.
   */
  readonly undecided?: number;
}

export interface PartitionReport extends ReportCounts {
  readonly date: PartitionDate;
  readonly reason: TakeReason;
  /** Source files, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Of a coupled one: through how many primary keys or unique values; 0 where no index knows the rows concerned. */
  readonly keys?: number;
}

/** A partition that the run took out of the table, with the rows it had there. */
export interface RemovedReport extends RemovedPartition {
  readonly published: number;
  readonly quarantined: number;
}

/** A commit of another writer to one of the two Delta tables, as its log tells of it: their texts, made safe to print. */
export interface OtherCommit {
  /** Of the Delta table. Where the log was cleaned up, of the checkpoint that holds what was committed. */
  readonly version: number;
  /** Null: not told. */
  readonly operation: string | null;
  readonly engine: string | null;
}

/** A partition of a Delta table that other writers had changed since Tidegate wrote it, and that this commit overwrote. */
export interface OverwrittenPartition {
  readonly table: 'curated' | 'quarantine';
  readonly date: PartitionDate;
  /** Files of theirs, which are gone. Rows are null where their log tells none. */
  readonly added: { readonly files: number; readonly rows: number | null };
  /** Files of Tidegate's that they had taken away. */
  readonly removed: { readonly files: number; readonly rows: number | null };
  /** Theirs, in order: the newest five at most. */
  readonly commits: readonly OtherCommit[];
}

/**
 * `report.json`: what a run found and did. It is also the document `--json` prints.
 * One is kept with every version; a run without a commit keeps it in the run's folder.
 */
export interface Report {
  readonly formatVersion: 1;
  readonly requestId: string;
  readonly pipeline: string;
  readonly kind: RunScope['kind'];
  readonly scope: RunScope;
  readonly planDigest: string;
  readonly watermark: { readonly before: PartitionDate | null; readonly after: PartitionDate | null };
  /** First date of the window of an incremental run; null when there was no watermark, or in a backfill. */
  readonly windowFrom: PartitionDate | null;
  readonly commit: { readonly version: number; /** Absolute. */ readonly path: string } | null;
  /** Gate names in contract order, the reserved `primaryKey` first. The keys of every `violations`. */
  readonly gates: readonly string[];
  /** In date order. */
  readonly partitions: readonly PartitionReport[];
  /** In date order. */
  readonly removed: readonly RemovedReport[];
  /** What other writers had done to a Delta table, and this commit undid: by table and date. Absent: nothing. */
  readonly overwritten?: readonly OverwrittenPartition[];
  readonly totals: ReportCounts;
  readonly left: readonly LeftPartition[];
  readonly ignored: readonly IgnoredEntry[];
  /** Published partitions that still stand under earlier row-wise gates, in date order. */
  readonly stale: readonly PartitionDate[];
  readonly warnings: readonly string[];
}
