import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { type Contract, contractsFrom } from '../../src/contract';
import { type Table, openTable } from '../../src/publish';
import { type DevServer, type DevServerOptions, startDevServer } from '../../src/temporal';
import {
  type PipelineState,
  type RunSummary,
  TASK_QUEUE,
  pipelineWorkflowId,
  stateQuery,
} from '../../src/workflows/messages';
import { type ContractOptions, type Transaction, contractYaml, land } from './transactions';
import { WorkerProcess } from './worker-process';

interface ServerOptions extends Pick<DevServerOptions, 'dynamicConfig'> {
  /** Its state is in `temporal.db` of the folder: to be started again, or looked into. Default in memory, which is less work. */
  readonly onDisk?: boolean;
}

const databaseIn = (folder: string): string => join(folder, 'temporal.db');

/** A whole Tidegate in a temporary folder: raw zone, contract, table, real Temporal server, real worker processes. */
export class Installation {
  readonly raw: string;
  readonly pipelines: string;
  readonly curated: string;
  readonly workers: WorkerProcess[] = [];
  #server: DevServer;
  readonly #connection: Connection;
  readonly #client: Client;

  private constructor(
    readonly folder: string,
    server: DevServer,
    connection: Connection,
  ) {
    this.raw = join(folder, 'raw');
    this.pipelines = join(folder, 'pipelines');
    this.curated = join(folder, 'curated');
    this.#server = server;
    this.#connection = connection;
    this.#client = new Client({ connection });
  }

  /** `serverOptions`: settings of the embedded server that a test needs. */
  static async create(options: ContractOptions = {}, serverOptions: ServerOptions = {}): Promise<Installation> {
    const folder = mkdtempSync(join(tmpdir(), 'tidegate-e2e-'));
    const { onDisk = false, ...more } = serverOptions;
    const server = await startDevServer({ headless: true, ...(onDisk && { dbFilename: databaseIn(folder) }), ...more });
    const it = new Installation(folder, server, await Connection.connect({ address: server.address }));
    mkdirSync(it.raw);
    mkdirSync(it.pipelines);
    it.contract(options);
    return it;
  }

  get server(): DevServer {
    return this.#server;
  }

  get client(): Client {
    return this.#client;
  }

  get env(): Record<string, string> {
    return { TEMPORAL_ADDRESS: this.#server.address, TIDEGATE_PIPELINES: this.pipelines };
  }

  /** Writes the contract (again). */
  contract(options: ContractOptions = {}): void {
    writeFileSync(join(this.pipelines, `${options.pipeline ?? 'transactions'}.yaml`), contractYaml(options));
  }

  land(date: string, rows: readonly Transaction[], name?: string): void {
    land(this.raw, date, rows, name);
  }

  async worker(env: Record<string, string> = {}, under: readonly string[] = []): Promise<WorkerProcess> {
    const worker = await WorkerProcess.start({ ...this.env, ...env }, under);
    this.workers.push(worker);
    return worker;
  }

  /** SIGKILLs the server, which has its state on disk, and starts it again on the same port and state. */
  async restartServer(): Promise<void> {
    const dbFilename = databaseIn(this.folder);
    if (!existsSync(dbFilename)) throw new Error('a server with its state in memory cannot be started again');
    const port = Number(this.#server.address.split(':')[1]);
    await this.#server.kill();
    this.#server = await startDevServer({ headless: true, port, dbFilename });
    // The connection stays: it finds the server again, as a user's would.
    await this.#connection.ensureConnected();
  }

  /** Starts a requester and returns its handle. */
  async start(
    type: 'incrementalRun' | 'backfill' | 'rollback',
    input: object = {},
    options: { id?: string; attempts?: number } = {},
  ) {
    const workflowId = options.id ?? `test-${type}-${Math.random().toString(36).slice(2)}`;
    return await this.client.workflow.start(type, {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [{ pipeline: 'transactions', ...input }],
      ...(options.attempts && { retry: { initialInterval: '200ms', maximumAttempts: options.attempts } }),
    });
  }

  async run(): Promise<RunSummary> {
    return await (await this.start('incrementalRun')).result();
  }

  async state(pipeline = 'transactions'): Promise<PipelineState> {
    return await this.client.workflow.getHandle(pipelineWorkflowId(pipeline)).query<PipelineState>(stateQuery);
  }

  async loadContract(pipeline = 'transactions'): Promise<Contract> {
    return await contractsFrom(this.pipelines).get(pipeline);
  }

  async table(pipeline = 'transactions'): Promise<Table> {
    return openTable(await this.loadContract(pipeline));
  }

  async dispose(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.kill()));
    await this.#connection.close();
    await this.#server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
