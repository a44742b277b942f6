import type { Workflow } from '@temporalio/client';
import type * as clientPackage from '@temporalio/client';
import { TASK_QUEUE, WorkflowType, pipelineWorkflowId } from '../../workflows/messages';
import type { TemporalClient } from '../../temporal';
import { hasWorker, withTemporal } from './temporal';

const UPDATE_MS = 15_000;

/**
 * Sends an update to a pipeline's entity and waits for its answer, starting the entity where there is none yet.
 * @throws Error when no worker answers in time.
 */
export async function updateEntity<T>(pipeline: string, update: string, args: unknown[]): Promise<T> {
  return await withTemporal(async (temporal) => {
    const { client } = temporal;
    // Loaded late, as in temporal.ts.
    const { WithStartWorkflowOperation } = require('@temporalio/client') as typeof clientPackage;
    return await orNoWorker(temporal, () =>
      client.workflow.executeUpdateWithStart<Workflow, T, unknown[]>(update, {
        args,
        startWorkflowOperation: new WithStartWorkflowOperation(WorkflowType.pipeline, {
          workflowId: pipelineWorkflowId(pipeline),
          taskQueue: TASK_QUEUE,
          workflowIdConflictPolicy: 'USE_EXISTING',
          args: [{ pipeline }],
        }),
      }),
    );
  });
}

/** As {@link updateEntity}, but an entity that was never started is not started: null. */
export async function updateExistingEntity<T>(pipeline: string, update: string, input: unknown): Promise<T | null> {
  return await withTemporal(async (temporal) => {
    const handle = temporal.client.workflow.getHandle(pipelineWorkflowId(pipeline));
    try {
      return await orNoWorker(temporal, () => handle.executeUpdate<T, [unknown]>(update, { args: [input] }));
    } catch (error) {
      if ((error as Error).name === 'WorkflowNotFoundError') return null;
      throw error;
    }
  });
}

async function orNoWorker<T>(temporal: TemporalClient, ask: () => Promise<T>): Promise<T> {
  const { connection, address } = temporal;
  if ((await hasWorker(temporal, TASK_QUEUE)) === false) {
    throw new Error(
      `no worker polls the task queue "${TASK_QUEUE}" at ${address}, so nobody answers for this pipeline. ` +
        'Start one with `tidegate worker` or `tidegate dev`.',
    );
  }
  return await connection.withDeadline(Date.now() + UPDATE_MS, ask);
}
