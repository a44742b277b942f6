import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BigIntStats } from 'node:fs';
import { unlessMissing } from './durable';

/** Everything at and below a path, symlinks not followed; nothing for a missing one. */
async function* walk(path: string): AsyncGenerator<BigIntStats> {
  const info = await unlessMissing(lstat(path, { bigint: true }));
  if (info === null) return;
  yield info;
  if (!info.isDirectory()) return;
  for (const name of (await unlessMissing(readdir(path))) ?? []) yield* walk(join(path, name));
}

/** The newest modification time at or below a path, in milliseconds since the epoch; a missing path is now. */
export async function newestChange(path: string): Promise<number> {
  let newest: bigint | null = null;
  for await (const { mtimeMs } of walk(path)) if (newest === null || mtimeMs > newest) newest = mtimeMs;
  return newest === null ? Number.POSITIVE_INFINITY : Number(newest);
}

/** Counts the bytes that removals give back: a file's, once its last hard link goes. */
export class DiskUse {
  readonly #links = new Map<string, bigint>();

  /** Bytes given back by removing these paths, after those released before. */
  async release(paths: readonly string[]): Promise<number> {
    let bytes = 0n;
    for (const path of paths) {
      for await (const info of walk(path)) {
        if (info.isDirectory()) continue;
        const id = `${info.dev}:${info.ino}`;
        const left = (this.#links.get(id) ?? info.nlink) - 1n;
        this.#links.set(id, left);
        if (left === 0n) bytes += info.size;
      }
    }
    return Number(bytes);
  }
}
