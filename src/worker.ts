import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type NativeConnection, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { createActivities, type RunPolicy } from './activities';
import { type ContractRegistry, contractsFrom } from './contract';
import { TerminalError, messageOf } from './errors';
import { type Logger, createLogger } from './logger';
import { nativeConnect, startHealthServer } from './temporal';
import { workflowsPath } from './workflows-path';
import { DATA_TASK_QUEUE, TASK_QUEUE } from './workflows/messages';

/** What a Tidegate worker is made of. */
export interface TidegateWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly contracts: ContractRegistry;
  /** Workflows and light activities. Default `tidegate`. */
  readonly taskQueue?: string;
  /** Polars work. Default `tidegate-data`. */
  readonly dataTaskQueue?: string;
  /** Polars activities at once in this process. Default 1: one already uses every core. */
  readonly dataSlots?: number;
  readonly policy?: Partial<RunPolicy>;
  readonly logger?: Logger;
}

/** The workers of one process: one for workflows and light activities, one for Polars work. */
export interface TidegateWorkers {
  /** Resolves once both have shut down; rejects when one fails, after the other was shut down. */
  run(): Promise<void>;
  shutdown(): void;
  /** Whether both poll for work. */
  healthy(): boolean;
}

/** Shutdown lets work finish this long, then cancels it; it ends within the container's stop timeout of 30 s. */
const GRACE = '10 seconds';
const FORCE = '20 seconds';

export async function createWorkers(options: TidegateWorkerOptions): Promise<TidegateWorkers> {
  const { connection, namespace, contracts, logger, taskQueue = TASK_QUEUE, dataTaskQueue = DATA_TASK_QUEUE } = options;
  const activities = createActivities({ contracts, logger, policy: { ...options.policy, dataTaskQueue } });
  const shared: Partial<WorkerOptions> = {
    connection,
    namespace,
    shutdownGraceTime: GRACE,
    shutdownForceTime: FORCE,
  };
  const light = await Worker.create({
    ...shared,
    ...workflowSource(),
    taskQueue,
    activities: { ...activities },
    // After a crash the next workflow task waits this long for the dead process's sticky queue.
    stickyQueueScheduleToStartTimeout: '2 seconds',
    maxConcurrentActivityTaskExecutions: 20,
  });
  const data = await Worker.create({
    ...shared,
    taskQueue: dataTaskQueue,
    activities: { resolveKeys: activities.resolveKeys, transformAndGate: activities.transformAndGate },
    maxConcurrentActivityTaskExecutions: options.dataSlots ?? 1,
  });
  const workers = [light, data];
  const shutdown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  return {
    shutdown,
    healthy: () => workers.every((worker) => worker.getState() === 'RUNNING'),
    run: async () => {
      const runs = workers.map((worker) => worker.run());
      try {
        await Promise.all(runs);
      } finally {
        shutdown();
        await Promise.allSettled(runs);
      }
    },
  };
}

/** The bundle made by the build where there is one: it starts two seconds faster than bundling now. */
function workflowSource(): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  const codePath = join(__dirname, 'workflow-bundle.js');
  return existsSync(codePath) ? { workflowBundle: { codePath } } : { workflowsPath };
}

/** Where a worker process finds its settings. */
export interface WorkerEnvironment {
  readonly TIDEGATE_PIPELINES?: string;
  readonly TIDEGATE_DATA_SLOTS?: string;
  readonly TIDEGATE_PARALLELISM?: string;
  readonly TIDEGATE_ACTIVITY_ATTEMPTS?: string;
  readonly TIDEGATE_HEARTBEAT_SECONDS?: string;
  readonly TIDEGATE_HEALTH_PORT?: string;
  readonly TIDEGATE_METRICS_ADDRESS?: string;
  readonly TIDEGATE_LOG_LEVEL?: string;
}

/**
 * Runs a worker process until it is told to stop (SIGINT, SIGTERM), as the environment says:
 * TEMPORAL_* and TOML profiles for the connection, TIDEGATE_* for the rest.
 */
export async function runWorker(
  env: WorkerEnvironment = process.env,
  onReady: (info: { address: string; namespace: string; pipelines: string }) => void = () => {},
): Promise<void> {
  const pipelines = env.TIDEGATE_PIPELINES;
  if (!pipelines) {
    throw new TerminalError(
      'ContractError',
      'TIDEGATE_PIPELINES is not set: name the folder, or the files, that hold the contracts this worker serves',
    );
  }
  const logger = createLogger(env.TIDEGATE_LOG_LEVEL ?? 'info');
  installRuntime(logger, env.TIDEGATE_METRICS_ADDRESS);
  const attempts = wholeNumber('TIDEGATE_ACTIVITY_ATTEMPTS', env.TIDEGATE_ACTIVITY_ATTEMPTS);
  const heartbeat = wholeNumber('TIDEGATE_HEARTBEAT_SECONDS', env.TIDEGATE_HEARTBEAT_SECONDS);
  const parallelism = wholeNumber('TIDEGATE_PARALLELISM', env.TIDEGATE_PARALLELISM);
  const healthPort = wholeNumber('TIDEGATE_HEALTH_PORT', env.TIDEGATE_HEALTH_PORT);
  const { connection, address, namespace } = await nativeConnect();
  try {
    const workers = await createWorkers({
      connection,
      namespace,
      logger,
      contracts: contractsFrom(pipelines),
      dataSlots: wholeNumber('TIDEGATE_DATA_SLOTS', env.TIDEGATE_DATA_SLOTS),
      policy: {
        ...(attempts && { maximumAttempts: attempts }),
        ...(heartbeat && { heartbeatTimeoutMs: heartbeat * 1000 }),
        ...(parallelism && { parallelism }),
      },
    });
    const health = healthPort
      ? await startHealthServer({ port: healthPort, status: () => ({ ok: workers.healthy(), address, namespace }) })
      : null;
    logger.info({ address, namespace, pipelines }, 'worker started');
    onReady({ address, namespace, pipelines });
    try {
      await workers.run();
    } finally {
      await health?.close();
    }
    logger.info('worker stopped');
  } finally {
    await connection.close();
  }
}

function installRuntime(logger: Logger, metricsAddress: string | undefined): void {
  Runtime.install({
    logger: temporalLogger(logger),
    ...(metricsAddress && { telemetryOptions: { metrics: { prometheus: { bindAddress: metricsAddress } } } }),
  });
}

/** Temporal's own lines, at the level they deserve here: its chatter about starting and polling is for debugging. */
function temporalLogger(logger: Logger): RuntimeLogger {
  const quiet = (message: string, meta?: object): void => logger.debug(meta ?? {}, message);
  return {
    log: (level, message, meta) => (level === 'ERROR' ? logger.error : logger.debug).call(logger, meta ?? {}, message),
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: (message, meta) => logger.warn(meta ?? {}, message),
    error: (message, meta) => logger.error(meta ?? {}, message),
  };
}
type RuntimeLogger = NonNullable<NonNullable<Parameters<typeof Runtime.install>[0]>['logger']>;

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new TerminalError('RequestError', `${name} is a whole number above zero, found "${text}"`);
}

if (require.main === module) {
  runWorker().catch((error: unknown) => {
    process.stderr.write(`tidegate worker: ${messageOf(error)}\n`);
    process.exitCode = error instanceof TerminalError ? 2 : 1;
  });
}
