import fsp from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/** The operations that publishing does, on the real file system, in the order in which they come. */
const OPERATIONS = [
  'access',
  'copyFile',
  'link',
  'lstat',
  'mkdir',
  'open',
  'readFile',
  'readdir',
  'readlink',
  'rename',
  'rm',
  'rmdir',
  'stat',
  'symlink',
] as const;
const HANDLE_OPERATIONS = ['sync', 'writeFile'] as const;

/** How file operations go wrong. */
export interface Fault {
  /** The operation that fails, counted from 0. */
  readonly at: number;
  /** `once`: only that one, as when a disk is full for a moment. `dead`: all from there on, as for a process that was killed. */
  readonly mode: 'once' | 'dead';
  readonly code: string;
}

/** Runs `work` on the real file system with one fault. Returns the operations it began, and what came of it. */
export async function withFault<Value>(
  fault: Fault,
  work: () => Promise<Value>,
): Promise<{ operations: string[]; outcome: PromiseSettledResult<Value> }> {
  const operations: string[] = [];
  const enter = (name: string, path: unknown): void => {
    const index = operations.push(name) - 1;
    const fails = fault.mode === 'once' ? index === fault.at : index >= fault.at;
    if (!fails) return;
    const error = new Error(`${fault.code}: injected, ${name} '${String(path)}'`);
    throw Object.assign(error, { code: fault.code });
  };

  const spies = OPERATIONS.map((name) => {
    const real = fsp[name] as (...args: unknown[]) => Promise<unknown>;
    return jest.spyOn(fsp, name).mockImplementation((async (...args: unknown[]) => {
      enter(name, args[0]);
      const result = await real(...args);
      return name === 'open' ? faultyHandle(result as FileHandle, enter) : result;
    }) as never);
  });
  try {
    const [outcome] = await Promise.allSettled([work()]);
    return { operations, outcome };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

function faultyHandle(handle: FileHandle, enter: (name: string, path: unknown) => void): FileHandle {
  for (const name of HANDLE_OPERATIONS) {
    const real = handle[name].bind(handle) as (...args: unknown[]) => Promise<void>;
    Object.assign(handle, {
      [name]: async (...args: unknown[]) => {
        enter(name, '<open file>');
        return real(...args);
      },
    });
  }
  return handle;
}
