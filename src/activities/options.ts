import type { ContractRegistry } from '../contract';
import type { Engine } from '../engine';
import type { Logger } from '../logger';
import { DATA_TASK_QUEUE } from '../workflows/messages';
import type { RunPolicy } from './types';

/** What a team hands to {@link createActivities}. */
export interface ActivityOptions {
  /** Where pipelines' contracts are found: `contractsFrom(process.env.TIDEGATE_PIPELINES)`, or `contractsFrom([contract, …])`. */
  readonly contracts: ContractRegistry;
  /** How persistent runs are; see {@link defaultPolicy}. */
  readonly policy?: Partial<RunPolicy>;
  /** Default: silent. */
  readonly logger?: Logger;
  /** What computes. Default: threads of this process. */
  readonly engine?: Engine;
}

/** What activities share. */
export interface ActivityDeps {
  readonly contracts: ContractRegistry;
  readonly policy: RunPolicy;
  readonly logger: Logger;
  readonly engine: Engine;
}

/** About four minutes of trying before a run fails; a lost worker is noticed within 30 seconds. */
export const defaultPolicy: RunPolicy = {
  maximumAttempts: 10,
  initialIntervalMs: 500,
  heartbeatTimeoutMs: 30_000,
  dataTaskQueue: DATA_TASK_QUEUE,
  parallelism: 2,
};
