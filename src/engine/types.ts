import type { PartitionDate } from '../discovery/partition-date';
import type { Counts } from '../quality/counts';

/** Columns that quarantined rows have after the declared ones, in this order (SEMANTICS 6.3). */
export const QuarantineColumn = {
  /** List of strings: the gates violated, in contract order. */
  Violations: '_violations',
  SourceFile: '_source_file',
  /** int64 */
  SourceRow: '_source_row',
} as const;

/** Rows done so far, of those that a call will handle, or of one partition of it. */
export interface Progress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly date?: PartitionDate;
}

/** Told to the caller of a long computation: heartbeats and progress lines come from here. */
export interface EngineHooks {
  readonly onProgress?: (progress: Progress) => void;
  /** Aborted work stops at the next step and throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * What key resolution found for one partition. Rows are numbered through the partition: files in
 * plan order, rows in stored order, from 0.
 */
export interface PartitionResolution {
  readonly date: PartitionDate;
  /** Rows that lost to a newer version of their primary key. */
  readonly superseded: number;
  /** Primary keys whose winner, in this partition, ties with a row that differs. */
  readonly ambiguous: number;
  /** Of `superseded`, in scope `table`: those that ought to come back and cannot, because the raw files are gone. */
  readonly unrecoverable?: number;
  /** The same, of those that could have come back: it will be decided when the raw files are there again. */
  readonly undecided?: number;
  /**
   * A file with the row sets (`superseded`, `unique:<gate name>` and, in scope `table`, `ambiguous`), relative to the
   * resolution's folder; null when all are empty.
   */
  readonly rowSets: string | null;
  /** In scope `table`, the same file, as it is committed with the partition: the next run goes on from it. */
  readonly verdicts?: readonly OutputFile[];
}

export interface OutputFile {
  /** Relative to the table's root. */
  readonly path: string;
  /** From the written file's footer. */
  readonly rows: number;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the file's bytes, in hex: what `verify` holds it against. Absent in versions made before it was recorded. */
  readonly sha256?: string;
}

/** What one partition became. Counts are not derived from each other (SEMANTICS 6.1). */
export interface PartitionResult {
  readonly date: PartitionDate;
  readonly counts: Counts;
  /** Empty when nothing was published. */
  readonly curated: readonly OutputFile[];
  readonly quarantine: readonly OutputFile[];
  /** Rows of a partition without raw files that could have come back; see `PartitionState`. */
  readonly undecided?: number;
  /** In scope `table`, its verdicts. */
  readonly verdicts?: readonly OutputFile[];
}
