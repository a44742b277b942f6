import type { Contract } from '../contract/contract';
import type { PlannedPartition } from '../discovery/plan-types';
import type { Table } from '../publish/table';
import type { PartitionResolution } from './types';

export interface ResolveInput {
  readonly contract: Contract;
  /** Location of the raw zone: an absolute path, or an `s3://` URL. */
  readonly sourceRoot: string;
  /** In date order. Scope `window` resolves over all of them, scope `partition` over each. */
  readonly partitions: readonly PlannedPartition[];
  /** Location of an existing or new folder in which the row sets are written, under fresh names. */
  readonly directory: string;
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
  readonly outputPath: Table['outputPath'];
  /** The run's short digest, and the attempt's uuid: they name the files. */
  readonly run: string;
  readonly attempt: string;
}
