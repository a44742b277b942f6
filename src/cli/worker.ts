import type { Command } from 'commander';
import { contractsFrom } from '../contract';
import { safeBlock } from '../quality';
import type * as workerModule from '../worker';
import { UsageError } from './support/exit';
import { examples } from './support/options';
import { note } from './support/output';
import { pipelinesSpec } from './support/pipelines';

export function registerWorker(program: Command): void {
  program
    .command('worker')
    .summary('run a worker, until Ctrl-C or SIGTERM')
    .description(
      'Run a Temporal worker that serves the pipelines of TIDEGATE_PIPELINES. Start as many as you like, on any machine ' +
        'that reaches sources and targets. Stopping lets work under way finish for 10 s; what does not finish is done by ' +
        'another worker. Logs are JSON lines on stderr.',
    )
    .option('--pipelines <path>', 'folder or files of contracts (default: TIDEGATE_PIPELINES, else ./pipelines)')
    .addHelpText(
      'after',
      `${examples(['tidegate worker', ''], ['TEMPORAL_ADDRESS=temporal:7233 tidegate worker --pipelines /etc/tidegate', ''])}
Environment:
  TIDEGATE_DATA_SLOTS        groups of partitions computed at once in this process (default 1)
  TIDEGATE_PARALLELISM       groups of one run computed at once, over all workers (default 2)
  TIDEGATE_ACTIVITY_ATTEMPTS attempts of an activity before its run fails (default 10)
  TIDEGATE_HEARTBEAT_SECONDS silence after which the worker of an activity counts as lost (default 30)
  TIDEGATE_CACHE             folder that keeps key indexes of tables on S3 at hand (default: the user's cache)
  TIDEGATE_HEALTH_PORT       serves GET /healthz on 127.0.0.1 at this port
  TIDEGATE_METRICS_ADDRESS   serves Prometheus metrics, such as 127.0.0.1:9464
  TIDEGATE_LOG_LEVEL         debug, info (default), warn, error
`,
    )
    .action(async (options: { pipelines?: string }) => {
      const pipelines = await servedPipelines(options.pipelines);
      const { runWorker } = require('../worker') as typeof workerModule;
      await runWorker({ ...process.env, TIDEGATE_PIPELINES: pipelines }, ({ address, namespace }) =>
        note(`Worker at ${address}, namespace ${namespace}. Ctrl-C stops it.`),
      );
    });
}

/**
 * The folder or files a worker serves; says which pipelines there are. A broken contract does not
 * keep the others from being served.
 * @throws UsageError when there is nowhere to look.
 */
export async function servedPipelines(given?: string): Promise<string> {
  const spec = given ?? pipelinesSpec();
  if (spec === null) {
    throw new UsageError(
      'there are no pipelines to serve: set TIDEGATE_PIPELINES to the folder (or files) of your contracts, or make ./pipelines',
    );
  }
  const listed = await contractsFrom(spec).list();
  const names = listed.flatMap(({ contract }) => (contract ? [contract.pipeline] : []));
  note(
    names.length > 0
      ? `Pipelines in ${spec}: ${names.join(', ')}`
      : `No pipelines in ${spec} yet; contracts put there are served at once.`,
  );
  for (const { error } of listed) if (error) note(`Not served: ${safeBlock(error.message)}`);
  return spec;
}
