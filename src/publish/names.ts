import { createHash } from 'node:crypto';
import { TerminalError } from '../errors';

/*
 * Request ids hold text from outside and never become part of a path: digests of them do.
 */

const digest = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** The short digest of a request id that names the run's folders and files. */
export const runOf = (requestId: string): string => digest(requestId).slice(0, 16);
/** The name of a request id's entry in the request index. */
export const requestName = (requestId: string): string => digest(requestId).slice(0, 32);
export const isRequestName = (name: string): boolean => /^[0-9a-f]{32}$/.test(name);

/** A run's name becomes a folder's, wherever it comes from. */
export const isRunName = (name: string): boolean => /^[0-9A-Za-z][0-9A-Za-z-]*$/.test(name);

/** @throws TerminalError `RequestError` when it is no run's name. */
export function checkRunName(name: string): void {
  if (isRunName(name)) return;
  throw new TerminalError('RequestError', `"${name}" is no run's name; expected letters, digits and hyphens`);
}
