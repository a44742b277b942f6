import { mkdtemp, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import { openTable } from '../../src/publish';
import { pythonPath } from '../../scripts/test-python';
import { checkTable } from './support/check-table';
import { contractFor, newTablePath, stage, type WriteData } from './support/fixture';
import { start } from './support/processes';

/*
 * Each version rewrites three partitions, in every row of which stands its number, and leaves a fourth
 * as the first version wrote it. So a reader can tell a mix from a version, and a gap from all of it.
 */
const REWRITTEN = ['2026-05-01', '2026-05-02', '2026-05-03'];
const KEPT = '2026-04-30';
const ROWS = 3;
const PUBLISHES = 100;

/** Pins and reads until told to stop; prints how often, and how many versions it met. */
const reader = (read: string): string => `
import json, os, sys
table, stop = sys.argv[1:]
reads, seen = 0, []
${read.split('\n')[0]}
while not os.path.exists(stop):
    pinned = os.path.realpath(os.path.join(table, 'current'))
    version = int(os.path.basename(pinned))
    glob = pinned + '/curated/**/*.parquet'
    ${read.split('\n')[1]}
    expected = sorted([['${KEPT}', 1, ${ROWS}]] + [[date, version, ${ROWS}] for date in ${JSON.stringify(REWRITTEN)}])
    found = sorted([str(date), int(made), int(rows)] for date, made, rows in rows)
    assert found == expected, f'version {version}: {found}'
    assert not seen or version >= seen[-1], f'{version} after {seen[-1]}'
    if not seen or version > seen[-1]: seen.append(version)
    reads += 1
print(json.dumps({'reads': reads, 'versions': len(seen)}))
`;
const READERS = {
  polars: reader(`import polars as pl
rows = pl.scan_parquet(glob, hive_partitioning=True).group_by('date', 'made').len().collect().rows()`),
  duckdb: reader(`import duckdb
rows = duckdb.sql(f"select date, made, count(*) from read_parquet('{glob}', hive_partitioning=true) group by all").fetchall()`),
};

const writeParquet: WriteData = async (path, { requestId, rows }) => {
  const made = Array.from({ length: rows }, () => Number(requestId));
  pl.DataFrame({ made }).writeParquet(path);
  return (await stat(path)).size;
};

it(`Polars and DuckDB, pinning the version, meet no error, mix or gap in ${PUBLISHES} publishes`, async () => {
  const path = await newTablePath();
  const stop = join(await mkdtemp(join(tmpdir(), 'tidegate-stop-')), 'stop');
  const contract = contractFor(path);
  const table = openTable(contract);
  await table.claimFolder();
  const publish = async (number: number): Promise<void> => {
    const dates = number === 1 ? [KEPT, ...REWRITTEN] : REWRITTEN;
    const outcomes = dates.map((date) => ({ date, published: ROWS }));
    const base = await table.read();
    await table.publish(await stage({ contract, base, requestId: String(number), outcomes, write: writeParquet }));
  };

  await publish(1);
  const readers = Object.values(READERS).map((script) => start(pythonPath(), ['-c', script, path, stop]));
  for (let number = 2; number <= PUBLISHES; number++) await publish(number);
  await writeFile(stop, '');

  for (const ended of await Promise.all(readers)) {
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    const { reads, versions } = JSON.parse(ended.stdout) as { reads: number; versions: number };
    // They did read while it was published to, not only before or after.
    expect(versions).toBeGreaterThan(5);
    expect(reads).toBeGreaterThanOrEqual(versions);
  }
  expect((await table.read()).version).toBe(PUBLISHES);
}, 240_000);

it('a version without rows has its folders all the same', async () => {
  const path = await newTablePath();
  const contract = contractFor(path);
  const table = openTable(contract);
  await table.claimFolder();
  const outcomes = [{ date: '2026-05-01', published: 0 }];
  await table.publish(await stage({ contract, base: await table.read(), requestId: '1', outcomes }));
  await checkTable(contract);
  for (const kind of ['curated', 'quarantine']) {
    expect((await stat(join((await table.pathOf()).path, kind))).isDirectory()).toBe(true);
  }
});
