import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../errors';
import type { ObjectInfo } from './object-store';

/** File-system calls in flight; beyond this, Node's thread pool is full and only memory grows. */
const IN_FLIGHT = 64;
const BATCH = 512;

interface Entry {
  readonly isFolder: boolean;
  readonly path: string;
  readonly key: string;
}

/**
 * Every entry below `root` that is not a folder, in batches as they are found. What vanishes on the
 * way is left out, as if it had gone a moment earlier. Links are yielded, never followed.
 */
export async function* walk(root: string, prefix: string): AsyncGenerator<ObjectInfo[]> {
  const pending: Entry[] = [{ isFolder: true, path: root, key: prefix }];
  let running = 0;
  let found: ObjectInfo[] = [];
  let failure: { readonly error: unknown } | undefined;
  let wake = (): void => {};

  const visit = async (entry: Entry): Promise<void> => {
    try {
      if (entry.isFolder) pending.push(...(await childrenOf(entry)));
      else found.push(infoOf(entry.key, await lstat(entry.path, { bigint: true })));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') failure ??= { error };
      else if (entry.key.includes('\uFFFD')) found.push({ key: entry.key, size: 0, special: 'undecodable name' });
    }
    running -= 1;
    wake();
  };

  while (pending.length > 0 || running > 0) {
    for (; pending.length > 0 && running < IN_FLIGHT && failure === undefined; running += 1) void visit(pending.pop()!);
    if (failure !== undefined) throw failure.error;
    await new Promise<void>((resolve) => (wake = resolve));
    if (found.length >= BATCH) {
      const batch = found;
      found = [];
      yield batch;
    }
  }
  if (failure !== undefined) throw failure.error;
  yield found;
}

async function childrenOf({ path, key }: Entry): Promise<Entry[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries.map((entry) => ({
    isFolder: entry.isDirectory(),
    path: join(path, entry.name),
    key: key === '' ? entry.name : `${key}/${entry.name}`,
  }));
}

export function infoOf(key: string, stats: BigIntStats): ObjectInfo {
  const info = { key, size: Number(stats.size), mtimeNs: stats.mtimeNs.toString() };
  if (stats.isFile()) return info;
  return { ...info, special: stats.isSymbolicLink() ? 'symbolic link' : stats.isDirectory() ? 'folder' : 'device' };
}
