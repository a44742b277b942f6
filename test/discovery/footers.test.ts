import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import { formatColumnType } from '../../src/contract';
import { type Footer, type SourceFile, readFooter } from '../../src/discovery';
import { localStore } from '../../src/storage';
import { Zone, parquet } from './zone';

const FIXTURES = join(__dirname, 'fixtures');

function sourceFile(root: string, path: string): SourceFile {
  const { size, mtimeNs } = statSync(join(root, path), { bigint: true });
  return { path, size: Number(size), mtimeNs: mtimeNs.toString() };
}

const footerOf = (name: string): Promise<Footer> => readFooter(localStore(FIXTURES), sourceFile(FIXTURES, name));

function typesOf({ columns }: Footer): Record<string, string> {
  return Object.fromEntries(
    columns.map(({ name, found }) => [
      name,
      'type' in found ? formatColumnType(found.type) : `unsupported: ${found.unsupported}`,
    ]),
  );
}

describe('types, by writer', () => {
  it('reads those of PyArrow', async () => {
    expect(typesOf(await footerOf('pyarrow.parquet'))).toEqual({
      ...same('boolean int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 string binary date'),
      large_string: 'string',
      string_view: 'string',
      dictionary: 'string',
      decimal9: 'decimal(9,2)',
      decimal18: 'decimal(18,2)',
      decimal38: 'decimal(38,2)',
      ts_s: 'timestamp[ms]',
      ts_ms: 'timestamp[ms]',
      ts_us: 'timestamp[us]',
      ts_ns: 'timestamp[ns]',
      ts_ms_utc: 'timestamp[ms, UTC]',
      ts_us_utc: 'timestamp[us, UTC]',
      ts_ns_utc: 'timestamp[ns, UTC]',
      ts_us_ny: 'timestamp[us, UTC]',
    });
    expect(typesOf(await footerOf('pyarrow-decimal-integers.parquet'))).toEqual({
      decimal9: 'decimal(9,2)',
      decimal18: 'decimal(18,2)',
    });
  });

  it('reads those of DuckDB', async () => {
    expect(typesOf(await footerOf('duckdb.parquet'))).toEqual({
      ...same('boolean int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 string binary date'),
      dictionary: 'string',
      decimal4: 'decimal(4,2)',
      decimal9: 'decimal(9,2)',
      decimal18: 'decimal(18,2)',
      decimal38: 'decimal(38,2)',
      ts_ms: 'timestamp[ms]',
      ts_us: 'timestamp[us]',
      ts_ns: 'timestamp[ns]',
      ts_us_utc: 'timestamp[us, UTC]',
      uuid: 'unsupported: uuid (stored as FIXED_LEN_BYTE_ARRAY)',
      json: 'unsupported: json (stored as BYTE_ARRAY)',
      time: 'unsupported: time[us]',
    });
  });

  it('reads those of Polars and fastparquet', async () => {
    expect(typesOf(await footerOf('polars.parquet'))).toEqual({
      ...same('int8 uint64 string date'),
      dictionary: 'string',
      decimal12: 'decimal(12,2)',
      ts_us: 'timestamp[us]',
      ts_us_utc: 'timestamp[us, UTC]',
      time: 'unsupported: time[ns]',
    });
    expect(typesOf(await footerOf('fastparquet.parquet'))).toEqual({
      ...same('int8 string'),
      ts_ms: 'timestamp[ms]',
      ts_us: 'timestamp[us]',
      ts_us_utc: 'timestamp[us, UTC]',
    });
  });

  it('names what no contract can declare', async () => {
    expect(typesOf(await footerOf('pyarrow-unsupported.parquet'))).toEqual({
      fixed: 'unsupported: fixed_len_byte_array(2)',
      float16: 'unsupported: float16 (stored as FIXED_LEN_BYTE_ARRAY)',
      time: 'unsupported: time[us]',
      null: 'unsupported: null (stored as INT32)',
      list: 'unsupported: list (nested)',
      struct: 'unsupported: struct (nested)',
      map: 'unsupported: map (nested)',
    });
    expect(typesOf(await footerOf('int96.parquet'))).toMatchObject({
      at: 'unsupported: INT96 (a deprecated timestamp)',
    });
  });

  it.each([
    ['decimal256.parquet', 'deep', 'decimal of 50 digits'],
    ['interval.parquet', 'span', 'interval'],
  ])('marks in %s what makes Polars abort the process, at any depth', async (name, column, why) => {
    const { columns } = await footerOf(name);
    expect(columns.map((one) => [one.name, one.unopenable])).toEqual([
      ['keep', null],
      [column, why],
    ]);
  });

  it.each(['pyarrow.parquet', 'duckdb.parquet', 'polars.parquet', 'fastparquet.parquet'])(
    'agrees with what Polars reads from %s',
    async (name) => {
      for (const { name: column, found } of (await footerOf(name)).columns) {
        // nodejs-polars cannot name the type of a binary column.
        if (!('type' in found) || found.type.kind === 'binary') continue;
        const frame = await pl.scanParquet(join(FIXTURES, name)).select(column).collect();
        expect(`${column} ${POLARS_NAMES(String(frame.dtypes[0]))}`).toBe(`${column} ${formatColumnType(found.type)}`);
      }
    },
  );
});

const same = (names: string): Record<string, string> =>
  Object.fromEntries(names.split(' ').map((name) => [name, name]));

