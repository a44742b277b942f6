import { Context, getClient } from '@temporalio/activity';
import { WorkflowType, pipelineWorkflowId, requestSignal } from '../workflows/messages';
import { attempt } from './attempt';
import type { Activities } from './types';

/** The worker's own client does it; the entity runs on the requester's task queue. */
export function submitRequest(): Activities['submitRequest'] {
  return ({ pipeline, request }) =>
    attempt('submitRequest', async () => {
      await getClient().workflow.signalWithStart(WorkflowType.pipeline, {
        workflowId: pipelineWorkflowId(pipeline),
        taskQueue: Context.current().info.taskQueue,
        args: [{ pipeline }],
        signal: requestSignal,
        signalArgs: [request],
      });
    });
}
