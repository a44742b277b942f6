import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { TerminalError, VOID_PLAN, VoidPlan, messageOf } from '../errors';
import { failpoint } from '../failpoints';

/** What an attempt's work is given: it reports progress, which is heartbeaten, and stops when told to. */
export interface Attempt {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: unknown) => void;
}

/** Heartbeats an attempt sends within one heartbeat timeout. */
const BEATS = 5;

/**
 * Runs one attempt of an activity: heartbeats with the latest progress, leaves at once when
 * cancelled (native work may go on, so attempts never share output paths), passes the failpoints
 * `<name>.before`, `<name>.during` (the work is under way) and `<name>.after`, and maps errors to Temporal's.
 */
export async function attempt<T>(name: string, work: (attempt: Attempt) => Promise<T>): Promise<T> {
  const context = Context.current();
  const { heartbeatTimeoutMs } = context.info;
  let latest: unknown;
  const beat = heartbeatTimeoutMs
    ? setInterval(() => context.heartbeat(latest), Math.max(100, heartbeatTimeoutMs / BEATS))
    : undefined;
  try {
    await failpoint(`${name}.before`);
    const done = work({ signal: context.cancellationSignal, onProgress: (progress) => (latest = progress) });
    // An abandoned promise must not become an unhandled rejection when it fails later.
    done.catch(() => {});
    await failpoint(`${name}.during`);
    const result = await Promise.race([done, context.cancelled]);
    await failpoint(`${name}.after`);
    return result;
  } catch (error) {
    throw failureOf(error);
  } finally {
    clearInterval(beat);
  }
}

/** Terminal errors and void plans are not retried by Temporal; everything else is. */
function failureOf(error: unknown): unknown {
  if (error instanceof TerminalError) return ApplicationFailure.nonRetryable(error.message, error.type);
  if (error instanceof VoidPlan) return ApplicationFailure.nonRetryable(error.message, VOID_PLAN);
  if (error instanceof Error && error.name === 'CancelledFailure') return error;
  if (error instanceof ApplicationFailure) return error;
  return ApplicationFailure.create({
    message: messageOf(error),
    type: error instanceof Error ? error.name : 'Error',
    cause: error instanceof Error ? error : undefined,
  });
}
