import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { planNow } from '../../src/activities';
import { type Contract, type PipelineSource, definePipeline } from '../../src/contract';
import { TerminalError, messageOf } from '../../src/errors';
import { openTable } from '../../src/publish';
import type { RunSummary } from '../../src/workflows/messages';
import { tidegate } from '../cli/support/tidegate';
import { startLake, startProxiedLake } from '../support/lake';
import { expectTableEquals, oracle } from '../support/oracle';
import { python } from '../support/python';
import { runPipeline } from '../support/run-pipeline';
import { type Fault, type S3Proxy, startS3Proxy } from '../support/s3-proxy';
import { ACCESS_KEY, SECRET_KEY, type S3Server, s3Environment } from '../support/s3-server';
import { TRANSACTION_COLUMNS, land, transaction, transactions } from '../support/transactions';

let server: S3Server;
let proxy: S3Proxy;
let folder: string;
let zone = 0;

beforeAll(async () => {
  ({ server, proxy } = await startProxiedLake());
});
afterAll(async () => {
  await proxy?.close();
  await server?.stop();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-s3-'));
  zone += 1;
  proxy.onRequest = () => null;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const SOURCE: Omit<PipelineSource, 'source' | 'publish'> = {
  pipeline: 'lake',
  columns: TRANSACTION_COLUMNS,
  deduplicate: { primaryKey: 'transaction_id', orderBy: 'updated_at', scope: 'window' },
  gates: [
    { kind: 'notNull', column: 'user_id' },
    { kind: 'inRange', column: 'amount', greaterThan: 0 },
    { kind: 'unique', columns: ['transaction_receipt'] },
  ],
};
const placeOf = (): PipelineSource['publish'] => ({ path: `s3://lake/table ${zone}`, format: 'delta' });

/** The pipeline over S3, and the same over the local copy of its raw zone, for the oracle. */
function pipeline(): { contract: Contract; local: Contract } {
  const overS3 = { ...SOURCE, source: { path: `s3://lake/raw zone ${zone}` }, publish: placeOf() };
  return {
    contract: definePipeline(overS3),
    local: definePipeline({ ...overS3, source: { path: join(folder, 'raw') } }),
  };
}

/** Writes rows to the local copy, and puts the file into the raw zone. */
async function deliver(date: string, rows: Parameters<typeof land>[2], name: string): Promise<void> {
  land(join(folder, 'raw'), date, rows, name);
  const Body = readFileSync(join(folder, 'raw', `date=${date}`, name));
  await server.client.send(
    new PutObjectCommand({ Bucket: 'lake', Key: `raw zone ${zone}/date=${date}/${name}`, Body }),
  );
}

async function objects(prefix: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const { Contents = [] } = await server.client.send(new ListObjectsV2Command({ Bucket: 'lake', Prefix: prefix }));
  for (const { Key } of Contents) {
    const { Body } = await server.client.send(new GetObjectCommand({ Bucket: 'lake', Key }));
    found.set(Key!, Buffer.from(await Body!.transformToByteArray()));
  }
  return found;
}

/** What delta-rs sees of a table in the store: its files, brought here. */
async function publishedFolder(): Promise<string> {
  const files = await python<Record<string, string[]>>(
    `
from deltalake import DeltaTable
options = {'AWS_ENDPOINT_URL': input['endpoint'], 'AWS_ACCESS_KEY_ID': input['key'], 'AWS_SECRET_ACCESS_KEY': input['secret'],
           'AWS_REGION': 'us-east-1', 'AWS_ALLOW_HTTP': 'true'}
output = {kind: DeltaTable(f"{input['table']}/{kind}", storage_options=options).file_uris() for kind in ('curated', 'quarantine')}
`,
    {
      endpoint: `http://127.0.0.1:${server.port}`,
      key: ACCESS_KEY,
      secret: SECRET_KEY,
      table: `s3://lake/table ${zone}`,
    },
  );
  const stored = await objects(`table ${zone}/`);
  const place = mkdtempSync(join(folder, 'published-'));
  for (const kind of ['curated', 'quarantine']) {
    mkdirSync(join(place, kind));
    for (const uri of files[kind] ?? []) {
      const key = decodeURIComponent(uri.slice('s3://lake/'.length));
      const target = join(place, key.slice(`table ${zone}/`.length));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, stored.get(key)!);
    }
  }
  return place;
}

/** Else it is Polars. */
const isSdk = (agent: unknown): boolean => String(agent).includes('aws-sdk');
const newer = { updated_at: Date.UTC(2026, 4, 9) };

async function deliverTwoDays(): Promise<void> {
  await deliver('2026-05-01', [...transactions('a', 40), transaction('twice')], 'part 1 +ü.parquet');
  await deliver('2026-05-01', [transaction('no user', { user_id: null })], '100%25.parquet');
  await deliver('2026-05-02', [transaction('twice', newer), transaction('free', { amount: 0 })], 'z[1]*.parquet');
}

it('runs from S3 to S3: keys, rows and counts are those of the oracle, run after run, and delta-rs reads them', async () => {
  const { contract, local } = pipeline();
  await deliverTwoDays();
  const first = await runPipeline(contract, 'first');
  expect(first.commit).toMatchObject({ version: 1, path: `s3://lake/table ${zone}` });
  const expected = await oracle({ contract: local });
  await expectTableEquals(await publishedFolder(), expected);
  expect(expected.quarantine.length).toBeGreaterThan(1);

  await deliver('2026-05-02', [transaction('late', newer)], 'later.parquet');
  await runPipeline(contract, 'second');
  await expectTableEquals(await publishedFolder(), await oracle({ contract: local }));

  const state = await openTable(contract).read();
  expect(state.partitions.get('2026-05-02' as never)?.files).toMatchObject([
    { path: 'date=2026-05-02/later.parquet', etag: expect.any(String), rows: 1 },
    { path: 'date=2026-05-02/z[1]*.parquet', etag: expect.any(String), rows: 2 },
  ]);
});

it('keeps the key indexes of scope table in the store, and reads them through a cache on local disk', async () => {
  const { contract: base } = pipeline();
  const { deduplicate, gates } = base;
  const contract: Contract = {
    ...base,
    deduplicate: { ...deduplicate, scope: 'table' },
    gates: gates.map((gate) => (gate.kind === 'unique' ? { ...gate, scope: 'table' } : gate)),
  };
  const caches = [join(folder, 'cache one'), join(folder, 'cache two')];
  const cached = (cache: string): string[] =>
    readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.idx'));
  process.env['TIDEGATE_CACHE'] = caches[0]!;
  await deliverTwoDays();
  await runPipeline(contract, 'first');
  const stored = [...(await objects(`table ${zone}/_tidegate/index/`)).keys()];
  expect(stored).toHaveLength(2);
  expect(cached(caches[0]!)).toHaveLength(2);

  // Another worker, whose cache is empty, finds them; it makes the one of the partition that changed.
  process.env['TIDEGATE_CACHE'] = caches[1]!;
  await deliver('2026-05-02', [transaction('late', newer)], 'later.parquet');
  await runPipeline(contract, 'second');
  expect(cached(caches[1]!)).toHaveLength(3);
  expect([...(await objects(`table ${zone}/_tidegate/index/`)).keys()]).toEqual(expect.arrayContaining(stored));
  const window: Contract = {
    ...base,
    source: { ...base.source, path: join(folder, 'raw') },
  };
  // One window over all partitions is one full run.
  await expectTableEquals(await publishedFolder(), await oracle({ contract: window }));
  delete process.env['TIDEGATE_CACHE'];
});

it('writes no credential anywhere: not in plans, resolutions, reports, states or logs', async () => {
  const { contract } = pipeline();
  await deliverTwoDays();
  const summary = await runPipeline(contract, 'first');
  const written = await objects(`table ${zone}/`);
  expect([...written.keys()].some((key) => key.includes('/_runs/'))).toBe(true);
  for (const text of [JSON.stringify(summary), ...[...written.values()].map((bytes) => bytes.toString('latin1'))]) {
    for (const secret of [ACCESS_KEY, SECRET_KEY]) expect(text).not.toContain(secret);
  }
});

it('voids a plan whose file was written again or removed after it was listed, by etag', async () => {
  const { contract } = pipeline();
  await deliverTwoDays();
  let listed = false;
  let done: Promise<void> | undefined;
  proxy.onRequest = ({ method, url }) => {
    // Once the plan is written, another delivery replaces a file.
    if (!listed && method === 'PUT' && url.includes('/_runs/')) {
      listed = true;
      done = deliver('2026-05-02', [transaction('other', newer), transaction('rows')], 'z[1]*.parquet');
    }
    return null;
  };
  await expect(runPipeline(contract, 'moved')).rejects.toMatchObject({ type: 'VoidPlan' });
  await done;
  expect((await openTable(contract).read()).version).toBe(0);
});

it('gets there with one commit through a network that drops, cuts, doubles, delays and refuses', async () => {
  const { contract, local } = pipeline();
  await deliverTwoDays();
  const all: readonly Fault[] = [
    'drop request',
    'drop reply',
    'truncate request',
    'truncate reply',
    'duplicate request',
    'delay',
    'throttle',
    'internal error',
  ];
  let count = 0;
  let injected = 0;
  proxy.onRequest = () => {
    count += 1;
    return count % 7 === 3 ? all[(injected += 1) % all.length]! : null;
  };
  let summary: RunSummary | undefined;
  const failures: string[] = [];
  for (let tried = 0; summary === undefined && tried < 10; tried += 1) {
    summary = await runPipeline(contract, 'the one request').catch((error: unknown) => {
      failures.push(messageOf(error));
      // As Temporal would, only what may pass is tried again.
      if ((error as { nonRetryable?: boolean }).nonRetryable === true || error instanceof TerminalError) throw error;
      return undefined;
    });
  }
  proxy.onRequest = () => null;
  expect(injected).toBeGreaterThan(all.length);
  expect(summary?.commit?.version).toBe(1);
  expect(await openTable(contract).history()).toHaveLength(1);
  await expectTableEquals(await publishedFolder(), await oracle({ contract: local }));
  for (const secret of [ACCESS_KEY, SECRET_KEY]) expect(failures.join('\n')).not.toContain(secret);
}, 120_000);

it('finds nothing to do where every raw file was deleted, and takes them out of the table when that is decided', async () => {
  const { contract } = pipeline();
  await expect(runPipeline(contract, 'early')).rejects.toThrow(/holds nothing: .* Deliver the first file/);
  await deliverTwoDays();
  await runPipeline(contract, 'first');
  for (const Key of (await objects(`raw zone ${zone}/`)).keys()) {
    await server.client.send(new DeleteObjectCommand({ Bucket: 'lake', Key }));
  }
  const kept = await planNow(contract, { kind: 'incremental' });
  expect([kept.partitions, kept.removed]).toEqual([[], []]);
  const decided = await planNow(contract, { kind: 'incremental', removeGone: 'all' });
  expect(decided.removed.map(({ date }) => date)).toEqual(['2026-05-01', '2026-05-02']);
});

it('ends a run at once, with the reason, where the store denies a data file to be read or written', async () => {
  const { contract } = pipeline();
  await deliverTwoDays();
  for (const method of ['GET', 'PUT']) {
    proxy.onRequest = (passed) => (passed.method === method && !isSdk(passed.headers['user-agent']) ? 'deny' : null);
    const failure: unknown = await runPipeline(contract, `denied ${method}`).catch((error: unknown) => error);
    expect([method, messageOf(failure)]).toEqual([
      method,
      expect.stringMatching(/^cannot (?:read|write) .*: access denied\. Let/),
    ]);
    expect(failure).toMatchObject({ nonRetryable: true });
    expect(JSON.stringify(failure) + messageOf(failure)).not.toContain(ACCESS_KEY);
  }
});

it('refuses a store that does not honour conditional writes when a run begins, be the table there already, and check says so', async () => {
  // Where signatures are checked, as versitygw does, no header can be taken off on the way.
  const lax = server.name === 'moto' ? server : await startLake('moto');
  const between = await startS3Proxy(lax.port);
  const own = server;
  try {
    server = lax;
    Object.assign(process.env, s3Environment(between.port));
    const { contract } = pipeline();
    await deliverTwoDays();
    await runPipeline(contract, 'first');
    await deliver('2026-05-03', transactions('c', 3), 'c.parquet');

    // To this process it is another store now, which it has not seen honour anything.
    await between.close();
    const ignoring = await startS3Proxy(lax.port);
    ignoring.ignoreHeader = 'if-none-match';
    Object.assign(process.env, s3Environment(ignoring.port));
    try {
      const before = [...(await objects(`table ${zone}/`)).keys()];
      const failure: unknown = await runPipeline(contract, 'second').catch((error: unknown) => error);
      expect(failure).toMatchObject({ type: 'TargetError', nonRetryable: true });
      expect(messageOf(failure)).toMatch(/does not honour conditional writes: .* "If-None-Match: \*"/);
      // No row was read, and nothing stays behind.
      expect(ignoring.seen.filter(({ url, headers }) => /raw/.test(url) && !isSdk(headers['user-agent']))).toEqual([]);
      expect([...(await objects(`table ${zone}/`)).keys()]).toEqual(before);

      const file = join(folder, 'lake.json');
      writeFileSync(file, JSON.stringify({ ...SOURCE, source: { path: contract.source.path }, publish: placeOf() }));
      const { code, stdout } = await tidegate(['check', file]);
      expect([code, stdout]).toEqual([
        1,
        expect.stringMatching(/fault target .*\n.*does not honour conditional writes/),
      ]);
      ignoring.ignoreHeader = null;
      expect((await runPipeline(contract, 'second')).commit).toMatchObject({ version: 2 });
    } finally {
      await ignoring.close();
    }
  } finally {
    server = own;
    Object.assign(process.env, s3Environment(proxy.port));
    await between.close();
    if (lax !== own) await lax.stop();
  }
}, 120_000);
