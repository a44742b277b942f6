import { spawn } from 'node:child_process';

export interface CommandResult {
  /** Null when it was killed. */
  readonly code: number | null;
  /** The last lines of stdout and stderr, at most 16 KiB. */
  readonly output: string;
}

const KEEP = 16 * 1024;

/**
 * Runs a command to its end without a shell and without stdin. Rejects when it cannot be started
 * (ENOENT, EACCES, …) or when the signal aborts it (with the signal's reason).
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: {
    cwd?: string;
    env?: NodeJS.ProcessEnv;
    signal?: AbortSignal;
    timeoutMs?: number;
    onLine?: (line: string) => void;
  } = {},
): Promise<CommandResult> {
  const { signal, onLine, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let failure: Error | undefined;
    const take = (chunk: Buffer): void => {
      const text = chunk.toString();
      output = (output + text).slice(-KEEP);
      if (onLine) for (const line of text.split('\n')) if (line.trim() !== '') onLine(line.trim());
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const abort = (reason: unknown): void => {
      failure = reason instanceof Error ? reason : new Error(String(reason));
      child.kill('SIGKILL');
      // Processes it started may hold the pipes open long after.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const onAbort = (): void => abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => abort(new Error(`no end after ${timeoutMs / 1000} s`)), timeoutMs);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    child.on('error', (error) => settle(() => reject(error)));
    child.on('close', (code) => settle(() => (failure ? reject(failure) : resolve({ code, output: output.trim() }))));
  });
}

/** The last lines of a command's output, indented, for the end of a message. */
export function lastLines(output: string, count = 5): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines
    .slice(-count)
    .map((line) => `      ${line.trim().slice(0, 300)}`)
    .join('\n');
}
