import { ApplicationFailure, continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import { TerminalErrorType } from '../errors';
import { doneSignal } from './definitions';
import type { IncrementalRunInput, RunSummary } from './messages';
import { parseIncremental } from './parse-messages';
import { Answers, CONTINUE, ask, describe, requestFailure, requestIdOf } from './request';

/**
 * Asks a pipeline for an incremental run and waits for it. What schedules, people, `temporal` and
 * `tctl` start, with `{"pipeline":"transactions"}`, and perhaps decisions about what is held. Fails when the run failed, so schedules and
 * retry policies follow the real outcome; a retry is a new attempt at the same request.
 */
export async function incrementalRun(input: IncrementalRunInput): Promise<RunSummary> {
  const attempt = input?.carried?.attempt ?? workflowInfo().runId;
  const answers = new Answers(attempt);
  setHandler(doneSignal, (message) => answers.receive(message));
  const { pipeline } = await describe(input?.pipeline);
  const requestId = requestIdOf(input.requestId);
  const scope = parseIncremental(input);
  if (typeof scope === 'string') {
    throw ApplicationFailure.nonRetryable(`the request cannot be served: ${scope}`, TerminalErrorType.RequestError);
  }
  const outcome = await ask(answers, pipeline, { requestId, scope, plan: input.plan });
  if (outcome === CONTINUE) return await continueAsNew<typeof incrementalRun>({ ...input, carried: { attempt } });
  if (outcome.ok) return outcome.summary;
  throw requestFailure(`the run of ${pipeline} failed`, outcome.failure);
}
