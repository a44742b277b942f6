import { ApplicationFailure, continueAsNew, setHandler, workflowInfo } from '@temporalio/workflow';
import { TerminalErrorType } from '../errors';
import { type Chunk, chunksOf } from './backfill-chunks';
import { doneSignal } from './definitions';
import type { BackfillInput, BackfillSummary, ChunkOutcome, DoneMessage } from './messages';
import { Answers, CONTINUE, ask, describe, requestFailure, requestIdOf } from './request';

/**
 * Asks a pipeline for a range of dates again, chunk by chunk in date order: one request and one
 * commit each, so that scheduled runs go in between. Stops at the first failure; the failure's
 * details list what is done, failed and not started, and a retry goes on where it stopped,
 * because chunks that are committed answer with their recorded outcome.
 */
export async function backfill(input: BackfillInput): Promise<BackfillSummary> {
  const attempt = input?.carried?.attempt ?? workflowInfo().runId;
  const answers = new Answers(attempt);
  setHandler(doneSignal, (message) => answers.receive(message));
  const { pipeline, scope } = await describe(input?.pipeline);
  const chunks = parseChunks(input, scope === 'window');
  const base = requestIdOf(input.requestId, `/${chunks.length}`);
  const done = [...(input.carried?.done ?? [])];

  for (const [index, chunk] of chunks.entries()) {
    if (index < done.length) continue;
    const requestId = `${base}/${index + 1}`;
    const outcome = await ask(answers, pipeline, { requestId, scope: chunk, plan: input.plan });
    if (outcome !== CONTINUE) done.push({ requestId, ...rangeOf(chunk), ...resultOf(outcome) });
    if (outcome === CONTINUE || (workflowInfo().continueAsNewSuggested && index + 1 < chunks.length && outcome.ok)) {
      await continueAsNew<typeof backfill>({ ...input, carried: { attempt, done } });
    } else if (!outcome.ok) {
      const where = chunks.length > 1 ? `chunk ${index + 1} of ${chunks.length} (${textOf(chunk)})` : textOf(chunk);
      const rest = chunks.length > 1 ? `; ${index} done, ${chunks.length - index - 1} not started` : '';
      const failure = { ...outcome.failure, message: `${outcome.failure.message}${rest}` };
      const notStarted = chunks.slice(index + 1).map((other, after): ChunkOutcome => {
        return { requestId: `${base}/${index + after + 2}`, ...rangeOf(other), status: 'not started' };
      });
      const details = { pipeline, chunks: [...done, ...notStarted] };
      throw requestFailure(`the backfill of ${pipeline} failed at ${where}`, failure, details);
    }
  }
  return { pipeline, chunks: done };
}

function parseChunks(input: BackfillInput, whole: boolean): readonly Chunk[] {
  const chunks = chunksOf(input, whole);
  if (typeof chunks === 'string') throw ApplicationFailure.nonRetryable(chunks, TerminalErrorType.RequestError);
  if (input.plan !== undefined && chunks.length > 1) {
    throw ApplicationFailure.nonRetryable(
      `a plan is one chunk, but this backfill has ${chunks.length}: ask for a shorter range, or for a greater chunkDays`,
      TerminalErrorType.RequestError,
    );
  }
  return chunks;
}

function rangeOf(chunk: Chunk): { from?: string; to?: string } {
  return 'from' in chunk ? { from: chunk.from, to: chunk.to } : {};
}

function textOf(chunk: Chunk): string {
  return 'from' in chunk ? `${chunk.from}..${chunk.to}` : chunk.select;
}

function resultOf(
  outcome: DoneMessage['outcome'],
): Pick<ChunkOutcome, 'status' | 'version' | 'report' | 'published' | 'quarantined' | 'failure'> {
  if (!outcome.ok) return { status: 'failed', failure: outcome.failure };
  const { status, commit, report, totals } = outcome.summary;
  return {
    status,
    version: commit?.version,
    report: report ?? undefined,
    published: totals?.published,
    quarantined: totals?.quarantined,
  };
}
