import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { TerminalError } from '../../src/errors';
import { type ObjectInfo, type ObjectStore, StorageError, openStore, sha256Of } from '../../src/storage';
import { startLake, startProxiedLake } from '../support/lake';
import { type Fault, type S3Proxy, startS3Proxy } from '../support/s3-proxy';
import { ACCESS_KEY, SECRET_KEY, type S3Server, s3Environment } from '../support/s3-server';

let server: S3Server;
let proxy: S3Proxy;
let folder = 0;
/** Through the proxy, in a prefix of its own. */
let store: ObjectStore;
/** The same, not through the proxy and not through Tidegate. */
const keysInBucket = async (): Promise<string[]> => {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const { Contents } = await server.client.send(new ListObjectsV2Command({ Bucket: 'lake' }));
  return (Contents ?? []).map(({ Key }) => Key!);
};

beforeAll(async () => {
  ({ server, proxy } = await startProxiedLake());
});
afterAll(async () => {
  await proxy?.close();
  await server?.stop();
});
beforeEach(() => {
  proxy.onRequest = () => null;
  proxy.ignoreHeader = null;
  store = openStore(`s3://lake/zone ${(folder += 1)}`);
});

async function listed(prefix = '', of: ObjectStore = store): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const info of of.list(prefix)) found.push(info);
  return found.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** The next requests that `match` suffer these, one each. */
function suffer(match: (method: string, url: string) => boolean, ...faults: Fault[]): void {
  const left = [...faults];
  proxy.onRequest = ({ method, url }) => (match(method, url) ? (left.shift() ?? null) : null);
}
const isPut = (method: string, url: string): boolean => method === 'PUT' && !url.includes('probe');

