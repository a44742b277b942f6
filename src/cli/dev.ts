import type { Command } from 'commander';
import type * as temporalRoom from '../temporal';
import type * as workerModule from '../worker';
import { useServer } from './support/embedded';
import { examples, parseWhole } from './support/options';
import { note, print } from './support/output';
import { servedPipelines } from './worker';

const DEFAULT_PORT = 7233;

interface DevOptions {
  port: number;
  uiPort: number;
  dbFilename?: string;
  pipelines?: string;
}

export function registerDev(program: Command): void {
  program
    .command('dev')
    .summary('run an embedded Temporal server with a worker, until Ctrl-C')
    .description(
      'Run an embedded Temporal server with its web UI, and a worker, in one: all that a laptop needs. Both listen on ' +
        'loopback alone. Without --db-filename the server forgets its workflows when it ends; published tables stay, and ' +
        'the next run goes on from their commits.',
    )
    .option('--port <n>', 'port of the server', parseWhole(1), DEFAULT_PORT)
    .option('--ui-port <n>', 'port of the web UI', parseWhole(1), 8233)
    .option('--db-filename <file>', 'keep the server’s state (schedules, history) in this SQLite file')
    .option('--pipelines <path>', 'folder or files of contracts (default: TIDEGATE_PIPELINES, else ./pipelines)')
    .addHelpText(
      'after',
      examples(['tidegate dev', ''], ['tidegate dev --db-filename temporal.db', 'schedules survive a restart']),
    )
    .action(dev);
}

async function dev({ port, uiPort, dbFilename, pipelines }: DevOptions): Promise<void> {
  const served = await servedPipelines(pipelines);
  const { startDevServer } = require('../temporal') as typeof temporalRoom;
  const server = await startDevServer({ port, uiPort, dbFilename });
  let stopping = false;
  try {
    useServer(server.address);
    const { runWorker } = require('../worker') as typeof workerModule;
    const lost = server.exited.then(({ code, signal }) => {
      if (!stopping) throw new Error(`the embedded Temporal server ended (${signal ?? `exit code ${code}`})`);
    });
    const working = runWorker({ ...process.env, TIDEGATE_PIPELINES: served }, () => {
      print(`Temporal  ${server.address}\nWeb UI    ${server.uiUrl ?? 'none'}`);
      const setting = port === DEFAULT_PORT ? '' : `TEMPORAL_ADDRESS=${server.address} `;
      note(`A worker is running. In another terminal: ${setting}tidegate run <pipeline>. Ctrl-C stops both.`);
    });
    await Promise.race([working, lost]);
  } finally {
    stopping = true;
    await server.stop();
  }
}
