import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import pl from 'nodejs-polars';
import type { Column } from '../../../src/contract/contract';
import { parseColumnType } from '../../../src/contract';
import { cutText } from '../../../src/publish/delta/stats';
import { fromLogPath, toLogPath } from '../../../src/publish/delta/paths';
import { duckdbDelta } from '../../support/duckdb-delta';
import { python } from '../../support/python';
import { contractFor, newRoot, publishTo, tableAt, type Rows } from './support';

jest.setTimeout(120_000);

const columns = (types: Record<string, string>): Column[] =>
  Object.entries(types).map(([name, text]) => ({ name, type: parseColumnType(text)! }));

const TYPES = {
  b: 'boolean',
  s: 'string',
  x: 'binary',
  d: 'date',
  i8: 'int8',
  i16: 'int16',
  i32: 'int32',
  i64: 'int64',
  f32: 'float32',
  f64: 'float64',
  m: 'decimal(12,2)',
  wide: 'decimal(38,4)',
  at: 'timestamp[us, UTC]',
  local: 'timestamp[us]',
};

const LONG = 'é'.repeat(40);

/** Three rows that rise, the last without a flag and a text; `x` is left out, which reads as null. */
const typedRows: Rows = () =>
  pl
    .DataFrame({
      n: [0, 1, 2],
      b: pl.Series('b', [true, false, null], pl.Bool),
      s: pl.Series('s', [`a${LONG}`, `b${LONG}`, null], pl.Utf8),
    })
    .lazy()
    .select(
      pl.col('b'),
      pl.col('s'),
      pl.col('n').add(20_000).cast(pl.Int32).cast(pl.Date).alias('d'),
      pl.col('n').cast(pl.Int8).alias('i8'),
      pl.col('n').cast(pl.Int16).alias('i16'),
      pl.col('n').cast(pl.Int32).alias('i32'),
      pl.col('n').cast(pl.Int64).add(pl.lit(9_007_199_254_740_993n).cast(pl.Int64)).alias('i64'),
      pl.lit(Number.NaN).cast(pl.Float32).alias('f32'),
      pl.col('n').cast(pl.Float64).alias('f64'),
      pl.col('n').cast(pl.Decimal(12, 2)).alias('m'),
      pl.col('n').cast(pl.Decimal(38, 4)).alias('wide'),
      pl.col('n').cast(pl.Int64).add(1_700_000_000_123_456).cast(pl.Datetime('us', 'UTC')).alias('at'),
      pl.col('n').cast(pl.Int64).add(1_700_000_000_123_456).cast(pl.Datetime('us')).alias('local'),
    )
    .collectSync();

