import { requestName } from '../names';
import type { OutputKind } from '../table';

/** Names of what stands in a Delta table's root. The only place that knows them. */
export const BOOKS = '_tidegate';
export const MARKER = `${BOOKS}/tidegate.json`;
/** Where the newest commit that was rolled forward is: a hint, which opening starts from. */
export const NEWEST = `${BOOKS}/newest.json`;
/** Which version is the oldest whose files are all kept: the greatest named here. */
export const KEPT = `${BOOKS}/kept`;
export const COMMITS = `${BOOKS}/commits`;
export const STATES = `${BOOKS}/state`;
export const REPORTS = `${BOOKS}/reports`;
/** What was decided about the rows of each partition. */
export const VERDICTS = `${BOOKS}/verdicts`;
/** Key indexes, by the identity of their hash. */
export const INDEXES = `${BOOKS}/index`;
export const REQUESTS = `${BOOKS}/requests`;
export const KINDS: readonly OutputKind[] = ['curated', 'quarantine'];
export const LOG = '_delta_log';

const padded = (version: number): string => String(version).padStart(8, '0');

/** Draws the number that tells the state files of one version apart; it also is the version of a `txn`, a long. */
export const tokenText = (token: number): string => token.toString(16).padStart(13, '0');
export const stateKey = (version: number, token: number): string =>
  `${STATES}/${padded(version)}-${tokenText(token)}.json`;
export const checkpointKey = (version: number, token: number): string =>
  `${STATES}/checkpoint-${padded(version)}-${tokenText(token)}.json`;
export const reportKey = (version: number, token: number): string =>
  `${REPORTS}/${padded(version)}-${tokenText(token)}.json`;
export const commitKey = (version: number): string => `${COMMITS}/${padded(version)}.json`;
export const requestKey = (requestId: string): string => `${REQUESTS}/${requestName(requestId)}.json`;

export const keptKey = (oldest: number): string => `${KEPT}/${padded(oldest)}.json`;

/** The version a key of {@link COMMITS} is of, or null. */
export const versionOfCommitKey = (key: string): number | null => numberOf(key, COMMITS);
/** The version a key of {@link KEPT} names, or null. */
export const versionOfKeptKey = (key: string): number | null => numberOf(key, KEPT);

function numberOf(key: string, folder: string): number | null {
  const name = key.slice(folder.length + 1);
  return /^\d{8,15}\.json$/.test(name) ? Number(name.slice(0, -'.json'.length)) : null;
}

/** The version a state file is of, or null for a checkpoint, and for what is none. */
export function versionOfStateKey(key: string): number | null {
  const match = /^(\d{8,15})-[0-9a-f]{13}\.json$/.exec(key.slice(STATES.length + 1));
  return match === null ? null : Number(match[1]);
}

/** `00000000000000000042.json` (PROTOCOL.md, "Delta Log Entries"). */
export const logKey = (kind: OutputKind, version: number): string =>
  `${kind}/${LOG}/${String(version).padStart(20, '0')}.json`;
