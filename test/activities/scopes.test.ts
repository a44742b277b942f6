import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contract, type PipelineSource, type Scope, definePipeline } from '../../src/contract';
import { openTable } from '../../src/publish';
import type { PartitionDate } from '../../src/discovery';
import { readRows } from '../support/read-table';
import { runPipeline } from '../support/run-pipeline';
import { land, transaction } from '../support/transactions';

/** The worked example of docs/concepts.md: what each scope makes of a payment that is corrected five days later. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-scopes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const raw = () => join(folder, 'raw');
const day = (number: number) => `2026-05-0${number}` as PartitionDate;
const p7 = (amount: number, on: number) => transaction('p7', { amount, updated_at: Date.UTC(2026, 4, on, 9) });

function contractOf(scope: Scope, lookback: number, gates: PipelineSource['gates'] = []): Contract {
  return definePipeline({
    pipeline: 'payments',
    source: { path: raw() },
    columns: {
      transaction_id: 'string',
      user_id: 'string',
      transaction_receipt: 'string',
      amount: 'float64',
      updated_at: 'timestamp[ms]',
    },
    incremental: { lookback },
    deduplicate: { primaryKey: 'transaction_id', orderBy: 'updated_at', scope },
    gates: [{ kind: 'unique', column: 'transaction_receipt' }, ...gates],
    publish: { path: join(folder, 'curated') },
  });
}

/** A day lands and is run, six times: on the first the payment, on the sixth its correction. */
async function sixDays(contract: Contract): Promise<void> {
  for (let number = 1; number <= 6; number += 1) {
    const other = transaction(`other-${number}`, { amount: 0 });
    const payment = { 1: [p7(40, 1)], 6: [p7(45, 6)] }[number] ?? [];
    land(raw(), day(number), [other, ...payment]);
    await runPipeline(contract, `day ${number}`);
  }
}

async function published(contract: Contract): Promise<{ sum: number; superseded: number; quarantined: number }> {
  const table = openTable(contract);
  const rows = readRows((await table.pathOf()).path, 'curated');
  const counts = [...(await table.read()).partitions.values()].map((partition) => partition.counts);
  const total = (of: 'superseded' | 'quarantined') => counts.reduce((sum, count) => sum + count[of], 0);
  const sum = rows.reduce((all, row) => all + Number(row['amount']), 0);
  return { sum, superseded: total('superseded'), quarantined: total('quarantined') };
}

test('scope table publishes the correction once, and the first version when the correction is taken back', async () => {
  const contract = contractOf('table', 3);
  await sixDays(contract);
  expect(await published(contract)).toEqual({ sum: 45, superseded: 1, quarantined: 0 });
  expect((await openTable(contract).report()).partitions[0]).toMatchObject({
    date: day(1),
    reason: 'coupled',
    keys: 1,
  });
  await runPipeline(contract, 'a backfill', { kind: 'backfill', from: day(1), to: day(3) });
  expect(await published(contract)).toMatchObject({ sum: 45 });
  land(raw(), day(6), [transaction('other-6', { amount: 0 })]);
  await runPipeline(contract, 'taken back');
  expect(await published(contract)).toEqual({ sum: 40, superseded: 0, quarantined: 0 });
});

test('scope partition counts it twice, and nothing looks odd', async () => {
  const contract = contractOf('partition', 3);
  await sixDays(contract);
  expect(await published(contract)).toEqual({ sum: 85, superseded: 0, quarantined: 0 });
});

test('scope window counts it twice when the correction comes after the lookback, and when a backfill sees half of its life', async () => {
  const short = contractOf('window', 3);
  await sixDays(short);
  expect(await published(short)).toMatchObject({ sum: 85 });
  rmSync(folder, { recursive: true });
  const long = contractOf('window', 7);
  await sixDays(long);
  expect(await published(long)).toMatchObject({ sum: 45 });
  await runPipeline(long, 'a backfill', { kind: 'backfill', from: day(1), to: day(3) });
  expect(await published(long)).toMatchObject({ sum: 85 });
});

test('scope window: what stands under earlier gates is restated by a backfill of all, since alone it would bring the first version back', async () => {
  await sixDays(contractOf('window', 7));
  const contract = contractOf('window', 1, [{ kind: 'notNull', column: 'user_id' }]);
  land(raw(), day(6), [transaction('more', { amount: 0 })], 'more.parquet');
  await runPipeline(contract, 'new gates');
  const { warnings } = await openTable(contract).report();
  expect(warnings).toEqual([expect.stringMatching(/Restate with: tidegate backfill payments --all$/)]);
  await runPipeline(contract, 'all', { kind: 'backfill', select: 'all' });
  expect(await published(contract)).toMatchObject({ sum: 45 });
  expect((await openTable(contract).report()).warnings).toEqual([]);

  await runPipeline(contract, 'back', { kind: 'rollback', to: 7 });
  expect((await openTable(contract).report()).warnings).toEqual([
    expect.stringMatching(/to compute them anew: tidegate backfill payments --all$/),
  ]);
  await runPipeline(contract, 'stale', { kind: 'backfill', select: 'stale' });
  expect(await published(contract)).toMatchObject({ sum: 85 });
  expect((await openTable(contract).report()).warnings).toEqual([
    expect.stringMatching(/the stale partitions alone.*tidegate backfill payments --all$/),
  ]);
});
