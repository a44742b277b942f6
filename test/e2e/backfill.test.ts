import { WorkflowFailedError } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BackfillSummary, pipelineWorkflowId } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { publishedIds } from '../support/read-table';
import { transaction, transactions } from '../support/transactions';

let it_: Installation;

beforeAll(async () => {
  it_ = await Installation.create({ scope: 'partition', lookback: 1 });
  for (const day of ['01', '02', '03', '04', '05', '06']) it_.land(`2026-05-${day}`, transactions(day, 2));
  await it_.worker();
  await it_.run();
});
afterAll(async () => {
  await it_?.dispose();
});

async function failureOf(result: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await result.then(
    () => new Error('expected the workflow to fail'),
    (cause: unknown) => cause,
  );
  if (!(error instanceof WorkflowFailedError)) throw error;
  return error.cause as ApplicationFailure;
}

test('a backfill is made chunk by chunk, one commit each, and an incremental request goes in between', async () => {
  const backfill = await it_.start('backfill', { from: '2026-04-29', to: '2026-05-06', chunkDays: 2 });
  const incremental = await it_.start('incrementalRun');
  const [summary] = await Promise.all([backfill.result() as Promise<BackfillSummary>, incremental.result()]);
  expect(summary.chunks.map((chunk) => [chunk.from, chunk.to, chunk.status])).toEqual([
    ['2026-04-29', '2026-04-30', 'nothing'],
    ['2026-05-01', '2026-05-02', 'committed'],
    ['2026-05-03', '2026-05-04', 'committed'],
    ['2026-05-05', '2026-05-06', 'committed'],
  ]);
  const kinds = (await (await it_.table()).history()).map((commit) => commit.scope.kind);
  expect(kinds).toHaveLength(5);
  // Not last: the incremental request did not wait for the whole backfill.
  expect(kinds[0]).toBe('backfill');
});

test('a backfill stops at the first failure and says what is done; a retry goes on where it stopped', async () => {
  const broken = join(it_.raw, 'date=2026-05-03', 'broken.parquet');
  writeFileSync(broken, 'PAR1');
  const input = { from: '2026-05-01', to: '2026-05-06', chunkDays: 2, requestId: 'again' };
  const failure = await failureOf((await it_.start('backfill', input)).result());
  expect(failure.message).toContain('failed at chunk 2 of 3 (2026-05-03..2026-05-04): discoverPartitions: ');
  expect(failure.message).toContain('1 done, 1 not started');
  expect(failure.details?.[0]).toMatchObject({
    chunks: [{ status: 'committed' }, { status: 'failed' }, { status: 'not started' }],
  });

  rmSync(broken);
  const before = (await (await it_.table()).read()).version;
  const summary: BackfillSummary = await (await it_.start('backfill', input)).result();
  const versions = summary.chunks.map((chunk) => chunk.version);
  expect(summary.chunks.map((chunk) => chunk.status)).toEqual(['committed', 'committed', 'committed']);
  expect(versions).toEqual([before, before + 1, before + 2]);
});

test('a request id that was used for something else is refused, whoever remembers it', async () => {
  const requestId = 'once';
  await (await it_.start('backfill', { from: '2026-05-01', to: '2026-05-02', chunkDays: 1, requestId })).result();
  const { version } = await (await it_.table()).read();
  const other = { from: '2026-05-01', to: '2026-05-04', chunkDays: 2, requestId };
  const failure = await failureOf((await it_.start('backfill', other)).result());
  expect(failure.type).toBe('RequestError');
  expect(failure.message).toContain(
    'the request id once/1 was used before, for a backfill of 2026-05-01..2026-05-01, committed as version ' +
      `${version - 1}; this request is for a backfill of 2026-05-01..2026-05-02. Nothing was done`,
  );
  // The entity forgets, the table does not.
  await it_.client.workflow.getHandle(pipelineWorkflowId('transactions')).terminate();
  const again = await failureOf((await it_.start('incrementalRun', { requestId: 'once/2' })).result());
  expect(again.message).toContain('was used before, for a backfill of 2026-05-02..2026-05-02');
  expect((await (await it_.table()).read()).version).toBe(version);
});

test('changed row-wise gates leave earlier partitions stale until they are restated', async () => {
  it_.land('2026-05-02', [transaction('cheap', { amount: 0.5 })], 'part-1.parquet');
  await (await it_.start('backfill', { from: '2026-05-02', to: '2026-05-02' })).result();
  const path = join(it_.pipelines, 'transactions.yaml');
  const { readFileSync } = await import('node:fs');
  writeFileSync(path, readFileSync(path, 'utf8').replace('greaterThan: 0', 'greaterThan: 0.9'));

  const run = await it_.run();
  const table = await it_.table();
  expect((await table.report(run.commit!.version)).stale).toEqual([
    '2026-05-01',
    '2026-05-02',
    '2026-05-03',
    '2026-05-04',
  ]);
  expect(publishedIds((await table.pathOf()).path)).toContain('tcheap');

  const restated: BackfillSummary = await (await it_.start('backfill', { select: 'stale' })).result();
  expect(restated.chunks).toMatchObject([{ status: 'committed', quarantined: 1 }]);
  expect((await table.report()).stale).toEqual([]);
  expect(publishedIds((await table.pathOf()).path)).not.toContain('tcheap');
});

test('changed resolution rules refuse runs until the whole table is restated in one commit', async () => {
  it_.contract({ scope: 'window', lookback: 1 });
  const table = await it_.table();
  const before = (await table.pathOf()).path;
  const failure = await failureOf((await it_.start('incrementalRun')).result());
  expect(failure.type).toBe('RestateRequired');
  expect(failure.message).toContain('tidegate backfill transactions --all');
  expect((await table.pathOf()).path).toBe(before);

  const restated: BackfillSummary = await (await it_.start('backfill', { select: 'all' })).result();
  expect(restated.chunks).toMatchObject([{ status: 'committed' }]);
  expect(await it_.run()).toMatchObject({ status: 'committed' });
});
