import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Contract, definePipeline } from '../../src/contract';
import { openTable } from '../../src/publish';
import { openStore } from '../../src/storage';
import { publishedFiles } from '../support/delta-log';
import { type Expected, expectTableEquals, oracle } from '../support/oracle';
import { runPipeline } from '../support/run-pipeline';
import { TRANSACTION_COLUMNS, land, type Transaction, transaction, transactions } from '../support/transactions';

/* Scope table goes on from the verdicts of earlier runs; a rollback brings back those of the version restored. */

jest.setTimeout(120_000);

const FORMATS = ['directory', 'delta'] as const;
const HOURS = 3_600_000;
const at = (day: number): Pick<Transaction, 'updated_at'> => ({ updated_at: Date.UTC(2026, 4, day) });

let folder: string;
let requests = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-rollback-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function contractOf(format: (typeof FORMATS)[number], keep = { versions: 30, days: 7 }): Contract {
  return definePipeline({
    pipeline: 'transactions',
    source: { path: join(folder, 'raw') },
    columns: TRANSACTION_COLUMNS,
    incremental: { lookback: 1 },
    deduplicate: { primaryKey: 'transaction_id', orderBy: 'updated_at', scope: 'table' },
    gates: [
      { kind: 'notNull', column: 'user_id' },
      { kind: 'unique', columns: ['transaction_receipt'] },
    ],
    publish: { path: join(folder, 'table'), format, keep },
  });
}

const run = (contract: Contract) => runPipeline(contract, `request ${++requests}`);
const back = (contract: Contract, to: number) =>
  runPipeline(contract, `request ${++requests}`, { kind: 'rollback', to });
const deliver = (date: string, rows: readonly Transaction[], name?: string) =>
  land(join(folder, 'raw'), date, rows, name);

/** The newest version as a folder of files, as readers see them. */
async function published(contract: Contract): Promise<string> {
  const { path, format } = contract.publish;
  if (format === 'directory') return (await openTable(contract).pathOf()).path;
  const place = mkdtempSync(join(folder, 'published-'));
  const files = await publishedFiles(openStore(path));
  for (const kind of ['curated', 'quarantine'] as const) mkdirSync(join(place, kind));
  for (const file of [...(files.curated ?? []), ...(files.quarantine ?? [])]) {
    mkdirSync(dirname(join(place, file)), { recursive: true });
    cpSync(join(path, file), join(place, file));
  }
  return place;
}

async function expectEquals(contract: Contract, expected: Expected): Promise<void> {
  await expectTableEquals(await published(contract), expected);
  const { partitions } = await openTable(contract).read();
  const counts = Object.fromEntries([...partitions.values()].map((one) => [one.date, one.counts]));
  expect(counts).toEqual(expected.counts);
  expect((await openTable(contract).verify()).faults).toEqual([]);
}

/** Three days that share keys and receipts: each has rows that lose, that are flagged, and that tie. */
async function firstVersion(contract: Contract): Promise<Expected> {
  const tie = transaction('tie', { amount: 1, ...at(2) });
  deliver('2026-05-01', [
    ...transactions('a', 4),
    transaction('over', at(1)),
    transaction('r1', { transaction_receipt: 'shared', ...at(1) }),
    transaction('none', { user_id: null }),
  ]);
  deliver('2026-05-02', [...transactions('b', 3), transaction('over', at(2)), tie, { ...tie, amount: 2 }]);
  deliver('2026-05-03', [...transactions('c', 3), transaction('r2', { transaction_receipt: 'shared', ...at(3) })]);
  await run(contract);
  const expected = await oracle({ contract });
  await expectEquals(contract, expected);
  expect(expected.counts['2026-05-01']).toMatchObject({ superseded: 1, quarantined: 2 });
  expect(expected.counts['2026-05-02']).toMatchObject({ superseded: 1, ambiguous: 1 });
  return expected;
}

/** Two runs that turn those decisions over: other winners, another tie, a receipt that is shared no more. */
async function twoMore(contract: Contract): Promise<void> {
  deliver('2026-05-04', [transaction('over', at(4)), transaction('a-0', at(4)), transaction('b-1', at(4))]);
  await run(contract);
  deliver('2026-05-03', transactions('c', 2), 'part-0.parquet');
  deliver('2026-05-02', [transaction('late', at(2)), transaction('c-1', at(9))], 'part-1.parquet');
  await run(contract);
  await expectEquals(contract, await oracle({ contract }));
}

const HINDRANCES: Record<string, (contract: Contract) => Promise<void> | void> = {
  'as it is': () => {},
  'without a key index': (contract) => {
    const at_ = join(contract.publish.path, openTable(contract).indexFolder);
    expect(readdirSync(at_, { recursive: true }).some((name) => String(name).endsWith('.idx'))).toBe(true);
    rmSync(at_, { recursive: true });
  },
  'after retention took all versions but the newest, and vacuum all that is old': async (contract) => {
    const { path, format } = contract.publish;
    const strict = { ...contract, publish: { path, format, keep: { versions: 1, days: 0 } } };
    const later = new Date(Date.now() + 1000 * HOURS);
    const gone = await openTable(strict).vacuum({ dryRun: false, olderThanHours: 1, now: later });
    expect(gone.versions).toEqual([1, 2, 3]);
  },
};

