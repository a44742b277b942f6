import { mkdir, open, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../errors';

const TOUCH_MS = 2_000;
const STALE_MS = 15_000;
const POLL_MS = 250;

/**
 * Waits for a lock file, takes it, and returns what releases it. The holder touches the file; one
 * that was not touched for 15 seconds belongs to a process that died, and is taken over. It saves
 * doing the same work twice: what is done under it must be harmless when two processes do it after all.
 */
export async function acquireFileLock(file: string, signal?: AbortSignal): Promise<() => Promise<void>> {
  await mkdir(path.dirname(file), { recursive: true });
  while (!(await tryTake(file))) {
    signal?.throwIfAborted();
    if (await isStale(file)) await rm(file, { force: true });
    else await sleep(POLL_MS);
  }
  const touch = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, TOUCH_MS);
  return async () => {
    clearInterval(touch);
    await rm(file, { force: true });
  };
}

async function tryTake(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(`process ${process.pid}`);
    await handle.close();
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(file: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(file)).mtimeMs > STALE_MS;
  } catch {
    return false;
  }
}
