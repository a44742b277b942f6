import type { Contract } from '../contract/contract';
import type { PlannedPartition } from '../discovery/plan-types';
import type { PartitionResolution } from './types';

export interface ResolveInput {
  readonly contract: Contract;
  /** Absolute path of the raw zone. */
  readonly sourceRoot: string;
  /** In date order. Scope `window` resolves over all of them, scope `partition` over each. */
  readonly partitions: readonly PlannedPartition[];
  /** Absolute path of an existing or new folder in which the row sets are written, under fresh names. */
  readonly directory: string;
}

export interface TransformInput {
  readonly contract: Contract;
  /** Absolute path of the raw zone. */
  readonly sourceRoot: string;
  readonly partition: PlannedPartition;
  /** What `resolve` found for this partition. */
  readonly resolution: PartitionResolution;
  /** Absolute path of the `directory` that `resolve` was given. */
  readonly resolutionDir: string;
  /** Absolute path of the table's root; output paths are relative to it. */
  readonly tableRoot: string;
  /** Absolute path of this attempt's staging folder, inside `tableRoot`; made when it is missing. */
  readonly stagingDir: string;
  /** The run's short digest, and the attempt's uuid: they name the files. */
  readonly run: string;
  readonly attempt: string;
}
