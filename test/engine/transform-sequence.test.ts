import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pl from 'nodejs-polars';
import type { Contract } from '../../src/contract/contract';
import type { PlannedPartition } from '../../src/discovery/plan-types';
import { contractOf, int64, newFolder, planOf, runEngine } from './support';

/** Rows of a day; of a batch that many, the next is read before it is written. */
const MANY = 300_000;
/** Bytes of a batch that is alone in memory. */
const LARGE = 100 * 1024 * 1024;
/** Rows of each day, and whether its batch pretends to be large. */
const DAYS = [
  { rows: 10, isLarge: false },
  { rows: MANY, isLarge: false },
  { rows: 0, isLarge: false },
  { rows: 20, isLarge: true },
  { rows: MANY + 1, isLarge: true },
  { rows: 30, isLarge: false },
  { rows: MANY + 2, isLarge: false },
  { rows: 40, isLarge: true },
] as const;

const folderOf = (day: number): string => `date=2026-05-0${day + 1}`;

/** Every day has ids from 0 on, each once, but for the first, which is there twice. */
async function zone(): Promise<{ readonly contract: Contract; readonly partitions: readonly PlannedPartition[] }> {
  const contract = contractOf(newFolder('sequence'), { columns: [int64('id'), int64('at')], gates: [] });
  for (const [day, { rows }] of DAYS.entries()) {
    await mkdir(join(contract.source.path, folderOf(day)), { recursive: true });
    const n = pl.intRange({ start: 0, end: rows, eager: true });
    pl.DataFrame({ n })
      .select(
        pl
          .when(pl.col('n').eq(pl.lit(rows - 1)))
          .then(pl.lit(0))
          .otherwise(pl.col('n'))
          .cast(pl.Int64)
          .alias('id'),
        pl.col('n').cast(pl.Int64).alias('at'),
      )
      .writeParquet(join(contract.source.path, folderOf(day), 'a.parquet'));
  }
  const plan = await planOf(
    contract,
    DAYS.map((_, day) => `${folderOf(day)}/a.parquet`),
  );
  return {
    contract,
    partitions: plan.map((partition, i) => (DAYS[i]!.isLarge ? { ...partition, bytes: LARGE } : partition)),
  };
}

test.each(['before', 'along'] as const)(
  'small, many, no and large rows follow each other, keys resolved %s',
  async (keys) => {
    const { contract, partitions } = await zone();
    const { results } = await runEngine(contract, partitions, undefined, keys);
    const published = DAYS.map(({ rows }) => Math.max(0, rows - 1));
    expect(results.map(({ date }) => date)).toEqual(partitions.map(({ date }) => date));
    expect(results.map(({ counts }) => counts)).toEqual(
      DAYS.map(({ rows }, i) =>
        expect.objectContaining({
          read: rows,
          superseded: rows - published[i]!,
          published: published[i],
          quarantined: 0,
        }),
      ),
    );
    for (const [day, { curated }] of results.entries()) {
      const rows = published[day]!;
      // Of the large ones, that of many rows is two batches.
      expect(curated).toHaveLength(rows === 0 ? 0 : rows >= MANY && DAYS[day]!.isLarge ? 2 : 1);
      if (rows === 0) continue;
      const files = curated.map(({ path }) => pl.readParquet(join(contract.publish.path, path)));
      const ids = pl.concat(files).getColumn('id');
      // The later of the two that share an id is the newer one.
      expect([ids.len(), ids.nUnique(), Number(ids.get(0)), Number(ids.get(rows - 1))]).toEqual([rows, rows, 1, 0]);
    }
  },
);

test('a failure is told when all that was begun has ended', async () => {
  const { contract, partitions } = await zone();
  // What is read while the day before is written.
  await rm(join(contract.source.path, folderOf(7), 'a.parquet'));
  await expect(runEngine(contract, partitions, undefined, 'along')).rejects.toMatchObject({
    name: 'VoidPlan',
    message: expect.stringContaining(`${folderOf(7)}/a.parquet`),
  });
  const written = async (): Promise<[string, number][]> => {
    const entries = await readdir(contract.publish.path, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    return Promise.all(files.map(async (file) => [file, (await stat(file)).size] as [string, number]));
  };
  const atOnce = await written();
  expect(atOnce.filter(([file]) => file.includes(folderOf(6)))).toEqual([[expect.any(String), expect.any(Number)]]);
  await setTimeout(500);
  expect(await written()).toEqual(atOnce);
});
