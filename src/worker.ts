import { Runtime } from '@temporalio/worker';
import { contractsFrom } from './contract';
import { createWorkers } from './create-workers';
import { TerminalError, messageOf } from './errors';
import { type Logger, createLogger } from './logger';
import { nativeConnect, startHealthServer } from './temporal';

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

/** What the SDK warns of when a worker has activities alone, as the one for Polars work is meant to. */
const NO_WORKFLOWS = 'No workflows registered, not polling for workflow tasks';

/** Temporal's own lines, at the level they deserve here: its chatter about starting and polling is for debugging. */
function temporalLogger(logger: Logger): RuntimeLogger {
  const quiet = (message: string, meta?: object): void => logger.debug(meta ?? {}, message);
  const loud = (message: string, meta?: object): void => logger.warn(meta ?? {}, message);
  return {
    log: (level, message, meta) => (level === 'ERROR' ? logger.error : logger.debug).call(logger, meta ?? {}, message),
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: (message, meta) => (message === NO_WORKFLOWS ? quiet : loud)(message, meta),
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
