import { TerminalError } from '../../errors';
import type { ObjectStore } from '../../storage';
import { keptKey, KEPT, versionOfKeptKey } from './layout';

/**
 * The oldest version whose files are all kept. Each vacuum leaves a file named for the one it found, before
 * it removes anything of an older one; the greatest counts, so vacuums that overtake one another do no harm.
 */
export async function oldestKept(store: ObjectStore): Promise<number> {
  let oldest = 1;
  for await (const { key } of store.list(KEPT)) oldest = Math.max(oldest, versionOfKeptKey(key) ?? 1);
  return oldest;
}

/** Raises the oldest version that is kept. */
export async function raiseOldestKept(store: ObjectStore, oldest: number): Promise<void> {
  await store.putIfAbsent(keptKey(oldest), `${JSON.stringify({ oldest })}\n`);
}

/** @throws TerminalError `RequestError` when a version's data was removed, or is about to be. */
export async function checkKept(store: ObjectStore, version: number): Promise<void> {
  const oldest = await oldestKept(store);
  if (version >= oldest) return;
  throw new TerminalError(
    'RequestError',
    `the data of version ${version} was removed by retention (publish.keep); the versions from ${oldest} on are there`,
  );
}
