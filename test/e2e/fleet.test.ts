import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { addDays, parsePartitionDate } from '../../src/discovery';
import { type RunSummary, runWorkflowId } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { type Expected, expectTableEquals, oracle } from '../support/oracle';
import { python } from '../support/python';
import { ACCESS_KEY, type S3Server, SECRET_KEY, startS3Server } from '../support/s3-server';
import { type Transaction, contractYaml, transaction } from '../support/transactions';
import type { WorkerProcess } from '../support/worker-process';

/**
 * A fleet: several worker processes that share nothing but the Temporal server and an S3 server, a run that is
 * cut into groups of partitions, and one worker that is killed with SIGKILL while it transforms its group.
 */
const BUCKET = 'lake';
const TABLE = `s3://${BUCKET}/tables/transactions`;
/** A group holds at most fifteen small partitions (src/discovery/groups.ts): three groups. */
const DAYS = 40;
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
let doomed: WorkerProcess;
let survivors: WorkerProcess[];
let marker: string;
let summary: RunSummary;
let expected: Expected;
let groups: GroupWork[];

beforeAll(async () => {
  s3 = await startS3Server();
  await s3.createBucket(BUCKET);
  Object.assign(process.env, s3.env);
  installation = await Installation.create();
  writeFileSync(
    join(installation.pipelines, 'transactions.yaml'),
    contractYaml()
      // Delta knows microseconds only; the files' milliseconds widen to them.
      .replace('timestamp[ms]', 'timestamp[us]')
      .replace('path: ../raw,', `path: s3://${BUCKET}/raw/transactions,`)
      .replace('path: ../curated, format: directory', `path: ${TABLE}, format: delta`),
  );
  let day = parsePartitionDate('2026-03-01')!;
  for (let n = 0; n < DAYS; n += 1, day = addDays(day, 1)) installation.land(day, rowsOf(n));
  await upload(installation.raw, 'raw/transactions');

  const contract = await installation.loadContract();
  expect(contract).toMatchObject({
    source: { path: `s3://${BUCKET}/raw/transactions` },
    publish: { path: TABLE, format: 'delta' },
  });
  expected = await oracle({ contract: { ...contract, source: { ...contract.source, path: installation.raw } } });

  marker = join(installation.folder, 'killed');
  const fleet = { ...s3.env, TIDEGATE_PARALLELISM: String(GROUPS), TIDEGATE_DATA_SLOTS: '1' };
  const [first, ...others] = await Promise.all([
    installation.worker({ ...fleet, TIDEGATE_FAILPOINTS: `transformAndGate.during=kill@${marker}` }),
    ...Array.from({ length: SURVIVORS }, () =>
      installation.worker({ ...fleet, TIDEGATE_FAILPOINTS: `transformAndGate.before=stall:${STALL_MS}` }),
    ),
  ]);
  [doomed, survivors] = [first, others];
  summary = await installation.run();
  groups = await groupWork(summary.requestId);
}, 240_000);

afterAll(async () => {
  await installation?.dispose();
  await s3?.stop();
});

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

test('one worker is killed while it transforms, and the run is committed all the same', async () => {
  expect((await doomed.exited).signal).toBe('SIGKILL');
  expect(existsSync(marker)).toBe(true);
  expect(survivors.map(({ alive }) => alive)).toEqual([true, true]);
  expect(summary).toMatchObject({
    status: 'committed',
    commit: { version: 1 },
    taken: DAYS,
    watermark: { before: null, after: '2026-04-09' },
  });
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

test('it is one commit, and Polars and deltalake read it from the store', async () => {
  const table = await installation.table();
  expect(await table.history()).toEqual([expect.objectContaining({ version: 1, requestId: summary.requestId })]);
  const { Contents = [] } = await s3.client.send(
    new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'tables/transactions/curated/_delta_log/' }),
  );
  expect(Contents.map(({ Key }) => Key)).toEqual(['tables/transactions/curated/_delta_log/00000000000000000000.json']);
  expect(await readByOthers()).toEqual(rowCounts());
  expect((await table.verify({})).faults).toEqual([]);
});

test('what the documents show in Python runs against it, checkpoint and all, and Tidegate goes on', async () => {
  const pageOf = (name: string): string => readFileSync(join(__dirname, '..', '..', name), 'utf8');
  const shown = [...pageOf('README.md').matchAll(/^```python\n(.*?)^```$/gms)]
    .map(([, code = '']) => code)
    .filter((code) => code.includes('s3://'));
  const checkpoint = /^python -c '(.*?)'$/ms.exec(pageOf('docs/delta.md'))?.[1];
  expect([shown.length, typeof checkpoint]).toEqual([2, 'string']);
  shown.push(checkpoint!.replace('<path>', 's3://lake/transactions'));
  for (const code of shown) {
    await python(
      `import os\nos.environ.update(input)\n${code.replaceAll('s3://lake/transactions', TABLE)}`,
      readerOptions(),
    );
  }
  const { Contents = [] } = await s3.client.send(
    new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'tables/transactions/curated/_delta_log/' }),
  );
  expect(Contents.map(({ Key = '' }) => Key.split('/').at(-1))).toContain('_last_checkpoint');
  // The window is read and written again; the rest stands as it did.
  expect(await installation.run()).toMatchObject({ status: 'committed', commit: { version: 2 } });
  expect(await readByOthers()).toEqual(rowCounts());
  expect((await (await installation.table()).verify({})).faults).toEqual([]);
});

test('no credential stands in a log of a worker, or in a history', async () => {
  const logs = [doomed, ...survivors].map(({ output }) => output);
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
