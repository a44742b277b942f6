import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client, Connection, ServiceError, type WorkflowHandle } from '@temporalio/client';
import { type DevServer, type Report, type RunSummary, TASK_QUEUE, WorkflowType, startDevServer } from 'tidegate';

const CLI = join(dirname(require.resolve('tidegate/package.json')), 'dist', 'cli', 'main.js');

/** A whole Tidegate in `folder`: a Temporal server, a worker process, and a client that asks for runs. */
export class Tidegate {
  readonly #server: DevServer;
  readonly #connection: Connection;
  readonly #client: Client;
  readonly #env: NodeJS.ProcessEnv;
  readonly #worker: ChildProcess;
  /** Rejects when the worker ends before it is told to. */
  readonly #workerEnded: Promise<never>;
  #stopping = false;

  private constructor(folder: string, server: DevServer, connection: Connection) {
    this.#server = server;
    this.#connection = connection;
    this.#client = new Client({ connection });
    this.#env = {
      ...process.env,
      TEMPORAL_ADDRESS: server.address,
      TIDEGATE_PIPELINES: join(folder, 'pipelines'),
    };
    const logFile = join(folder, 'worker.log');
    const log = openSync(logFile, 'a');
    this.#worker = spawn(process.execPath, [CLI, 'worker'], { env: this.#env, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#workerEnded = new Promise((_, reject) => {
      this.#worker.once('exit', () => {
        if (!this.#stopping) reject(new Error(`the worker ended:\n${readFileSync(logFile, 'utf8')}`));
      });
    });
    this.#workerEnded.catch(() => {});
  }

  static async start(folder: string): Promise<Tidegate> {
    const server = await startDevServer({ headless: true, dbFilename: join(folder, 'temporal.db') });
    return new Tidegate(folder, server, await Connection.connect({ address: server.address }));
  }

  /** What a schedule does: starts `incrementalRun` and waits for its outcome. */
  async run(workflowId: string): Promise<{ summary: RunSummary; report: Report }> {
    const requester = await this.#client.workflow.start(WorkflowType.incrementalRun, {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [{ pipeline: 'cdnow' }],
    });
    const summary = await Promise.race([outcomeOf<RunSummary>(requester), this.#workerEnded]);
    return { summary, report: JSON.parse(readFileSync(summary.report!, 'utf8')) as Report };
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#worker.exitCode === null && this.#worker.signalCode === null) {
      const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
      this.#worker.kill('SIGTERM');
      await ended;
    }
    await this.#connection.close();
    await this.#server.stop();
  }
}

/** Waits for a workflow; the run goes on when a busy server is slow to answer, so asking again is all it takes. */
async function outcomeOf<T>(handle: WorkflowHandle): Promise<T> {
  for (let tries = 10; ; tries -= 1) {
    try {
      return (await handle.result()) as T;
    } catch (error) {
      if (!(error instanceof ServiceError) || tries === 1) throw error;
    }
  }
}
