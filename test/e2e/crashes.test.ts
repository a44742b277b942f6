import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contract } from '../../src/contract';
import { type PartitionDate, addDays, parsePartitionDate } from '../../src/discovery';
import { type Table, openTable } from '../../src/publish';
import type { RunSummary } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { contentOf } from '../support/read-table';
import { runPipeline } from '../support/run-pipeline';
import { transaction } from '../support/transactions';
import type { WorkerProcess } from '../support/worker-process';

/**
 * The worker process is killed with SIGKILL before, during and after each activity, and at each step
 * of key resolution and of publishing. Another worker takes over, and is the next one to be killed. Every time: readers saw the old or the new
 * version, the request made one commit, and the table is right: the one that the same run makes when nothing dies.
 *
 * Keys are resolved over the whole table, and every run alters the partition of the run before it.
 */
const ACTIVITIES = [
  'describePipeline',
  'submitRequest',
  'readCommittedState',
  'discoverPartitions',
  'resolveKeys',
  'transformAndGate',
  'writeReport',
  'publish',
];
const POINTS = [
  ...ACTIVITIES.flatMap((activity) => ['before', 'during', 'after'].map((when) => `${activity}.${when}`)),
  // The new partition's index, first under no name of its own, and the verdicts of the one that it alters.
  'local.written.idx',
  'store.write.idx#1.after',
  'store.write.rows#1.after',
  ...['before-build', 'built', 'before-claim', 'claimed', 'indexed', 'shown'].map((step) => `publish.${step}`),
];

/** A crash takes seconds to be noticed, so several installations wait side by side. */
const LANES = 5;

interface Seen {
  readonly ids: readonly string[];
  readonly rejected: number;
}

interface Observation {
  readonly signal: NodeJS.Signals | null;
  readonly fired: boolean;
  readonly before: Seen & { readonly version: number };
  readonly meanwhile: readonly string[];
  readonly summary: RunSummary;
  readonly after: Seen & { readonly commits: number };
  /** The table, and the one that the same runs make when nothing dies. */
  readonly content: unknown;
  readonly unharmed: unknown;
  readonly day: PartitionDate;
  readonly key: string;
  /** Of the day before. */
  readonly previous: string;
}
const observations = new Map<string, Promise<Observation>>();

beforeAll(async () => {
  const lanes = Array.from({ length: LANES }, (_, lane) => POINTS.filter((_point, index) => index % LANES === lane));
  await Promise.all(lanes.map(walk));
}, 600_000);

/** Crashes one installation at one point after the other. */
async function walk(points: readonly string[]): Promise<void> {
  const installation = await Installation.create({ lookback: 1, scope: 'table', policy: 'reprocess: changed' });
  try {
    const contract = await installation.loadContract();
    const unharmed = { ...contract, publish: { ...contract.publish, path: join(installation.folder, 'unharmed') } };
    let day = parsePartitionDate('2026-01-01')!;
    let previous = 'first';
    installation.land(day, [transaction(previous), transaction(`${previous}-partner`)]);
    let worker = await startWorker(installation);
    await installation.run();
    await runPipeline(unharmed, 'first');
    for (const point of points) {
      day = addDays(day, 1);
      const observation = crash(installation, unharmed, worker, { point, day, previous });
      observations.set(point, observation);
      await observation.catch(() => {});
      worker = installation.workers.at(-1)!;
      previous = keyOf(point);
    }
  } finally {
    await installation.dispose();
  }
}

const failpointsOf = ({ folder }: Installation): string => join(folder, 'failpoints');

const startWorker = (installation: Installation): Promise<WorkerProcess> =>
  installation.worker({ TIDEGATE_FAILPOINTS: `@${failpointsOf(installation)}` });

const keyOf = (point: string): string => point.replaceAll(/\W/g, '-');

async function look(table: Table) {
  const content = await contentOf(table);
  const ids = content.curated.map((row) => String(row['transaction_id'])).toSorted();
  return { content, ids, rejected: content.quarantine.length };
}

interface Crash {
  readonly point: string;
  readonly day: PartitionDate;
  readonly previous: string;
}

async function crash(
  installation: Installation,
  unharmed: Contract,
  doomed: WorkerProcess,
  { point, day, previous }: Crash,
): Promise<Observation> {
  const table = await installation.table();
  const before = { version: (await table.read()).version, ...(await look(table)) };
  const key = keyOf(point);
  installation.land(day, [
    transaction(key),
    transaction(`${key}-partner`),
    transaction(`${key}-rejected`, { amount: -1 }),
    // Moves here from the day before.
    transaction(previous, { updated_at: Date.UTC(2026, 5, 1), amount: 20 }),
    // Takes a row of the day before, whose receipt was the only one of its kind, into quarantine.
    transaction(`${key}-copied`, { transaction_receipt: `r${previous}-partner` }),
  ]);
  const marker = join(installation.folder, `marker-${key}`);

  // Put there whole, as the worker reads it whenever it likes.
  const failpoints = failpointsOf(installation);
  writeFileSync(`${failpoints}.new`, `${point}=kill@${marker}`);
  renameSync(`${failpoints}.new`, failpoints);
  const handle = await installation.start('incrementalRun');
  const { signal } = await doomed.exited;
  const { ids: meanwhile } = await look(table);

  await startWorker(installation);
  const summary: RunSummary = await handle.result();
  const commits = (await table.history()).filter((commit) => commit.requestId === summary.requestId).length;
  const { content, ids, rejected } = await look(table);
  await runPipeline(unharmed, key);
  return {
    signal,
    fired: existsSync(marker),
    before,
    meanwhile,
    summary,
    after: { ids, rejected, commits },
    content,
    unharmed: await contentOf(openTable(unharmed)),
    day,
    key,
    previous,
  };
}

test.each(POINTS)('killed at %s, the run is finished by another worker, once', async (point) => {
  const { signal, fired, before, meanwhile, summary, after, day, key, previous, ...tables } =
    await observations.get(point)!;
  expect({ signal, fired }).toEqual({ signal: 'SIGKILL', fired: true });
  const ids = [...before.ids.filter((id) => id !== `t${previous}-partner`), `t${key}`, `t${key}-partner`].toSorted();
  expect([before.ids, ids]).toContainEqual(meanwhile);
  expect(summary).toMatchObject({
    status: 'committed',
    commit: { version: before.version + 1 },
    watermark: { after: day },
  });
  expect(after).toEqual({ ids, rejected: before.rejected + 3, commits: 1 });
  expect(tables.content).toEqual(tables.unharmed);
});
