import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TemporalClient } from '../../temporal';
import { formatCount } from '../../quality';
import { TASK_QUEUE, pipelineWorkflowId, progressQuery, runWorkflowId, stateQuery } from '../../workflows/messages';
import type { PipelineState, RunProgress } from '../../workflows/messages';
import { Interrupted } from './exit';
import { note } from './output';
import type { ProgressLine } from './progress';
import type { Requester } from './requester';
import { hasWorker } from './temporal';

const TICK_MS = 700;
const QUERY_MS = 2_000;
const NO_WORKER_AFTER_MS = 3_000;
const NO_WORKER_AGAIN_MS = 30_000;
const OUTAGE_MS = 5 * 60_000;

interface FollowOptions {
  /** Whether Ctrl-C detaches. Default true. */
  readonly detachable?: boolean;
  /** Gives up waiting when aborted. */
  readonly signal?: AbortSignal;
}

/**
 * Waits for a requester's result and shows what its request is doing. Ctrl-C detaches: the run goes
 * on, and how to cancel it is said.
 * @throws what the workflow failed with, or {@link Interrupted}.
 */
export async function follow<T>(
  temporal: TemporalClient,
  requester: Requester,
  line: ProgressLine,
  { detachable = true, signal }: FollowOptions = {},
): Promise<T> {
  const watch = new AbortController();
  // One listener for every long poll of a run that may take hours.
  setMaxListeners(0, watch.signal);
  const interrupted = new Promise<never>((_, reject) => {
    const onSignal = (): void => {
      line.stop();
      note(detachedText(requester));
      reject(new Interrupted('detached'));
    };
    if (detachable) process.once('SIGINT', onSignal);
    watch.signal.addEventListener('abort', () => process.off('SIGINT', onSignal));
    signal?.addEventListener('abort', () => reject(new Interrupted('given up')), { signal: watch.signal });
  });
  // Both end before the caller closes the connection: a call that retries on a closed one would crash the process.
  const { connection } = temporal;
  const shown = showProgress(temporal, requester, line, watch.signal);
  const result = connection.withAbortSignal(watch.signal, () => outlast<T>(temporal, requester, line, watch.signal));
  try {
    return await Promise.race([result, interrupted]);
  } finally {
    watch.abort();
    await Promise.allSettled([shown, result]);
    line.stop();
  }
}

/** The result, through outages of the server: the run waits for it to come back, and so does who follows the run. */
async function outlast<T>(
  { address }: TemporalClient,
  { handle, pipeline }: Requester,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<T> {
  let giveUpAt: number | null = null;
  for (;;) {
    const asked = Date.now();
    try {
      return (await handle.result()) as T;
    } catch (error) {
      if (signal.aborted || !isUnavailable(error)) throw error;
      const now = Date.now();
      if (giveUpAt === null || now - asked > OUTAGE_MS) {
        giveUpAt = now + OUTAGE_MS;
        line.say(
          `The Temporal server at ${address} does not answer. The run goes on when it is back; Ctrl-C detaches.`,
        );
      } else if (now > giveUpAt) {
        throw new Error(
          `the Temporal server at ${address} has not answered for ${OUTAGE_MS / 60_000} minutes. ` +
            `The request stays with it; when it is back: tidegate status ${pipeline}`,
          { cause: error },
        );
      }
      await sleep(TICK_MS, undefined, { signal });
    }
  }
}

const GRPC_UNAVAILABLE = 14;

/** By name, as the client's package is loaded late. */
function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error) || error.name !== 'ServiceError') return false;
  const { cause } = error;
  return cause instanceof Error && 'code' in cause && cause.code === GRPC_UNAVAILABLE;
}

export function detachedText({ pipeline, workflowId, requestId }: Requester): string {
  return (
    `The run goes on without this terminal, as workflow ${workflowId}.\n` +
    `  look:    tidegate status ${pipeline}\n` +
    `  cancel:  tidegate cancel ${pipeline} --request ${requestId}`
  );
}

async function showProgress(
  temporal: TemporalClient,
  requester: Requester,
  line: ProgressLine,
  signal: AbortSignal,
): Promise<void> {
  const started = Date.now();
  let warnAfter = started + NO_WORKER_AFTER_MS;
  line.update(`${requester.pipeline}: asked for, as ${requester.workflowId}`);
  while (!signal.aborted) {
    const text = await describeRequest(temporal, requester);
    if (signal.aborted) return;
    if (text !== null) {
      line.update(`${requester.pipeline}: ${text}`);
    } else if (Date.now() > warnAfter) {
      warnAfter = Date.now() + NO_WORKER_AGAIN_MS;
      if ((await hasWorker(temporal, TASK_QUEUE)) === false && !signal.aborted) {
        line.say(
          `No worker polls the task queue "${TASK_QUEUE}" at ${temporal.address} (namespace ${temporal.namespace}), so nothing happens yet.\n` +
            '  Start one with `tidegate worker` (or `tidegate dev`, with a server of its own). Waiting; Ctrl-C detaches.',
        );
      }
    }
    await sleep(TICK_MS, undefined, { signal }).catch(() => {});
  }
}

/** What the request is doing; null when nobody can say (no entity yet, or no worker to answer for it). */
async function describeRequest(temporal: TemporalClient, requester: Requester): Promise<string | null> {
  const state = await query<PipelineState>(temporal, pipelineWorkflowId(requester.pipeline), stateQuery);
  if (state === null) return null;
  const { running, queued } = state;
  if (running && isOurs(running.requestId, requester)) {
    const progress = await query<RunProgress>(
      temporal,
      runWorkflowId(requester.pipeline, running.requestId),
      progressQuery,
    );
    return `${chunkOf(running.requestId, requester)}${progress ? describeProgress(progress) : 'starting'}`;
  }
  const place = queued.ids.findIndex((id) => isOurs(id, requester));
  if (running) {
    const ahead = place > 0 ? ` and ${place} more` : '';
    return `queued behind the ${running.kind} run ${running.requestId}${ahead}`;
  }
  return place >= 0 ? 'queued' : null;
}

async function query<T>({ client, connection }: TemporalClient, workflowId: string, name: string): Promise<T | null> {
  try {
    return await connection.withDeadline(Date.now() + QUERY_MS, () =>
      client.workflow.getHandle(workflowId).query<T>(name),
    );
  } catch {
    return null;
  }
}

function isOurs(requestId: string, requester: Requester): boolean {
  return requestId === requester.requestId || requestId.startsWith(`${requester.requestId}/`);
}

function chunkOf(requestId: string, requester: Requester): string {
  return requestId === requester.requestId ? '' : `chunk ${requestId.slice(requester.requestId.length + 1)}: `;
}

export function describeProgress({ stage, planNumber, partitions, rows }: RunProgress): string {
  const plan = planNumber > 1 ? ` (plan ${planNumber}: the world moved under the one before)` : '';
  const counts =
    partitions.taken > 0
      ? `, ${formatCount(partitions.done)} of ${formatCount(partitions.taken)} partitions, ` +
        `${formatCount(rows.read)} of ${formatCount(rows.total)} rows`
      : '';
  return `${stage}${counts}${plan}`;
}
