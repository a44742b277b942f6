/** The workflows a Temporal worker registers; their names are the workflow types in messages.ts. */
export { backfill } from './backfill';
export { incrementalRun } from './incremental-run';
export { pipeline } from './pipeline';
export { rollback } from './rollback';
export { run } from './run';
