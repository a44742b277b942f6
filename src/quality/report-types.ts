import type { PartitionDate } from '../discovery/partition-date';
import type { IgnoredEntry, LeftPartition, RemovedPartition, RunScope, TakeReason } from '../discovery/plan-types';
import type { Counts } from './counts';

export interface PartitionReport extends Counts {
  readonly date: PartitionDate;
  readonly reason: TakeReason;
  /** Source files, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Of a coupled one: through how many primary keys or unique values. */
  readonly keys?: number;
}

/** A partition that the run took out of the table, with the rows it had there. */
export interface RemovedReport extends RemovedPartition {
  readonly published: number;
  readonly quarantined: number;
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
  readonly totals: Counts;
  readonly left: readonly LeftPartition[];
  readonly ignored: readonly IgnoredEntry[];
  /** Published partitions that still stand under earlier row-wise gates, in date order. */
  readonly stale: readonly PartitionDate[];
  readonly warnings: readonly string[];
}
