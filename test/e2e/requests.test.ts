import { WorkflowFailedError } from '@temporalio/client';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CancelRunResult,
  type RunSummary,
  cancelRunUpdate,
  pipelineWorkflowId,
  requestSignal,
  withdrawSignal,
} from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { transaction, transactions } from '../support/transactions';

/** Requests that are malformed, cancelled at an awkward moment, shared, or adopted after the entity was lost. */
let it_: Installation;

beforeAll(async () => {
  it_ = await Installation.create();
  it_.land('2026-05-01', [...transactions('a', 3), transaction('bad', { amount: -1 })]);
  await it_.worker();
  await it_.run();
});
afterAll(async () => {
  await it_?.dispose();
});

const entity = () => it_.client.workflow.getHandle(pipelineWorkflowId('transactions'));
const version = async (): Promise<number> => (await (await it_.table()).read()).version;

async function failureOf(result: Promise<unknown>): Promise<{ type?: string | null; message: string }> {
  const error = await result.then(
    () => new Error('expected the workflow to fail'),
    (cause: unknown) => cause,
  );
  if (!(error instanceof WorkflowFailedError)) throw error;
  return error.cause as unknown as { type?: string | null; message: string };
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const deadline = Date.now() + 40_000; !(await holds());) {
    if (Date.now() > deadline) throw new Error('waited 40 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Replaces the workers by one that stalls once at a failpoint; resolves once it does. */
async function stalledAt(point: string, start: () => Promise<unknown>, milliseconds = 3000): Promise<void> {
  await Promise.all(it_.workers.splice(0).map((worker) => worker.stop()));
  const marker = join(it_.folder, `stall-${Math.random()}`);
  await it_.worker({ TIDEGATE_FAILPOINTS: `${point}=stall:${milliseconds}@${marker}` });
  await start();
  await until(() => existsSync(marker));
}

test.each([
  ['too long', 'x'.repeat(1200), 'a request id has 1 to 700 bytes, found 1200'],
  ['a number', 42, 'a request id is text, found 42'],
  ['empty', '', 'a request id has 1 to 700 bytes, found 0'],
])('a request id that is %s fails its requester and nobody else', async (_what, requestId, message) => {
  const failure = await failureOf((await it_.start('incrementalRun', { requestId })).result());
  expect(failure).toMatchObject({ type: 'RequestError' });
  expect(failure.message).toContain(message);
  expect(await it_.run()).toMatchObject({ status: 'committed' });
});

test('a decision about late or gone partitions that is none fails its requester, and nothing is taken for all', async () => {
  for (const decision of [{ includeLate: true }, { removeGone: ['2026-02-30'] }, { removeGone: '2026-05-01' }]) {
    const failure = await failureOf((await it_.start('incrementalRun', decision)).result());
    expect(failure).toMatchObject({ type: 'RequestError', message: expect.stringContaining('is "all" or a list of') });
  }
});

test('a requester whose workflow id is too long for a request is told so', async () => {
  const failure = await failureOf(
    (await it_.start('backfill', { from: '2026-05-01', to: '2026-05-01' }, { id: 'w'.repeat(900) })).result(),
  );
  expect(failure.message).toContain('start the request under a shorter workflow id');
});

test('signals that are none are dropped; the next run goes on', async () => {
  for (const nonsense of [{}, null, 'x', { requestId: 7 }]) {
    await entity().signal(requestSignal, nonsense);
    await entity().signal(withdrawSignal, nonsense);
  }
  await expect(entity().executeUpdate(cancelRunUpdate, { args: ['everything'] })).rejects.toThrow();
  expect(await it_.run()).toMatchObject({ status: 'committed' });
});

test('a second entity for a pipeline is refused: a table has one writer', async () => {
  const handle = await it_.client.workflow.start('pipeline', {
    workflowId: 'another-entity',
    taskQueue: 'tidegate',
    args: [{ pipeline: 'transactions' }],
  });
  expect((await failureOf(handle.result())).message).toContain('started by requesters, under the id pipeline/<name>');
});

test('a run cancelled while it publishes says that it published', async () => {
  const before = await version();
  let result: Promise<unknown> | undefined;
  await stalledAt('publish.before', async () => {
    result = (await it_.start('incrementalRun')).result();
  });
  expect(await entity().executeUpdate(cancelRunUpdate)).toMatchObject({ was: 'running' });
  expect((await result) as RunSummary).toMatchObject({
    status: 'committed',
    commit: { version: before + 1 },
    totals: { quarantined: 1 },
  });
  expect(await it_.state()).toMatchObject({ version: before + 1 });
  expect((await it_.state()).outcomes.at(-1)).toMatchObject({ status: 'committed', version: before + 1 });
});

test('cancelling one of several requests that share a run leaves the run to the others', async () => {
  const results: Promise<unknown>[] = [];
  await stalledAt('resolveKeys.during', async () => {
    results.push((await it_.start('incrementalRun', { requestId: 'first' })).result());
  });
  for (const requestId of ['mine', 'the-schedules']) {
    results.push((await it_.start('incrementalRun', { requestId })).result());
  }
  await until(async () => (await it_.state()).queued.count === 2);
  const cancelled: CancelRunResult = await entity().executeUpdate(cancelRunUpdate, { args: [{ requestId: 'mine' }] });
  expect(cancelled).toEqual({ requestId: 'mine', was: 'queued', others: ['the-schedules'] });
  expect(await failureOf(results[1]!)).toMatchObject({ type: 'Cancelled' });
  expect(await results[2]).toMatchObject({ status: 'committed' });
  expect(await results[0]).toMatchObject({ status: 'committed' });
});

test('a requester that is cancelled takes its run with it, unless somebody else waits for it', async () => {
  const before = await version();
  let requester: Awaited<ReturnType<Installation['start']>>;
  await stalledAt('resolveKeys.during', async () => {
    requester = await it_.start('incrementalRun', { requestId: 'unwanted' });
  });
  await requester!.cancel();
  await expect(requester!.result()).rejects.toThrow();
  await until(async () => (await it_.state()).outcomes.at(-1)?.requestId === 'unwanted');
  expect((await it_.state()).outcomes.at(-1)).toMatchObject({ status: 'failed' });
  expect(await version()).toBe(before);
});

describe('a run whose entity was lost', () => {
  test('is waited for by the next entity, and its outcome is the answer', async () => {
    const before = await version();
    await stalledAt('transformAndGate.during', () => it_.start('incrementalRun', { requestId: 'adopted' }));
    await entity().terminate('lost');
    const again: RunSummary = await (await it_.start('incrementalRun', { requestId: 'adopted' })).result();
    expect(again).toMatchObject({ status: 'committed', requestId: 'adopted', commit: { version: before + 1 } });
    expect(await version()).toBe(before + 1);
  });

  test('can be cancelled through the next entity, which says so once it has ended', async () => {
    const before = await version();
    await stalledAt('transformAndGate.during', () => it_.start('incrementalRun', { requestId: 'orphan' }), 8000);
    await entity().terminate('lost');
    const result = (await it_.start('incrementalRun', { requestId: 'orphan' }, { attempts: 3 })).result();
    await until(async () => (await it_.state()).running?.requestId === 'orphan');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await entity().executeUpdate(cancelRunUpdate, { args: [{ requestId: 'orphan' }] });
    expect(await failureOf(result)).toMatchObject({ type: 'Cancelled' });
    expect(await version()).toBe(before);
  });
});
