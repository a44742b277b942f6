import { appendFile, chmod, mkdir, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import type { Column, Gate } from '../../src/contract/contract';
import { resolve } from '../../src/engine/resolve';
import { transformPartition } from '../../src/engine/transform';
import { messageOf } from '../../src/errors';
import type { TransformInput } from '../../src/engine';
import { readTables } from '../support/oracle';
import {
  contractOf,
  expectLikeOracle,
  float64,
  int64,
  newFolder,
  planOf,
  runEngine,
  stagedPath,
  text,
  writeZone,
} from './support';

const DAY = 'date=2026-05-01';
const PATH = `${DAY}/a.parquet`;
const byId = [{ column: 'id', direction: 'desc' }] as const;
const positive: Gate = { kind: 'inRange', name: 'positive', column: 'amount', greaterThan: 0 };

async function smallZone(gates: readonly Gate[] = [positive]) {
  const contract = contractOf(newFolder('transform'), {
    columns: [int64('id'), float64('amount'), text('note')],
    orderBy: byId,
    gates,
  });
  await writeZone(contract, [
    {
      path: PATH,
      columns: [
        ['id', 'int64', ['1', '2', '2', null]],
        ['amount', 'float64', ['1', '-1', '-2', '5']],
        ['note', 'string', ['a', 'b', 'c', 'd']],
      ],
    },
  ]);
  return { contract, partitions: await planOf(contract, [PATH]) };
}

async function transformInput(
  { contract, partitions }: Awaited<ReturnType<typeof smallZone>>,
  more: Partial<TransformInput> = {},
): Promise<TransformInput> {
  const sourceRoot = contract.source.path;
  const tableRoot = contract.publish.path;
  const resolutionDir = join(tableRoot, '_runs');
  const [resolution] = await resolve({ contract, sourceRoot, partitions, directory: resolutionDir });
  const partition = partitions[0]!;
  return {
    contract,
    sourceRoot,
    partition,
    resolution: resolution!,
    resolutionDir,
    tableRoot,
    outputPath: stagedPath,
    run: 'run',
    attempt: 'uuid',
    ...more,
  };
}

describe('transforming a partition', () => {
  test('splits into curated and quarantine, with reasons and origin, and leaves no other file behind', async () => {
    const { contract } = await smallZone();
    const { run } = await expectLikeOracle(contract, [PATH]);
    const [curated, quarantine] = await readTables(
      ['curated', 'quarantine'].map((kind) => ({ folder: join(run.staging, kind), partitionColumn: 'date' })),
    );
    expect(curated!.rows).toEqual([['2026-05-01', '1', '1.0', 'a']]);
    expect(quarantine!.rows).toEqual([
      ['2026-05-01', '2', '-2.0', 'c', ['positive'], PATH, '2'],
      ['2026-05-01', null, '5.0', 'd', ['primaryKey'], PATH, '3'],
    ]);
    const declared = [
      ['id', 'int64'],
      ['amount', 'double'],
      ['note', 'large_string'],
    ];
    expect(curated!.schemas).toEqual([declared]);
    expect(quarantine!.schemas).toEqual([
      [
        ...declared,
        ['_violations', 'large_list<element: large_string>'],
        ['_source_file', 'large_string'],
        ['_source_row', 'int64'],
      ],
    ]);
    const attempt = run.staging.split('/').at(-1)!;
    expect(run.results[0]?.curated).toEqual([
      {
        path: `_staging/run/${attempt}/curated/${DAY}/part-run-${attempt}-0.parquet`,
        rows: 1,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        size: expect.any(Number),
      },
    ]);
    expect(await readdir(join(contract.publish.path, '_runs', attempt))).toEqual([run.resolutions[0]?.rowSets]);
  });

  test('writes nothing where there is nothing: neither files nor folders nor row sets', async () => {
    const contract = contractOf(newFolder(), { columns: [int64('id')], orderBy: byId });
    await writeZone(contract, [{ path: PATH, columns: [['id', 'int64', []]] }]);
    const { run } = await expectLikeOracle(contract, [PATH]);
    expect(run.results[0]).toMatchObject({ curated: [], quarantine: [], counts: { read: 0, published: 0 } });
    expect(run.resolutions[0]?.rowSets).toBeNull();
    await expect(readdir(run.staging)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('file names with brackets, stars, spaces, percent signs and unicode are names, in the order of their bytes', async () => {
    const names = [
      '[ab].parquet',
      'a b.parquet',
      '100%25.parquet',
      '*.parquet',
      'é.PARQUET',
      '😀.parquet',
      '\uffff.parquet',
      'sub/x{1}.parquet',
      "it's #1?.parquet",
      'date=2020-01-01/x.parquet',
    ];
    const paths = names.map((name) => `${DAY}/${name}`);
    const contract = contractOf(newFolder(), {
      columns: [int64('id'), text('from')],
      orderBy: byId,
      gates: [{ kind: 'oneOf', name: 'none', column: 'from', values: [names[1]!] }],
    });
    await writeZone(
      contract,
      paths.map((path, i) => ({
        path,
        columns: [
          ['id', 'int64', ['0', String(i + 1)]],
          ['from', 'string', [names[i]!, names[i]!]],
        ] as const,
      })),
    );
    const { expected } = await expectLikeOracle(contract, paths);
    // The tied key 0 goes to the last file by bytes: the emoji, not U+FFFF.
    expect(expected.quarantine.filter((row) => row[1] === '0')[0]?.[2]).toBe('😀.parquet');
  });

  test('column names that Polars would take for patterns, or that the engine uses itself, are names', async () => {
    const names = ['*', '^a.*$', 'abc', 'c0', 'row', 'file', 'lost', 'f0', 'position', 'winner', ''];
    const contract = contractOf(newFolder(), {
      columns: names.map(text),
      primaryKey: ['*', 'position'],
      orderBy: [{ column: 'lost', direction: 'desc' }],
      gates: [
        { kind: 'unique', name: 'one', columns: ['^a.*$', 'f0'], scope: 'partition' },
        { kind: 'notNull', name: 'two', column: 'row' },
      ],
    });
    await writeZone(contract, [
      { path: PATH, columns: names.map((name) => [name, 'string', ['x', 'x', 'y', `${name}!`]] as const) },
    ]);
    await expectLikeOracle(contract, [PATH]);
  });

  test('files of one partition may store what widens to the declared types without loss', async () => {
    const types: Column[] = [
      { name: 'id', type: { kind: 'int64' } },
      { name: 'small', type: { kind: 'int32' } },
      { name: 'float', type: { kind: 'float64' } },
      { name: 'price', type: { kind: 'decimal', precision: 20, scale: 4 } },
      { name: 'when', type: { kind: 'timestamp', unit: 'ns', zoned: false } },
      { name: 'instant', type: { kind: 'timestamp', unit: 'us', zoned: true } },
      { name: 'word', type: { kind: 'string' } },
      { name: 'raw', type: { kind: 'binary' } },
      { name: 'day', type: { kind: 'date' } },
      { name: 'flag', type: { kind: 'boolean' } },
    ];
    const contract = contractOf(newFolder(), {
      columns: types,
      orderBy: [{ column: 'when', direction: 'desc' }],
      gates: [{ kind: 'unique', name: 'price_unique', columns: ['price', 'raw'], scope: 'partition' }],
    });
    const narrow = (path: string, stored: Record<string, string>, shift: number) => ({
      path,
      columns: [
        ['id', stored.id!, ['1', String(2 + shift)]],
        ['small', stored.small!, ['7', null]],
        ['float', stored.float!, ['3', null]],
        ['price', stored.price!, ['1.50', '-0.25']],
        ['when', stored.when!, [String(shift), '1000']],
        ['instant', stored.instant!, ['1777636800000', null]],
        ['word', stored.word!, ['é', null]],
        ['raw', stored.raw!, ['00ff', null]],
        ['day', 'date', ['20574', null]],
        ['flag', 'boolean', [true, null]],
      ] as const,
    });
    const files = [
      narrow(
        PATH,
        {
          id: 'int8',
          small: 'int16',
          float: 'int32',
          price: 'decimal(9,2)',
          when: 'timestamp[ms]',
          instant: 'timestamp[ms, UTC]',
          word: 'dictionary',
          raw: 'binary',
        },
        0,
      ),
      narrow(
        `${DAY}/b.parquet`,
        {
          id: 'uint32',
          small: 'uint16',
          float: 'float32',
          price: 'decimal(18,3)',
          when: 'timestamp[us]',
          instant: 'timestamp[us, Europe/Rome]',
          word: 'large_string',
          raw: 'large_binary',
        },
        1,
      ),
      narrow(
        `${DAY}/c.parquet`,
        {
          id: 'int64',
          small: 'int32',
          float: 'float64',
          price: 'decimal(20,4)',
          when: 'timestamp[ns]',
          instant: 'timestamp[us, UTC]',
          word: 'string',
          raw: 'binary',
        },
        2,
      ),
    ];
    await writeZone(
      contract,
      files.map(({ path, columns }) => ({ path, columns: columns.map((c) => c) })),
    );
    const { run } = await expectLikeOracle(
      contract,
      files.map(({ path }) => path),
    );
    const [curated, quarantine] = await readTables(
      ['curated', 'quarantine'].map((kind) => ({ folder: join(run.staging, kind), partitionColumn: 'date' })),
    );
    const schema = Object.fromEntries([...curated!.schemas, ...quarantine!.schemas][0]!);
    expect(schema).toMatchObject({
      price: 'decimal128(20, 4)',
      when: 'timestamp[ns]',
      instant: 'timestamp[us, tz=UTC]',
      small: 'int32',
      float: 'double',
    });
  });

  test('a stored partition column is ignored, and rows whose value differs are counted as misfiled', async () => {
    const contract = contractOf(newFolder(), { columns: [int64('id')], orderBy: byId });
    const ids = ['1', '2', '2', '3'];
    const files = [
      ['a', 'string', ['2026-05-01', '2026-05-02', '2026-05-01', null]],
      ['b', 'date', ['20574', '20574', '20573', null]],
      ['c', 'timestamp[ms]', ['1777636800000', '1777500000000', '0', null]],
      ['d', 'dictionary', ['2026-05-01', 'x', '2026-05-01', null]],
    ] as const;
    const paths = files.map(([name]) => `${DAY}/${name}.parquet`);
    await writeZone(
      contract,
      files.map(([, type, values], i) => ({
        path: paths[i]!,
        columns: [
          ['id', 'int64', ids],
          ['date', type, values],
        ],
      })),
    );
    const { run } = await expectLikeOracle(contract, paths);
    expect(run.results[0]?.counts.misfiled).toBe(5);
  });

  test('more than a batch of rows keeps its order, whichever file and batch a row is in', async () => {
    const contract = contractOf(newFolder(), {
      columns: [int64('id'), float64('amount')],
      primaryKey: ['id'],
      orderBy: [{ column: 'amount', direction: 'desc' }],
      gates: [positive, { kind: 'unique', name: 'amount_unique', columns: ['amount'], scope: 'partition' }],
    });
    const rows = 1_300_000;
    const folder = join(contract.source.path, DAY);
    for (const [name, start] of [
      ['a', 0],
      ['b', rows],
    ] as const) {
      const n = pl.intRange({ start, end: start + rows, eager: true });
      await pl
        .DataFrame({ n })
        .lazy()
        .select(
          pl.col('n').multiplyBy(pl.lit(48_271)).modulo(pl.lit(2_500_009)).cast(pl.Int64).alias('id'),
          pl
            .when(pl.col('n').modulo(pl.lit(97)).eq(pl.lit(5)))
            .then(pl.lit(-1))
            .otherwise(pl.col('n'))
            .cast(pl.Float64)
            .alias('amount'),
        )
        .sinkParquet(join(folder, `${name}.parquet`), {
          compression: 'zstd',
          sinkOptions: { maintainOrder: true, mkdir: true, syncOnClose: 'none' },
        })
        .collect();
    }
    const run = await runEngine(contract, await planOf(contract, [PATH, `${DAY}/b.parquet`]));
    const { counts, curated } = run.results[0]!;
    expect(curated.map(({ rows: count }) => count).length).toBe(3);
    expect(counts.read).toBe(counts.superseded + counts.published + counts.quarantined);
    const frames = await Promise.all(
      curated.map(async ({ path }) => pl.scanParquet(join(contract.publish.path, path), { glob: false }).collect()),
    );
    const amounts = pl.concat(frames).getColumn('amount').toTypedArray() as Float64Array;
    expect(amounts.length).toBe(counts.published);
    expect(amounts.every((amount, i) => i === 0 || amount > amounts[i - 1]!)).toBe(true);
  });

  test('gives the same bytes whatever the attempt', async () => {
    const { contract, partitions } = await smallZone();
    const bytes = async (): Promise<Buffer[]> => {
      const { results } = await runEngine(contract, partitions);
      return Promise.all(
        [...results[0]!.curated, ...results[0]!.quarantine].map(async ({ path }) =>
          readFile(join(contract.publish.path, path)),
        ),
      );
    };
    expect(await bytes()).toEqual(await bytes());
  });
});

describe('a world that moves', () => {
  test.each([
    ['vanished', async (path: string) => rm(path), 'has vanished since it was listed'],
    ['was touched', async (path: string) => utimes(path, 1, 1), 'was written again since it was listed'],
    [
      'was replaced while being written',
      async (path: string) => writeFile(path, 'PAR1'),
      'has changed since it was listed',
    ],
    ['grew', async (path: string) => appendFile(path, 'x'), 'has changed since it was listed'],
  ])('a file that %s voids the plan', async (_what, move, why) => {
    const zone = await smallZone();
    const input = await transformInput(zone);
    await move(join(zone.contract.source.path, PATH));
    const error = { name: 'VoidPlan', message: expect.stringContaining(`${PATH} `) };
    const failure: unknown = await transformPartition(input).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject(error);
    expect(messageOf(failure)).toContain(why);
  });

  test('a file that vanished voids the plan of a resolution', async () => {
    const { contract, partitions } = await smallZone();
    await rm(join(contract.source.path, PATH));
    const resolving = resolve({ contract, sourceRoot: contract.source.path, partitions, directory: newFolder() });
    await expect(resolving).rejects.toMatchObject({ name: 'VoidPlan', message: expect.stringContaining(PATH) });
  });

  test('an unreadable file is named, with its partition, and is no reason to try again', async () => {
    const { contract } = await smallZone();
    const path = join(contract.source.path, PATH);
    const [partition] = await planOf(contract, [PATH]);
    // Damage where the data is, then plan what is there.
    const bytes = await readFile(path);
    bytes.fill(0xff, 4, 200);
    await writeFile(path, bytes);
    const [damaged] = await planOf(contract, [PATH]);
    expect(damaged?.rows).toBe(partition?.rows);
    const resolving = resolve({
      contract,
      sourceRoot: contract.source.path,
      partitions: [damaged!],
      directory: newFolder(),
    });
    await expect(resolving).rejects.toMatchObject({
      name: 'TerminalError',
      type: 'UnreadableFile',
      message: expect.stringMatching(/date=2026-05-01\/a\.parquet \(partition 2026-05-01\) cannot be read/),
    });
  });

  test('a folder that cannot be written is named and worth another try', async () => {
    const zone = await smallZone();
    const input = await transformInput(zone, { tableRoot: '/dev/null/staging' });
    const failure: unknown = await transformPartition(input).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: 'Error',
      message: expect.stringMatching(/could not write .* for partition 2026-05-01: /),
    });
    const readOnly = newFolder();
    await chmod(readOnly, 0o500);
    if (process.getuid?.() !== 0) {
      const refused = transformPartition({ ...input, tableRoot: join(readOnly, 'x') });
      await expect(refused).rejects.toMatchObject({ name: 'Error', message: expect.stringContaining('EACCES') });
    }
  });

  test('aborted work stops with the signal’s reason', async () => {
    const zone = await smallZone();
    const input = await transformInput(zone);
    const signal = AbortSignal.abort(new Error('cancelled'));
    await expect(transformPartition(input, { signal })).rejects.toThrow('cancelled');
    const { contract, partitions } = zone;
    const resolving = resolve(
      { contract, sourceRoot: contract.source.path, partitions, directory: newFolder() },
      { signal },
    );
    await expect(resolving).rejects.toThrow('cancelled');
  });
});

describe('a partition of several batches', () => {
  /** Two files of 700,000 rows, cut into two batches at another row; every id stands in both, the later row is newer. */
  async function largeZone() {
    const contract = contractOf(newFolder('batches'), { columns: [int64('id'), int64('at')], gates: [] });
    const paths = [`${DAY}/a.parquet`, `${DAY}/b.parquet`];
    await mkdir(join(contract.source.path, DAY), { recursive: true });
    for (const [i, path] of paths.entries()) {
      const n = pl.intRange({ start: 0, end: 700_000, eager: true });
      const frame = pl.DataFrame({ n }).select(
        pl.col('n').cast(pl.Int64).alias('id'),
        pl
          .col('n')
          .cast(pl.Int64)
          .plus(pl.lit(i * 1000))
          .alias('at'),
      );
      frame.writeParquet(join(contract.source.path, path));
    }
    return { contract, partitions: await planOf(contract, paths) };
  }

  test.each(['before', 'along'] as const)('keeps the newest rows, whether keys are resolved %s', async (keys) => {
    const { contract, partitions } = await largeZone();
    const { results, staging } = await runEngine(contract, partitions, undefined, keys);
    expect(results[0]).toMatchObject({
      counts: { read: 1_400_000, superseded: 700_000, published: 700_000, quarantined: 0 },
    });
    expect(results[0]!.curated).toHaveLength(2);
    const published = await pl.scanParquet(join(staging, 'curated', DAY, '*.parquet')).collect();
    const ofLater = published.filter(pl.col('at').eq(pl.col('id').plus(pl.lit(1000))));
    expect([published.height, ofLater.height, ofLater.getColumn('id').nUnique()]).toEqual([700_000, 700_000, 700_000]);
  });
});
