import { TerminalError, codeOf } from '../errors';

export interface WebhookPost {
  /** May hold secrets: no error names more of it than its origin. */
  readonly url: string;
  readonly body: unknown;
  readonly signal?: AbortSignal;
  /** Default 10,000. */
  readonly timeoutMs?: number;
}

/** Statuses that may pass: timeout, too early, too many requests. */
const PASSING = new Set([408, 425, 429]);
const REDIRECTS = new Set([307, 308]);
const MOST_REDIRECTS = 3;

/**
 * Posts `body` as JSON. Redirects are followed only within the same origin, so that the message
 * (and any credentials) goes to nobody else.
 * @throws TerminalError `ContractError` when the URL is none, `RequestError` when the receiver refuses the message;
 * an ordinary error when trying again may help.
 */
export async function postWebhook({ url, body, signal, timeoutMs = 10_000 }: WebhookPost): Promise<void> {
  const { target, authorization } = parseUrl(url);
  const timeout = AbortSignal.timeout(timeoutMs);
  const request: RequestInit = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'tidegate',
      ...(authorization && { authorization }),
    },
    body: JSON.stringify(body),
    redirect: 'manual',
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  };
  let next = target;
  for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
    const response = await send(next, request, signal, timeout, timeoutMs);
    await response.body?.cancel();
    if (response.ok) return;
    if (!REDIRECTS.has(response.status)) refuse(target, response.status);
    next = redirected(target, next, response);
  }
  throw new TerminalError('RequestError', `the webhook at ${target.origin} redirects in circles`);
}

async function send(
  target: URL,
  request: RequestInit,
  signal: AbortSignal | undefined,
  timeout: AbortSignal,
  timeoutMs: number,
): Promise<Response> {
  // The error is not made a cause of the new one: it may quote the URL.
  const outcome = await fetch(target, request).then(
    (response) => ({ response }),
    (error: unknown) => ({ code: codeOf(error instanceof Error ? error.cause : undefined) ?? codeOf(error) }),
  );
  if ('response' in outcome) return outcome.response;
  signal?.throwIfAborted();
  if (timeout.aborted) throw new Error(`the webhook at ${target.origin} did not answer within ${timeoutMs / 1000} s`);
  throw new Error(`the webhook at ${target.origin} cannot be reached${outcome.code ? ` (${outcome.code})` : ''}`);
}

function parseUrl(url: string): { target: URL; authorization: string | null } {
  const target = URL.canParse(url) ? new URL(url) : null;
  if (!target || (target.protocol !== 'https:' && target.protocol !== 'http:')) {
    throw new TerminalError('ContractError', 'the webhook URL is not an http or https URL (its value is not shown)');
  }
  if (!target.username && !target.password) return { target, authorization: null };
  // fetch refuses URLs with credentials.
  const credentials = `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`;
  target.username = '';
  target.password = '';
  return { target, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function refuse(target: URL, status: number): never {
  const message = `the webhook at ${target.origin} answered ${status}`;
  if (status < 500 && !PASSING.has(status)) throw new TerminalError('RequestError', message);
  throw new Error(message);
}

function redirected(target: URL, from: URL, response: Response): URL {
  const location = response.headers.get('location') ?? '';
  const next = URL.canParse(location, from.href) ? new URL(location, from) : null;
  if (!next || next.origin !== target.origin) {
    throw new TerminalError(
      'RequestError',
      `the webhook at ${target.origin} redirects elsewhere${next ? ` (${next.origin})` : ''}; only redirects within one origin are followed`,
    );
  }
  return next;
}
