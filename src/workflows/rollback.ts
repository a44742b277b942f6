import { ApplicationFailure, continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import { TerminalErrorType } from '../errors';
import { doneSignal } from './definitions';
import type { RollbackInput, RunSummary } from './messages';
import { Answers, CONTINUE, ask, describe, requestFailure, requestIdOf } from './request';

/**
 * Asks a pipeline to make a new version with the content of an earlier one: files, watermark and
 * consumed manifests (SEMANTICS 3.5). A request like a run: it waits for its turn, commits once, and
 * fails when the rollback failed. The pipeline is paused with it unless `pause` is false.
 */
export async function rollback(input: RollbackInput): Promise<RunSummary> {
  const attempt = input?.carried?.attempt ?? workflowInfo().runId;
  const answers = new Answers(attempt);
  setHandler(doneSignal, (message) => answers.receive(message));
  const { pipeline } = await describe(input?.pipeline);
  const { to, pause = true } = input;
  if (!Number.isSafeInteger(to) || to < 1) throw malformed(`to is the number of a version, from 1; found ${text(to)}`);
  if (typeof pause !== 'boolean') throw malformed(`pause is true or false; found ${text(pause)}`);
  const outcome = await ask(answers, pipeline, {
    requestId: requestIdOf(input.requestId),
    scope: { kind: 'rollback', to },
    noPause: !pause,
  });
  if (outcome === CONTINUE) return await continueAsNew<typeof rollback>({ ...input, carried: { attempt } });
  if (outcome.ok) return outcome.summary;
  throw requestFailure(`the rollback of ${pipeline} to version ${to} failed`, outcome.failure);
}

const text = (value: unknown): string => JSON.stringify(value) ?? 'nothing';
const malformed = (message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, TerminalErrorType.RequestError);
