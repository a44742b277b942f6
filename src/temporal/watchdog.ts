import { spawn } from 'node:child_process';

export interface Watchdog {
  /** Called once the watched process has ended. */
  dismiss(): void;
}

/** Waits for the end of its stdin, which comes when the parent dies of whatever, then ends the process it was given. */
const SCRIPT = 'read -r _; kill -TERM "$1" 2>/dev/null && sleep 3 && kill -KILL "$1" 2>/dev/null';

/**
 * Sees to it that a child ends with this process, even when this process is killed with SIGKILL and
 * can do nothing itself. Node has no parent-death signal, so a small shell holds the other end of a
 * pipe. On Windows only an exit in good order is covered.
 */
export function killWithParent(pid: number): Watchdog {
  const onExit = (): void => {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {
      // It is gone already.
    }
  };
  process.once('exit', onExit);
  if (process.platform === 'win32') return { dismiss: () => void process.off('exit', onExit) };

  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'tidegate-watchdog', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  shell.unref();
  (shell.stdin as typeof shell.stdin & { unref?: () => void }).unref?.();
  return {
    dismiss: () => {
      process.off('exit', onExit);
      shell.kill('SIGKILL');
    },
  };
}
