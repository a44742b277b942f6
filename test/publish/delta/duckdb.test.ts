import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { loadContract } from '../../../src/contract';
import type { Contract } from '../../../src/contract/contract';
import { openTable } from '../../../src/publish';
import { duckdbDelta } from '../../support/duckdb-delta';
import { startLake } from '../../support/lake';
import { type Expected, type Row, oracle } from '../../support/oracle';
import { runPipeline } from '../../support/run-pipeline';
import type { S3Server } from '../../support/s3-server';
import { contractYaml, land, transaction, transactions, type Transaction } from '../../support/transactions';

jest.setTimeout(180_000);

/** Each version of a table as DuckDB, deltalake and Polars have it, in the oracle's notation and sorted. */
const READ = `
import json, runpy
import polars as pl
from deltalake import DeltaTable
notation = runpy.run_path(input['oracle'], {'input': []})
os.environ.update(input['options'])
con = connect()
for setting in input['settings']: con.execute(setting)
def rows(table, partition, columns):
    table = table.select([partition, *columns])
    values = [[str(day) for day in table.column(0).to_pylist()]] + [notation['plain'](c) for c in table.columns[1:]]
    return sorted(([notation['encode'](value) for value in row] for row in zip(*values)), key=json.dumps)
def arrow(found):
    found = found.arrow()
    return found if hasattr(found, 'column') else found.read_all()
output = []
for path, version, columns in input['tables']:
    as_rows = lambda table: rows(table, input['partition'], columns)
    options = input['options']
    newest = version is None
    readers = {
        'duckdb': lambda: arrow(con.execute('from delta_scan(?)', [path]) if newest else con.execute('from delta_scan(?, version = ?)', [path, version])),
        'deltalake': lambda: DeltaTable(path, version=version, storage_options=options).to_pyarrow_table(),
        'polars': lambda: pl.scan_delta(path, version=version, storage_options=options).collect().to_arrow(),
    }
    output.append({name: as_rows(readers[name]()) for name in input['readers']})
`;

const READERS = ['duckdb', 'deltalake', 'polars'] as const;
type Reading = Partial<Record<(typeof READERS)[number], Row[]>>;

interface From {
  readonly readers?: readonly string[];
  /** What DuckDB is told before. */
  readonly settings?: readonly string[];
  /** For all, in the environment. */
  readonly options?: Readonly<Record<string, string>>;
}

const COLUMNS = ['transaction_id', 'user_id', 'transaction_receipt', 'amount', 'updated_at'];
const ALL_COLUMNS = { curated: COLUMNS, quarantine: [...COLUMNS, '_violations', '_source_file', '_source_row'] };

function readBy(
  contract: Contract,
  versions: readonly (Record<'curated' | 'quarantine', number> | null)[],
  { readers = READERS, settings = [], options = {} }: From = {},
): Promise<Reading[]> {
  const tables = versions.flatMap((version) =>
    (['curated', 'quarantine'] as const).map((kind) => [
      `${contract.publish.path}/${kind}`,
      version?.[kind] ?? null,
      ALL_COLUMNS[kind],
    ]),
  );
  return duckdbDelta(READ, {
    oracle: join(__dirname, '../../support/oracle.py'),
    partition: contract.source.partitionColumn,
    tables,
    readers,
    settings,
    options,
  });
}

async function deltaVersions(contract: Contract, version?: number): Promise<Record<'curated' | 'quarantine', number>> {
  const { deltaVersions: versions } = await openTable(contract).pathOf({ version });
  return { curated: versions!.curated, quarantine: versions!.quarantine! };
}

