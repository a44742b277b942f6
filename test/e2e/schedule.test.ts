import { writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tidegate } from '../cli/support/tidegate';
import { Installation } from '../support/installation';
import { publishedIds } from '../support/read-table';
import { transactions } from '../support/transactions';

/** A schedule on the real server, over the life of a pipeline, in order. It fires every two seconds. */
const EVERY_MS = 2_000;
const STALL_MS = 7_000;

let it_: Installation;

beforeAll(async () => {
  it_ = await Installation.create({ more: 'schedule: { every: 2s, pauseOnFailure: true }\n' });
  it_.land('2026-05-01', transactions('a', 3));
}, 180_000);
afterAll(async () => {
  await it_?.dispose();
});

jest.setTimeout(120_000);

const cli = async (args: string): Promise<unknown> => {
  const { code, stdout, stderr } = await tidegate(`schedule ${args} --json`.split(' '), { env: it_.env });
  if (code !== 0) throw new Error(`schedule ${args}: exit code ${code}\n${stderr}`);
  return JSON.parse(stdout) as unknown;
};
const schedule = () => it_.client.schedule.getHandle('tidegate/transactions').describe();
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Scheduled {
  readonly status: string;
  readonly from: number;
  readonly to: number;
}

/** The requesters that the schedule started, oldest first. */
async function scheduled(): Promise<Scheduled[]> {
  const found: Scheduled[] = [];
  const query = "WorkflowType = 'incrementalRun'";
  for await (const { workflowId, status, startTime, closeTime } of it_.client.workflow.list({ query })) {
    expect(workflowId).toMatch(/^tidegate-run-transactions-\d{4}-\d\d-\d\dT/);
    found.push({
      status: status.name,
      from: startTime.getTime(),
      to: closeTime?.getTime() ?? Number.POSITIVE_INFINITY,
    });
  }
  return found.toSorted((a, b) => a.from - b.from);
}

async function until<T>(what: string, ask: () => Promise<T>, enough: (found: T) => boolean): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = await ask();
    if (enough(found)) return found;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}; found ${JSON.stringify(found)}`);
    await sleep(100);
  }
}

const count = (runs: readonly Scheduled[], status: string): number =>
  runs.filter((run) => run.status === status).length;

test('its runs commit, and a long one is not overlapped', async () => {
  await it_.worker({ TIDEGATE_FAILPOINTS: `transformAndGate.during=stall:${STALL_MS}@${join(it_.folder, 'stalled')}` });
  expect(await cli('apply transactions')).toMatchObject([{ outcome: 'created', schedule: 'every 2s' }]);

  const runs = await until('three runs', scheduled, (found) => count(found, 'COMPLETED') >= 3);
  const table = await it_.table();
  const commits = await table.history();
  expect(commits.length).toBeGreaterThanOrEqual(3);
  expect(new Set(commits.map(({ requestId }) => requestId)).size).toBe(commits.length);
  expect(commits[0]?.watermark.after).toBe('2026-05-01');

  const ended = runs.filter(({ to }) => Number.isFinite(to));
  expect(Math.max(...ended.map(({ from, to }) => to - from))).toBeGreaterThan(STALL_MS);
  for (const [index, { from }] of runs.entries()) {
    const before = runs[index - 1];
    if (before) expect(from).toBeGreaterThanOrEqual(before.to);
  }
  expect((await schedule()).info.numActionsSkippedOverlap).toBeGreaterThanOrEqual(Math.floor(STALL_MS / EVERY_MS) - 1);
});

const broken = (): string => join(it_.raw, 'date=2026-05-02', 'broken.parquet');

test('a failed run pauses it, and says so', async () => {
  it_.land('2026-05-02', transactions('b', 2));
  writeFileSync(broken(), 'no parquet');
  const { state } = await until('a pause', schedule, (found) => found.state.paused);
  expect(state.note).toMatch(/paused due to workflow failure/i);
  expect(await cli('list')).toMatchObject([{ pipeline: 'transactions', paused: true, note: state.note, next: null }]);

  const runs = await scheduled();
  expect(runs.at(-1)?.status).toBe('FAILED');
  expect(count(runs, 'FAILED')).toBe(1);
  await sleep(2.5 * EVERY_MS);
  expect(await scheduled()).toHaveLength(runs.length);
});

test('while paused, a trigger starts one run and no more', async () => {
  const before = await scheduled();
  await cli('trigger transactions');
  const after = await until('the triggered run', scheduled, (found) => count(found, 'FAILED') === 2);
  await sleep(2.5 * EVERY_MS);
  expect(await scheduled()).toHaveLength(before.length + 1);
  expect(after).toHaveLength(before.length + 1);
});

test('mended and resumed, the schedule tries again by itself and publishes what the failed runs could not', async () => {
  const table = await it_.table();
  expect((await table.read()).watermark).toBe('2026-05-01');
  rmSync(broken());
  await cli('resume transactions --note mended');
  await until(
    'the watermark',
    async () => (await table.read()).watermark,
    (watermark) => watermark === '2026-05-02',
  );
  expect(publishedIds((await table.pathOf()).path)).toEqual(['ta-0', 'ta-1', 'ta-2', 'tb-0', 'tb-1']);
  expect((await schedule()).state).toMatchObject({ paused: false, note: 'mended' });
});

test('deleted, it starts nothing more', async () => {
  await cli('delete transactions');
  await until('the last run', scheduled, (found) => count(found, 'RUNNING') === 0);
  const runs = await scheduled();
  await sleep(2 * EVERY_MS);
  expect(await scheduled()).toHaveLength(runs.length);
});
