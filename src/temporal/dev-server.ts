import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { codeOf, messageOf } from '../errors';
import { resolveTool } from './binaries';
import { probePort } from './free-port';
import { lastLines } from './run-command';
import { type Watchdog, killWithParent } from './watchdog';

/** Search attribute types as the CLI names them. */
export type SearchAttributeKind = 'Text' | 'Keyword' | 'Int' | 'Double' | 'Bool' | 'Datetime' | 'KeywordList';

export interface DevServerOptions {
  /** Port of the gRPC endpoint; default a free one. */
  readonly port?: number;
  /** Port of the web UI; default a free one. */
  readonly uiPort?: number;
  /** No web UI. Default false. */
  readonly headless?: boolean;
  /** SQLite file that keeps the server's state; default none, state ends with the server. */
  readonly dbFilename?: string;
  /** Default `default`. */
  readonly namespace?: string;
  readonly searchAttributes?: Readonly<Record<string, SearchAttributeKind>>;
  /** Dynamic configuration of the server, such as `{ 'limit.historyCount.suggestContinueAsNew': 100 }`. */
  readonly dynamicConfig?: Readonly<Record<string, string | number | boolean>>;
  /** Default `warn`. */
  readonly logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'never';
  /** Where its log goes (appended); default a temporary file that is removed when it stops. */
  readonly logFile?: string;
  /** The CLI to use; default what {@link resolveTool} finds. */
  readonly binary?: string;
  /** Default 30 s. */
  readonly startTimeoutMs?: number;
}

export interface DevServer {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  /** Null when headless. */
  readonly uiUrl: string | null;
  readonly namespace: string;
  readonly pid: number;
  readonly logFile: string;
  /** Settles when the server's process ends, however it ends. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Ends it in good order (SIGTERM, after 10 s SIGKILL). Idempotent. */
  stop(): Promise<void>;
  /** Ends it as a crash would (SIGKILL). Idempotent. */
  kill(): Promise<void>;
}

/** Thrown when the embedded server did not come up; the message says why and ends with its last output. */
export class DevServerFailed extends Error {
  override readonly name = 'DevServerFailed';
}

/**
 * How often a second each history shard looks for new tasks, at most. A server's default of 20 is meant for hundreds of
 * shards on one database; the embedded one has a single shard, and every step of a workflow takes two looks.
 */
const SINGLE_SHARD = { 'history.transferProcessorMaxPollRPS': 1_000, 'history.timerProcessorMaxPollRPS': 1_000 };

const STOP_MS = 10_000;
const START_MS = 30_000;
const TRIES = 3;

/**
 * Starts the CLI's embedded Temporal server on loopback and waits until it answers: gRPC, namespace,
 * and search attributes. It ends with this process, however this process ends.
 * @throws ToolNotFound when there is no CLI, DevServerFailed when the server does not come up.
 */
export async function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  const binary = options.binary ?? (await resolveTool('temporal')).path;
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(binary, options);
    } catch (error) {
      // A port that was free a moment ago may be another process's by now. The server picks some of its own, also
      // where the others were given.
      const lostPort = error instanceof DevServerFailed && /address already in use/i.test(error.message);
      if (!lostPort || attempt === TRIES) throw error;
    }
  }
}

