import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addDays, parsePartitionDate } from '../../src/discovery';
import type { RunSummary } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { publishedIds } from '../support/read-table';
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

let it_: Installation;
let day = parsePartitionDate('2026-01-01')!;

beforeAll(async () => {
  it_ = await Installation.create({ lookback: 1 });
  it_.land(day, transactions('first', 3));
  const worker = await it_.worker();
  await it_.run();
  await worker.stop();
});
afterAll(async () => {
  await it_?.dispose();
});

test.each(POINTS)('killed at %s, the run is finished by another worker, once', async (point) => {
  const table = await it_.table();
  const before = await table.read();
  const idsBefore = publishedIds(await table.pathOf());

  day = addDays(day, 1);
  const key = point.replace('.', '-');
  it_.land(day, [transaction(key), transaction(`${key}-rejected`, { amount: -1 })]);
  const marker = join(it_.folder, `marker-${key}`);
  const doomed = await it_.worker({ TIDEGATE_FAILPOINTS: `${point}=kill@${marker}` });
  const handle = await it_.start('incrementalRun');
  expect((await doomed.exited).signal).toBe('SIGKILL');
  expect(existsSync(marker)).toBe(true);

  const idsAfter = [...idsBefore, `t${key}`].toSorted();
  expect([idsBefore, idsAfter]).toContainEqual(publishedIds(await table.pathOf()));

  const survivor = await it_.worker();
  const summary: RunSummary = await handle.result();
  await survivor.stop();
  expect(summary).toMatchObject({
    status: 'committed',
    commit: { version: before.version + 1 },
    watermark: { after: day },
  });
  expect(publishedIds(await table.pathOf())).toEqual(idsAfter);
  const commits = (await table.history()).filter((commit) => commit.requestId === summary.requestId);
  expect(commits).toHaveLength(1);
  const report = JSON.parse(readFileSync(summary.report!, 'utf8')) as { totals: { quarantined: number } };
  expect(report.totals.quarantined).toBeGreaterThanOrEqual(1);
});