describe('columns of a Delta table', () => {
  it('are of the type that the contract declares, with true bounds, for every type', async () => {
    const contract = contractFor(await newRoot(), { columns: columns(TYPES) });
    await publishTo(contract, 'one', [{ date: '2026-05-01', published: 3 }], typedRows);
    const path = join(contract.publish.path, 'curated');
    const log = await readFile(join(path, '_delta_log', `${'0'.repeat(20)}.json`), 'utf8');
    const actions = log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { stats } = actions.find(({ add }) => add !== undefined).add;
    expect(stats).toContain('"i64":9007199254740993');
    expect(JSON.parse(stats)).toMatchObject({
      numRecords: 3,
      minValues: { d: '2024-10-04', m: 0, at: '2023-11-14T22:13:20.123Z', local: '2023-11-14T22:13:20.123' },
      maxValues: { d: '2024-10-06', m: 2, at: '2023-11-14T22:13:20.124Z', local: '2023-11-14T22:13:20.124' },
      nullCount: { b: 1, s: 1, i8: 0 },
    });
    expect(Object.keys(JSON.parse(stats).minValues)).not.toContain('f32');
    expect(actions.find(({ protocol }) => protocol !== undefined).protocol).toEqual({
      minReaderVersion: 3,
      minWriterVersion: 7,
      readerFeatures: ['timestampNtz'],
      writerFeatures: ['timestampNtz'],
    });
    // Filters that readers answer from the statistics find what is there.
    const found = await python<Record<string, unknown>>(
      `
import polars as pl, datetime as dt
from deltalake import DeltaTable
t = DeltaTable(input)
f = pl.scan_delta(input)
utc = dt.timezone.utc
high = dt.datetime(2023, 11, 14, 22, 13, 20, 123458)
output = {
  'schema': {n: str(d) for n, d in f.collect_schema().items()},
  'arrow': t.to_pyarrow_table().num_rows,
  'i64': f.filter(pl.col('i64') >= 9007199254740995).select(pl.len()).collect().item(),
  'at': f.filter(pl.col('at') >= high.replace(tzinfo=utc)).select(pl.len()).collect().item(),
  'local': f.filter(pl.col('local') >= high).select(pl.len()).collect().item(),
  's': f.filter(pl.col('s') == 'b' + 'é' * 40).select(pl.len()).collect().item(),
  'm': f.filter(pl.col('m') == 2).select(pl.len()).collect().item(),
  'arrow_at': t.to_pyarrow_table(filters=[('at', '>=', high.replace(tzinfo=utc))]).num_rows,
  'arrow_s': t.to_pyarrow_table(filters=[('s', '=', 'b' + 'é' * 40)]).num_rows,
}`,
      path,
    );
    expect(found).toMatchObject({
      arrow: 3,
      i64: 1,
      at: 1,
      local: 1,
      s: 1,
      m: 1,
      arrow_at: 1,
      arrow_s: 1,
      schema: { i8: 'Int8', m: 'Decimal(precision=12, scale=2)', date: 'Date', x: 'Binary', f32: 'Float32' },
    });
    const duckdb = await duckdbDelta<Record<string, unknown>>(
      `
con = connect()
con.execute("set timezone = 'UTC'")
table = con.execute('describe from delta_scan(?)', [input]).fetchall()
count = lambda where: con.execute(f'select count(*) from delta_scan(?) where {where}', [input]).fetchone()[0]
output = {
  'schema': {column[0]: column[1] for column in table},
  'rows': count('true'),
  'i64': count('i64 >= 9007199254740995'),
  'at': count("\\"at\\" >= timestamptz '2023-11-14 22:13:20.123458Z'"),
  'local': count("local >= timestamp '2023-11-14 22:13:20.123458'"),
  's': count("s = 'b' || repeat('é', 40)"),
  'm': count('m = 2'),
  'nan': count('isnan(f32)'),
  'nulls': count('x is null and s is null and b is null'),
}`,
      path,
    );
    expect(duckdb).toEqual({
      schema: {
        b: 'BOOLEAN',
        s: 'VARCHAR',
        x: 'BLOB',
        d: 'DATE',
        i8: 'TINYINT',
        i16: 'SMALLINT',
        i32: 'INTEGER',
        i64: 'BIGINT',
        f32: 'FLOAT',
        f64: 'DOUBLE',
        m: 'DECIMAL(12,2)',
        wide: 'DECIMAL(38,4)',
        at: 'TIMESTAMP WITH TIME ZONE',
        local: 'TIMESTAMP',
        date: 'DATE',
      },
      rows: 3,
      i64: 1,
      at: 1,
      local: 1,
      s: 1,
      m: 1,
      nan: 3,
      nulls: 1,
    });
    expect((await tableAt(contract).read()).version).toBe(1);
  });

  it.each([
    ['uint8', /column "c" is uint8; Delta has no unsigned integers; declare it as int16, to which uint8 widens/],
    ['uint64', /column "c" is uint64; .*write the source as int64 or decimal\(20,0\)/],
    ['timestamp[ms]', /column "c" is a timestamp in ms; .*declare it as timestamp\[us\]/],
    ['timestamp[ns, UTC]', /column "c" is a timestamp in ns; .*write the source in microseconds/],
  ])('of type %s are refused, with what to do', async (text, message) => {
    const contract = contractFor(await newRoot(), { columns: columns({ c: text }) });
    expect(() => tableAt(contract)).toThrow(message);
  });

  it('whose names differ only in case are refused', async () => {
    const contract = contractFor(await newRoot(), { columns: columns({ Id: 'int64', id: 'int64' }) });
    expect(() => tableAt(contract)).toThrow(/"Id" and "id" differ only in case/);
  });
});

describe('what stands in a log', () => {
  it('bounds a text from both sides however it is cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const below = (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) <= 0;
        const [min, max] = [cutText(text, 'min'), cutText(text, 'max')];
        if (min !== null) expect(below(min, text)).toBe(true);
        if (max !== null) expect(below(text, max)).toBe(true);
      }),
    );
    expect(cutText('a'.repeat(40), 'min')).toBe('a'.repeat(32));
    expect(cutText('a'.repeat(40), 'max')).toBe(`${'a'.repeat(31)}b`);
    expect(cutText('\u{10FFFF}'.repeat(40), 'max')).toBeNull();
  });

  it('names a file by a path that leads back to it, and never out of the table', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', minLength: 1 }), { minLength: 1, maxLength: 3 }), (parts) => {
        const segments = parts.map((part) => part.replaceAll('/', '_')).filter((part) => part !== '.' && part !== '..');
        fc.pre(segments.length > 0);
        const path = `curated/${segments.join('/')}`;
        const encoded = toLogPath('curated', path);
        expect(encoded).toMatch(/^[A-Za-z0-9\-_.!~*'()%=/]*$/);
        expect(fromLogPath('curated', encoded)).toBe(path);
      }),
    );
    expect(toLogPath('curated', 'curated/my date=2026-05-01/100%.parquet')).toBe('my%20date=2026-05-01/100%25.parquet');
    for (const path of ['/etc/x', 's3://other/x', 'a/../../x', 'a//x', '%2e%2e/x', '%zz']) {
      expect(fromLogPath('curated', path)).toBeNull();
    }
  });
});
