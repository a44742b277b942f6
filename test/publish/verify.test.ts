import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pl from 'nodejs-polars';
import { type Contract, loadContract } from '../../src/contract';
import { openTable, type Table, type VerifyReport } from '../../src/publish';
import type { RecordedColumn } from '../../src/publish/verify/footer';
import { statisticsFault } from '../../src/publish/verify/statistics';
import { runPipeline } from '../support/run-pipeline';

/** Every kind of column, two of whose rows are quarantined, with nulls, NaN, long texts and numbers beyond 2^53. */
const CONTRACT = `pipeline: sales
source: { path: ./raw, partitionColumn: date }
columns:
  id: int64
  name: string
  small: uint8
  huge: uint64
  price: decimal(20, 3)
  score: float64
  ok: boolean
  born: date
  at: timestamp[ns]
  zoned: timestamp[us, UTC]
incremental: { lookback: 1, reprocess: always }
deduplicate: { primaryKey: [id], orderBy: [at], scope: partition }
gates:
  - { kind: notNull, column: name }
  - { kind: inRange, column: small, lessThan: 200 }
publish: { path: ./table, format: directory }
`;

let pristine: string;
let contract: Contract;
let table: Table;

async function landDay(root: string, date: string, from: number): Promise<void> {
  const ids = Array.from({ length: 50 }, (_, index) => from + index);
  const texts = ids.map((id) => (id % 25 === 3 ? null : id % 7 === 0 ? 'é'.repeat(300) : `name ${id}`));
  const text = (name: string, values: unknown[]) => pl.Series(name, values as string[], pl.Utf8);
  const frame = pl.DataFrame({
    id: pl.Series('id', ids, pl.Int64),
    name: text('name', texts),
    small: pl.Series(
      'small',
      ids.map((id) => id % 100),
      pl.UInt8,
    ),
    huge: text(
      'huge',
      ids.map((id) => String(2n ** 64n - 1n - BigInt(id))),
    ).cast(pl.UInt64),
    price: text(
      'price',
      ids.map((id) => `-12345678901234.${String(id % 1000).padStart(3, '0')}`),
    ).cast(pl.Decimal(20, 3)),
    score: pl.Series(
      'score',
      ids.map((id) => (id % 5 === 0 ? Number.NaN : -id / 3)),
      pl.Float64,
    ),
    ok: pl.Series(
      'ok',
      ids.map((id) => id % 2 === 0),
      pl.Bool,
    ),
    born: pl.Series('born', ids, pl.Int32).cast(pl.Date),
    at: pl.Series('at', ids, pl.Int64).cast(pl.Datetime('ns')),
    zoned: pl.Series('zoned', ids, pl.Int64).cast(pl.Datetime('us', 'UTC')),
  });
  const file = join(root, 'raw', `date=${date}`, 'a.parquet');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, frame.writeParquet());
}

beforeAll(async () => {
  pristine = await mkdtemp(join(tmpdir(), 'tidegate-verify-'));
  await writeFile(join(pristine, 'sales.yaml'), CONTRACT);
  await landDay(pristine, '2026-05-01', 0);
  await landDay(pristine, '2026-05-02', 100);
  const made = await loadContract(join(pristine, 'sales.yaml'));
  await runPipeline(made, 'first');
  await landDay(pristine, '2026-05-03', 200);
  await runPipeline(made, 'second');
});

async function open(): Promise<void> {
  contract = await loadContract(join(pristine, 'sales.yaml'));
  table = openTable(contract);
}

/** What verify says when the newest version's folder was changed by `spoil`; the change is taken back after. */
async function spoilt(
  kind: 'curated' | 'quarantine',
  spoil: (file: string) => Promise<unknown>,
): Promise<{ report: VerifyReport; key: string }> {
  await open();
  const [partition] = [...(await table.read()).partitions.values()];
  const file = join((await table.pathOf()).path, partition![kind][0]!.path);
  const saved = join(pristine, 'saved');
  await copyFile(file, saved);
  // Versions share files by hard links: what is spoilt is this version's own.
  await unlink(file);
  await copyFile(saved, file);
  try {
    await spoil(file);
    return { report: await table.verify(), key: file.slice(file.indexOf('snapshots/')) };
  } finally {
    await rm(file, { force: true });
    await copyFile(saved, file);
  }
}

