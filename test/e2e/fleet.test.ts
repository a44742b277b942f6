import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { type PartitionDate, addDays, parsePartitionDate } from '../../src/discovery';
import { type RunSummary, runWorkflowId } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { startLake } from '../support/lake';
import { type Expected, expectTableEquals, oracle } from '../support/oracle';
import { python } from '../support/python';
import { ACCESS_KEY, type S3Server, SECRET_KEY } from '../support/s3-server';
import { type Transaction, contractYaml, transaction } from '../support/transactions';
import type { WorkerProcess } from '../support/worker-process';

/**
 * A fleet: several worker processes that share nothing but the Temporal server and an S3 server. Of the first run, one is
 * killed with SIGKILL while it writes key indexes; the second run brings one day, which alters all days before it, and is
 * cut into groups of partitions: one worker is killed while it transforms its group.
 */
const BUCKET = 'lake';
const TABLE = `s3://${BUCKET}/tables/transactions`;
/** Days of the first run. A group holds at most sixteen small partitions (src/discovery/groups.ts): with one more, three groups. */
const DAYS = 32;
const FIRST_DAY = parsePartitionDate('2026-03-01')!;
const dayAfter = (days: number): PartitionDate => addDays(FIRST_DAY, days);
const GROUPS = 3;
const SURVIVORS = 2;
/** Long enough for every worker of a busy machine to take a group. */
const STALL_MS = 1_500;

// Every object is a request to a server in Python, on a machine that has other things to do.
jest.setTimeout(180_000);

/** What one group's history says of it. */
interface GroupWork {
  readonly identity: string;
  readonly attempt: number;
}

let s3: S3Server;
let installation: Installation;
/** Of the first run, and of the second. */
let doomed: [WorkerProcess, WorkerProcess];
let survivors: WorkerProcess[];
let markers: [string, string];
let first: RunSummary;
let summary: RunSummary;
let expected: Expected;
let groups: GroupWork[];

beforeAll(async () => {
  s3 = await startLake();
  installation = await Installation.create();
  writeFileSync(
    join(installation.pipelines, 'transactions.yaml'),
    contractYaml({ scope: 'table', policy: 'reprocess: changed' })
      // Delta knows microseconds only; the files' milliseconds widen to them.
      .replace('timestamp[ms]', 'timestamp[us]')
      .replace('path: ../raw,', `path: s3://${BUCKET}/raw/transactions,`)
      .replace('path: ../curated, format: directory', `path: ${TABLE}, format: delta`),
  );
  for (let n = 0; n < DAYS; n += 1) await deliver(dayAfter(n), rowsOf(n));

  const contract = await installation.loadContract();
  expect(contract).toMatchObject({
    source: { path: `s3://${BUCKET}/raw/transactions` },
    publish: { path: TABLE, format: 'delta' },
  });

  markers = [join(installation.folder, 'killed first'), join(installation.folder, 'killed')];
  const faults = join(installation.folder, 'faults of survivors');
  const fleet = { ...s3.env, TIDEGATE_PARALLELISM: String(GROUPS), TIDEGATE_DATA_SLOTS: '1' };
  let started = 0;
  // Machines of their own: no cache is shared.
  const worker = (faultsOf: string): Promise<WorkerProcess> =>
    installation.worker({
      ...fleet,
      TIDEGATE_CACHE: join(installation.folder, `cache ${(started += 1)}`),
      TIDEGATE_FAILPOINTS: faultsOf,
    });

  const alone = await worker(`store.write.idx#10.after=kill@${markers[0]}`);
  const run = await installation.start('incrementalRun');
  await alone.exited;
  survivors = await Promise.all(Array.from({ length: SURVIVORS }, () => worker(`@${faults}`)));
  first = await run.result();

  await deliver(dayAfter(DAYS), altering());
  expected = await expectedNow();
  writeFileSync(faults, `transformAndGate.before=stall:${STALL_MS}`);
  doomed = [alone, await worker(`transformAndGate.during=kill@${markers[1]}`)];
  summary = await installation.run();
  rmSync(faults);
  groups = await groupWork(summary.requestId);
}, 240_000);

afterAll(async () => {
  await installation?.dispose();
  await s3?.stop();
});

/** What all the files that were delivered make. */
async function expectedNow(): Promise<Expected> {
  const contract = await installation.loadContract();
  return oracle({ contract: { ...contract, source: { ...contract.source, path: installation.raw } } });
}

