/**
 * Tidegate as a library: put its activities and workflows into a Temporal worker of your own.
 *
 * ```ts
 * const worker = await Worker.create({
 *   taskQueue: 'etl',
 *   workflowsPath,                      // or bundle your own file that re-exports Tidegate's workflows
 *   activities: createActivities({ contracts: contractsFrom([pipeline]), policy: { dataTaskQueue: 'etl' } }),
 * });
 * ```
 */
export { createActivities, defaultPolicy, type ActivityOptions, type Activities, type RunPolicy } from './activities';
export {
  contractsFrom,
  definePipeline,
  loadContract,
  type Contract,
  type ContractRegistry,
  type PipelineSource,
} from './contract';
export { TerminalError, TerminalErrorType } from './errors';
export type { Counts, OtherCommit, OverwrittenPartition, PartitionReport, Report } from './quality';
export { createWorkers, type TidegateWorkerOptions, type TidegateWorkers } from './create-workers';
export { startDevServer, type DevServer, type DevServerOptions } from './temporal';
export { workflowsPath } from './workflows-path';
export {
  DATA_TASK_QUEUE,
  TASK_QUEUE,
  WorkflowType,
  pipelineWorkflowId,
  type BackfillInput,
  type BackfillSummary,
  type IncrementalRunInput,
  type PipelineState,
  type RollbackInput,
  type RunSummary,
} from './workflows/messages';
