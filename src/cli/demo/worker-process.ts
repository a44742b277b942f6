import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { environmentFor } from '../support/embedded';
import type { Stage } from './stage';

const MAIN = path.resolve(__dirname, '../main.js');
const STOP_MS = 15_000;

/** A worker in a process of its own, so that it can be killed like one. */
export interface WorkerProcess {
  readonly pid: number;
  /** The signal that ended it, or null when it ended by itself. */
  readonly exited: Promise<NodeJS.Signals | null>;
  stop(): Promise<void>;
}

/** Starts `tidegate worker`; `failpoints` as in src/failpoints.ts. */
export function startWorker(stage: Stage, address: string, failpoints?: string): WorkerProcess {
  const log = openSync(stage.workerLog, 'a');
  let child: ChildProcess;
  try {
    child = spawn(process.execPath, [MAIN, 'worker', '--pipelines', stage.pipelines], {
      env: {
        ...environmentFor(address),
        // A dead worker is noticed quickly: nobody wants to watch a demo wait.
        TIDEGATE_HEARTBEAT_SECONDS: '3',
        TIDEGATE_FAILPOINTS: failpoints ?? '',
      },
      stdio: ['ignore', log, log],
      // Ctrl-C reaches the demo, which stops it in good order.
      detached: process.platform !== 'win32',
    });
  } finally {
    closeSync(log);
  }
  const exited = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('exit', (_, signal) => resolve(signal));
    child.once('error', () => resolve(null));
  });
  // Without this demo nobody would stop it.
  const onExit = (): void => void child.kill('SIGKILL');
  process.once('exit', onExit);
  void exited.then(() => process.off('exit', onExit));
  return {
    pid: child.pid ?? -1,
    exited,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** What a worker said last, for when it ended unasked. */
export async function lastWords(stage: Stage): Promise<string> {
  const text = await readFile(stage.workerLog, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-8).join('\n');
}
