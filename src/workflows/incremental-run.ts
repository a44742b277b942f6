import { continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import { doneSignal } from './definitions';
import type { IncrementalRunInput, RunSummary } from './messages';
import { Answers, CONTINUE, ask, describe, requestFailure, requestIdOf } from './request';

/**
 * Asks a pipeline for an incremental run and waits for it. What schedules, people, `temporal` and
 * `tctl` start, with `{"pipeline":"transactions"}`. Fails when the run failed, so schedules and
 * retry policies follow the real outcome; a retry is a new attempt at the same request.
 */
export async function incrementalRun(input: IncrementalRunInput): Promise<RunSummary> {
  const attempt = input?.carried?.attempt ?? workflowInfo().runId;
  const answers = new Answers(attempt);
  setHandler(doneSignal, (message) => answers.receive(message));
  const { pipeline } = await describe(input?.pipeline);
  const requestId = requestIdOf(input.requestId);
  const outcome = await ask(answers, pipeline, { requestId, scope: { kind: 'incremental' }, plan: input.plan });
  if (outcome === CONTINUE) return await continueAsNew<typeof incrementalRun>({ ...input, carried: { attempt } });
  if (outcome.ok) return outcome.summary;
  throw requestFailure(`the run of ${pipeline} failed`, outcome.failure);
}
