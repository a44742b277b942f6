import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPlan } from '../../src/activities/plan-document';
import { planNow } from '../../src/activities/plan-now';
import { RunFolder } from '../../src/activities/run-folder';
import { type PipelineSource, contractsFrom, definePipeline } from '../../src/contract';
import { type Plan, planDigest } from '../../src/discovery';
import { TRANSACTION_COLUMNS, land, transaction } from '../support/transactions';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-plan-document-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a plan of an earlier release is opened with the values that its contract could not yet say', async () => {
  const source: PipelineSource = {
    pipeline: 'transactions',
    source: { path: join(folder, 'raw') },
    columns: TRANSACTION_COLUMNS,
    incremental: { reprocess: 'always', late: 'process', gone: 'keep' },
    deduplicate: { primaryKey: 'transaction_id', orderBy: 'updated_at', scope: 'window' },
    gates: [],
    publish: { path: join(folder, 'table') },
  };
  const contract = definePipeline(source);
  land(join(folder, 'raw'), '2026-05-01', [transaction(1)]);
  const plan = await planNow(contract, { kind: 'incremental' });

  const {
    removed,
    contract: { engine, incremental, ...rest },
    ...known
  } = plan;
  const { start, lookback, future } = incremental;
  expect([removed, engine]).toEqual([[], { memory: 1024 ** 3 }]);
  const old = { ...known, contract: { ...rest, incremental: { start, lookback, future } } };
  const written = await new RunFolder(contract, 'old').write('plan', old);
  const ref = { ...written, pipeline: 'transactions', requestId: 'old', digest: planDigest(old as unknown as Plan) };
  const opened = await openPlan({ contracts: contractsFrom([contract]) }, ref);
  expect(opened.plan).toEqual(plan);
  expect(opened.contract).toEqual(contract);
});
