import { AsyncLocalStorage } from 'node:async_hooks';
import fsp from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/**
 * How a process fails at one file operation:
 * - `before`, `after`: it dies before it, or after it was done; whatever it still does then fails, for ever;
 * - `refused`: it fails once, undone, and the process lives on;
 * - `lost`: it is done, its reply is lost, and the process lives on.
 */
export const CRASHES = ['before', 'after', 'refused', 'lost'] as const;
export type Crash = (typeof CRASHES)[number];

export interface Doom {
  /** The operation, counted from 0. */
  readonly at: number;
  readonly mode: Crash;
}

/** What a doomed piece of work did. */
export interface Fate {
  begun: number;
  /** The operation that failed, or null. */
  fired: string | null;
  dead: boolean;
}

const OPERATIONS = [
  'access',
  'appendFile',
  'copyFile',
  'link',
  'lstat',
  'mkdir',
  'open',
  'opendir',
  'readFile',
  'readdir',
  'readlink',
  'realpath',
  'rename',
  'rm',
  'rmdir',
  'stat',
  'symlink',
  'unlink',
  'utimes',
  'writeFile',
] as const;

const doomed = new AsyncLocalStorage<{ readonly doom: Doom; readonly fate: Fate }>();

/**
 * Runs `work` with one fault on its way. Its file operations are known by their asynchronous context, so
 * that what goes on after a death stays dead, while others live. Call {@link installFaults} first.
 */
export async function underDoom<T>(
  doom: Doom,
  work: () => Promise<T>,
): Promise<{ fate: Fate; outcome: PromiseSettledResult<T> }> {
  const fate: Fate = { begun: 0, fired: null, dead: false };
  const [outcome] = await doomed.run({ doom, fate }, () => Promise.allSettled([work()]));
  return { fate, outcome };
}

async function operate<T>(name: string, path: unknown, work: () => Promise<T>): Promise<T> {
  const context = doomed.getStore();
  if (context === undefined) return work();
  const { doom, fate } = context;
  if (fate.dead) throw failure(name, path);
  if (fate.begun++ !== doom.at) return work();
  fate.fired = `${name} ${String(path)}`;
  if (doom.mode === 'before' || doom.mode === 'after') fate.dead = true;
  if (doom.mode === 'after' || doom.mode === 'lost') await letGo(await work());
  throw failure(name, path);
}

/** What is opened and never handed over would stay open. */
async function letGo(result: unknown): Promise<void> {
  if (typeof result === 'object' && result !== null && 'close' in result) await (result as FileHandle).close();
}

function failure(name: string, path: unknown): Error {
  return Object.assign(new Error(`EIO: injected, ${name} '${String(path)}'`), { code: 'EIO' });
}

/**
 * Puts every operation of `node:fs/promises` under {@link underDoom}'s control, and spares the disk: nothing
 * is synced. Returns what takes it back, as other test files of this process share the module.
 */
export function installFaults(): () => void {
  const before = Object.fromEntries(OPERATIONS.map((name) => [name, fsp[name]]));
  for (const name of OPERATIONS) {
    const real = before[name] as (...args: unknown[]) => Promise<unknown>;
    const faulty = (...args: unknown[]): Promise<unknown> =>
      operate(name, args[0], async () => {
        const result = await real(...args);
        return name === 'open' ? faultyHandle(result as FileHandle) : result;
      });
    Object.assign(fsp, { [name]: faulty });
  }
  return () => void Object.assign(fsp, before);
}

function faultyHandle(handle: FileHandle): FileHandle {
  for (const name of ['read', 'writeFile'] as const) {
    const real = handle[name].bind(handle) as (...args: unknown[]) => Promise<unknown>;
    Object.assign(handle, { [name]: (...args: unknown[]) => operate(name, '<open file>', () => real(...args)) });
  }
  Object.assign(handle, { sync: () => operate('sync', '<open file>', async () => {}) });
  return handle;
}
