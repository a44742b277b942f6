import {
  ApplicationFailure,
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  workflowInfo,
} from '@temporalio/workflow';
import { TerminalErrorType } from '../errors';
import { withdrawSignal } from './definitions';
import { describeFailure } from './failure';
import { CANCELLED, type DoneMessage, type RunFailure, type RunRequest, pipelineWorkflowId } from './messages';
import { requestIdFault } from './parse-messages';
import { light } from './proxies';
import { sameScope, scopeText } from './same-scope';

/**
 * A requester asks again this often: a lost `done`, a lost request and a lost entity all heal by it.
 * After an hour it asks less often, since each time is a signal to the entity, of which a run of days
 * could otherwise take more than Temporal allows.
 */
const ASK_AGAIN = '1 minute';
const LATER_ASK_AGAIN = '10 minutes';
const LATER = 60;

/**
 * The request id of a requester, stable over its retries: `<workflowId>/<firstExecutionRunId>`, or the
 * caller's own. `suffix` is what chunks add to it.
 */
export function requestIdOf(own: unknown, suffix = ''): string {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  const id = own ?? `${workflowId}/${firstExecutionRunId}`;
  const fault = requestIdFault(typeof id === 'string' ? id + suffix : id);
  if (fault)
    throw ApplicationFailure.nonRetryable(`the request cannot be served: ${fault}`, TerminalErrorType.RequestError);
  return id as string;
}

/** The answers a requester has had, by request id. Its signal handler fills it. */
export class Answers {
  readonly #byId = new Map<string, DoneMessage>();

  /** `attempt`: this requester's, since a failure of an earlier attempt is not this one's. */
  constructor(readonly attempt: string) {}

  receive(message: DoneMessage): void {
    if (message.outcome.ok || message.attempt === this.attempt) this.#byId.set(message.requestId, message);
  }

  get(requestId: string): DoneMessage | undefined {
    return this.#byId.get(requestId);
  }
}

/** The requester's history has grown long while it waited: it should continue as new and ask again. */
export const CONTINUE = Symbol('continue as new');

/** Asks the pipeline's entity for one run and waits for the outcome, however long it takes. */
export async function ask(
  answers: Answers,
  name: string,
  request: Omit<RunRequest, 'attempt' | 'replyTo'>,
): Promise<DoneMessage['outcome'] | typeof CONTINUE> {
  const { workflowId, runId } = workflowInfo();
  const full: RunRequest = { ...request, attempt: answers.attempt, replyTo: { workflowId, runId } };
  try {
    for (let asked = 1; ; asked += 1) {
      await light.submitRequest({ pipeline: name, request: full });
      await condition(() => answers.get(full.requestId) !== undefined, asked < LATER ? ASK_AGAIN : LATER_ASK_AGAIN);
      const answer = answers.get(full.requestId);
      if (answer) return forThis(full, answer.outcome);
      if (workflowInfo().continueAsNewSuggested) return CONTINUE;
    }
  } catch (error) {
    if (!isCancellation(error)) throw requestFailure(`${name} could not be asked for a run`, describeFailure(error));
    await CancellationScope.nonCancellable(() => withdraw(name, full));
    throw error;
  }
}

/** The outcome, unless it is that of something else which was asked for under the same id: nothing of this was done. */
function forThis({ requestId, scope }: RunRequest, outcome: DoneMessage['outcome']): DoneMessage['outcome'] {
  if (!outcome.ok || outcome.summary.scope === undefined || sameScope(outcome.summary.scope, scope)) return outcome;
  const { commit, scope: other } = outcome.summary;
  const version = commit === null ? '' : `, committed as version ${commit.version}`;
  const message =
    `the request id ${requestId} was used before, for ${scopeText(other)}${version}; ` +
    `this request is for ${scopeText(scope)}. Nothing was done: ask again with a request id of its own.`;
  return { ok: false, failure: { type: TerminalErrorType.RequestError, message } };
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
    nonRetryable: type === CANCELLED.type,
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
