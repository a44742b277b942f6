/**
 * Records the histories that replay.test.ts replays: `npm run histories:record`, after a change to
 * workflow code that is meant to be new (and not patched) behaviour. Not part of the test command.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import {
  cancelRunUpdate,
  pauseUpdate,
  pipelineWorkflowId,
  resumeUpdate,
  runWorkflowId,
} from '../../src/workflows/messages';
import { Installation } from '../support/installation';
import { transaction, transactions } from '../support/transactions';

const FOLDER = join(__dirname, 'histories');
const ROOT = join(__dirname, '..', '..');

let it_: Installation;
beforeAll(async () => {
  it_ = await Installation.create({
    scope: 'partition',
    lookback: 1,
    more: 'notify: { webhook: { urlFrom: NO_SUCH_VARIABLE } }\n',
  });
});
afterAll(async () => {
  await it_?.dispose();
});

/** Saves one execution's history, without anything of the machine it was recorded on. */
async function save(name: string, workflowId: string, runId?: string): Promise<void> {
  const history = await it_.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const text = JSON.stringify({ workflowId, history: JSON.parse(historyToJSON(history)) }, (key, value: unknown) => {
    if (key === 'identity') return 'recorder';
    if (key === 'stackTrace') return '';
    return typeof value === 'string' ? value.replaceAll(ROOT, '/tidegate') : value;
  });
  writeFileSync(join(FOLDER, `${name}.json`), `${text}\n`);
}

const entity = () => it_.client.workflow.getHandle(pipelineWorkflowId('transactions'));
test('record', async () => {
  let worker = await it_.worker();
  await (await it_.start('incrementalRun', { requestId: 'empty' }, { id: 'run-of-nothing' })).result();
  await save('incremental-run-nothing', 'run-of-nothing');
  await save('run-nothing', runWorkflowId('transactions', 'empty'));

  for (const day of ['01', '02', '03', '04']) it_.land(`2026-05-${day}`, transactions(day, 3));
  it_.land('2026-05-02', [transaction('bad', { amount: -1 })], 'part-1.parquet');
  await (await it_.start('incrementalRun', { requestId: 'first' }, { id: 'first-run' })).result();
  await save('incremental-run-committed', 'first-run');
  await save('run-committed-with-rejected-rows', runWorkflowId('transactions', 'first'));

  await (
    await it_.start('backfill', { from: '2026-05-01', to: '2026-05-04', chunkDays: 2 }, { id: 'chunked' })
  ).result();
  await save('backfill-two-chunks', 'chunked');

  const broken = join(it_.raw, 'date=2026-05-03', 'broken.parquet');
  writeFileSync(broken, 'no Parquet');
  await (await it_.start('incrementalRun', { requestId: 'broken' }, { id: 'failing' })).result().catch(() => {});
  await save('incremental-run-failed', 'failing');
  await save('run-failed', runWorkflowId('transactions', 'broken'));
  await (
    await it_.start('backfill', { from: '2026-05-01', to: '2026-05-04', chunkDays: 2 }, { id: 'failing-chunks' })
  )
    .result()
    .catch(() => {});
  await save('backfill-failed-at-second-chunk', 'failing-chunks');
  rmSync(broken);

  await entity().executeUpdate(pauseUpdate, { args: [{ note: 'recording' }] });
  await (await it_.start('incrementalRun', {}, { id: 'skipped' })).result();
  await save('incremental-run-skipped', 'skipped');
  await entity().executeUpdate(resumeUpdate);

  await worker.stop();
  worker = await it_.worker({ TIDEGATE_FAILPOINTS: 'transformAndGate.during=stall:60000' });
  const doomed = await it_.start('incrementalRun', { requestId: 'doomed' }, { id: 'cancelled' });
  while ((await it_.state()).running === null) await new Promise((resolve) => setTimeout(resolve, 100));
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await entity().executeUpdate(cancelRunUpdate, { args: [{}] });
  await doomed.result().catch(() => {});
  await save('run-cancelled', runWorkflowId('transactions', 'doomed'));
  const withdrawn = await it_.start('incrementalRun', { requestId: 'withdrawn' }, { id: 'withdrawing' });
  while ((await it_.state()).running === null) await new Promise((resolve) => setTimeout(resolve, 100));
  await withdrawn.cancel();
  await withdrawn.result().catch(() => {});
  await save('incremental-run-withdrawn', 'withdrawing');
  await worker.kill();

  // A file is rewritten between plan and read: the plan is void and made anew.
  const marker = join(it_.folder, 'void');
  worker = await it_.worker({ TIDEGATE_FAILPOINTS: `transformAndGate.before=stall:4000@${marker}` });
  const planned = await it_.start('incrementalRun', { requestId: 'void' }, { id: 'plan-made-anew' });
  while (!existsSync(marker)) await new Promise((resolve) => setTimeout(resolve, 50));
  it_.land('2026-05-04', transactions('rewritten', 5));
  await planned.result();
  await save('run-with-a-void-plan', runWorkflowId('transactions', 'void'));

  const firstRunOfEntity = (await entity().describe()).runId;
  await save('pipeline-runs-failure-pause-cancel', pipelineWorkflowId('transactions'), firstRunOfEntity);
  for (let index = 0; (await entity().describe()).runId === firstRunOfEntity && index < 100; index += 1) {
    await (await it_.start('backfill', { from: '2026-05-01', to: '2026-05-01' })).result();
  }
  await save('pipeline-until-continued-as-new', pipelineWorkflowId('transactions'), firstRunOfEntity);
  await (await it_.start('backfill', { from: '2026-05-01', to: '2026-05-01' })).result();
  await save('pipeline-continued', pipelineWorkflowId('transactions'));
}, 600_000);
