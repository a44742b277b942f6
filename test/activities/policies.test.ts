import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contract, type PipelineSource, type Scope, definePipeline } from '../../src/contract';
import type { PartitionDate } from '../../src/discovery';
import { openTable } from '../../src/publish';
import { publishedIds } from '../support/read-table';
import { reasonsOf } from '../support/reasons';
import { runPipeline } from '../support/run-pipeline';
import { TRANSACTION_COLUMNS, land, transactions } from '../support/transactions';

let folder: string;
let requests = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-policies-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const day = (text: string) => text as PartitionDate;

function contractOf(
  incremental: PipelineSource['incremental'],
  format: 'directory' | 'delta' = 'directory',
  scope: Scope = 'partition',
): Contract {
  return definePipeline({
    pipeline: 'transactions',
    source: { path: join(folder, 'raw') },
    columns: TRANSACTION_COLUMNS,
    incremental,
    deduplicate: { primaryKey: 'transaction_id', orderBy: 'updated_at', scope },
    gates: [{ kind: 'notNull', column: 'user_id' }],
    publish: { path: join(folder, 'curated'), format },
  });
}

const run = (contract: Contract, scope?: Parameters<typeof runPipeline>[2]) =>
  runPipeline(contract, `request ${++requests}`, scope);
const deliver = (date: string, name: string, part?: string) =>
  land(join(folder, 'raw'), date, [...transactions(name, 2), ...transactions(`${name}x`, 1, { user_id: null })], part);
const remove = (date: string) => rmSync(join(folder, 'raw', `date=${date}`), { recursive: true });
const stateOf = async (contract: Contract) => {
  const { partitions } = await openTable(contract).read();
  return [...partitions.values()].map(({ date, version }) => `${date} v${version}`);
};

describe.each(['directory', 'delta'] as const)('in format %s', (format) => {
  it('a run reads what changed and leaves the rest as it was written', async () => {
    const contract = contractOf({}, format);
    for (const date of ['2026-05-01', '2026-05-02', '2026-05-03']) deliver(date, date.slice(-2));
    expect(await run(contract)).toMatchObject({ taken: 3, left: 0 });
    deliver('2026-05-02', 'more', 'part-1.parquet');
    expect(await run(contract)).toMatchObject({ taken: 1, left: 2, totals: { read: 6, published: 4, quarantined: 2 } });
    expect(await stateOf(contract)).toEqual(['2026-05-01 v1', '2026-05-02 v2', '2026-05-03 v1']);
    await expect(run(contract)).rejects.toThrow('nothing to do');
  });

  it('gone: remove takes partitions out, in a run that does nothing else too, and says with how many rows', async () => {
    const contract = contractOf({ gone: 'remove' }, format);
    for (const date of ['2026-05-01', '2026-05-02', '2026-05-03']) deliver(date, date.slice(-2));
    await run(contract);
    remove('2026-05-01');
    remove('2026-05-03');
    const summary = await run(contract);
    expect(summary).toMatchObject({
      status: 'committed',
      commit: { version: 2 },
      taken: 0,
      removed: 2,
      held: 0,
      watermark: { before: '2026-05-03', after: '2026-05-03' },
    });
    expect(await stateOf(contract)).toEqual(['2026-05-02 v1']);
    const table = openTable(contract);
    const report = await table.report();
    expect(report.removed).toEqual([
      { date: '2026-05-01', reason: 'gone', published: 2, quarantined: 1 },
      { date: '2026-05-03', reason: 'gone', published: 2, quarantined: 1 },
    ]);
    expect(report.warnings).toEqual([
      '2 partitions whose raw files are gone were removed from the table (2026-05-01 and 2026-05-03): 4 published and 2 rejected rows.',
    ]);
    expect((await table.verify()).faults).toEqual([]);
    expect((await table.verify({ version: 1 })).faults).toEqual([]);
    expect((await table.history())[0]).toMatchObject({ partitions: 0, removed: 2 });
    if (format === 'directory') expect(publishedIds(summary.commit!.path)).toEqual(['t02-0', 't02-1']);
  });
});

