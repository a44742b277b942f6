import { join } from 'node:path';

/** Absolute path of the workflows, for a Temporal worker's `workflowsPath`. */
export const workflowsPath = join(__dirname, 'workflows');
