import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contract, definePipeline } from '../../src/contract';
import { planNow } from '../../src/activities';
import { openTable } from '../../src/publish';
import { PLAIN, type Report, discoveryOfPlan, renderDiscovery, renderReport } from '../../src/quality';
import { reasonsOf } from '../support/reasons';
import { runPipeline } from '../support/run-pipeline';
import { TRANSACTION_COLUMNS, land, transaction } from '../support/transactions';

/** Superseded rows of gone partitions that may be due to come back: they are counted, and told of. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-undecided-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const raw = () => join(folder, 'raw');
const [MAY_1, MAY_2, MAY_3, MAY_4] = ['2026-05-01', '2026-05-02', '2026-05-03', '2026-05-04'] as const;
const WARNING =
  '1 superseded row in 2026-05-02 may be due to come back, and cannot be decided: the raw files are gone. ' +
  'An older version of the record may be published instead. Put the files back and run: it is decided then.';

/** The oldest version of record `r` on 1 May, one in between on the 2nd, the newest on the 3rd; then the 2nd is gone, and the newest taken back. */
async function anOlderVersionIsBack(format: Contract['publish']['format']): Promise<Contract> {
  const contract = definePipeline({
    pipeline: 'transactions',
    source: { path: raw() },
    columns: TRANSACTION_COLUMNS,
    deduplicate: { primaryKey: 'transaction_id', orderBy: 'updated_at', scope: 'table' },
    publish: { path: join(folder, 'curated'), format },
  });
  const record = (hour: number) => transaction('record', { user_id: `at ${hour}`, updated_at: hour * 3_600_000 });
  land(raw(), MAY_1, [record(1)]);
  land(raw(), MAY_2, [record(5), transaction('b')]);
  land(raw(), MAY_3, [record(9), transaction('c')]);
  await runPipeline(contract, 'first');
  renameSync(join(raw(), `date=${MAY_2}`), join(folder, 'away'));
  land(raw(), MAY_3, [transaction('c')]);
  await runPipeline(contract, 'second');
  return contract;
}
const reportOf = (contract: Contract): Promise<Report> => openTable(contract).report();
const told = ({ partitions }: Report) => partitions.flatMap(({ date, undecided = 0 }) => (undecided > 0 ? [date] : []));
const faultsOf = async (contract: Contract) => (await openTable(contract).verify()).faults;

test.each(['directory', 'delta'] as const)(
  'the report counts them, and warns in the run that adds to them, %s',
  async (format) => {
    const contract = await anOlderVersionIsBack(format);
    const second = await reportOf(contract);
    expect(second.partitions.find(({ date }) => date === MAY_2)).toMatchObject({ reason: 'coupled', undecided: 1 });
    expect([told(second), second.totals.undecided]).toEqual([[MAY_2], 1]);
    expect(second.warnings).toEqual([WARNING]);
    expect(await faultsOf(contract)).toEqual([]);

    land(raw(), MAY_4, [transaction('d')]);
    await runPipeline(contract, 'third');
    const third = await reportOf(contract);
    expect(third.totals).not.toHaveProperty('undecided');
    expect(third.warnings).toEqual([]);

    // Rewritten for another row of it: what was told stands in the report, and is no news.
    land(raw(), MAY_4, [transaction('b', { updated_at: Date.UTC(2027, 0, 1) })]);
    await runPipeline(contract, 'fourth');
    const fourth = await reportOf(contract);
    expect([told(fourth), fourth.totals.undecided, fourth.warnings]).toEqual([[MAY_2], 1, []]);

    await runPipeline(contract, 'back', { kind: 'rollback', to: 1 });
    expect((await reportOf(contract)).totals).not.toHaveProperty('undecided');
    await runPipeline(contract, 'and forth', { kind: 'rollback', to: 4 });
    const restored = await reportOf(contract);
    expect([told(restored), restored.totals.undecided]).toEqual([[MAY_2], 1]);
    expect(await faultsOf(contract)).toEqual([]);
  },
);

test('where the indexes are lost too, they are all superseded rows of the partition, which the first run rewrites once', async () => {
  const contract = definePipeline({
    pipeline: 'transactions',
    source: { path: raw() },
    columns: TRANSACTION_COLUMNS,
    deduplicate: { primaryKey: 'transaction_id', orderBy: 'updated_at', scope: 'table' },
    publish: { path: join(folder, 'curated') },
  });
  const newer = { updated_at: Date.UTC(2027, 0, 1) };
  land(raw(), MAY_1, [transaction('a'), transaction('b'), transaction('c')]);
  land(raw(), MAY_2, [transaction('a', newer), transaction('b', newer)]);
  await runPipeline(contract, 'first');
  renameSync(join(raw(), `date=${MAY_1}`), join(folder, 'away'));
  rmSync(join(folder, 'curated', openTable(contract).indexFolder), { recursive: true });
  land(raw(), MAY_2, [transaction('b', newer)]);
  const plan = await planNow(contract, { kind: 'incremental' });
  expect(reasonsOf(plan)).toEqual([`${MAY_1} coupled 0`, `${MAY_2} changed`]);
  expect(renderDiscovery(discoveryOfPlan(plan), PLAIN)).toMatch(/│ 2026-05-01 │ yes +│ coupled +│/);
  await runPipeline(contract, 'second');
  const report = await reportOf(contract);
  expect(renderReport(report, PLAIN)).not.toContain('(0 keys)');
  expect(report.totals).toMatchObject({ superseded: 2, undecided: 2 });
  expect(report.totals).not.toHaveProperty('unrecoverable');

  land(raw(), MAY_3, [transaction('d')]);
  await runPipeline(contract, 'third');
  expect(reasonsOf(await reportOf(contract))).toEqual([`${MAY_3} new`]);
});

test('with the files back they are decided', async () => {
  const contract = await anOlderVersionIsBack('directory');
  renameSync(join(folder, 'away'), join(raw(), `date=${MAY_2}`));
  await runPipeline(contract, 'third');
  const report = await reportOf(contract);
  expect(reasonsOf(report)).toEqual([`${MAY_1} coupled 1`, `${MAY_2} changed`]);
  expect([told(report), report.totals.undecided, report.warnings]).toEqual([[], undefined, []]);
});

test('verify holds the report against the table, but for reports of before they were told', async () => {
  const contract = await anOlderVersionIsBack('directory');
  const path = await openTable(contract).reportFile(2);
  const original = readFileSync(path, 'utf8');
  const toldAs = async (...counts: readonly (number | undefined)[]) => {
    const [ofMay2, inAll] = counts;
    const report = JSON.parse(original) as { partitions: Record<string, unknown>[]; totals: Record<string, unknown> };
    report.partitions.find(({ date }) => date === MAY_2)!['undecided'] = ofMay2;
    report.totals['undecided'] = inAll;
    writeFileSync(path, JSON.stringify(report));
    return (await faultsOf(contract)).map(({ check, date }) => [check, date]);
  };
  expect(await toldAs(undefined, undefined)).toEqual([]);
  expect(await toldAs(1, 1)).toEqual([]);
  expect(await toldAs(2, 2)).toEqual([['report', MAY_2]]);
  expect(await toldAs(1, 2)).toEqual([['report', null]]);
  expect(await toldAs(1, undefined)).toEqual([['report', null]]);
});
