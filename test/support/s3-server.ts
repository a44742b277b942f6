import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { resolveTool } from '../../src/temporal';
import { pythonPath } from '../../scripts/test-python';

/** What a process needs to talk to the server, and to nothing else. */
export interface S3Environment {
  readonly AWS_ENDPOINT_URL: string;
  readonly AWS_REGION: string;
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
  readonly AWS_EC2_METADATA_DISABLED: 'true';
}

export interface S3Server {
  readonly name: S3ServerName;
  readonly port: number;
  readonly env: S3Environment;
  /** For what tests do behind Tidegate's back. */
  readonly client: S3Client;
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** As unlike anything else as can be: tests look for them in everything that is written. */
export const ACCESS_KEY = 'AKIATIDEGATETESTKEY1';
export const SECRET_KEY = 'tidegate-test/secret+key==';

const START_MS = 30_000;

/** A program that serves S3, started, and where it tells that it listens. */
interface Program {
  readonly child: ChildProcess;
  readonly health: string;
  /** After it has ended. */
  readonly cleanUp?: () => void;
}

const PROGRAMS = { moto, versitygw };
export type S3ServerName = keyof typeof PROGRAMS;

function chosen(): S3ServerName {
  const name = process.env['TIDEGATE_TEST_S3'] ?? 'moto';
  if (Object.hasOwn(PROGRAMS, name)) return name as S3ServerName;
  throw new Error(`TIDEGATE_TEST_S3: expected ${Object.keys(PROGRAMS).join(' or ')}, found ${name}`);
}

/** Starts a real S3 server on a free port of the loopback, with nothing in it: moto, or what `TIDEGATE_TEST_S3` names. */
export async function startS3Server(name: S3ServerName = chosen()): Promise<S3Server> {
  // Of no interest here; the versions of package.json are fixed.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const port = await freePort();
  const { child, health, cleanUp } = await PROGRAMS[name](port);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let errors = '';
  child.stderr?.on('data', (data: Buffer) => (errors = (errors + data.toString()).slice(-4_000)));
  child.once('error', (error) => (errors += error.message));
  await listening(`http://127.0.0.1:${port}${health}`, child, () => errors).catch((error: unknown) => {
    cleanUp?.();
    throw error;
  });
  const env = s3Environment(port);
  const client = clientOf(env);
  return {
    name,
    port,
    env,
    client,
    createBucket: async (bucket) => void (await client.send(new CreateBucketCommand({ Bucket: bucket }))),
    stop: async () => {
      client.destroy();
      child.kill('SIGKILL');
      await ended;
      cleanUp?.();
    },
  };
}

async function moto(port: number): Promise<Program> {
  const args = [join(__dirname, 's3_server.py'), String(port)];
  const child = spawn(pythonPath(), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  return { child, health: '/moto-api/' };
}

/** As docker-compose starts it, by the same script, over a folder of its own. */
async function versitygw(port: number): Promise<Program> {
  const { path } = await resolveTool('versitygw');
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-versitygw-'));
  symlinkSync(path, join(folder, 'versitygw'));
  const child = spawn('/bin/sh', [join(__dirname, '../../docker/s3-server.sh')], {
    env: {
      PATH: `${folder}:${process.env['PATH']}`,
      ROOT_ACCESS_KEY_ID: ACCESS_KEY,
      ROOT_SECRET_ACCESS_KEY: SECRET_KEY,
      LAKE_DIR: join(folder, 'data'),
      LAKE_BUCKET: 'made-by-the-script',
      VGW_PORT: `127.0.0.1:${port}`,
      VGW_HEALTH: '/healthz',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return { child, health: '/healthz', cleanUp: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The environment for a server, or a proxy before it, on this port. */
export function s3Environment(port: number): S3Environment {
  return {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

function clientOf(env: S3Environment): S3Client {
  return new S3Client({
    endpoint: env.AWS_ENDPOINT_URL,
    region: env.AWS_REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
  });
}

async function listening(url: string, child: ChildProcess, errors: () => string): Promise<void> {
  for (const end = Date.now() + START_MS; Date.now() < end; await sleep(50)) {
    if (child.exitCode !== null || child.pid === undefined) break;
    const answered = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answered) return;
  }
  child.kill('SIGKILL');
  throw new Error(`the S3 server did not start: ${errors()}`);
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject()));
    });
  });
}