async function startOnce(binary: string, options: DevServerOptions): Promise<DevServer> {
  const { headless = false, namespace = 'default', logLevel = 'warn' } = options;
  const port = await usablePort(options.port, 'port');
  const uiPort = headless ? null : await usablePort(options.uiPort, 'UI port');
  const args = ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port)];
  args.push(...(uiPort === null ? ['--headless'] : ['--ui-ip', '127.0.0.1', '--ui-port', String(uiPort)]));
  args.push('--namespace', namespace, '--log-level', logLevel);
  if (options.dbFilename !== undefined) args.push('--db-filename', options.dbFilename);
  const attributes = Object.entries(options.searchAttributes ?? {});
  for (const [name, kind] of attributes) args.push('--search-attribute', `${name}=${kind}`);
  for (const [key, value] of Object.entries({ ...SINGLE_SHARD, ...options.dynamicConfig })) {
    args.push('--dynamic-config-value', `${key}=${JSON.stringify(value)}`);
  }

  const scratch = options.logFile === undefined ? await mkdtemp(path.join(tmpdir(), 'tidegate-temporal-')) : null;
  const logFile = options.logFile ?? path.join(scratch ?? '', 'server.log');
  // Straight to a file: a pipe would stall the server whenever this process is too busy to read it.
  const log = openSync(logFile, 'a');
  const said = fstatSync(log).size;
  let child: ChildProcess;
  try {
    // A process group of its own: Ctrl-C must reach the worker first, not the server under it.
    child = spawn(binary, args, { stdio: ['ignore', log, log], detached: process.platform !== 'win32' });
  } finally {
    closeSync(log);
  }
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => resolve({ code: null, signal: null }));
  });
  const watchdog: Watchdog | null = child.pid === undefined ? null : killWithParent(child.pid);
  void exited.then(() => watchdog?.dismiss());

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      child.kill(signal);
      const gone = await Promise.race([exited, sleep(STOP_MS, null, { ref: false })]);
      if (gone === null) child.kill('SIGKILL');
    }
    await exited;
    if (scratch !== null) await rm(scratch, { recursive: true, force: true });
  };
  const server: DevServer = {
    address: `127.0.0.1:${port}`,
    uiUrl: uiPort === null ? null : `http://127.0.0.1:${uiPort}`,
    namespace,
    pid: child.pid ?? -1,
    logFile,
    exited,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
  const names = attributes.map(([name]) => name);
  const fault = await waitUntilHealthy(server, names, options.startTimeoutMs ?? START_MS);
  if (fault === null) return server;
  const output = lastWords((await readFile(logFile).catch(() => Buffer.alloc(0))).subarray(said).toString());
  await server.kill();
  throw new DevServerFailed(
    `the embedded Temporal server did not come up at ${server.address}: ${fault}\n  ${binary} ${args.join(' ')}\n${output}`.trimEnd(),
  );
}

/** The end of a server's output. What made it panic stands before the stack traces, which may be long. */
const lastWords = (output: string): string => lastLines(output.split(/^goroutine \d+ /m, 1)[0]!, 10);

async function usablePort(port: number | undefined, what: string): Promise<number> {
  try {
    return await probePort(port);
  } catch (error) {
    const why = codeOf(error) === 'EADDRINUSE' ? 'is taken' : `cannot be used (${messageOf(error)})`;
    throw new DevServerFailed(
      `${what} ${port} on 127.0.0.1 ${why}. Another Temporal server may be running there: use it, end it, or choose another port.`,
      { cause: error },
    );
  }
}

/** Null once the server answers for its namespace and knows the search attributes, or why it does not. */
async function waitUntilHealthy(
  server: DevServer,
  searchAttributes: readonly string[],
  timeoutMs: number,
): Promise<string | null> {
  const deadline = Date.now() + timeoutMs;
  const ended = server.exited.then(({ code, signal }) => `its process ended (${signal ?? `exit code ${code}`})`);
  let fault = 'no answer';
  const poll = async (): Promise<string | null> => {
    while (Date.now() < deadline) {
      const answer = await answers(server, searchAttributes);
      if (answer === null) return null;
      fault = answer;
      await sleep(50);
    }
    return `not healthy within ${timeoutMs / 1000} s (${fault})`;
  };
  return await Promise.race([poll(), ended]);
}

async function answers(server: DevServer, searchAttributes: readonly string[]): Promise<string | null> {
  let connection: Connection | undefined;
  try {
    connection = await Connection.connect({ address: server.address, connectTimeout: 1_000 });
    await connection.workflowService.describeNamespace({ namespace: server.namespace });
    if (searchAttributes.length > 0) {
      const known = await connection.operatorService.listSearchAttributes({ namespace: server.namespace });
      const missing = searchAttributes.filter((name) => !(name in (known.customAttributes ?? {})));
      if (missing.length > 0) return `search attributes not there yet: ${missing.join(', ')}`;
    }
    return null;
  } catch (error) {
    return messageOf(error);
  } finally {
    await connection?.close();
  }
}
