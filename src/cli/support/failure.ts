import { TerminalError, codeOf, messageOf } from '../../errors';
import type { RunFailure } from '../../workflows/messages';

/** A failure as commands print it: its type, and one readable line or block. */
export type Explanation = RunFailure;

/**
 * What went wrong, from the innermost cause that says something: Temporal wraps failures in layers
 * (`WorkflowFailedError` → `ApplicationFailure` → …), of which the outermost that carries a type of
 * ours, or any application failure, is the one to show.
 */
export function explain(error: unknown): Explanation {
  if (error instanceof TerminalError) return { type: error.type, message: error.message };
  if (!(error instanceof Error)) return { type: 'Error', message: String(error) };
  switch (error.name) {
    case 'WorkflowFailedError':
    case 'ActivityFailure':
    case 'ChildWorkflowFailure':
    case 'WorkflowUpdateFailedError':
      return error.cause ? explain(error.cause) : { type: error.name, message: error.message };
    case 'ApplicationFailure':
      return { type: typeOf(error) ?? 'Error', message: error.message };
    case 'CancelledFailure':
      return { type: 'Cancelled', message: 'cancelled; nothing more is done for this request' };
    case 'TerminatedFailure':
      return { type: 'Terminated', message: `the workflow was terminated${error.message ? `: ${error.message}` : ''}` };
    case 'TimeoutFailure':
      return { type: 'Timeout', message: error.message };
    default:
      return { type: error.name, message: withCode(error) };
  }
}

/** The details an application failure carries, such as a backfill's chunks; undefined when there are none. */
export function failureDetails(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  if ('details' in error && Array.isArray(error.details) && error.details.length > 0) return error.details[0];
  return failureDetails(error.cause);
}

function typeOf(error: Error): string | undefined {
  return 'type' in error && typeof error.type === 'string' ? error.type : undefined;
}

function withCode(error: Error): string {
  const code = codeOf(error);
  const message = error.message === '' ? messageOf(error.cause ?? error.name) : error.message;
  return typeof code === 'string' && !message.includes(code) ? `${message} (${code})` : message;
}
