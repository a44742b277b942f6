import { randomUUID } from 'node:crypto';
import { link, lstat, mkdir, open, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { type TerminalErrorType, codeOf } from '../errors';
import { failpoint } from '../failpoints';
import { assertRealInside, resolveInside } from './inside';
import { infoOf, walk } from './local-walk';
import type { ObjectStore } from './object-store';
import { storageError } from './storage-error';

export interface LocalStoreOptions {
  /** Type of the terminal errors: `SourceError` (default) for a raw zone, `TargetError` for a table. */
  readonly errorType?: TerminalErrorType;
}

/**
 * A folder of local files as an {@link ObjectStore}. Writes go to a temporary file beside the target
 * (its name begins with `.`), are fsynced, then renamed or linked into place, and the folder is fsynced.
 *
 * Symbolic links below the root are listed but never followed by `list` and `stat`; `read` and `write`
 * follow those that stay inside the root and refuse the others. The root itself may be a link.
 */
export function localStore(root: string, options: LocalStoreOptions = {}): ObjectStore {
  const errorType = options.errorType ?? 'SourceError';
  const base = resolve(root);
  const at = (key: string): string => resolveInside(base, key, errorType);

  const guarded = async <T>(action: string, key: string, work: (path: string) => Promise<T>): Promise<T> => {
    const path = at(key);
    try {
      return await work(path);
    } catch (error) {
      throw storageError(error, action, path, errorType);
    }
  };

  return {
    kind: 'local',
    root,
    urlOf: at,
    scanOptions: () => Promise.resolve({}),

    async *list(prefix) {
      const path = at(prefix);
      try {
        for await (const batch of walk(path, prefix)) yield* batch;
      } catch (error) {
        throw storageError(error, 'list', pathOf(error) ?? path, errorType);
      }
    },

    stat: (key) =>
      guarded('look at', key, async (path) => {
        try {
          return infoOf(key, await (key === '' ? stat : lstat)(path, { bigint: true }));
        } catch (error) {
          if (isMissing(error)) return null;
          throw error;
        }
      }),

    read: (key) =>
      guarded('read', key, async (path) => {
        await assertRealInside(base, path, errorType);
        return readFile(path);
      }),

    readRange: (key, start, end, into) =>
      guarded('read', key, async (path) => {
        await assertRealInside(base, path, errorType);
        return readBytes(path, start, end, into);
      }),

    write: (key, data) =>
      guarded('write', key, async (path) => {
        await throughTemporary(path, data, (temporary) => rename(temporary, path));
      }),

    checkPutIfAbsent: () => Promise.resolve(),

    putIfAbsent: (key, data) =>
      guarded('write', key, (path) =>
        throughTemporary(path, data, async (temporary) => {
          try {
            await link(temporary, path);
            return true;
          } catch (error) {
            if (codeOf(error) === 'EEXIST') return false;
            throw error;
          }
        }),
      ),

    delete: (key) =>
      guarded('delete', key, async (path) => {
        await assertRealInside(base, dirname(path), errorType);
        try {
          await unlink(path);
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      }),
  };

  /** Writes `data` durably beside `path`, lets `place` put it there, and makes the name durable. */
  async function throughTemporary<T>(
    path: string,
    data: string | Uint8Array,
    place: (temporary: string) => Promise<T>,
  ): Promise<T> {
    const folder = dirname(path);
    await assertRealInside(base, folder, errorType);
    const firstMade = await mkdir(folder, { recursive: true });
    const temporary = join(folder, `.tmp-${randomUUID()}`);
    try {
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(data);
        await file.sync();
      } finally {
        await file.close();
      }
      await failpoint(`local.written${extname(path)}`);
      const placed = await place(temporary);
      await syncFolders(folder, firstMade);
      return placed;
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

/** Fsyncs `folder`, and every folder above it up to the parent of the first one that was just made. */
async function syncFolders(folder: string, firstMade: string | undefined): Promise<void> {
  const last = firstMade === undefined ? folder : dirname(firstMade);
  for (let at = folder; ; at = dirname(at)) {
    const handle = await open(at, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (at === last || at === dirname(at)) return;
  }
}

async function readBytes(path: string, start: number, end: number, into?: Buffer): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const length = Math.max(0, end - start);
    const buffer = into !== undefined && into.length >= length ? into.subarray(0, length) : Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, start + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    await file.close();
  }
}

/** ENOTDIR too: where a folder on the way is a file, there is no such object. */
function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function pathOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'path' in error && typeof error.path === 'string'
    ? error.path
    : undefined;
}
