import { parsePartitionDate } from '../discovery/partition-date';
import type { Decision, IncrementalScope, RunScope } from '../discovery/plan-types';
import type { CancelRunInput, IncrementalRunInput, PauseInput, RunRequest, Withdrawal } from './messages';

/*
 * Messages to the entity may come from any client of the namespace. One that does not fit must never
 * fail a workflow task, which Temporal would try again for ever: it is parsed here, and dropped or
 * refused by whoever receives it.
 */

/** Bytes of a request id at most: it becomes part of the run's workflow id, which Temporal limits to 1,000. */
export const LONGEST_REQUEST_ID = 700;
const LONGEST_NAME = 1_000;
const LONGEST_NOTE = 1_000;
/** Dates that one decision names at most: requests are carried in histories. More are decided with "all". */
export const MOST_DECIDED_DATES = 1_000;

/** What is wrong with a request id; null when nothing is. */
export function requestIdFault(id: unknown): string | null {
  if (typeof id !== 'string') return `a request id is text, found ${JSON.stringify(id) ?? typeof id}`;
  const bytes = new TextEncoder().encode(id).length;
  if (bytes >= 1 && bytes <= LONGEST_REQUEST_ID) return null;
  return `a request id has 1 to ${LONGEST_REQUEST_ID} bytes, found ${bytes}: give a shorter one, or start the request under a shorter workflow id`;
}

/** A `request` signal, or null when it is none. */
export function parseRequest(value: unknown): RunRequest | null {
  if (!isRecord(value)) return null;
  const { requestId, attempt, plan } = value;
  const scope = parseScope(value['scope']);
  const replyTo = parseReplyTo(value['replyTo']);
  if (!isRequestId(requestId) || !isName(attempt) || !scope || !replyTo) return null;
  if (plan !== undefined && plan !== null && !isName(plan)) return null;
  const noPause = value['noPause'] === true;
  return { requestId, attempt, scope, replyTo, ...(isName(plan) && { plan }), ...(noPause && { noPause }) };
}

/** A `withdraw` signal, or null when it is none. */
export function parseWithdrawal(value: unknown): Withdrawal | null {
  if (!isRecord(value)) return null;
  const { requestId } = value;
  const replyTo = parseReplyTo(value['replyTo']);
  return isRequestId(requestId) && replyTo ? { requestId, replyTo } : null;
}

/** Input of `pause`; anything odd is no note. */
export function parsePause(value: unknown): Required<PauseInput> {
  const note = isRecord(value) && typeof value['note'] === 'string' ? value['note'] : '';
  return { note: note.slice(0, LONGEST_NOTE) };
}

/** Input of `cancelRun`, or what is wrong with it: cancelling something else than was meant is no option. */
export function parseCancelRun(value: unknown): CancelRunInput | string {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) return `cancelRun takes {"requestId": "…"} or nothing, found ${JSON.stringify(value)}`;
  const { requestId } = value;
  if (requestId === undefined || requestId === null) return {};
  return isRequestId(requestId) ? { requestId } : requestIdFault(requestId)!;
}

/**
 * The scope that the input of an incremental run, or the scope of a request, asks for, or what is wrong with it.
 * Dates are in order, each once, so that equal decisions are equal JSON.
 */
export function parseIncremental(
  value: Partial<Record<keyof Pick<IncrementalRunInput, 'includeLate' | 'removeGone'>, unknown>>,
): IncrementalScope | string {
  const late = parseDecision('includeLate', value.includeLate);
  const gone = parseDecision('removeGone', value.removeGone);
  const fault = late?.fault ?? gone?.fault;
  if (fault !== undefined) return fault;
  return {
    kind: 'incremental',
    ...(late?.decision && { includeLate: late.decision }),
    ...(gone?.decision && { removeGone: gone.decision }),
  };
}

type Parsed<T> =
  | { readonly decision: T; readonly fault?: undefined }
  | { readonly decision?: undefined; readonly fault: string };

/** A decision, or what is wrong with it; null when there is none. */
function parseDecision(name: string, value: unknown): Parsed<Decision> | null {
  if (value === undefined || value === null) return null;
  if (value === 'all') return { decision: value };
  const expected = `${name} is "all" or a list of at most ${MOST_DECIDED_DATES} dates such as ["2026-05-01"], found`;
  if (!Array.isArray(value)) return { fault: `${expected} ${JSON.stringify(value)?.slice(0, 100)}` };
  if (value.length > MOST_DECIDED_DATES) return { fault: `${expected} ${value.length}` };
  const dates = value.map(parseDate);
  const wrong = dates.indexOf(null);
  if (wrong >= 0) return { fault: `${expected} ${JSON.stringify(value[wrong])?.slice(0, 100)} in it` };
  const ordered = [...new Set(dates.filter((date) => date !== null))].toSorted();
  return ordered.length === 0 ? null : { decision: ordered };
}

function parseScope(value: unknown): RunScope | null {
  if (!isRecord(value)) return null;
  if (value['kind'] === 'incremental') {
    const scope = parseIncremental(value);
    return typeof scope === 'string' ? null : scope;
  }
  if (value['kind'] === 'rollback') {
    const { to } = value;
    return typeof to === 'number' && Number.isSafeInteger(to) && to >= 1 ? { kind: 'rollback', to } : null;
  }
  if (value['kind'] !== 'backfill') return null;
  const { select } = value;
  if (select === 'all' || select === 'stale') return { kind: 'backfill', select };
  const from = parseDate(value['from']);
  const to = parseDate(value['to']);
  return from && to && from <= to ? { kind: 'backfill', from, to } : null;
}

function parseReplyTo(value: unknown): RunRequest['replyTo'] | null {
  if (!isRecord(value)) return null;
  const { workflowId, runId } = value;
  return isName(workflowId) && isName(runId) ? { workflowId, runId } : null;
}

const parseDate = (value: unknown) => (typeof value === 'string' ? parsePartitionDate(value) : null);

const isRequestId = (value: unknown): value is string => requestIdFault(value) === null;

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
