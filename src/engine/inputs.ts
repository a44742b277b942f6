import type { Contract } from '../contract/contract';
import type { PlannedPartition } from '../discovery/plan-types';
import type { PartitionDate } from '../discovery/partition-date';
import type { OutputName, PartitionState } from '../publish/table';
import type { PartitionResolution } from './types';

/** Says where the table wants a file; whoever is asked may be in another thread. */
export type OutputPath = (name: OutputName) => string | Promise<string>;

export interface ResolveInput {
  readonly contract: Contract;
  /** Location of the raw zone: an absolute path, or an `s3://` URL. */
  readonly sourceRoot: string;
  /** In date order. Scope `window` resolves over all of them, scope `partition` over each. */
  readonly partitions: readonly PlannedPartition[];
  /** Location of an existing or new folder in which the row sets are written, under fresh names. */
  readonly directory: string;
}

/** What scope `table` is resolved from: what the run takes, and the table as committed. */
export interface ResolveTableInput {
  readonly contract: Contract;
  /** Location of the raw zone: an absolute path, or an `s3://` URL. */
  readonly sourceRoot: string;
  /** What the run takes, in date order. */
  readonly partitions: readonly PlannedPartition[];
  /** Published partitions that leave the table. */
  readonly removed: readonly PartitionDate[];
  readonly committed: {
    readonly partitions: ReadonlyMap<PartitionDate, PartitionState>;
    /** Location that their files' paths are relative to. */
    readonly root: string;
  };
  /** Location of the table's root, where key indexes are. */
  readonly tableRoot: string;
  /** Location that output paths are relative to. */
  readonly outputRoot: string;
  readonly outputPath: OutputPath;
  /** The run's short digest, and the attempt's uuid: they name the files. */
  readonly run: string;
  readonly attempt: string;
  /** Location of a folder of this attempt, which the whole run can read. */
  readonly staging: string;
  /** A local folder for what does not fit in memory. */
  readonly scratch: string;
  readonly indexes: {
    /** Key of the folder, in the table, with the key indexes. */
    readonly folder: string;
    /** A local folder where indexes of an object store are kept at hand. */
    readonly cache: string;
    /** A local folder where new indexes go when nothing of the table may change. */
    readonly overlay: string | null;
  };
}

export interface TransformInput {
  readonly contract: Contract;
  /** Location of the raw zone: an absolute path, or an `s3://` URL. */
  readonly sourceRoot: string;
  readonly partition: PlannedPartition;
  /** What `resolve` found for this partition; null in scope `partition`: found along the way, from what is read anyway. */
  readonly resolution: PartitionResolution | null;
  /** Location of the `directory` that `resolve` was given. */
  readonly resolutionDir: string;
  /** Location of the table's root; output paths are relative to it. */
  readonly tableRoot: string;
  /** Where the table wants the files of this attempt. */
  readonly outputPath: OutputPath;
  /** The run's short digest, and the attempt's uuid: they name the files. */
  readonly run: string;
  readonly attempt: string;
}