/** `DataType(Datetime(us,UTC))` → `timestamp[us, UTC]`. */
function POLARS_NAMES(dtype: string): string {
  const inner = /^DataType\((.*)\)$/.exec(dtype)![1]!;
  const datetime = /^Datetime\((\w+),(.*)\)$/.exec(inner);
  if (datetime !== null) return `timestamp[${datetime[1]}${datetime[2] === '' ? '' : ', UTC'}]`;
  return inner.replace('Bool', 'boolean').replace('Categorical', 'string').toLowerCase();
}

describe('row counts', () => {
  it.each([0, 1, 1_000])('counts %d rows', async (rows) => {
    const zone = new Zone().put('a.parquet', parquet(rows));
    expect((await readFooter(localStore(zone.root), sourceFile(zone.root, 'a.parquet'))).rows).toBe(rows);
    zone.remove();
  });

  it('reads a footer larger than the first read', async () => {
    const columns = Array.from({ length: 200 }, (_, index) =>
      pl.Series(`${'a_long_name_'.repeat(30)}${index}`, [index]),
    );
    const zone = new Zone().put('wide.parquet', pl.DataFrame(columns).writeParquet());
    const file = sourceFile(zone.root, 'wide.parquet');
    const bytes = readFileSync(join(zone.root, 'wide.parquet'));
    expect(bytes.readUInt32LE(bytes.length - 8)).toBeGreaterThan(64 * 1024);
    const footer = await readFooter(localStore(zone.root), file);
    expect([footer.rows, footer.columns.length]).toEqual([1, 200]);
    zone.remove();
  });
});

describe('files that cannot be read', () => {
  let zone: Zone;
  beforeEach(() => void (zone = new Zone()));
  afterEach(() => zone.remove());
  const read = (path: string, listed = sourceFile(zone.root, path)) => readFooter(localStore(zone.root), listed);

  const good = parquet(500);
  const withMagic = (bytes: Buffer, magic: string) => Buffer.concat([bytes.subarray(0, -4), Buffer.from(magic)]);
  const damaged = Buffer.from(good);
  damaged.fill(0xff, good.length - 60, good.length - 8);
  const hugeFooter = Buffer.from(good);
  hugeFooter.writeUInt32LE(0xfffffff0, good.length - 8);
  const footerLength = good.readUInt32LE(good.length - 8) + 8;

  it.each([
    ['empty', Buffer.alloc(0), /it is empty \(0 bytes\)/],
    ['a few bytes', Buffer.from('PAR1'), /it has only 4 bytes/],
    ['text', Buffer.from('id,amount\n1,2\n3,4\n'), /does not end as a Parquet file does/],
    ['cut short', good.subarray(0, good.length - 100), /cut short, is still being written/],
    ['cut at the front', good.subarray(200), /is not Parquet|not all there|damaged/],
    [
      'without its data',
      Buffer.concat([Buffer.from('PAR1'), good.subarray(good.length - footerLength)]),
      /its data is not all there/,
    ],
    ['with a damaged footer', damaged, /its footer/],
    ['with an endless footer', hugeFooter, /its footer claims 4294967288 bytes/],
    ['encrypted', withMagic(good, 'PARE'), /encrypted/],
    ['with zeros at the end', Buffer.concat([good, Buffer.alloc(4_096)]), /does not end as/],
  ])('names a file that is %s, and says why and what to do', async (_, bytes, why) => {
    const path = 'date=2026-05-01/bad [1] 50%.parquet';
    zone.put(path, bytes);
    const failure = read(path);
    await expect(failure).rejects.toMatchObject({ name: 'TerminalError', type: 'UnreadableFile' });
    await expect(failure).rejects.toThrow(path);
    await expect(failure).rejects.toThrow(why);
    await expect(failure).rejects.toThrow(/Replace the file, or move it out of the raw zone/);
  });

  it('never takes a damaged footer for another file: it refuses, or reads the very same rows', async () => {
    zone.put('a.parquet', good);
    const listed = sourceFile(zone.root, 'a.parquet');
    for (let at = good.length - footerLength; at < good.length; at += 1) {
      const flipped = Buffer.from(good);
      flipped[at]! ^= 0xff;
      const store = {
        ...localStore(zone.root),
        readRange: async (_: string, from: number, to: number) => flipped.subarray(from, to),
      };
      await readFooter(store, listed).then(
        ({ rows }) => expect(rows).toBe(500),
        (error: unknown) => expect(error).toMatchObject({ type: 'UnreadableFile' }),
      );
    }
  });

  it('voids the plan when the file vanished, shrank, grew or was written again meanwhile', async () => {
    const path = 'date=2026-05-01/a.parquet';
    zone.put(path, good);
    const listed = sourceFile(zone.root, path);
    await expect(read(path, { ...listed, path: 'date=2026-05-01/gone.parquet' })).rejects.toThrow(
      /the plan is void: .*gone.parquet has vanished/,
    );
    for (const bytes of [
      good.subarray(0, 50),
      Buffer.concat([good, good, Buffer.from('x')]),
      Buffer.alloc(good.length),
    ]) {
      zone.put(path, bytes);
      await expect(read(path, listed)).rejects.toMatchObject({
        name: 'VoidPlan',
        reason: expect.stringContaining(path),
      });
    }
  });
});

it('keeps only fixtures that some test reads', () => {
  const source = readFileSync(__filename, 'utf8');
  const fixtures = readdirSync(FIXTURES).filter((name) => name.endsWith('.parquet'));
  expect(fixtures.filter((name) => !source.includes(`'${name}'`))).toEqual([]);
});