/** Curated and quarantine of each version, one after the other. */
function expectEach(found: readonly Reading[], expected: readonly Expected[]): void {
  const sorted = (rows: readonly Row[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();
  const all = expected.flatMap(({ curated, quarantine }) => [sorted(curated), sorted(quarantine)]);
  for (const reader of Object.keys(found[0]!) as (keyof Reading)[]) {
    expect({ reader, tables: found.map((reading) => sorted(reading[reader]!)) }).toEqual({ reader, tables: all });
  }
}

let root: string;
let raw: string;
let contract: Contract;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tidegate-duckdb-'));
  raw = join(root, 'raw');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function contractAt(publish: string, source = './raw'): Promise<void> {
  const file = join(root, 'pipeline.yaml');
  const yaml = contractYaml({ scope: 'partition' })
    .replace('path: ../raw', `path: ${JSON.stringify(source)}`)
    .replace('path: ../curated, format: directory', `path: ${JSON.stringify(publish)}, format: delta`)
    .replace('timestamp[ms]', 'timestamp[us]');
  await writeFile(file, yaml);
  contract = await loadContract(file);
}

const DELIVERIES: readonly (readonly [date: string, name: string, rows: Transaction[]])[][] = [
  [
    ['2026-05-01', 'a.parquet', [...transactions('a', 40), transaction('bad', { user_id: null })]],
    ['2026-05-02', 'a.parquet', transactions('b', 3, { user_id: 'ü % + "q"' })],
  ],
  [
    ['2026-05-02', 'b.parquet', [transaction('b-0', { amount: -1, updated_at: Date.UTC(2026, 4, 3) })]],
    ['2026-05-03', 'a.parquet', [...transactions('c', 2), transaction('nan', { amount: Number.NaN })]],
  ],
  [['2026-05-01', 'b.parquet', [transaction('a-1', { amount: 0.1 + 0.2, updated_at: Date.UTC(2026, 4, 2) })]]],
];

test('DuckDB reads every version of both tables as deltalake, Polars and the oracle have it', async () => {
  await contractAt('./table');
  const expected: Expected[] = [];
  for (const [at, delivery] of DELIVERIES.entries()) {
    for (const [date, name, rows] of delivery) land(raw, date, rows, name);
    expect(await runPipeline(contract, `run ${at}`)).toMatchObject({ commit: { version: at + 1 } });
    expected.push(await oracle({ contract }));
  }
  await openTable(contract).rollback({ requestId: 'back', run: 'abcdef', to: 2 });
  const versions = await Promise.all([1, 2, 3, 4].map((version) => deltaVersions(contract, version)));
  expectEach(await readBy(contract, [...versions, null]), [...expected, expected[1]!, expected[1]!]);
});

test('DuckDB reads on after deltalake made checkpoints and cleaned the log up, and after Tidegate went on', async () => {
  await contractAt('./table');
  for (const [at, delivery] of DELIVERIES.slice(0, 2).entries()) {
    for (const [date, name, rows] of delivery) land(raw, date, rows, name);
    await runPipeline(contract, `run ${at}`);
  }
  const second = await oracle({ contract });
  const logs = await duckdbDelta<string[][]>(
    `
from deltalake import DeltaTable
output = []
for kind in ['curated', 'quarantine']:
    path = input + '/' + kind
    DeltaTable(path).alter.set_table_properties({'delta.logRetentionDuration': 'interval 0 seconds'})
    t = DeltaTable(path)
    t.create_checkpoint()
    t.cleanup_metadata()
    output.append(sorted(os.listdir(path + '/_delta_log')))
`,
    contract.publish.path,
  );
  for (const names of logs) {
    expect(names).toContain('_last_checkpoint');
    expect(names).not.toContain(`${'0'.repeat(20)}.json`);
  }
  expectEach(await readBy(contract, [null]), [second]);

  for (const [date, name, rows] of DELIVERIES[2]!) land(raw, date, rows, name);
  await runPipeline(contract, 'run 2');
  expectEach(await readBy(contract, [await deltaVersions(contract), null]), Array(2).fill(await oracle({ contract })));
  expect((await openTable(contract).verify()).faults).toEqual([]);
});

test('DuckDB and deltalake read a table in a folder whose name needs escaping', async () => {
  // Polars 2.1 looks for the escaped name on a local disk, and DuckDB unescapes percent and plus, in tables of deltalake too.
  await contractAt('./tables/my ü');
  for (const [date, name, rows] of DELIVERIES[0]!) land(raw, date, rows, name);
  await runPipeline(contract, 'run');
  expectEach(await readBy(contract, [null], { readers: ['duckdb', 'deltalake'] }), [await oracle({ contract })]);
});

describe('on an S3 server', () => {
  const saved = { ...process.env };
  let server: S3Server;
  beforeAll(async () => {
    server = await startLake();
  });
  afterAll(async () => {
    process.env = saved;
    await server?.stop();
  });

  test('DuckDB reads every version, by the lines that the documents show', async () => {
    const documented = await documentedSql();
    await contractAt('s3://lake/tables/transactions', 's3://lake/raw');
    const local: Contract = { ...contract, source: { ...contract.source, path: raw } };
    const expected: Expected[] = [];
    for (const [at, delivery] of DELIVERIES.entries()) {
      for (const [date, name, rows] of delivery) {
        land(raw, date, rows, name);
        const Key = `raw/date=${date}/${name}`;
        const Body = await readFile(join(raw, `date=${date}`, name));
        await server.client.send(new PutObjectCommand({ Bucket: 'lake', Key, Body }));
      }
      await runPipeline(contract, `run ${at}`);
      expected.push(await oracle({ contract: local }));
    }
    const [secret, query] = documented.map((sql) =>
      sql
        .replace('127.0.0.1:7070', `127.0.0.1:${server.port}`)
        .replace('s3://lake/transactions', 's3://lake/tables/transactions'),
    );
    const versions = await Promise.all([1, 2, 3].map((version) => deltaVersions(contract, version)));
    const from = { settings: [secret!], options: { ...server.env, AWS_ALLOW_HTTP: 'true' } };
    expectEach(await readBy(contract, [...versions, null], from), [...expected, expected[2]!]);

    const byDate = await duckdbDelta<[string, number][]>(
      `
os.environ.update(input['env'])
con = connect()
con.execute(input['secret'])
output = sorted([str(date), rows] for date, rows, _ in con.execute(input['query']).fetchall())
`,
      { secret, query, env: server.env },
    );
    const counts = Object.entries(expected[2]!.counts).map(([date, { published }]) => [date, published]);
    expect(byDate).toEqual(counts);
  });
});

/** The secret for a store at an endpoint of one's own (docs/delta.md), and the query (README). */
async function documentedSql(): Promise<[string, string]> {
  const [readme, page] = await Promise.all(
    ['README.md', 'docs/delta.md'].map((name) => readFile(join(__dirname, '../../..', name), 'utf8')),
  );
  const query = /^ +(select .*from delta_scan\('s3:[^;"]*)"$/m.exec(readme!)?.[1];
  const secret = /^create secret \(type s3, provider credential_chain,[^;]*\);$/ms.exec(page!)?.[0];
  expect([typeof query, typeof secret]).toEqual(['string', 'string']);
  return [secret!, query!];
}
