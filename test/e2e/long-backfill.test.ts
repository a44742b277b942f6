import type { BackfillSummary } from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { publishedIds } from '../support/read-table';
import { transactions } from '../support/transactions';

let it_: Installation;

beforeAll(async () => {
  // The server suggests to continue as new after so few events that a short backfill meets it.
  it_ = await Installation.create(
    { scope: 'partition' },
    { dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 30 } },
  );
  for (const day of ['01', '02', '05', '09']) it_.land(`2026-05-${day}`, transactions(day, 2));
  await it_.worker();
});
afterAll(async () => {
  await it_?.dispose();
});

test('a backfill whose history grows long continues as new between chunks, and ends with all of them', async () => {
  const handle = await it_.start('backfill', { from: '2026-05-01', to: '2026-05-10', chunkDays: 1 });
  const summary: BackfillSummary = await handle.result();
  const first = handle.firstExecutionRunId;
  expect((await it_.client.workflow.getHandle(handle.workflowId, first).describe()).status.name).toBe(
    'CONTINUED_AS_NEW',
  );

  expect(summary.chunks.map((chunk) => chunk.requestId)).toEqual(
    Array.from({ length: 10 }, (_, index) => `${handle.workflowId}/${first}/${index + 1}`),
  );
  expect(summary.chunks.filter((chunk) => chunk.status === 'committed').map((chunk) => chunk.from)).toEqual([
    '2026-05-01',
    '2026-05-02',
    '2026-05-05',
    '2026-05-09',
  ]);
  expect(publishedIds((await (await it_.table()).pathOf()).path)).toHaveLength(8);
});
