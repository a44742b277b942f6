/**
 * Records the histories that replay.test.ts replays: `npm run histories:record`, after a change to
 * workflow code that makes a run do something no history shows (`-- -t 'scope table'` plays one scenario
 * alone). What is recorded stays: it proves that the runs of its release still replay. Where no such run
 * can be under way, delete the file first. Not part of the test command.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
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
/** A notice is tried and fails, so that histories hold that step too. */
const NOTIFY = 'notify: { webhook: { urlFrom: NO_SUCH_VARIABLE } }\n';

let it_: Installation;
afterEach(async () => {
  await it_?.dispose();
});

/** Saves one execution's history, without anything of the machine it was recorded on. */
async function save(name: string, workflowId: string, runId?: string): Promise<void> {
  const file = join(FOLDER, `${name}.json`);
  if (existsSync(file)) return;
  const history = await it_.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const text = JSON.stringify({ workflowId, history: JSON.parse(historyToJSON(history)) }, (key, value: unknown) => {
    if (key === 'identity') return 'recorder';
    if (key === 'stackTrace') return '';
    return typeof value === 'string' ? value.replaceAll(ROOT, '/tidegate').replaceAll(hostname(), 'recorder') : value;
  });
  writeFileSync(file, `${text}\n`);
}

const entity = () => it_.client.workflow.getHandle(pipelineWorkflowId('transactions'));
const runOf = (requestId: string): string => runWorkflowId('transactions', requestId);

test('scope partition, from an empty raw zone to an entity that continued as new', async () => {
  it_ = await Installation.create({ scope: 'partition', lookback: 1, more: NOTIFY });
  let worker = await it_.worker();
  await (await it_.start('incrementalRun', { requestId: 'empty' }, { id: 'run-of-nothing' })).result();
  await save('incremental-run-nothing', 'run-of-nothing');
  await save('run-nothing', runOf('empty'));

  for (const day of ['01', '02', '03', '04']) it_.land(`2026-05-${day}`, transactions(day, 3));
  it_.land('2026-05-02', [transaction('bad', { amount: -1 })], 'part-1.parquet');
  await (await it_.start('incrementalRun', { requestId: 'first' }, { id: 'first-run' })).result();
  await save('incremental-run-committed', 'first-run');
  await save('run-committed-with-rejected-rows', runOf('first'));

  await (
    await it_.start('backfill', { from: '2026-05-01', to: '2026-05-04', chunkDays: 2 }, { id: 'chunked' })
  ).result();
  await save('backfill-two-chunks', 'chunked');

  const broken = join(it_.raw, 'date=2026-05-03', 'broken.parquet');
  writeFileSync(broken, 'no Parquet');
  await (await it_.start('incrementalRun', { requestId: 'broken' }, { id: 'failing' })).result().catch(() => {});
  await save('incremental-run-failed', 'failing');
  await save('run-failed', runOf('broken'));
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
  await save('run-cancelled', runOf('doomed'));
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
  await save('run-with-a-void-plan', runOf('void'));

  const firstRunOfEntity = (await entity().describe()).runId;
  await save('pipeline-runs-failure-pause-cancel', pipelineWorkflowId('transactions'), firstRunOfEntity);
  for (let index = 0; (await entity().describe()).runId === firstRunOfEntity && index < 100; index += 1) {
    await (await it_.start('backfill', { from: '2026-05-01', to: '2026-05-01' })).result();
  }
  await save('pipeline-until-continued-as-new', pipelineWorkflowId('transactions'), firstRunOfEntity);
  await (await it_.start('backfill', { from: '2026-05-01', to: '2026-05-01' })).result();
  await save('pipeline-continued', pipelineWorkflowId('transactions'));
}, 600_000);

test('scope table, with coupled partitions, a removal and rollbacks', async () => {
  it_ = await Installation.create({ scope: 'table', lookback: 1, policy: 'reprocess: changed', more: NOTIFY });
  await it_.worker();
  const ask = async (type: 'incrementalRun' | 'backfill' | 'rollback', id: string, input = {}): Promise<unknown> =>
    await (await it_.start(type, { requestId: id, ...input }, { id })).result();

  it_.land('2026-05-01', [transaction('moves'), transaction('stays'), transaction('bad', { amount: -1 })]);
  it_.land('2026-05-02', transactions('two', 3));
  expect(await ask('incrementalRun', 'table')).toMatchObject({ status: 'committed', taken: 2 });
  await save('run-in-scope-table', runOf('table'));
  it_.land('2026-05-04', [transaction('moves', { updated_at: Date.UTC(2026, 4, 4) })]);
  expect(await ask('incrementalRun', 'coupling')).toMatchObject({ status: 'committed', taken: 2 });
  await save('run-with-a-coupled-partition', runOf('coupling'));
  await ask('backfill', 'again', { from: '2026-05-02', to: '2026-05-02' });
  await save('run-of-a-backfill', runOf('again/1'));
  // What it had taken from another partition comes back there: the run transforms what its first plan did not know.
  rmSync(join(it_.raw, 'date=2026-05-04'), { recursive: true });
  const removal = await ask('incrementalRun', 'removing', { removeGone: ['2026-05-04'] });
  expect(removal).toMatchObject({ removed: 1, taken: 1 });
  await save('run-with-a-removed-partition', runOf('removing'));

  await expect(ask('rollback', 'not-there', { to: 99 })).rejects.toThrow();
  await save('rollback-failed', 'not-there');
  await save('run-of-a-failed-rollback', runOf('not-there'));
  await expect(ask('rollback', 'no-version', { to: 0 })).rejects.toThrow();
  await save('rollback-refused', 'no-version');
  expect(await ask('rollback', 'not-paused', { to: 2, pause: false })).toMatchObject({ paused: false });
  expect(await ask('rollback', 'back', { to: 1 })).toMatchObject({ status: 'committed', paused: true });
  await save('rollback-committed', 'back');
  await save('run-of-a-rollback', runOf('back'));
  expect(await ask('incrementalRun', 'too-early')).toMatchObject({ status: 'skipped' });
  await save('pipeline-paused-by-a-rollback', pipelineWorkflowId('transactions'));
}, 120_000);