async function deliver(day: PartitionDate, rows: readonly Transaction[]): Promise<void> {
  installation.land(day, rows);
  await upload(join(installation.raw, `date=${day}`), `raw/transactions/date=${day}`);
}

/** Good rows, an update of a row of the day before, three kinds of bad ones. */
function rowsOf(n: number): Transaction[] {
  return [
    ...Array.from({ length: 3 }, (_, index) => transaction(`${n}-${index}`, { updated_at: 1_000 * n })),
    transaction(`${n - 1}-0`, { amount: 20 + n, updated_at: 1_000 * n + 1 }),
    transaction(`${n}-negative`, { amount: -n - 1 }),
    transaction(`${n}-nobody`, { user_id: null }),
    transaction(`${n}-copied`, { transaction_receipt: `r${n}-1` }),
  ];
}

/** A newer version of a row of every day; and, of every third, a receipt that was the only one of its kind. */
function altering(): Transaction[] {
  const days = Array.from({ length: DAYS }, (_, n) => n);
  return [
    ...days.map((n) => transaction(`${n}-2`, { amount: 100 + n, updated_at: 1_000_000 })),
    ...days.filter((n) => n % 3 === 0).map((n) => transaction(`again-${n}`, { transaction_receipt: `r${n}-0` })),
  ];
}

async function upload(folder: string, prefix: string): Promise<void> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const Key = prefix + file.slice(folder.length);
    await s3.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: readFileSync(file) }));
  }
}

/** Who finished each group, and at which attempt, as Temporal recorded it. */
async function groupWork(requestId: string): Promise<GroupWork[]> {
  const handle = installation.client.workflow.getHandle(runWorkflowId('transactions', requestId));
  const events = (await handle.fetchHistory()).events ?? [];
  const scheduled = new Set(
    events
      .filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'transformAndGate')
      .map((event) => String(event.eventId)),
  );
  return events
    .map((event) => event.activityTaskStartedEventAttributes)
    .filter((started) => started && scheduled.has(String(started.scheduledEventId)))
    .map((started) => ({ identity: started?.identity ?? '', attempt: started?.attempt ?? 0 }));
}

const pidOf = ({ identity }: GroupWork): number => Number(identity.split('@')[0]);

test('a worker is killed while it writes key indexes, and the run is committed all the same', async () => {
  expect((await doomed[0].exited).signal).toBe('SIGKILL');
  expect(existsSync(markers[0])).toBe(true);
  expect(first).toMatchObject({
    status: 'committed',
    commit: { version: 1 },
    taken: DAYS,
    watermark: { before: null, after: dayAfter(DAYS - 1) },
  });
});

test('a worker is killed while it transforms, and the run is committed all the same', async () => {
  expect((await doomed[1].exited).signal).toBe('SIGKILL');
  expect(existsSync(markers[1])).toBe(true);
  expect(survivors.map(({ alive }) => alive)).toEqual([true, true]);
  expect(summary).toMatchObject({
    status: 'committed',
    commit: { version: 2 },
    taken: DAYS + 1,
    watermark: { before: dayAfter(DAYS - 1), after: dayAfter(DAYS) },
  });
  const { partitions } = await (await installation.table()).report(2);
  expect(partitions.map(({ reason }) => reason)).toEqual([...Array.from({ length: DAYS }, () => 'coupled'), 'new']);
});

test('every other worker transformed groups, and the group of the one killed was done again', () => {
  expect(groups).toHaveLength(GROUPS);
  expect(new Set(groups.map(pidOf))).toEqual(new Set(survivors.map(({ pid }) => pid)));
  expect(groups.filter(({ attempt }) => attempt > 1)).toHaveLength(1);
});

test('the table holds exactly what the oracle expects, to the order of its rows', async () => {
  const copy = join(installation.folder, 'copy');
  for (const [kind, paths] of Object.entries(await referencedFiles())) {
    for (const path of paths) await download(path, join(copy, kind, path.slice(path.indexOf('date='))));
  }
  expect(expected.curated.length).toBeGreaterThan(DAYS);
  expect(expected.quarantine.length).toBeGreaterThan(DAYS);
  await expectTableEquals(copy, expected);
});

