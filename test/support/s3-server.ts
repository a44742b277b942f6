import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { pythonPath } from './python-env';

/** What a process needs to talk to the server, and to nothing else. */
export interface S3Environment {
  readonly AWS_ENDPOINT_URL: string;
  readonly AWS_REGION: string;
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
  readonly AWS_EC2_METADATA_DISABLED: 'true';
}

export interface S3Server {
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

/** Starts a real S3 server (moto) on a free port of the loopback, with nothing in it. */
export async function startS3Server(): Promise<S3Server> {
  // Of no interest here; the versions of package.json are fixed.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  const port = await freePort();
  const child = spawn(pythonPath(), [join(__dirname, 's3_server.py'), String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors = (errors + data.toString()).slice(-4_000)));
  child.once('error', (error) => (errors += error.message));
  await listening(port, child, () => errors);
  const env = s3Environment(port);
  const client = clientOf(env);
  return {
    port,
    env,
    client,
    createBucket: async (name) => void (await client.send(new CreateBucketCommand({ Bucket: name }))),
    stop: async () => {
      client.destroy();
      child.kill('SIGKILL');
      await ended;
    },
  };
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

async function listening(port: number, child: ChildProcess, errors: () => string): Promise<void> {
  for (const end = Date.now() + START_MS; Date.now() < end; await sleep(50)) {
    if (child.exitCode !== null || child.pid === undefined) break;
    const answered = await fetch(`http://127.0.0.1:${port}/moto-api/`).then(
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
