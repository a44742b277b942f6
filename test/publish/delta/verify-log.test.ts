import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import { parseColumnType } from '../../../src/contract';
import type { Contract } from '../../../src/contract/contract';
import { statsFaults } from '../../../src/publish/delta/stats-faults';
import { python } from '../../support/python';
import { contractFor, newRoot, publishTo, type Rows, tableAt } from './support';

/* Readers skip files by what the log says of them. */

jest.setTimeout(120_000);

const TYPES = {
  id: 'int64',
  name: 'string',
  day: 'date',
  price: 'decimal(12,2)',
  at: 'timestamp[us, UTC]',
  local: 'timestamp[us]',
  score: 'float64',
};
const columns = Object.entries(TYPES).map(([name, text]) => ({ name, type: parseColumnType(text)! }));

/** Rows with long texts, nulls, whole numbers beyond 2^53 and microseconds. */
const typedRows: Rows = (kind, { rows }) => {
  const ids = Array.from({ length: rows }, (_, index) => index);
  const micros = pl.col('n').add(1_700_000_000_123_456);
  return pl
    .DataFrame({
      n: pl.Series('n', ids, pl.Int64),
      name: pl.Series(
        'name',
        ids.map((index) => (index === 0 ? null : `${index}"${'é'.repeat(40)}`)),
        pl.Utf8,
      ),
    })
    .select(
      pl.col('n').add(pl.lit(9_007_199_254_740_993n).cast(pl.Int64)).alias('id'),
      'name',
      pl.col('n').cast(pl.Int32).cast(pl.Date).alias('day'),
      pl.col('n').cast(pl.Decimal(12, 2)).alias('price'),
      micros.cast(pl.Datetime('us', 'UTC')).alias('at'),
      micros.cast(pl.Datetime('us')).alias('local'),
      pl.col('n').cast(pl.Float64).alias('score'),
      ...(kind === 'curated'
        ? []
        : [
            pl.concatList([pl.lit('id_present')]).alias('_violations'),
            pl.lit('a.parquet').alias('_source_file'),
            pl.col('n').alias('_source_row'),
          ]),
    );
};

let contract: Contract;
let root: string;
beforeEach(async () => {
  contract = contractFor(await newRoot(), { columns });
  root = contract.publish.path;
  await publishTo(contract, 'one', [{ date: '2026-05-01', published: 3, quarantined: 2 }], typedRows);
  await publishTo(contract, 'two', [{ date: '2026-05-02', published: 4, quarantined: 1 }], typedRows);
});

const logFile = (kind: string, version: number): string =>
  join(root, kind, '_delta_log', `${String(version).padStart(20, '0')}.json`);
const faults = async () => (await tableAt(contract).verify()).faults;

/** What verify says when the text of a commit was changed. */
async function tampered(kind: string, version: number, from: string | RegExp, to: string) {
  const file = logFile(kind, version);
  const text = await readFile(file, 'utf8');
  expect(text).toMatch(from);
  await writeFile(file, text.replace(from, to));
  try {
    return await faults();
  } finally {
    await writeFile(file, text);
  }
}