it('what is held is published by nobody until a request decides, and every run says so', async () => {
  const contract = contractOf({ late: 'hold', gone: 'hold', lookback: 1 });
  for (const date of ['2026-05-01', '2026-05-09', '2026-05-10']) deliver(date, date.slice(-2));
  await run(contract);
  deliver('2026-05-02', 'late');
  deliver('2026-05-01', 'changed', 'part-1.parquet');
  remove('2026-05-09');
  deliver('2026-05-11', '11');
  expect(await run(contract)).toMatchObject({ taken: 1, removed: 0, held: 3 });
  expect(await stateOf(contract)).toEqual(['2026-05-01 v1', '2026-05-09 v1', '2026-05-10 v1', '2026-05-11 v2']);
  expect((await openTable(contract).report()).warnings).toEqual([
    '2 late partitions are held (2026-05-01 and 2026-05-02): new or changed, and older than the window. To decide: tidegate run transactions --include-late',
    '1 published partition whose raw files are gone is held (2026-05-09). To decide: tidegate run transactions --remove-gone',
  ]);

  const some = { kind: 'incremental', includeLate: [day('2026-05-02')], removeGone: 'all' } as const;
  expect(await run(contract, some)).toMatchObject({ taken: 1, removed: 1, held: 1 });
  const table = openTable(contract);
  expect((await table.history())[0]!.scope).toEqual(some);
  expect((await table.report()).scope).toEqual(some);
  expect(await run(contract, { kind: 'incremental', includeLate: 'all' })).toMatchObject({ taken: 1, held: 0 });
  expect(await stateOf(contract)).toEqual(['2026-05-01 v4', '2026-05-02 v3', '2026-05-10 v1', '2026-05-11 v2']);
});

it('scope window reads its whole window again when a partition of it was removed, and none of it when an older one was', async () => {
  const contract = contractOf({ gone: 'remove', lookback: 2 }, 'directory', 'window');
  for (const date of ['2026-05-01', '2026-05-09', '2026-05-10']) deliver(date, date.slice(-2));
  await run(contract);
  remove('2026-05-01');
  expect(await run(contract)).toMatchObject({ taken: 0, removed: 1 });
  remove('2026-05-09');
  expect(await run(contract)).toMatchObject({ taken: 1, removed: 1 });
  expect(await stateOf(contract)).toEqual(['2026-05-10 v3']);
});

it('scope table takes a partition once, be it coupled, and lets what a removed one had superseded come back', async () => {
  const contract = contractOf({ lookback: 1 }, 'directory', 'table');
  deliver('2026-05-01', 'a');
  deliver('2026-05-02', 'b');
  deliver('2026-05-09', 'c');
  await run(contract);
  land(join(folder, 'raw'), '2026-05-10', transactions('a', 1, { updated_at: Date.UTC(2026, 4, 10) }));
  const summary = await run(contract);
  expect(publishedIds(summary.commit!.path)).toEqual(['ta-0', 'ta-1', 'tb-0', 'tb-1', 'tc-0', 'tc-1']);
  const report = await openTable(contract).report();
  expect(reasonsOf(report)).toEqual(['2026-05-01 coupled 1', '2026-05-10 new']);
  expect(report.left.map(({ date }) => date)).toEqual(['2026-05-02', '2026-05-09']);

  remove('2026-05-10');
  const removing = await run(contract, { kind: 'incremental', removeGone: 'all' });
  expect(removing).toMatchObject({ status: 'committed', removed: 1, taken: 1 });
  expect(await stateOf(contract)).toEqual(['2026-05-01 v3', '2026-05-02 v1', '2026-05-09 v1']);
  const { partitions } = await openTable(contract).read();
  expect(partitions.get(day('2026-05-01'))!.counts).toMatchObject({ read: 3, superseded: 0, published: 2 });
});
