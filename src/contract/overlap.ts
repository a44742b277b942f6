import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, basename, relative, resolve, sep } from 'node:path';
import { codeOf } from '../errors';
import { isS3, isUrl, normalS3, s3Fault } from '../storage/location';
import type { Contract } from './contract';
import type { Finding, KeyPath } from './faults';
import { show } from './values';

/** What is written before an @ may be a password. */
const USER_INFO = /\/\/[^/]*@/;

/** Paths that look like something they are not: a store that is not supported, or a shell's short form. */
export function unsupportedPath(path: string, key: KeyPath): Finding | null {
  const found = show(path.replace(USER_INFO, '//***@'));
  const allowed = 'a folder on a local disk, or s3://bucket/prefix';
  if (isS3(path)) {
    const hint = s3Fault(path);
    return hint === null ? null : { path: key, at: 'value', problem: 'not a location in S3', found, allowed, hint };
  }
  if (isUrl(path)) return { path: key, at: 'value', problem: 'not a store that is supported', found, allowed };
  if (path.includes('\0')) return { path: key, at: 'value', problem: 'not a path', found, allowed };
  if (/^~(?:\/|$)/.test(path) || /^\$|\$\{/.test(path)) {
    const hint = 'home folders and variables are not filled in: write the path out';
    return { path: key, at: 'value', problem: 'not a plain path', found, allowed, hint };
  }
  return null;
}

/** A table of plain files needs what only a disk has: hard links, and a symlink that is swung. */
export function formatFinding(
  path: string | undefined,
  format: Contract['publish']['format'] | undefined,
): Finding | null {
  if (path === undefined || !isS3(path) || format !== 'directory') return null;
  return {
    path: ['publish', 'path'],
    at: 'value',
    problem: 'the directory format needs a local disk',
    found: show(path),
    allowed: 'a folder on a local disk',
    hint: 'for a table in an object store, set publish.format to delta',
  };
}

/** The one form of a location: absolute, or an `s3://` URL without a slash at its end. */
export const resolveLocation = (baseDir: string, path: string): string =>
  isS3(path) ? normalS3(path) : resolve(baseDir, path);

/** A finding when one folder lies in the other or is the same; both as {@link resolveLocation} gives them. */
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
  if (isS3(outer) || isS3(inner)) return `${inner}/`.startsWith(`${outer}/`);
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
  if (isS3(path)) return path;
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    const missing = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
    if (!missing || parent === path) return path;
    return join(await realish(parent), basename(path));
  }
}
