import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { definePipeline } from '../../src/contract';
import { openTable } from '../../src/publish';
import { commitByHand, copyOf } from '../support/commit-by-hand';
import { runPipeline } from '../support/run-pipeline';
import { TRANSACTION_COLUMNS, land, transactions } from '../support/transactions';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-others-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a run and a rollback that overwrite what another writer did say so in log, outcome and report', async () => {
  const raw = join(folder, 'raw');
  const contract = definePipeline({
    pipeline: 'transactions',
    source: { path: raw },
    columns: TRANSACTION_COLUMNS,
    deduplicate: { primaryKey: 'transaction_id', orderBy: 'updated_at', scope: 'partition' },
    publish: { path: join(folder, 'lake'), format: 'delta' },
  });
  const lines: object[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const table = openTable(contract);
  const append = async (name: string): Promise<number> => {
    const [partition] = (await table.read()).partitions.values();
    const { add } = await copyOf(contract.publish.path, partition!, name);
    const commitInfo = { operation: 'WRITE', engineInfo: 'Some-Engine/1.0' };
    return commitByHand(join(contract.publish.path, 'curated'), [
      { commitInfo },
      { add: { ...add, stats: '{"numRecords":2}' } },
    ]);
  };
  const warning = (version: number): string =>
    `Other writers had changed 1 partition of the curated table that this version overwrote (2026-05-01): they had added 1 file (2 rows), in version ${version} (WRITE by Some-Engine/1.0). Version ${version} of the Delta table shows what they had made of it, until it is vacuumed.`;

  land(raw, '2026-05-01', transactions('a', 2));
  expect(await runPipeline(contract, 'one', undefined, { log })).not.toHaveProperty('overwritten');
  expect(lines).toEqual([]);

  expect(await append('first')).toBe(1);
  land(raw, '2026-05-01', transactions('b', 1), 'part-1.parquet');
  expect(await runPipeline(contract, 'two', undefined, { log })).toMatchObject({ taken: 1, overwritten: 1 });
  expect(lines).toEqual([{ level: 40, pipeline: 'transactions', version: 2, msg: warning(1) }]);
  expect((await table.report()).warnings).toEqual([warning(1)]);
  // Asked again, the outcome is that of the commit, and the log is not told twice.
  expect(await runPipeline(contract, 'two', undefined, { asWorkflow: true, log })).toMatchObject({ overwritten: 1 });
  expect(lines).toHaveLength(1);

  expect(await append('second')).toBe(3);
  expect(await runPipeline(contract, 'back', { kind: 'rollback', to: 1 }, { log })).toMatchObject({ overwritten: 1 });
  expect(lines.slice(1)).toEqual([{ level: 40, pipeline: 'transactions', version: 3, msg: warning(3) }]);
  expect((await table.verify()).faults).toEqual([]);
});
