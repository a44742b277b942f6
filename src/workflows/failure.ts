import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  TimeoutFailure,
  isCancellation,
} from '@temporalio/workflow';
import { CANCELLED, type RunFailure } from './messages';

/** What a run that failed says of itself: the type and text of the innermost cause, in one line. */
export function describeFailure(error: unknown): RunFailure {
  if (isCancellation(error)) return CANCELLED;
  if (error instanceof ChildWorkflowFailure && error.cause) return describeFailure(error.cause);
  if (error instanceof ActivityFailure) {
    const { cause, activityType } = error;
    if (cause instanceof TimeoutFailure) {
      return {
        type: 'Timeout',
        message: `${activityType} was given up: ${oneLine(cause.message)} (is a worker running, and is it overloaded?)`,
      };
    }
    const inner = describeFailure(cause);
    return { ...inner, message: `${activityType}: ${inner.message}` };
  }
  if (error instanceof ApplicationFailure) return { type: error.type ?? 'Error', message: oneLine(error.message) };
  return error instanceof Error
    ? { type: error.name, message: oneLine(error.message) }
    : { type: 'Error', message: oneLine(String(error)) };
}

/** The type of the application failure inside, if there is one. */
export function failureType(error: unknown): string | undefined {
  if (error instanceof ApplicationFailure) return error.type ?? undefined;
  return error instanceof ActivityFailure || error instanceof ChildWorkflowFailure
    ? failureType(error.cause)
    : undefined;
}

const LONGEST = 2000;

function oneLine(text: string): string {
  const line = text
    .split(/\r?\n/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' | ');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
