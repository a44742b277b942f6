import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const DIST = join(__dirname, '..', '..', 'dist');

/** A real worker process, as a user would start it; it can be killed for real. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  #output = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    child.stderr?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    child.stdout?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
  }

  /** Starts one and waits until it polls. `under`: a command that becomes the worker, such as `setpriv …`. */
  static async start(env: Record<string, string>, under: readonly string[] = []): Promise<WorkerProcess> {
    const [command, ...args] = [...under, process.execPath, join(DIST, 'worker.js')];
    const child = spawn(command, args, {
      env: { ...process.env, TIDEGATE_HEARTBEAT_SECONDS: '2', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const worker = new WorkerProcess(child);
    const deadline = Date.now() + 60_000;
    while (!worker.output.includes('worker started')) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`the worker did not start:\n${worker.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return worker;
  }

  get output(): string {
    return this.#output;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** SIGKILL, and gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** SIGTERM, and gone in good order. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.exited;
  }
}