test('each run is one commit, and Polars and deltalake read it from the store', async () => {
  const table = await installation.table();
  expect(await table.history()).toEqual([
    expect.objectContaining({ version: 2, requestId: summary.requestId }),
    expect.objectContaining({ version: 1, requestId: first.requestId }),
  ]);
  const { Contents = [] } = await s3.client.send(
    new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'tables/transactions/curated/_delta_log/' }),
  );
  expect(Contents.map(({ Key }) => Key)).toEqual(
    [0, 1].map((version) => `tables/transactions/curated/_delta_log/0000000000000000000${version}.json`),
  );
  expect(await readByOthers()).toEqual(rowCounts());
  expect((await table.verify({})).faults).toEqual([]);
});

test('what the documents show in Python runs against it, checkpoint and all, and Tidegate goes on', async () => {
  const page = (name: string): string => readFileSync(join(__dirname, '..', '..', name), 'utf8');
  const shown = [...page('README.md').matchAll(/^```python\n(.*?)^```$/gms)]
    .map(([, code = '']) => code.replaceAll('s3://lake/transactions', TABLE))
    .filter((code) => code.includes(TABLE));
  expect(shown).toHaveLength(2);
  const [, checkpoint = ''] = /^python -c '(.*?)'\n```$/ms.exec(page('docs/delta.md'))!;
  expect(checkpoint).toContain('create_checkpoint');
  for (const code of [...shown, checkpoint.replaceAll('<path>', TABLE)]) {
    await python(`import os\nos.environ.update(input)\n${code}`, readerOptions());
  }
  const { Contents = [] } = await s3.client.send(
    new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'tables/transactions/curated/_delta_log/' }),
  );
  expect(Contents.map(({ Key = '' }) => Key.split('/').at(-1))).toContain('_last_checkpoint');
  // Takes a row of two days ago away.
  await deliver(dayAfter(DAYS + 1), [transaction(`${DAYS - 2}-0`, { amount: 500, updated_at: 2_000_000 })]);
  expect(await installation.run()).toMatchObject({ status: 'committed', commit: { version: 3 }, taken: 2 });
  expected = await expectedNow();
  expect(await readByOthers()).toEqual(rowCounts());
  expect((await (await installation.table()).verify({})).faults).toEqual([]);
});

test('no credential stands in a log of a worker, or in a history', async () => {
  const logs = [...doomed, ...survivors].map(({ output }) => output);
  for (const output of logs) expect(output).toContain('worker started');
  const histories: string[] = [];
  for await (const { workflowId, runId } of installation.client.workflow.list()) {
    const history = await installation.client.workflow.getHandle(workflowId, runId).fetchHistory();
    const payload = /"data":"([\w+/=]+)"/g;
    histories.push(
      JSON.stringify(history).replaceAll(payload, (_, data: string) => Buffer.from(data, 'base64').toString()),
    );
  }
  expect(histories.length).toBeGreaterThan(2);
  expect(histories.join().includes(TABLE)).toBe(true);
  for (const text of [...logs, ...histories]) {
    for (const secret of [ACCESS_KEY, SECRET_KEY]) expect(text.includes(secret)).toBe(false);
  }
});

/** The keys of the objects that the newest version of each table names, by deltalake. */
function referencedFiles(): Promise<Record<'curated' | 'quarantine', string[]>> {
  return python(
    `
from deltalake import DeltaTable
def keys(kind):
    uris = DeltaTable(f"{input['table']}/{kind}", storage_options=input['options']).file_uris()
    return [uri.removeprefix(f"s3://{input['bucket']}/") for uri in uris]
output = {kind: keys(kind) for kind in ('curated', 'quarantine')}
`,
    { table: TABLE, bucket: BUCKET, options: readerOptions() },
  );
}

function readByOthers(): Promise<unknown> {
  return python(
    `
import polars as pl
from deltalake import DeltaTable
def scan(kind):
    return pl.scan_delta(f"{input['table']}/{kind}", storage_options=input['options']).collect().height
output = {
    'polars': scan('curated'),
    'deltalake': DeltaTable(f"{input['table']}/curated", storage_options=input['options']).to_pyarrow_table().num_rows,
    'quarantined': scan('quarantine'),
}
`,
    { table: TABLE, options: readerOptions() },
  );
}

const rowCounts = (): object => ({
  polars: expected.curated.length,
  deltalake: expected.curated.length,
  quarantined: expected.quarantine.length,
});

const readerOptions = (): Record<string, string> => ({ ...s3.env, AWS_ALLOW_HTTP: 'true' });

async function download(key: string, file: string): Promise<void> {
  const { Body } = await s3.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, (await Body?.transformToByteArray()) ?? '');
}
