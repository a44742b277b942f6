import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, basename, relative, sep } from 'node:path';
import { codeOf } from '../errors';
import type { Contract } from './contract';
import type { Finding, KeyPath } from './faults';
import { show } from './values';

/** Paths that look like something they are not: a store of a later release, or a shell's short form. */
export function unsupportedPath(path: string, key: KeyPath): Finding | null {
  const found = show(path);
  const allowed = 'a folder on a local disk';
  if (/^[A-Za-z][A-Za-z0-9+.-]+:\/\//.test(path)) {
    return { path: key, at: 'value', problem: 'not supported in this release', found, allowed };
  }
  if (path.includes('\0')) return { path: key, at: 'value', problem: 'not a path', found, allowed };
  if (/^~(?:\/|$)/.test(path) || /^\$|\$\{/.test(path)) {
    const hint = 'home folders and variables are not filled in: write the path out';
    return { path: key, at: 'value', problem: 'not a plain path', found, allowed, hint };
  }
  return null;
}

/** A finding when one folder lies in the other or is the same; both absolute. */
export function overlapFinding(source: string, publish: string): Finding | null {
  const how = contains(source, publish) ? (source === publish ? 'is' : 'lies inside') : null;
  const reverse = contains(publish, source) && how === null ? 'holds' : null;
  const relation = how ?? reverse;
  if (relation === null) return null;
  return {
    path: ['publish', 'path'],
    at: 'value',
    problem: `the published table ${relation} the source folder`,
    found: show(publish),
    allowed: `a folder that does not overlap ${show(source)}`,
  };
}

function contains(outer: string, inner: string): boolean {
  const way = relative(outer, inner);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`));
}

/** The same with symbolic links followed, as far as the folders exist. */
export async function realOverlapFinding(contract: Contract): Promise<Finding | null> {
  const [source, publish] = await Promise.all([realish(contract.source.path), realish(contract.publish.path)]);
  return overlapFinding(source, publish);
}

/** `path` with the links of its existing part followed. */
async function realish(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    const missing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
    if (!missing || parent === path) return path;
    return join(await realish(parent), basename(path));
  }
}
