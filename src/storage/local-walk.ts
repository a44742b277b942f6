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
  const walker = new Walker({ isFolder: true, path: root, key: prefix });
  for (let batch = await walker.next(); batch !== null; batch = await walker.next()) yield batch;
}

class Walker {
  readonly #pending: Entry[];
  #found: ObjectInfo[] = [];
  #running = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(start: Entry) {
    this.#pending = [start];
  }

  /** The next entries found, or null at the end. */
  async next(): Promise<ObjectInfo[] | null> {
    for (;;) {
      this.#startMore();
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#found.length >= BATCH || this.#running === 0) break;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const batch = this.#found;
    this.#found = [];
    return batch.length === 0 ? null : batch;
  }

  #startMore(): void {
    while (this.#running < IN_FLIGHT && this.#failure === undefined) {
      const entry = this.#pending.pop();
      if (entry === undefined) return;
      this.#running += 1;
      void this.#visit(entry);
    }
  }

  async #visit(entry: Entry): Promise<void> {
    try {
      if (entry.isFolder) {
        for (const child of await childrenOf(entry)) this.#pending.push(child);
      } else {
        // Awaited first: `found` may be another array by then.
        const info = infoOf(entry.key, await lstat(entry.path, { bigint: true }));
        this.#found.push(info);
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#failure ??= { error };
      // Node decodes names as UTF-8 and loses the bytes that are none, so such an entry cannot be reached.
      else if (entry.key.includes('\uFFFD')) this.#found.push({ key: entry.key, size: 0, special: 'undecodable name' });
    }
    this.#running -= 1;
    this.#wake?.();
  }
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