it('finds nothing wrong with versions as they were published, whatever the columns', async () => {
  await open();
  for (const version of [1, 2]) {
    const report = await table.verify({ version });
    expect(report.faults).toEqual([]);
    expect(report).toMatchObject({ version, partitions: version + 1, withoutDigest: 0 });
  }
  const state = await table.read();
  const report = await table.verify();
  const files = [...state.partitions.values()].flatMap(({ curated, quarantine }) => [...curated, ...quarantine]);
  expect(report.files).toBe(files.length);
  expect(report.rows).toBe(150);
  expect(report.bytes).toBe(files.reduce((sum, { size }) => sum + size, 0));
});

it('is of a run that showed vacuum a sign of life', async () => {
  const runs = await readdir(join(pristine, 'table', '_runs'));
  expect(runs).toHaveLength(2);
  for (const run of runs) await stat(join(pristine, 'table', '_runs', run, 'alive'));
});

it('tells its progress', async () => {
  await open();
  const seen: number[] = [];
  await table.verify({ onProgress: ({ done }) => seen.push(done) });
  expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
});

describe('finds', () => {
  it('a file that is missing', async () => {
    const { report, key } = await spoilt('curated', unlink);
    expect(report.faults).toEqual([{ check: 'file', path: key, date: '2026-05-01', message: 'is missing' }]);
  });

  it('a file that is shorter', async () => {
    const { report, key } = await spoilt('quarantine', async (file) => truncate(file, (await stat(file)).size - 1));
    expect(report.faults).toEqual([
      { check: 'file', path: key, date: '2026-05-01', message: expect.stringMatching(/^has \d+ bytes; expected \d+$/) },
    ]);
  });

  it('a single flipped bit, which Parquet itself does not notice', async () => {
    const { report, key } = await spoilt('curated', async (file) => {
      const bytes = await readFile(file);
      bytes[200]! ^= 1;
      await writeFile(file, bytes);
    });
    expect(report.faults).toMatchObject([{ check: 'digest', path: key }]);
  });

  it('a file that nothing names, which a reader would take for data', async () => {
    await open();
    const file = join((await table.pathOf()).path, 'curated/date=2026-05-01/part-x.parquet');
    await writeFile(file, 'x');
    const { faults } = await table.verify();
    await rm(file);
    expect(faults).toMatchObject([{ check: 'file', message: expect.stringContaining('not named by the commit') }]);
  });
});

/** What verify says when a document of the newest version was changed. */
async function rewritten(name: string, change: (document: any) => void): Promise<VerifyReport> {
  await open();
  const file = join((await table.pathOf()).path, name);
  const text = await readFile(file, 'utf8');
  const document = JSON.parse(text);
  change(document);
  await writeFile(file, JSON.stringify(document));
  try {
    return await table.verify();
  } finally {
    await writeFile(file, text);
  }
}

