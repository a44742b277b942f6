import { WorkflowFailedError } from '@temporalio/client';
import { writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BackfillSummary, CancelRunResult, RunSummary } from '../../src/workflows/messages';
import { cancelRunUpdate, pauseUpdate, pipelineWorkflowId, resumeUpdate } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { publishedIds, readRows } from '../support/read-table';
import { transaction, transactions } from '../support/transactions';

let it_: Installation;

beforeAll(async () => {
  it_ = await Installation.create();
});
afterAll(async () => {
  await it_?.dispose();
});

async function failureOf(result: Promise<unknown>): Promise<string> {
  const error = await result.then(
    () => {
      throw new Error('expected the workflow to fail');
    },
    (cause: unknown) => cause,
  );
  if (!(error instanceof WorkflowFailedError)) throw error;
  return error.cause?.message ?? '';
}

const entity = () => it_.client.workflow.getHandle(pipelineWorkflowId('transactions'));

describe('the life of a pipeline, in order', () => {
  test('no data: a run succeeds, commits nothing and has no watermark', async () => {
    await it_.worker();
    expect(await it_.run()).toMatchObject({
      status: 'nothing',
      commit: null,
      watermark: { before: null, after: null },
    });
  });

  test('a first run publishes everything and sets the watermark', async () => {
    it_.land('2026-05-01', transactions('a', 3));
    it_.land('2026-05-04', transactions('b', 2));
    const summary = await it_.run();
    expect(summary).toMatchObject({
      status: 'committed',
      watermark: { before: null, after: '2026-05-04' },
      commit: { version: 1 },
      taken: 2,
      totals: { read: 5, superseded: 0, quarantined: 0, published: 5 },
    });
    expect(publishedIds(summary.commit!.path)).toEqual(['ta-0', 'ta-1', 'ta-2', 'tb-0', 'tb-1']);
    expect(await it_.state()).toMatchObject({ watermark: '2026-05-04', version: 1, running: null, paused: null });
  });

  test('updates supersede, violations are quarantined with their reasons, across the window', async () => {
    it_.land('2026-05-05', [
      transaction('b-0', { amount: 77, updated_at: Date.UTC(2026, 4, 5) }),
      transaction('c-0', { user_id: null }),
      transaction('c-1', { amount: -1, user_id: null }),
      transaction('c-2', { transaction_receipt: 'same' }),
      transaction('c-3', { transaction_receipt: 'same' }),
      transaction('c-4'),
    ]);
    const summary = await it_.run();
    expect(summary).toMatchObject({
      watermark: { before: '2026-05-04', after: '2026-05-05' },
      commit: { version: 2 },
      totals: {
        read: 11,
        superseded: 1,
        quarantined: 4,
        published: 6,
        violations: { notNull_user_id: 2, inRange_amount: 1, unique_transaction_receipt: 2 },
      },
    });
    expect(publishedIds(summary.commit!.path)).toEqual(['ta-0', 'ta-1', 'ta-2', 'tb-0', 'tb-1', 'tc-4']);
    const rejected = readRows(summary.commit!.path, 'quarantine');
    expect(rejected.map((row) => [row['transaction_id'], row['_source_row'], row['_source_file']])).toEqual(
      [1, 2, 3, 4].map((row) => [`tc-${row - 1}`, row, 'date=2026-05-05/part-0.parquet']),
    );
  });

  test('a late record inside the lookback is published, one older than the window waits for a backfill', async () => {
    it_.land('2026-05-02', [transaction('late')]);
    it_.land('2026-04-30', [transaction('old')]);
    const summary = await it_.run();
    expect(publishedIds(summary.commit!.path)).toContain('tlate');
    expect(publishedIds(summary.commit!.path)).not.toContain('told');

    const handle = await it_.start('backfill', { from: '2026-04-29', to: '2026-04-30' });
    const backfill: BackfillSummary = await handle.result();
    expect(backfill.chunks).toMatchObject([{ status: 'committed', version: 4, published: 1 }]);
    expect(await it_.state()).toMatchObject({ watermark: '2026-05-05', version: 4 });
  });

  test('a run that fails tells its requester why in one line, leaves the table as it was, and runs again when retried', async () => {
    const before = await (await it_.table()).pathOf();
    const broken = join(it_.raw, 'date=2026-05-05', 'broken.parquet');
    writeFileSync(broken, 'this is no Parquet');
    const message = await failureOf(it_.run());
    expect(message).toContain('the run of transactions failed: discoverPartitions: ');
    expect(message).toContain('date=2026-05-05/broken.parquet');
    expect(message).not.toContain('\n');
    expect(await (await it_.table()).pathOf()).toEqual(before);

    const handle = await it_.start('incrementalRun', {}, { attempts: 50 });
    while ((await it_.state()).outcomes.at(-1)?.requestId.startsWith(handle.workflowId) !== true) await pause(50);
    rmSync(broken);
    expect(await handle.result()).toMatchObject({ status: 'committed', commit: { version: 5 } });
  });

  test('a request that is committed answers with its recorded outcome, whoever asks again', async () => {
    const first: RunSummary = await (await it_.start('incrementalRun', { requestId: 'nightly-2026-05-06' })).result();
    const again: RunSummary = await (await it_.start('incrementalRun', { requestId: 'nightly-2026-05-06' })).result();
    expect(again).toEqual(first);
    await entity().terminate('the entity forgets everything');
    expect(await (await it_.start('incrementalRun', { requestId: 'nightly-2026-05-06' })).result()).toEqual(first);
    expect(await it_.state()).toMatchObject({ watermark: '2026-05-05', version: first.commit!.version });
  });

  test('paused: incremental requests are skipped at once, backfills still run', async () => {
    await entity().executeUpdate(pauseUpdate, { args: [{ note: 'migration' }] });
    expect(await it_.state()).toMatchObject({ paused: { note: 'migration' } });
    expect(await it_.run()).toMatchObject({ status: 'skipped', reason: 'paused' });
    const backfill: BackfillSummary = await (
      await it_.start('backfill', { from: '2026-05-01', to: '2026-05-01' })
    ).result();
    expect(backfill.chunks[0]).toMatchObject({ status: 'committed' });
    await entity().executeUpdate(resumeUpdate);
    expect(await it_.run()).toMatchObject({ status: 'committed' });
  });

  test('cancelling a run ends it without a commit; the next one goes on', async () => {
    await it_.workers[0]!.stop();
    const slow = await it_.worker({ TIDEGATE_FAILPOINTS: 'resolveKeys.during=stall:20000' });
    const before = (await (await it_.table()).read()).version;
    const handle = await it_.start('incrementalRun');
    while ((await it_.state()).running === null) await pause(50);
    const cancelled: CancelRunResult = await entity().executeUpdate(cancelRunUpdate);
    expect(cancelled).toMatchObject({ was: 'running' });
    expect(await failureOf(handle.result())).toContain('the run was cancelled before anything was published');
    await slow.kill();
    await it_.worker();
    expect((await (await it_.table()).read()).version).toBe(before);
    expect(await it_.run()).toMatchObject({ status: 'committed', commit: { version: before + 1 } });
  });

  test.each([
    ['incrementalRun', { pipeline: 'nobody' }, 'nobody'],
    ['incrementalRun', { pipeline: undefined }, 'expected an input with the pipeline'],
    ['backfill', { from: '2026-05-07', to: '2026-05-01' }, 'to (2026-05-01) is before from (2026-05-07)'],
  ] as const)('%s %j fails with the reason', async (type, input, message) => {
    expect(await failureOf((await it_.start(type, input)).result())).toContain(message);
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
