import type * as AwsS3 from '@aws-sdk/client-s3';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { ScanOptions } from './object-store';
import { hide } from './redact';

/** The SDK's own default is 3; a throttled store deserves more patience. AWS_MAX_ATTEMPTS overrides it. */
const MAX_ATTEMPTS = 6;
/** Of Polars, beside each request's first try. */
const POLARS_RETRIES = 8;
const CONNECT_MS = 5_000;
const REPLY_MS = 60_000;
/** What stores that have no regions answer to. */
const ANY_REGION = 'us-east-1';

/** The settings that make one client another; all other settings are the SDK's own. */
const SETTINGS = [
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_S3',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_S3_FORCE_PATH_STYLE',
  'AWS_PROFILE',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_MAX_ATTEMPTS',
] as const;

export type Sdk = typeof AwsS3;

/** The SDK's client, and the same endpoint, region and credentials for Polars. */
export interface S3Connection {
  readonly client: S3Client;
  /** Loaded when a store is first used: it takes a tenth of a second. */
  readonly sdk: Sdk;
  /** Resolved afresh each time: temporary credentials run out. */
  scanOptions(bucket: string): Promise<ScanOptions>;
}

let current: { readonly key: string; readonly connection: Promise<S3Connection> } | undefined;

/**
 * The process's connection. Endpoint, region, credentials and retries are what the AWS SDK's default chain says
 * (environment, shared files, web identity, container or instance role); beside it, `AWS_S3_FORCE_PATH_STYLE`
 * (default: true with an endpoint of one's own) and `AWS_DEFAULT_REGION` are heeded.
 */
export function s3Connection(): Promise<S3Connection> {
  const key = JSON.stringify(SETTINGS.map((name) => process.env[name]));
  if (current?.key !== key) {
    const connection = connect();
    current = { key, connection };
    // What was missing may be there the next time.
    connection.catch(() => {
      if (current?.connection === connection) current = undefined;
    });
  }
  return current.connection;
}

async function connect(): Promise<S3Connection> {
  const env = process.env;
  // The version in use is a fixed one and supports this Node; that later ones will not is no news for a user.
  env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  const sdk = await import('@aws-sdk/client-s3');
  const ownEndpoint = (env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] ?? '') !== '';
  const config: S3ClientConfig = {
    ...(env['AWS_MAX_ATTEMPTS'] ? {} : { maxAttempts: MAX_ATTEMPTS }),
    ...(env['AWS_REGION'] || !env['AWS_DEFAULT_REGION'] ? {} : { region: env['AWS_DEFAULT_REGION'] }),
    forcePathStyle: flag(env['AWS_S3_FORCE_PATH_STYLE']) ?? ownEndpoint,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: REPLY_MS,
      throwOnRequestTimeout: true,
      socketTimeout: REPLY_MS,
    },
  };
  const found = new sdk.S3Client(config);
  const region = await found.config.region().catch((error: unknown) => {
    if (ownEndpoint) return ANY_REGION;
    throw error;
  });
  const client = new sdk.S3Client({ ...config, region });
  // Before any request, so that no error can tell them; that there are none, the first request says.
  await client.config.credentials().then(hideAll, () => {});
  return { client, sdk, scanOptions: (bucket) => scanOptions(client, sdk, region, bucket) };
}

async function scanOptions(client: S3Client, sdk: Sdk, region: string, bucket: string): Promise<ScanOptions> {
  const [{ endpoint, virtualHosted }, credentials] = await Promise.all([
    endpointOf(client, sdk, bucket),
    client.config.credentials(),
  ]);
  hideAll(credentials);
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return {
    cloudOptions: {
      aws_access_key_id: accessKeyId,
      aws_secret_access_key: secretAccessKey,
      ...(sessionToken === undefined ? {} : { aws_session_token: sessionToken }),
      aws_region: region,
      aws_endpoint_url: endpoint,
      ...(endpoint.startsWith('http:') ? { aws_allow_http: 'true' } : {}),
      aws_virtual_hosted_style_request: String(virtualHosted),
      max_retries: String(POLARS_RETRIES),
      retry_timeout_ms: String(REPLY_MS),
    },
  };
}

const hideAll = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }): void =>
  hide(credentials.accessKeyId, credentials.secretAccessKey, credentials.sessionToken);

/** Where the SDK would send a request, caught on its way. */
async function endpointOf(
  client: S3Client,
  sdk: Sdk,
  bucket: string,
): Promise<{ endpoint: string; virtualHosted: boolean }> {
  const command = new sdk.HeadBucketCommand({ Bucket: bucket });
  let caught: { protocol: string; hostname: string; port?: number; path: string } | undefined;
  command.middlewareStack.add(
    () => async (args) => {
      caught = args.request as typeof caught;
      return { output: { $metadata: {} }, response: {} };
    },
    { step: 'build', name: 'catchRequest' },
  );
  await client.send(command);
  if (caught === undefined) throw new Error('the AWS SDK made no request');
  const { protocol, hostname, port, path } = caught;
  const host = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
  const virtualHosted = hostname.startsWith(`${bucket}.`);
  const base = virtualHosted ? path : path.slice(0, path.lastIndexOf(`/${bucket}`));
  return { endpoint: host + base.replace(/\/+$/, ''), virtualHosted };
}

function flag(text: string | undefined): boolean | undefined {
  if (text === undefined || text === '') return undefined;
  return !/^(?:false|0|no|off)$/i.test(text);
}
