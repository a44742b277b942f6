import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnection, NativeConnectionOptions } from '@temporalio/worker';
import type * as workerPackage from '@temporalio/worker';
import { TerminalError, messageOf } from '../errors';

/** Where the embedded server listens. */
export const DEFAULT_ADDRESS = '127.0.0.1:7233';
const DEFAULT_NAMESPACE = 'default';
const DEFAULT_TIMEOUT_MS = 5_000;

/** Where to connect, and with what. Holds secrets (API key, TLS keys): print address, namespace and profile only. */
export interface ConnectionSettings {
  readonly address: string;
  readonly namespace: string;
  /** The TOML profile asked for; `default` when none was. */
  readonly profile: string;
  readonly options: NativeConnectionOptions;
}

export interface TemporalClient {
  readonly connection: Connection;
  readonly client: Client;
  readonly address: string;
  readonly namespace: string;
}

export interface NativeTemporal {
  readonly connection: NativeConnection;
  readonly address: string;
  readonly namespace: string;
}

/** Thrown when no Temporal server answers; the message names address and profile, never a secret. */
export class TemporalUnreachable extends Error {
  override readonly name = 'TemporalUnreachable';
  constructor(
    readonly address: string,
    readonly profile: string,
    reason: string,
  ) {
    super(
      `no Temporal server answers at ${address} (profile ${profile}): ${reason}. ` +
        'Start the embedded one with `tidegate dev`, or set TEMPORAL_ADDRESS or TEMPORAL_PROFILE to reach another.',
    );
  }
}

/**
 * The settings of the Temporal environment: TOML profiles and TEMPORAL_* variables, as every Temporal
 * tool reads them, with the embedded server's address as the default.
 * @throws TerminalError `RequestError` when the configuration file cannot be read.
 */
export function loadConnectionSettings(
  overrides: { address?: string; namespace?: string; profile?: string; env?: NodeJS.ProcessEnv } = {},
): ConnectionSettings {
  const env = overrides.env ?? process.env;
  const profile = overrides.profile ?? nonEmpty(env.TEMPORAL_PROFILE) ?? 'default';
  let loaded: ReturnType<typeof loadClientConnectConfig>;
  try {
    loaded = loadClientConnectConfig({ profile: overrides.profile, overrideEnvVars: definedOnly(env) });
  } catch (error) {
    // No cause, and the first line only: the parser's message goes on to quote the file, which holds secrets.
    throw new TerminalError(
      'RequestError',
      `the Temporal configuration (profile ${profile}) cannot be used: ${reasonOf(error)}${placeOf(error)}. ` +
        'Check TEMPORAL_CONFIG_FILE, TEMPORAL_PROFILE and the file they name.',
    );
  }
  const address = overrides.address ?? nonEmpty(loaded.connectionOptions.address) ?? DEFAULT_ADDRESS;
  return {
    address,
    namespace: overrides.namespace ?? nonEmpty(loaded.namespace) ?? DEFAULT_NAMESPACE,
    profile,
    options: { ...loaded.connectionOptions, address },
  };
}

/**
 * A client's connection, checked: the server answered.
 * @throws TemporalUnreachable when it does not within `timeoutMs`.
 */
export async function connect(
  settings: ConnectionSettings = loadConnectionSettings(),
  timeoutMs = DEFAULT_TIMEOUT_MS,
): Promise<TemporalClient> {
  const { address, namespace } = settings;
  const options: ConnectionOptions = { ...(settings.options as ConnectionOptions), connectTimeout: timeoutMs };
  const connection = await within(Connection.connect(options), timeoutMs + 500, settings);
  return { connection, client: new Client({ connection, namespace }), address, namespace };
}

/**
 * A worker's connection, checked: the server answered.
 * @throws TemporalUnreachable when it does not within `timeoutMs`.
 */
export async function nativeConnect(
  settings: ConnectionSettings = loadConnectionSettings(),
  timeoutMs = DEFAULT_TIMEOUT_MS,
): Promise<NativeTemporal> {
  const { address, namespace, options } = settings;
  // Loaded late: clients need none of it, and should start quickly.
  const { NativeConnection } = require('@temporalio/worker') as typeof workerPackage;
  const connection = await within(NativeConnection.connect(options), timeoutMs, settings);
  return { connection, address, namespace };
}

/** Bounds a connection attempt; one that succeeds after all is closed again. */
async function within<T extends { close(): Promise<void> }>(
  connecting: Promise<T>,
  timeoutMs: number,
  { address, profile }: ConnectionSettings,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
  });
  try {
    return await Promise.race([connecting, tooLate]);
  } catch (error) {
    connecting.then((late) => late.close()).catch(() => {});
    throw new TemporalUnreachable(address, profile, reasonOf(error));
  } finally {
    clearTimeout(timer);
  }
}

/** The first line of what went wrong, its punctuation left to the sentence it goes into. */
function reasonOf(error: unknown): string {
  const line = messageOf(error).split('\n')[0] ?? '';
  return line.trim().replace(/\.$/, '');
}

/** Where the TOML parser stopped. */
function placeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('line' in error && 'column' in error)) return '';
  return ` (line ${String(error.line)}, column ${String(error.column)})`;
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
