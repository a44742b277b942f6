import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { Installation } from '../support/installation';
import type { Outcome } from './support/tidegate';
import { tidegate } from './support/tidegate';

/** Without a worker: requesters wait for as long as a test needs them to. */
let it_: Installation;
beforeAll(async () => {
  it_ = await Installation.create({ pipeline: 'tx' });
  it_.contract({ pipeline: 'tx2' });
});
afterAll(async () => {
  await it_?.dispose();
});

type Handle = WorkflowHandleWithFirstExecutionRunId;
const idOf = (handle: Handle): string => `${handle.workflowId}/${handle.firstExecutionRunId}`;
const cancel = async (pipeline: string, request: string): Promise<Outcome> =>
  await tidegate(['cancel', pipeline, '--request', request, '--json'], { env: it_.env });
const askedToCancel = async (handle: Handle): Promise<boolean> =>
  ((await handle.fetchHistory()).events ?? []).some((event) => event.workflowExecutionCancelRequestedEventAttributes);

test.each(['nightly', 'jobs/nightly', 'tidegate-run-tx-1'])('a requester called %s is found', async (id) => {
  const handle = await it_.start('incrementalRun', { pipeline: 'tx' }, { id });
  const { code, stdout } = await cancel('tx', idOf(handle));
  expect({ code, json: JSON.parse(stdout) as unknown }).toEqual({
    code: 0,
    json: { pipeline: 'tx', requestId: idOf(handle), was: 'asked for' },
  });
  expect(await askedToCancel(handle)).toBe(true);
});

test.each([
  ['backfill', { select: 'all' }],
  ['rollback', { to: 1 }],
] as const)('a %s is found too', async (type, input) => {
  const handle = await it_.start(type, { pipeline: 'tx', ...input }, { id: `mend-by-${type}` });
  expect((await cancel('tx', idOf(handle))).code).toBe(0);
  expect(await askedToCancel(handle)).toBe(true);
});

test('the requester of another pipeline is left alone, whatever its name holds', async () => {
  const handle = await it_.start('incrementalRun', { pipeline: 'tx2' }, { id: 'tidegate-run-tx2-1' });
  expect((await cancel('tx', idOf(handle))).code).toBe(1);
  expect(await askedToCancel(handle)).toBe(false);
  expect((await cancel('tx2', idOf(handle))).code).toBe(0);
});

test('a later workflow of the same name is another request', async () => {
  const before = await it_.start('incrementalRun', { pipeline: 'tx' }, { id: 'weekly' });
  await before.terminate();
  const now = await it_.start('incrementalRun', { pipeline: 'tx' }, { id: 'weekly' });
  expect((await cancel('tx', idOf(before))).code).toBe(1);
  expect(await askedToCancel(now)).toBe(false);
});

test('a workflow that is no requester is left alone', async () => {
  const handle = await it_.client.workflow.start('somebodyElses', {
    workflowId: 'other',
    taskQueue: 'other',
    args: [{ pipeline: 'tx' }],
  });
  expect((await cancel('tx', idOf(handle))).code).toBe(1);
  expect(await askedToCancel(handle)).toBe(false);
});
