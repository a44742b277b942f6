import { realpath } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { TerminalError, type TerminalErrorType, codeOf } from '../errors';
import { safeText } from '../safe-text';

/**
 * The absolute path of `key` below `root`, by text alone: nothing is touched, links are not resolved
 * (see {@link assertRealInside}). `''` is the root itself.
 * @throws TerminalError of `type` when the key is absolute, has an empty, `.` or `..` segment, or a NUL.
 */
export function resolveInside(root: string, key: string, type: TerminalErrorType = 'SourceError'): string {
  const base = resolve(root);
  if (key === '') return base;
  const path = resolve(base, key);
  if (!isPlain(key) || (sep !== '/' && key.includes(sep)) || !isBelow(base, path)) throw leaves(root, key, type);
  return path;
}

/** The same refusal where there are no folders: `key` must be one that {@link resolveInside} would take. */
export function assertPlain(root: string, key: string, type: TerminalErrorType = 'SourceError'): void {
  if (key !== '' && !isPlain(key)) throw leaves(root, key, type);
}

const leaves = (root: string, key: string, type: TerminalErrorType): TerminalError =>
  new TerminalError(
    type,
    `the name ${JSON.stringify(key)} leaves the folder ${root}. Names must be relative, with no empty, "." or ".." segment.`,
  );

/**
 * Refuses a path that a symbolic link on the way leads out of the root. Of a path that does not
 * exist yet, the nearest folder that does is checked.
 */
export async function assertRealInside(
  root: string,
  path: string,
  type: TerminalErrorType = 'SourceError',
): Promise<void> {
  const base = resolve(root);
  if (path === base) return;
  const real = await nearestReal(path);
  const realBase = await nearestReal(base);
  if (real === realBase || isBelow(realBase, real)) return;
  throw new TerminalError(
    type,
    `${safeText(path)} is reached through a symbolic link that leaves the folder ${root} (it leads to ${safeText(real)}). ` +
      'Links out of the folder are not followed: move the data in, or mount it there.',
  );
}

async function nearestReal(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    try {
      return await realpath(at);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || dirname(at) === at) throw error;
    }
  }
}

/** Whether a key stays below its root, whatever the root is. */
export function isPlain(key: string): boolean {
  if (key.includes('\0')) return false;
  return key.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}

function isBelow(base: string, path: string): boolean {
  return path.startsWith(base.endsWith(sep) ? base : base + sep);
}
