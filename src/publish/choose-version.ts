import { TerminalError } from '../errors';
import type { Commit, VersionChoice } from './table';

/**
 * The version that a choice names; undefined for the newest.
 * @param history All commits, newest first; asked only when a moment is given.
 * @throws TerminalError `RequestError` when both are given, or nothing was published by that moment.
 */
export async function chooseVersion(
  { version, asOf }: VersionChoice,
  history: () => Promise<readonly Commit[]>,
): Promise<number | undefined> {
  if (asOf === undefined) return version;
  if (version !== undefined) throw new TerminalError('RequestError', 'give a version or a time, not both');
  const commits = await history();
  const moment = asOf.toISOString();
  // The newest of those committed by then: clocks of several publishers may disagree by a little.
  const found = commits.find((commit) => Date.parse(commit.committedAt) <= asOf.getTime());
  if (found !== undefined) return found.version;
  const first = commits.at(-1);
  throw new TerminalError(
    'RequestError',
    first === undefined
      ? `nothing is published yet, let alone at ${moment}`
      : `nothing was published at ${moment}; version ${first.version}, the first, was committed at ${first.committedAt}`,
  );
}

/**
 * The version that is asked for, undefined for the newest.
 * @param newest The newest version; 0 for a table without commits.
 * @throws TerminalError `RequestError` when there is no such version.
 */
export function existingVersion(version: number | undefined, newest: number, path: string): number {
  if (newest === 0) throw new TerminalError('RequestError', `nothing is published at ${path} yet`);
  const wanted = version ?? newest;
  if (Number.isSafeInteger(wanted) && wanted >= 1 && wanted <= newest) return wanted;
  throw new TerminalError('RequestError', `there is no version ${wanted}; the table has the versions 1 to ${newest}`);
}