describe('reading and writing', () => {
  it('writes, replaces, reads back whole and in ranges, and deletes', async () => {
    await store.write('a/b/c.json', 'first');
    await store.write('a/b/c.json', Buffer.from('second'));
    expect((await store.read('a/b/c.json')).toString()).toBe('second');
    expect((await store.readRange('a/b/c.json', 3, 5)).toString()).toBe('on');
    expect((await store.readRange('a/b/c.json', 4, 100)).toString()).toBe('nd');
    expect(await store.readRange('a/b/c.json', 100, 200)).toHaveLength(0);
    expect(await store.readRange('a/b/c.json', 2, 2)).toHaveLength(0);
    expect(await sha256Of(store, 'a/b/c.json', 6)).toMatch(/^[0-9a-f]{64}$/);
    await store.delete('a/b/c.json');
    await store.delete('a/b/c.json');
    expect(await store.stat('a/b/c.json')).toBeNull();
    await expect(store.read('a/b/c.json')).rejects.toMatchObject({ name: 'StorageError', code: 'ENOENT' });
  });

  it('tells size and etag of an object alike when listed and when looked at, and another etag once rewritten', async () => {
    await store.write('x', 'one');
    const [before] = await listed();
    expect(before).toMatchObject({ key: 'x', size: 3, etag: expect.stringMatching(/^[^"]+$/) });
    expect(before).toEqual({ ...(await store.stat('x')), modifiedAt: expect.any(String) });
    await store.write('x', 'two');
    expect((await store.stat('x'))?.etag).not.toBe(before!.etag);
  });

  it('keeps any key as it is: spaces, percent, plus, unicode, brackets, question marks', async () => {
    const odd = fc.string({
      unit: fc.constantFrom(...Array.from('a %+ü€日=&?#[]*~\'"<>;,@:!$()')),
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(odd, { minLength: 1, maxLength: 3 }), async (segments) => {
        const key = `any/${segments.join('/')}/end`;
        await store.write(key, key);
        expect((await store.read(key)).toString()).toBe(key);
        expect(await listed('any')).toMatchObject([{ key, size: Buffer.byteLength(key) }]);
        expect(await store.stat(key)).toMatchObject({ key });
        expect(await keysInBucket()).toContain(`zone ${folder}/${key}`);
        await store.delete(key);
        expect(await listed('any')).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('lists more than one page, only what lies below the prefix', async () => {
    const keys = Array.from({ length: 1_205 }, (_, i) => `many/${String(i).padStart(5, '0')}`);
    for (let i = 0; i < keys.length; i += 100) {
      await Promise.all(keys.slice(i, i + 100).map((key) => store.write(key, key)));
    }
    await store.write('many-others', '');
    expect((await listed('many')).map(({ key }) => key)).toEqual(keys);
    const pages = proxy.seen.filter(({ url }) => url.includes('list-type=2') && url.includes('many%2F'));
    expect(pages.length).toBe(2);
  });

  it('leaves out the marks of folders, and never yields a name that leads elsewhere as data', async () => {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const put = (key: string, Body: string) =>
      server.client.send(
        new PutObjectCommand({ Bucket: 'lake', Key: `zone ${folder}/${key}`, Body, ContentLength: Body.length }),
      );
    await put('', '');
    await put('date=2026-05-01/', '');
    await put('a//b.parquet', 'x');
    // To versitygw keys are paths of files, where two slashes are one.
    const odd = { key: 'a//b.parquet', special: 'unusable name' };
    expect(await listed()).toMatchObject([server.name === 'versitygw' ? { key: 'a/b.parquet' } : odd]);
    await expect(store.read('a//b.parquet')).rejects.toThrow(/leaves the folder/);
    await expect(store.write('../other', '')).rejects.toBeInstanceOf(TerminalError);
    expect(() => store.urlOf('..')).toThrow(TerminalError);
  });

  it('knows whether the root is there', async () => {
    expect(await store.stat('')).toBeNull();
    await store.write('x', '');
    expect(await store.stat('')).toMatchObject({ special: 'folder' });
    expect(await openStore('s3://lake').stat('')).toMatchObject({ special: 'folder' });
  });
});

describe('putIfAbsent', () => {
  it('lets exactly one of 20 that race for one key win, also with the same content', async () => {
    for (const [round, contentOf] of [(writer: number) => `writer ${writer}`, () => 'all the same'].entries()) {
      const wins = await Promise.all(
        Array.from({ length: 20 }, (_, writer) => store.putIfAbsent(`claims/${round}`, contentOf(writer))),
      );
      expect(wins.filter(Boolean)).toHaveLength(1);
      expect((await store.read(`claims/${round}`)).toString()).toBe(contentOf(wins.indexOf(true)));
    }
  });

  it('knows its own write again when the reply was lost, the request doubled, or cut short', async () => {
    for (const fault of [
      'drop reply',
      'duplicate request',
      'truncate reply',
      'drop request',
      'truncate request',
    ] as const) {
      suffer(isPut, fault);
      const key = `lost/${fault}`;
      expect([fault, await store.putIfAbsent(key, 'mine')]).toEqual([fault, true]);
      expect([fault, await store.putIfAbsent(key, 'mine')]).toEqual([fault, false]);
      expect((await store.read(key)).toString()).toBe('mine');
    }
  });

  it('lets exactly one of 20 win while requests and replies are lost, doubled, delayed, cut and refused at random', async () => {
    let total = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 - 1 }), async (seed) => {
        const faults = [
          'drop request',
          'drop reply',
          'truncate request',
          'truncate reply',
          'duplicate request',
        ] as const;
        const more = ['delay', 'throttle', 'internal error'] as const;
        const all = [...faults, ...more];
        let state = seed;
        proxy.onRequest = () => {
          state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
          const drawn = state >>> 16;
          if (drawn % 4 !== 0) return null;
          total += 1;
          return all[(drawn >>> 2) % all.length]!;
        };
        const key = `race/${randomUUID()}`;
        const wins = await Promise.allSettled(
          Array.from({ length: 20 }, (_, writer) => store.putIfAbsent(key, `writer ${writer}`)),
        );
        proxy.onRequest = () => null;
        const failed = wins.filter(({ status }) => status === 'rejected');
        const won = wins.flatMap((win, writer) => (win.status === 'fulfilled' && win.value ? [writer] : []));
        // Whoever failed does not know; nobody may believe to have won who has not.
        expect(failed.length).toBeLessThan(20);
        expect(won.length).toBeLessThanOrEqual(1);
        const content = (await store.read(key)).toString();
        if (won.length === 1) expect(content).toBe(`writer ${won[0]}`);
        else expect(failed.length).toBeGreaterThan(0);
      }),
      { numRuns: 5, endOnFailure: true },
    );
    expect(total).toBeGreaterThan(20);
  }, 120_000);

  it('refuses a store that ignores the condition, with the reason, before anything is written there', async () => {
    // Where signatures are checked, as versitygw does, no header can be taken off on the way.
    const lax = server.name === 'moto' ? server : await startLake('moto');
    const between = lax === server ? proxy : await startS3Proxy(lax.port);
    try {
      Object.assign(process.env, s3Environment(between.port));
      between.ignoreHeader = 'if-none-match';
      const failure = store.putIfAbsent('tidegate.json', 'x');
      await expect(failure).rejects.toBeInstanceOf(TerminalError);
      await expect(failure).rejects.toThrow(/does not honour conditional writes.*If-None-Match/s);
      expect(await listed()).toEqual([]);
      between.ignoreHeader = null;
      expect(await store.putIfAbsent('tidegate.json', 'x')).toBe(true);
      expect((await listed()).map(({ key }) => key)).toEqual(['tidegate.json']);
    } finally {
      Object.assign(process.env, s3Environment(proxy.port));
      if (lax !== server) await Promise.all([between.close(), lax.stop()]);
    }
  });

  it('tries again while the store sees another conditional write under way, and then wins or loses', async () => {
    await store.putIfAbsent('taken', 'theirs');
    suffer(isPut, 'conflict', 'conflict', 'conflict');
    expect(await store.putIfAbsent('free', 'mine')).toBe(true);
    suffer(isPut, 'conflict', 'conflict');
    expect(await store.putIfAbsent('taken', 'mine')).toBe(false);
    expect((await store.read('taken')).toString()).toBe('theirs');
  });

  it('refuses a store that does not implement the condition, at once', async () => {
    proxy.onRequest = ({ headers }) => (headers['if-none-match'] === undefined ? null : 'not implemented');
    const failure = store.putIfAbsent('x', '');
    await expect(failure).rejects.toMatchObject({ name: 'TerminalError' });
    await expect(failure).rejects.toThrow(
      /does not support this operation\. Choose one that supports conditional writes/,
    );
    expect(await listed()).toEqual([]);
  });

  it('checks the store once', async () => {
    await store.putIfAbsent('one', '');
    const before = proxy.seen.length;
    expect(await store.putIfAbsent('two', '')).toBe(true);
    expect(await openStore(store.root).putIfAbsent('three', '')).toBe(true);
    expect(proxy.seen.slice(before).map(({ method }) => method)).toEqual(['PUT', 'PUT']);
  });
});

describe('trouble', () => {
  it('tries again what was throttled, failed at the server, or was lost or cut on the way', async () => {
    await store.write('x', 'content');
    suffer(() => true, 'throttle', 'internal error', 'drop request', 'drop reply');
    expect((await store.read('x')).toString()).toBe('content');
    suffer(() => true, 'truncate reply', 'truncate reply');
    expect((await store.readRange('x', 0, 4)).toString()).toBe('cont');
    suffer(() => true, 'truncate reply', 'delay', 'throttle');
    expect(await listed()).toMatchObject([{ key: 'x' }]);
    suffer(() => true, 'truncate request', 'drop reply');
    await store.write('y', 'replaced');
    expect((await store.read('y')).toString()).toBe('replaced');
  });

  it('gives up in the end, with an error that may be tried again', async () => {
    proxy.onRequest = () => 'throttle';
    process.env['AWS_MAX_ATTEMPTS'] = '2';
    try {
      const before = proxy.seen.length;
      await expect(store.read('x')).rejects.toMatchObject({ name: 'StorageError', code: 'SlowDown' });
      expect(proxy.seen.length - before).toBe(2);
    } finally {
      delete process.env['AWS_MAX_ATTEMPTS'];
    }
  });

  it('says at once that access is denied or that there is no bucket, and what to do', async () => {
    proxy.onRequest = () => 'deny';
    const before = proxy.seen.length;
    await expect(store.read('x')).rejects.toThrow(/access denied\. Let the credentials/);
    await expect(store.stat('x')).rejects.toBeInstanceOf(TerminalError);
    expect(proxy.seen.length - before).toBe(2);
    proxy.onRequest = () => null;
    const nowhere = openStore('s3://no-such-bucket/x', { errorType: 'TargetError' });
    const tries = [
      () => listed('', nowhere),
      () => nowhere.read('a'),
      () => nowhere.stat('a'),
      () => nowhere.stat(''),
      () => nowhere.write('a', ''),
      () => nowhere.putIfAbsent('a', ''),
    ];
    for (const attempt of tries) {
      const failure = attempt();
      await expect(failure).rejects.toMatchObject({ name: 'TerminalError', type: 'TargetError' });
      await expect(failure).rejects.toThrow(/s3:\/\/no-such-bucket.*there is no such bucket\. Create it/);
    }
  });

  it('tells no credential, whatever goes wrong', async () => {
    const failures: unknown[] = [];
    for (const fault of ['deny', 'throttle', 'drop request', 'truncate reply'] as const) {
      proxy.onRequest = () => fault;
      process.env['AWS_MAX_ATTEMPTS'] = '1';
      for (const work of [
        () => store.read('x'),
        () => store.putIfAbsent('x', ''),
        () => listed(),
        () => store.stat(''),
      ]) {
        failures.push(await work().catch((error: unknown) => error));
      }
    }
    delete process.env['AWS_MAX_ATTEMPTS'];
    expect(failures.every((error) => error instanceof StorageError || error instanceof TerminalError)).toBe(true);
    const { inspect } = await import('node:util');
    const told = inspect(failures, { depth: 20, showHidden: true });
    for (const secret of [ACCESS_KEY, SECRET_KEY, encodeURIComponent(SECRET_KEY)]) expect(told).not.toContain(secret);
  });

  it('says that there are no credentials, or no region, and where they come from', async () => {
    const { AWS_ENDPOINT_URL, ...saved } = s3Environment(proxy.port);
    const nowhere = join(tmpdir(), 'tidegate-no-such-file');
    const files = { AWS_CONFIG_FILE: nowhere, AWS_SHARED_CREDENTIALS_FILE: nowhere };
    try {
      Object.assign(process.env, files);
      delete process.env['AWS_ACCESS_KEY_ID'];
      await expect(store.read('x')).rejects.toMatchObject({
        name: 'TerminalError',
        message: expect.stringMatching(
          /no credentials were found.*AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile/,
        ),
      });
      delete process.env['AWS_REGION'];
      delete process.env['AWS_ENDPOINT_URL'];
      await expect(store.read('x')).rejects.toThrow(/no region is known\. Set AWS_REGION/);
    } finally {
      for (const name of Object.keys(files)) delete process.env[name];
      Object.assign(process.env, saved, { AWS_ENDPOINT_URL });
    }
  });
});

describe('what Polars is told', () => {
  it('is the endpoint, region and credentials that the SDK uses', async () => {
    expect(await store.scanOptions()).toEqual({
      cloudOptions: {
        aws_access_key_id: ACCESS_KEY,
        aws_secret_access_key: SECRET_KEY,
        aws_region: 'us-east-1',
        aws_endpoint_url: `http://127.0.0.1:${proxy.port}`,
        aws_allow_http: 'true',
        aws_virtual_hosted_style_request: 'false',
        max_retries: '8',
        retry_timeout_ms: '60000',
      },
    });
  });

  it('names the bucket in the host where the SDK does, and passes a session token and a path of the endpoint on', async () => {
    process.env['AWS_S3_FORCE_PATH_STYLE'] = 'false';
    process.env['AWS_SESSION_TOKEN'] = 'token-of-a-session';
    process.env['AWS_ENDPOINT_URL'] = 'https://store.example:9000';
    try {
      expect((await store.scanOptions()).cloudOptions).toMatchObject({
        aws_endpoint_url: 'https://lake.store.example:9000',
        aws_session_token: 'token-of-a-session',
        aws_virtual_hosted_style_request: 'true',
      });
      delete process.env['AWS_S3_FORCE_PATH_STYLE'];
      process.env['AWS_ENDPOINT_URL'] = 'https://gateway.example/s3';
      expect((await store.scanOptions()).cloudOptions).toMatchObject({
        aws_endpoint_url: 'https://gateway.example/s3',
        aws_virtual_hosted_style_request: 'false',
      });
      delete process.env['AWS_ENDPOINT_URL'];
      expect((await store.scanOptions()).cloudOptions).toMatchObject({
        aws_endpoint_url: 'https://lake.s3.us-east-1.amazonaws.com',
        aws_virtual_hosted_style_request: 'true',
      });
    } finally {
      delete process.env['AWS_S3_FORCE_PATH_STYLE'];
      delete process.env['AWS_SESSION_TOKEN'];
      Object.assign(process.env, s3Environment(proxy.port));
    }
  });
});