describe('finds, where documents were changed,', () => {
  const checks = (report: VerifyReport) => [...new Set(report.faults.map(({ check }) => check))];

  it('a row that is not accounted for', async () => {
    const report = await rewritten('state.json', (state) => (state.partitions[0].counts.read += 1));
    expect(checks(report)).toEqual(['conservation', 'report']);
    expect(report.faults[0]).toMatchObject({
      date: '2026-05-01',
      message: expect.stringContaining('51 rows were read'),
    });
  });

  it('a file with other rows than its footer counts', async () => {
    const report = await rewritten('state.json', (state) => (state.partitions[0].curated[0].rows -= 1));
    expect(checks(report)).toEqual(['rows', 'conservation']);
  });

  it('quarantined rows that violate other gates', async () => {
    const report = await rewritten('state.json', (state) => (state.partitions[0].counts.violations.notNull_name = 7));
    expect(report.faults).toMatchObject([
      { check: 'conservation', message: '2 quarantined rows name the gate notNull_name; the counts say 7' },
      { check: 'report', message: 'the report counts other rows than the content has' },
    ]);
  });

  it('a manifest that is not the one of the fingerprint', async () => {
    const report = await rewritten('state.json', (state) => (state.partitions[1].files[0].size += 1));
    expect(report.faults).toMatchObject([{ check: 'state', date: '2026-05-02' }]);
  });

  it('a report that counts otherwise', async () => {
    const report = await rewritten('report.json', (document) => (document.partitions[0].superseded += 1));
    expect(checks(report)).toEqual(['report']);
  });

  it('a report that speaks of other removals than were made', async () => {
    const removal = { date: '2026-05-01', reason: 'gone', published: 1, quarantined: 0 };
    const report = await rewritten('report.json', (document) => (document.removed = [removal]));
    expect(report.faults.map(({ message }) => message)).toEqual([
      'it says that these partitions were removed; they are there: 2026-05-01',
      'it names 1 removed partitions; the commit counts 0',
    ]);
  });

  it('a commit that does not follow the one before', async () => {
    const report = await rewritten('commit.json', (commit) => (commit.watermark.before = '2020-01-01'));
    expect(checks(report)).toEqual(['state', 'report']);
  });

  it('a state that is no state', async () => {
    const report = await rewritten('state.json', (state) => delete state.partitions);
    expect(report.faults).toMatchObject([
      { check: 'state', message: expect.stringContaining('state.json: partitions') },
    ]);
  });
});

it('holds a rollback against the version it restored', async () => {
  await open();
  await table.rollback({ requestId: 'back', run: 'back', to: 1 });
  expect((await table.verify()).faults).toEqual([]);
  await table.rollback({ requestId: 'forth', run: 'forth', to: 2 });
  expect((await table.verify()).faults).toEqual([]);
});

describe('statistics are held against the values:', () => {
  const facts = { values: 3, nulls: 1, min: 5n, max: 9n };
  const fault = (recorded: Partial<RecordedColumn>, found: Parameters<typeof statisticsFault>[1] = facts) =>
    statisticsFault({ name: 'c', kind: typeof found.min === 'number' ? 'float' : 'integer', ...recorded }, found, 4);

  it('bounds that hold, also wider ones, and none at all, are true', () => {
    expect(fault({ nulls: 1n, min: 5n, max: 9n })).toBeNull();
    expect(fault({ min: -(2n ** 63n), max: 2n ** 64n - 1n })).toBeNull();
    expect(fault({})).toBeNull();
    expect(fault({ min: 5n, max: 9n }, { values: 0, nulls: 4, min: null, max: null })).toBeNull();
  });

  it('a value outside of them is a fault, be it by one beyond 2^53', () => {
    expect(fault({ min: 6n })).toBe('column c holds 5; its statistics say that nothing is below 6');
    const far = { ...facts, max: 2n ** 60n + 1n };
    expect(fault({ max: 2n ** 60n }, far)).toContain('nothing is above 1152921504606846976');
    expect(fault({ max: 2n ** 60n + 1n }, far)).toBeNull();
  });

  it('so are other nulls, and rows that are not there', () => {
    expect(fault({ nulls: 2n })).toBe('column c has 1 nulls; its statistics say 2');
    expect(fault({}, { ...facts, values: 2 })).toBe('column c holds 3 values in a row group of 4 rows');
  });

  it('texts are compared by their UTF-8 bytes, and may be cut short', () => {
    const texts = { ...facts, min: 'né', max: '\u{1F600}' };
    const bytes = (text: string) => Buffer.from(text, 'utf8');
    expect(fault({ min: bytes('n'), max: bytes('\u{1F600}') }, texts)).toBeNull();
    // By UTF-16 units it would be the greater one.
    expect(fault({ max: bytes('\uFFFD') }, texts)).toContain('nothing is above');
    expect(fault({ min: bytes('né!') }, texts)).toContain('nothing is below');
  });

  it('numbers are compared as numbers', () => {
    const numbers = { ...facts, min: -0.5, max: Number.POSITIVE_INFINITY };
    expect(fault({ min: -0.5, max: Number.POSITIVE_INFINITY }, numbers)).toBeNull();
    expect(fault({ max: 1e308 }, numbers)).toContain('holds Infinity');
  });
});
