import {
  ApplicationFailure,
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import { withdrawSignal } from './definitions';
import { describeFailure } from './failure';
import { type DoneMessage, type RunFailure, type RunRequest, pipelineWorkflowId } from './messages';
import { light } from './proxies';

/** Requesters ask again this often: a lost `done`, a lost request and a lost entity all heal by it. */
const ASK_AGAIN = '1 minute';

/** The request id of a requester, stable over its retries: `<workflowId>/<firstExecutionRunId>`, or the caller's own. */
export function requestIdOf(own?: string): string {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  return own ?? `${workflowId}/${firstExecutionRunId}`;
}

/** The answers a requester has had, by request id. Its signal handler fills it. */
export class Answers {
  readonly #byId = new Map<string, DoneMessage>();

  receive(message: DoneMessage): void {
    // A failure of an earlier attempt is not this attempt's.
    if (message.outcome.ok || message.attempt === workflowInfo().runId) this.#byId.set(message.requestId, message);
  }

  get(requestId: string): DoneMessage | undefined {
    return this.#byId.get(requestId);
  }
}

/** Asks the pipeline's entity for one run and waits for the outcome, however long it takes. */
export async function ask(
  answers: Answers,
  name: string,
  request: Omit<RunRequest, 'attempt' | 'replyTo'>,
): Promise<DoneMessage['outcome']> {
  const { workflowId, runId } = workflowInfo();
  const full: RunRequest = { ...request, attempt: runId, replyTo: { workflowId, runId } };
  try {
    for (;;) {
      await light.submitRequest({ pipeline: name, request: full });
      await condition(() => answers.get(full.requestId) !== undefined, ASK_AGAIN);
      const answer = answers.get(full.requestId);
      if (answer) return answer.outcome;
    }
  } catch (error) {
    if (!isCancellation(error)) throw requestFailure(`${name} could not be asked for a run`, describeFailure(error));
    await CancellationScope.nonCancellable(() => withdraw(name, full));
    throw error;
  }
}

/** What a requester must know of the pipeline it is asked to run. */
export async function describe(name: unknown): ReturnType<typeof light.describePipeline> {
  try {
    return await light.describePipeline({ pipeline: name });
  } catch (error) {
    if (isCancellation(error)) throw error;
    throw requestFailure('the request cannot be served', describeFailure(error));
  }
}

/** A run's failure as its requester reports it: one line with the cause; retried when the requester has a retry policy. */
export function requestFailure(what: string, { type, message }: RunFailure, details?: unknown): ApplicationFailure {
  return ApplicationFailure.create({
    message: `${what}: ${message}`,
    type,
    nonRetryable: type === 'Cancelled',
    details: details === undefined ? undefined : [details],
  });
}

async function withdraw(name: string, { requestId, replyTo }: RunRequest): Promise<void> {
  try {
    await getExternalWorkflowHandle(pipelineWorkflowId(name)).signal(withdrawSignal, { requestId, replyTo });
  } catch {
    // No entity means that nothing waits or runs for this request.
  }
}