it.each(['curated', 'quarantine'])('verify sees what the log of %s says of a file and is not so', async (kind) => {
  expect(await faults()).toEqual([]);
  const rows = kind === 'curated' ? 3 : 2;
  const cases: [string | RegExp, string, string, RegExp][] = [
    [`\\"numRecords\\":${rows}`, '\\"numRecords\\":1', 'statistics', new RegExp(`say 1 rows; it has ${rows}`)],
    [
      /(minValues[^}]*\\"id\\":)9007199254740993/,
      '$19007199254740992',
      'statistics',
      /column id the minimum 9007199254740992; by its footer it is 9007199254740993/,
    ],
    [/(maxValues[^}]*\\"day\\":\\")[-0-9]+/, '$11970-01-01', 'statistics', /column day the maximum "1970-01-01"; by/],
    [
      /(maxValues[^}]*\\"price\\":)[.0-9]+/,
      '$10.5',
      'statistics',
      /column price the maximum 0.5; by its footer it is [12].00/,
    ],
    [
      /(maxValues[^}]*\\"at\\":\\"[^\\]*)124Z/,
      '$1123Z',
      'statistics',
      /column at the maximum .*123Z"; by its footer it is .*124Z"/,
    ],
    [/(maxValues[^}]*\\"local\\":\\"[^\\]*)124/, '$1123', 'statistics', /column local the maximum/],
    [/(maxValues[^}]*\\"name\\":\\")[12]/, '$10', 'statistics', /column name the maximum/],
    [/(nullCount[^}]*\\"name\\":)1/, '$10', 'statistics', /column name the number of nulls 0; by its footer it is 1/],
    [
      /\\"minValues\\":{/,
      '$&\\"score\\":1.5,',
      'statistics',
      /column score the minimum 1.5; by its footer it is not told/,
    ],
    [/"stats":"{/, '"stats":"', 'statistics', /its statistics are no JSON object/],
    [/"size":(\d+)/, '"size":9', 'file', /it has 9 bytes; expected \d+/],
  ];
  for (const [from, to, check, message] of cases) {
    const found = await tampered(kind, 0, from, to);
    expect(found).toMatchObject([
      { check, date: '2026-05-01', path: expect.stringMatching(new RegExp(`^${kind}/date=2026-05-01/part-`)) },
    ]);
    expect(found[0]!.message).toMatch(message);
    expect(found[0]!.message).toContain(`in the log of ${kind}, `);
  }
  // Of what the newest version no longer names, readers of it are told nothing.
  await publishTo(contract, 'three', [{ date: '2026-05-01', published: 1, quarantined: 1 }], typedRows);
  expect(await tampered(kind, 0, `\\"numRecords\\":${rows}`, '\\"numRecords\\":1')).toEqual([]);
});

it("verify takes another writer's checkpoint for what readers are told, in its way of writing numbers and times", async () => {
  const checkpoint = (change: string): Promise<number> =>
    python(
      `
import glob, json, pyarrow as pa, pyarrow.parquet as pq
from deltalake import DeltaTable
output = 0
for kind in ['curated', 'quarantine']:
    path = f"{input['root']}/{kind}"
    DeltaTable(path).create_checkpoint()
    file = glob.glob(path + '/_delta_log/*.checkpoint.parquet')[0]
    table = pq.read_table(file)
    rows = table.to_pylist()
    for row in rows:
        if row['add'] is None: continue
        stats = json.loads(row['add']['stats'])
        ${change}
        row['add']['stats'] = json.dumps(stats)
        output += 1
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)
`,
      { root },
    );
  expect(await checkpoint('pass')).toBe(4);
  expect(await faults()).toEqual([]);
  await checkpoint("stats['maxValues']['id'] = 1");
  const found = await faults();
  expect(found.map(({ check }) => check)).toEqual(['statistics', 'statistics', 'statistics', 'statistics']);
  for (const { message } of found) expect(message).toContain('column id the maximum 1;');
});

it('statistics in other words, or fewer of them, are no fault', () => {
  const expected =
    '{"numRecords":3,"minValues":{"id":1,"price":1.50,"at":"2026-05-01T00:00:00.000Z"},"maxValues":{"id":12345678901234567,"price":2.00,"at":"2026-05-02T00:00:00.000Z"},"nullCount":{"id":0}}';
  const same = [
    '{"numRecords":3}',
    '{}',
    '{"nullCount":{"id":0},"numRecords":3,"maxValues":{"price":2,"id":12345678901234567},"minValues":{"price":1.5,"at":"2026-05-01T00:00:00Z"},"tightBounds":true}',
    '{"numRecords":3,"nullCount":{"id":null,"elsewhere":7}}',
  ];
  for (const found of same) expect([found, statsFaults(found, expected, columns)]).toEqual([found, []]);
  expect(statsFaults('{"maxValues":{"id":12345678901234568}}', expected, columns)).toHaveLength(1);
  expect(statsFaults('[', expected, columns)).toHaveLength(1);
});
