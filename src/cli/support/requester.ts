import { randomBytes } from 'node:crypto';
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { TASK_QUEUE, WorkflowType } from '../../workflows/messages';
import type { BackfillInput, IncrementalRunInput, RollbackInput } from '../../workflows/messages';

/** A requester workflow that was started, and the request it makes. */
export interface Requester {
  readonly pipeline: string;
  readonly workflowId: string;
  /** Of an incremental run; a backfill's chunks are this and `/1`, `/2`, …. */
  readonly requestId: string;
  readonly handle: WorkflowHandleWithFirstExecutionRunId;
}

/** Starts a requester under a readable workflow id: `tidegate-run-transactions-20260508T120001Z-3fa9c1`. */
export async function startRequester(
  client: Client,
  what:
    | { readonly kind: 'run'; readonly input: IncrementalRunInput }
    | { readonly kind: 'backfill'; readonly input: BackfillInput }
    | { readonly kind: 'rollback'; readonly input: RollbackInput },
): Promise<Requester> {
  const { pipeline } = what.input;
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const workflowId = `tidegate-${what.kind}-${pipeline}-${time}-${randomBytes(3).toString('hex')}`;
  const type = what.kind === 'run' ? WorkflowType.incrementalRun : WorkflowType[what.kind];
  const handle = await client.workflow.start(type, { taskQueue: TASK_QUEUE, workflowId, args: [what.input] });
  return {
    pipeline,
    workflowId,
    requestId: what.input.requestId ?? `${workflowId}/${handle.firstExecutionRunId}`,
    handle,
  };
}
