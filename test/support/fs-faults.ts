import { AsyncLocalStorage } from 'node:async_hooks';
import fsp, { constants } from 'node:fs/promises';
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
  /** What the file system says; default EIO. */
  readonly code?: string;
  /** Who dies is killed for real, with all that this process does. */
  readonly kill?: boolean;
}

export interface Operation {
  readonly name: string;
  readonly path: string;
  /** Whether it can leave another folder behind than it found; what is synced lies there before and after. */
  readonly changes: boolean;
}

/** What a doomed piece of work did. */
export interface Fate {
  /** Begun before a death, in order. */
  readonly operations: Operation[];
  /** The operation that failed, or null. */
  fired: Operation | null;
  dead: boolean;
}

const LOOKS = ['access', 'lstat', 'opendir', 'readFile', 'readdir', 'readlink', 'realpath', 'stat'] as const;
const CHANGES = [
  'appendFile',
  'copyFile',
  'link',
  'mkdir',
  'rename',
  'rm',
  'rmdir',
  'symlink',
  'unlink',
  'utimes',
  'writeFile',
] as const;
const OPERATIONS = [...LOOKS, ...CHANGES, 'open'] as const;
const HANDLE_OPERATIONS = ['read', 'writeFile'] as const;

const doomed = new AsyncLocalStorage<{ readonly doom: Doom; readonly fate: Fate }>();

/**
 * Runs `work` with one fault on its way. Its file operations are known by their asynchronous context, so
 * that what goes on after a death stays dead, while others live. Call {@link installFaults} first.
 */
export async function underDoom<T>(
  doom: Doom,
  work: () => Promise<T>,
): Promise<{ fate: Fate; outcome: PromiseSettledResult<T> }> {
  const fate: Fate = { operations: [], fired: null, dead: false };
  const [outcome] = await doomed.run({ doom, fate }, () => Promise.allSettled([work()]));
  return { fate, outcome };
}

/** Runs `work` to its end. Returns its operations: the places where it can be doomed. */
export async function operationsOf(work: () => Promise<unknown>): Promise<readonly Operation[]> {
  const { fate, outcome } = await underDoom({ at: Number.POSITIVE_INFINITY, mode: 'before' }, work);
  if (outcome.status === 'rejected') throw outcome.reason;
  return fate.operations;
}

async function operate<T>(operation: Operation, work: () => Promise<T>): Promise<T> {
  const context = doomed.getStore();
  if (context === undefined) return work();
  const { doom, fate } = context;
  if (fate.dead) throw failure(operation, doom);
  if (fate.operations.push(operation) - 1 !== doom.at) return work();
  fate.fired = operation;
  const dies = doom.mode === 'before' || doom.mode === 'after';
  fate.dead = dies;
  // What it comes to, an error too, is never heard of.
  if (doom.mode === 'after' || doom.mode === 'lost') await work().then(letGo, () => {});
  if (dies && doom.kill) await endProcess();
  throw failure(operation, doom);
}

/** What is opened and never handed over would stay open. */
async function letGo(result: unknown): Promise<void> {
  if (typeof result === 'object' && result !== null && 'close' in result) await (result as FileHandle).close();
}

/** The signal arrives when the kernel likes: it does not return until then. */
async function endProcess(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => {});
}

function failure({ name, path }: Operation, { code = 'EIO' }: Doom): Error {
  return Object.assign(new Error(`${code}: injected, ${name} '${path}'`), { code });
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
      operate(operationOf(name, args), async () => {
        const result = await real(...args);
        return name === 'open' ? faultyHandle(result as FileHandle, String(args[0])) : result;
      });
    Object.assign(fsp, { [name]: faulty });
  }
  return () => void Object.assign(fsp, before);
}

function operationOf(name: (typeof OPERATIONS)[number], [path, other]: readonly unknown[]): Operation {
  const changes = name === 'open' ? opensToWrite(other) : (CHANGES as readonly string[]).includes(name);
  const twoPaths = name === 'copyFile' || name === 'link' || name === 'rename' || name === 'symlink';
  return { name, path: twoPaths ? `${String(path)}' to '${String(other)}` : String(path), changes };
}

function opensToWrite(flags: unknown): boolean {
  if (typeof flags === 'number') return (flags & (constants.O_WRONLY | constants.O_RDWR | constants.O_CREAT)) !== 0;
  return typeof flags === 'string' && flags !== 'r';
}

function faultyHandle(handle: FileHandle, path: string): FileHandle {
  for (const name of HANDLE_OPERATIONS) {
    const real = handle[name].bind(handle) as (...args: unknown[]) => Promise<unknown>;
    const operation = { name, path, changes: name === 'writeFile' };
    Object.assign(handle, { [name]: (...args: unknown[]) => operate(operation, () => real(...args)) });
  }
  Object.assign(handle, { sync: () => operate({ name: 'sync', path, changes: false }, async () => {}) });
  return handle;
}
