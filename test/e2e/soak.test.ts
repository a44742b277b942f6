import { WorkflowFailedError } from '@temporalio/client';
import { addDays, parsePartitionDate } from '../../src/discovery';
import type { BackfillSummary, RunSummary } from '../../src/workflows/messages';
import { pipelineWorkflowId } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { readRows } from '../support/read-table';
import { transaction } from '../support/transactions';

/**
 * Many requests while workers are killed, the server is restarted and the entity is terminated.
 * What is asserted comes from the commits.
 */
const BACKFILLS = 170;
const INCREMENTALS = 40;
const KILLS = 22;
const DAYS = 30;
const FIRST = parsePartitionDate('2026-03-01')!;

let it_: Installation;
beforeAll(async () => {
  it_ = await Installation.create({ scope: 'partition', lookback: 2 }, { onDisk: true });
});
afterAll(async () => {
  await it_?.dispose();
});

test('210 requests, 22 worker kills, a server restart, a terminated entity: one commit a request, nothing lost or doubled', async () => {
  for (let day = 0; day < DAYS; day += 1) it_.land(addDays(FIRST, day), rowsOf(day));
  let workers = [await it_.worker(), await it_.worker()];
  await it_.run();

  const backfills: Promise<BackfillSummary>[] = [];
  const incrementals: Promise<RunSummary>[] = [];
  const submit = async (index: number): Promise<void> => {
    const date = addDays(FIRST, index % DAYS);
    const handle = await it_.start('backfill', { from: date, to: date, requestId: `b${index}` });
    backfills.push(followed(handle.workflowId));
    if (index % Math.floor(BACKFILLS / INCREMENTALS) === 0 && incrementals.length < INCREMENTALS) {
      incrementals.push(followed((await it_.start('incrementalRun', { requestId: `i${index}` })).workflowId));
    }
  };
  /** The result, over restarts of the server: who waits asks again. */
  const followed = async <T>(workflowId: string): Promise<T> => {
    for (;;) {
      try {
        return (await it_.client.workflow.getHandle(workflowId).result()) as T;
      } catch (error) {
        if (error instanceof WorkflowFailedError) throw error;
        await sleep(500);
      }
    }
  };

  let submitted = 0;
  let kills = 0;
  while (kills < KILLS) {
    for (let burst = 0; burst < Math.ceil(BACKFILLS / KILLS) && submitted < BACKFILLS; burst += 1)
      await submit(submitted++);
    await sleep(300 + Math.random() * 1500);
    const [victim, ...others] = workers;
    await victim!.kill();
    workers = [...others, await it_.worker()];
    kills += 1;
    if (kills === Math.floor(KILLS / 3)) await it_.restartServer();
    if (kills === Math.floor(KILLS / 2)) {
      await it_.client.workflow.getHandle(pipelineWorkflowId('transactions')).terminate('lost');
    }
  }
  while (submitted < BACKFILLS) await submit(submitted++);
  const outcomes = await Promise.all(backfills);
  await Promise.all(incrementals);
  expect(outcomes.map((outcome) => outcome.chunks[0]!.status)).toEqual(outcomes.map(() => 'committed'));

  const table = await it_.table();
  const commits = (await table.history()).toReversed();
  const ids = commits.map((commit) => commit.requestId);
  expect(new Set(ids).size).toBe(ids.length);
  for (let index = 0; index < BACKFILLS; index += 1) expect(ids).toContain(`b${index}/1`);
  expect(commits.map((commit) => commit.version)).toEqual(commits.map((_, index) => index + 1));
  expect(new Set(commits.map((commit) => commit.watermark.after))).toEqual(new Set([addDays(FIRST, DAYS - 1)]));
  for (const [index, commit] of commits.entries()) {
    if (index > 0) expect(commit.watermark.before).toBe(commits[index - 1]!.watermark.after);
  }

  const published = readRows((await table.pathOf()).path, 'curated').map(
    (row) => `${String(row['date'])} ${String(row['transaction_id'])}`,
  );
  const wanted = Array.from({ length: DAYS }, (_, day) =>
    [0, 1].map((n) => `${addDays(FIRST, day)} tgood-${day}-${n}`),
  ).flat();
  expect(published.toSorted()).toEqual(wanted.toSorted());

  expect(await continuedAsNew()).toBeGreaterThanOrEqual(3);
}, 600_000);

function rowsOf(day: number) {
  return [
    transaction(`good-${day}-0`),
    transaction(`good-${day}-1`, { updated_at: 5 }),
    transaction(`good-${day}-1`, { updated_at: 6, transaction_receipt: 'newer' }),
    transaction(`bad-${day}`, { user_id: null }),
  ];
}

async function continuedAsNew(): Promise<number> {
  let count = 0;
  const query = `WorkflowId = "${pipelineWorkflowId('transactions')}"`;
  for await (const execution of it_.client.workflow.list({ query })) {
    if (execution.status.name === 'CONTINUED_AS_NEW') count += 1;
  }
  return count;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
