import { appendFileSync } from 'node:fs';
import { extname } from 'node:path';
import { failpoint, failpointSetting } from '../failpoints';
import type { ObjectStore } from './object-store';
import { countUnder, next } from './operation-counts';
import { storageError } from './storage-error';

/**
 * A store whose every operation passes the failpoints `store#<n>`, `store.<operation>#<n>` and, where the key has an
 * extension, `store.<operation>.<extension>#<n>`, before and after; counted over all stores and threads of the process, anew
 * whenever the failpoints change. What is thrown is a `StorageError`, as of a store that may work again. What Polars
 * does at `urlOf` is not seen, but for `scanOptions`, which is asked for before each scan and sink.
 *
 * `TIDEGATE_STORE_TRACE` names a file to which a line is added for each operation.
 */
export function failingStore(inner: ObjectStore): ObjectStore {
  const begin = async (operation: string, key: string): Promise<() => Promise<void>> => {
    countUnder(failpointSetting());
    const names = ['', `.${operation}`, ...(extname(key) === '' ? [] : [`.${operation}${extname(key)}`])];
    const points = names.map((name) => `store${name}#${next(name)}`);
    const trace = process.env['TIDEGATE_STORE_TRACE'];
    if (trace) appendFileSync(trace, `${points[0]} ${operation} ${inner.root} ${key}\n`);
    const reach = async (when: 'before' | 'after'): Promise<void> => {
      try {
        for (const point of points) await failpoint(`${point}.${when}`);
      } catch (error) {
        throw storageError(error, operation, inner.urlOf(key), 'SourceError');
      }
    };
    await reach('before');
    return () => reach('after');
  };
  const around = async <T>(operation: string, key: string, work: () => Promise<T>): Promise<T> => {
    const end = await begin(operation, key);
    try {
      return await work();
    } finally {
      // Also when it failed, as a read of what is not there does.
      await end();
    }
  };
  return {
    kind: inner.kind,
    root: inner.root,
    urlOf: (key) => inner.urlOf(key),
    scanOptions: () => around('scanOptions', '', () => inner.scanOptions()),
    async *list(prefix) {
      const end = await begin('list', prefix);
      yield* inner.list(prefix);
      await end();
    },
    stat: (key) => around('stat', key, () => inner.stat(key)),
    read: (key) => around('read', key, () => inner.read(key)),
    readRange: (key, start, end, into) => around('readRange', key, () => inner.readRange(key, start, end, into)),
    write: (key, data) => around('write', key, () => inner.write(key, data)),
    putIfAbsent: (key, data) => around('putIfAbsent', key, () => inner.putIfAbsent(key, data)),
    checkPutIfAbsent: () => inner.checkPutIfAbsent(),
    delete: (key) => around('delete', key, () => inner.delete(key)),
  };
}
