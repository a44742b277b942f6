import { dirname } from 'node:path';
import type { ObjectStore } from '../../storage';
import { fsync } from '../directory/durable';
import { forEachInFlight } from '../in-flight';

/**
 * Makes output files on a local disk durable before a log names them: their content, their names, and
 * the folders on the way. An object store has done so when a write succeeds.
 */
export async function secureFiles(store: ObjectStore, paths: readonly string[], signal?: AbortSignal): Promise<void> {
  if (store.kind !== 'local') return;
  const folders = new Set<string>(['']);
  for (const path of paths) {
    for (let at = dirname(path); at !== '.' && !folders.has(at); at = dirname(at)) folders.add(at);
  }
  await forEachInFlight([...paths, ...folders], (key) => fsync(store.urlOf(key)), signal);
}
