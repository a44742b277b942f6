import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type PartitionDate, addDays, parsePartitionDate } from '../../src/discovery';
import type { RunSummary } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { publishedIds, readRows } from '../support/read-table';
import { transaction, transactions } from '../support/transactions';

/**
 * The worker process is killed with SIGKILL before, during and after each activity, and at each step
 * of publishing. Another worker takes over. Every time: readers saw the old or the new version, the
 * request made one commit, and the table is right.
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
  ...['before-build', 'built', 'before-claim', 'claimed', 'indexed', 'shown'].map((step) => `publish.${step}`),
];

/** A crash takes seconds to be noticed, so several installations wait side by side. */
const LANES = 5;

interface Observation {
  readonly signal: NodeJS.Signals | null;
  readonly fired: boolean;
  readonly before: { readonly version: number; readonly ids: string[]; readonly rejected: number };
  readonly meanwhile: string[];
  readonly summary: RunSummary;
  readonly after: { readonly ids: string[]; readonly rejected: number; readonly commits: number };
  readonly day: PartitionDate;
  readonly key: string;
}
const observations = new Map<string, Promise<Observation>>();

beforeAll(async () => {
  const lanes = Array.from({ length: LANES }, (_, lane) => POINTS.filter((_point, index) => index % LANES === lane));
  await Promise.all(lanes.map(walk));
}, 600_000);

/** Crashes one installation at one point after the other. */
async function walk(points: readonly string[]): Promise<void> {
  const installation = await Installation.create({ lookback: 1 });
  try {
    let day = parsePartitionDate('2026-01-01')!;
    installation.land(day, transactions('first', 3));
    const worker = await installation.worker();
    await installation.run();
    await worker.stop();
    for (const point of points) {
      day = addDays(day, 1);
      const observation = crash(installation, point, day);
      observations.set(point, observation);
      await observation.catch(() => {});
    }
  } finally {
    await installation.dispose();
  }
}

async function crash(installation: Installation, point: string, day: PartitionDate): Promise<Observation> {
  const table = await installation.table();
  const look = async () => {
    const path = (await table.pathOf()).path;
    return { ids: publishedIds(path), rejected: readRows(path, 'quarantine').length };
  };
  const before = { version: (await table.read()).version, ...(await look()) };
  const key = point.replace('.', '-');
  installation.land(day, [transaction(key), transaction(`${key}-rejected`, { amount: -1 })]);
  const marker = join(installation.folder, `marker-${key}`);

  const doomed = await installation.worker({ TIDEGATE_FAILPOINTS: `${point}=kill@${marker}` });
  const handle = await installation.start('incrementalRun');
  const { signal } = await doomed.exited;
  const { ids: meanwhile } = await look();

  const survivor = await installation.worker();
  const summary: RunSummary = await handle.result();
  await survivor.stop();
  const commits = (await table.history()).filter((commit) => commit.requestId === summary.requestId).length;
  return {
    signal,
    fired: existsSync(marker),
    before,
    meanwhile,
    summary,
    after: { ...(await look()), commits },
    day,
    key,
  };
}

test.each(POINTS)('killed at %s, the run is finished by another worker, once', async (point) => {
  const { signal, fired, before, meanwhile, summary, after, day, key } = await observations.get(point)!;
  expect({ signal, fired }).toEqual({ signal: 'SIGKILL', fired: true });
  const ids = [...before.ids, `t${key}`].toSorted();
  expect([before.ids, ids]).toContainEqual(meanwhile);
  expect(summary).toMatchObject({
    status: 'committed',
    commit: { version: before.version + 1 },
    watermark: { after: day },
  });
  expect(after).toEqual({ ids, rejected: before.rejected + 1, commits: 1 });
});
