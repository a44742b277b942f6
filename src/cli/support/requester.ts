import { randomBytes } from 'node:crypto';
import type { Client, WorkflowExecutionDescription, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { TASK_QUEUE, WorkflowType } from '../../workflows/messages';
import type { BackfillInput, IncrementalRunInput, RollbackInput } from '../../workflows/messages';

/** A requester workflow that was started, and the request it makes. */
export interface Requester {
  readonly pipeline: string;
  readonly workflowId: string;
  /** Of an incremental run or a rollback; a backfill's chunks are this and `/1`, `/2`, …. */
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

/** A request id that its requester did not choose: `<workflowId>/<firstExecutionRunId>`. */
const REQUEST_ID = /^(?<workflowId>.+)\/(?<runId>[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/i;

/**
 * Cancels the requester that made a request of this pipeline and still waits for it, whatever it is
 * called. False when the id names no such workflow: it may be the caller's own, or a chunk's.
 */
export async function cancelRequester(client: Client, pipeline: string, requestId: string): Promise<boolean> {
  const { workflowId, runId } = REQUEST_ID.exec(requestId)?.groups ?? {};
  if (workflowId === undefined || runId === undefined) return false;
  // A later workflow of this name is another request.
  const handle = client.workflow.getHandle(workflowId, undefined, { firstExecutionRunId: runId });
  try {
    const found = await handle.describe();
    if (found.status.name !== 'RUNNING' || found.raw.workflowExecutionInfo?.firstRunId !== runId) return false;
    if ((await pipelineAskedBy(client, found)) !== pipeline) return false;
    await handle.cancel();
    return true;
  } catch (error) {
    if ((error as Error).name === 'WorkflowNotFoundError') return false;
    throw error;
  }
}

/** What starts a request, and takes it back when it is cancelled. */
const REQUESTERS: ReadonlySet<string> = new Set([
  WorkflowType.incrementalRun,
  WorkflowType.backfill,
  WorkflowType.rollback,
]);

/** The pipeline in a requester's input; undefined for workflows that are no requesters. */
async function pipelineAskedBy(client: Client, requester: WorkflowExecutionDescription): Promise<unknown> {
  const { type, workflowId, runId } = requester;
  if (!REQUESTERS.has(type)) return undefined;
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 1,
  });
  const [payload] = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  if (!payload) return undefined;
  const input = client.options.loadedDataConverter.payloadConverter.fromPayload<{ pipeline?: unknown } | null>(payload);
  return input?.pipeline;
}
