import { WorkflowFailedError } from '@temporalio/client';
import type { RunSummary } from '../../src/workflows/messages';
import { pauseUpdate, pipelineWorkflowId, resumeUpdate } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { publishedIds } from '../support/read-table';
import { transactions } from '../support/transactions';

let it_: Installation;

beforeAll(async () => {
  it_ = await Installation.create({ scope: 'partition', lookback: 1 });
  await it_.worker();
  it_.land('2026-05-01', transactions('a', 2));
  await it_.run();
  it_.land('2026-05-02', transactions('bad', 2));
  await it_.run();
});
afterAll(async () => {
  await it_?.dispose();
});

const ids = async (): Promise<string[]> => publishedIds((await (await it_.table()).pathOf()).path);
const rollback = async (input: object): Promise<RunSummary> => (await it_.start('rollback', input)).result();
const entity = () => it_.client.workflow.getHandle(pipelineWorkflowId('transactions'));

test('a rollback restores rows and watermark, pauses the pipeline, and says so', async () => {
  expect(await rollback({ to: 1 })).toMatchObject({
    kind: 'rollback',
    status: 'committed',
    watermark: { before: '2026-05-02', after: '2026-05-01' },
    commit: { version: 3 },
    paused: true,
  });
  expect(await ids()).toEqual(['ta-0', 'ta-1']);
  expect(await it_.state()).toMatchObject({
    watermark: '2026-05-01',
    version: 3,
    paused: { note: 'rolled back to version 1' },
    outcomes: [{ kind: 'incremental' }, { kind: 'incremental' }, { kind: 'rollback', version: 3 }],
  });
  expect((await (await it_.table()).verify()).faults).toEqual([]);
});

test('the next incremental run is skipped until the pipeline is resumed; then it brings the newer data back', async () => {
  expect(await it_.run()).toMatchObject({ status: 'skipped', reason: 'paused' });
  expect(await ids()).toEqual(['ta-0', 'ta-1']);
  await entity().executeUpdate(resumeUpdate, { args: [] });
  expect(await it_.run()).toMatchObject({ status: 'committed', watermark: { after: '2026-05-02' } });
  expect(await ids()).toEqual(['ta-0', 'ta-1', 'tbad-0', 'tbad-1']);
});

test('one that shall not pause leaves the pipeline as it is', async () => {
  expect(await rollback({ to: 1, pause: false })).toMatchObject({ commit: { version: 5 }, paused: false });
  expect((await it_.state()).paused).toBeNull();
  expect(await it_.run()).toMatchObject({ commit: { version: 6 } });
});

test('rollbacks queue with runs, and each is committed once', async () => {
  await it_.start('backfill', { from: '2026-05-01', to: '2026-05-02', chunkDays: 1 });
  const requests = ['one', 'two'].map((requestId) => rollback({ to: 1, pause: false, requestId }));
  const again = rollback({ to: 1, pause: false, requestId: 'one' });
  const [one, two, same] = await Promise.all([...requests, again]);
  expect(same!.commit).toEqual(one.commit);
  expect(two!.commit!.version).not.toBe(one.commit!.version);
  const commits = await (await it_.table()).history();
  expect(commits.filter(({ requestId }) => requestId === 'one')).toHaveLength(1);
  expect(new Set(commits.map(({ requestId }) => requestId)).size).toBe(commits.length);
});

test('a paused pipeline can be rolled back, and stays paused for its own reason', async () => {
  await entity().executeUpdate(pauseUpdate, { args: [{ note: 'source is being repaired' }] });
  expect(await rollback({ to: 2, pause: false })).toMatchObject({ status: 'committed', paused: true });
  expect((await it_.state()).paused).toMatchObject({ note: 'source is being repaired' });
});

test.each([
  [{ to: 99 }, 'there is no version 99'],
  [{ to: 'x' }, 'to is the number of a version, from 1; found "x"'],
  [{}, 'to is the number of a version, from 1; found nothing'],
  [{ to: 1, pause: 'no' }, 'pause is true or false; found "no"'],
])('refuses %j, publishes nothing and pauses nothing', async (input, message) => {
  await entity().executeUpdate(resumeUpdate, { args: [] });
  const { version } = await (await it_.table()).read();
  const error = await rollback(input).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  expect((error as WorkflowFailedError).cause).toMatchObject({ type: 'RequestError' });
  expect((error as WorkflowFailedError).cause?.message).toContain(message);
  expect((await (await it_.table()).read()).version).toBe(version);
  expect((await it_.state()).paused).toBeNull();
});