describe.each(FORMATS)('after a rollback in scope table, format %s,', (format) => {
  it.each(Object.keys(HINDRANCES))('the next run makes what a full rebuild would, %s', async (hindrance) => {
    const contract = contractOf(format);
    const first = await firstVersion(contract);
    await twoMore(contract);
    expect(await back(contract, 1)).toMatchObject({ commit: { version: 4 } });
    await expectEquals(contract, first);
    await HINDRANCES[hindrance]!(contract);
    if (hindrance !== 'without a key index') await expectEquals(contract, first);

    expect((await run(contract)).commit?.version).toBe(5);
    const rebuilt = await oracle({ contract });
    await expectEquals(contract, rebuilt);
    // And from there: a change that touches what was restored and not rewritten.
    deliver('2026-05-05', [transaction('r1', { transaction_receipt: 'own', ...at(5) }), transaction('tie', at(5))]);
    await run(contract);
    await expectEquals(contract, await oracle({ contract }));
    const again = { ...contract, publish: { ...contract.publish, path: join(folder, 'rebuilt') } };
    await run(again);
    await expectEquals(again, await oracle({ contract }));
  });

  it('the next run rewrites a day whose raw files are gone by the verdicts that came back with it', async () => {
    const contract = contractOf(format);
    await firstVersion(contract);
    await twoMore(contract);
    await back(contract, 1);
    rmSync(join(folder, 'raw', 'date=2026-05-01'), { recursive: true });
    // Day 4 takes a key of day 1: day 1 is rewritten from its published and quarantined rows, by the verdicts of version 1.
    await run(contract);
    const { partitions } = await openTable(contract).read();
    const counts = [...partitions.values()].find(({ date }) => date === '2026-05-01')!.counts;
    expect(counts).toMatchObject({ read: 7, superseded: 2 });
    expect((await openTable(contract).verify()).faults).toEqual([]);
  });
});

describe.each(FORMATS)('verdict files of a %s table', (format) => {
  /** Where the newest version's verdicts lie, absolute. */
  async function verdictFiles(contract: Contract): Promise<string[]> {
    const table = openTable(contract);
    const { path } = await table.pathOf();
    const { partitions } = await table.read();
    return [...partitions.values()].flatMap(({ verdicts }) => verdicts.map((file) => join(path, file.path)));
  }

  it('stay while a retained version names them, and go with the last one that did', async () => {
    const contract = contractOf(format, { versions: 2, days: 0 });
    await firstVersion(contract);
    const ofFirst = await verdictFiles(contract);
    expect(ofFirst.length).toBeGreaterThan(1);
    await twoMore(contract);
    const later = new Date(Date.now() + 1000 * HOURS);
    const options = { dryRun: false, olderThanHours: 1, now: later };
    await openTable(contract).vacuum(options);
    await expect(openTable(contract).pathOf({ version: 1 })).rejects.toThrow('the data of version 1 was removed');
    for (const version of [2, 3]) expect((await openTable(contract).verify({ version })).faults).toEqual([]);
    expect(await back(contract, 2)).toMatchObject({ commit: { version: 4 } });
    expect((await openTable(contract).verify()).faults).toEqual([]);
    await run(contract);
    await expectEquals(contract, await oracle({ contract }));

    const named = await verdictFiles(contract);
    await openTable({ ...contract, publish: { ...contract.publish, keep: { versions: 1, days: 0 } } }).vacuum(options);
    for (const file of named) expect(existsSync(file)).toBe(true);
    expect((await openTable(contract).verify()).faults).toEqual([]);
    // In the directory format each version has links of its own.
    const left = ofFirst.filter((file) => existsSync(file) && !named.includes(file));
    expect(left).toEqual([]);
  });

  it('are missed by verify, and told from others', async () => {
    const contract = contractOf(format);
    await firstVersion(contract);
    const [file] = await verdictFiles(contract);
    const key = file!.slice(contract.publish.path.length + 1);
    const bytes = readFileSync(file!);
    const verify = async () => (await openTable(contract).verify()).faults;
    const found = { path: key, date: '2026-05-01' };
    unlinkSync(file!);
    expect(await verify()).toEqual([{ ...found, check: 'file', message: 'is missing' }]);
    writeFileSync(file!, bytes.subarray(1));
    expect(await verify()).toMatchObject([
      { ...found, check: 'file', message: expect.stringContaining('bytes; expected') },
    ]);
    const changed = Buffer.from(bytes);
    changed[changed.length >> 1]! ^= 1;
    writeFileSync(file!, changed);
    expect(await verify()).toMatchObject([{ ...found, check: 'digest' }]);
    writeFileSync(file!, bytes);
    expect(await verify()).toEqual([]);
  });
});
