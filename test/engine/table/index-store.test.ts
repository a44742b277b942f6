import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import fsp from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { parsePartitionDate } from '../../../src/discovery';
import { type Indexed, IndexStore } from '../../../src/engine/table/index-store';
import { localStore } from '../../../src/storage';
import { indexBytes } from '../../support/index-bytes';

/* The local cache that keeps indexes of an object store at hand: what goes from it when it has grown too large. */

const IDENTITY = '0123456789abcdef';
const HOUR = 3_600_000;
const BYTES = indexBytes(IDENTITY, 3, [Float64Array.of(1, 2, 3)]);
const SIZE = BYTES.length;

let root: string;
/** The one folder of the cache with the table's indexes. */
let folder: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'tidegate-index-store-'));
  await runWith(0).save(indexOf(31), BYTES);
  [folder] = readdirSync(join(root, 'cache', 'tidegate-index')).map((name) =>
    join(root, 'cache', 'tidegate-index', name),
  ) as [string];
  rmSync(join(folder, nameOf(31)));
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

const indexOf = (day: number): Indexed => ({
  date: parsePartitionDate(`2026-05-${String(day).padStart(2, '0')}`)!,
  fingerprint: 'f'.repeat(64),
});
const nameOf = (day: number): string => `${indexOf(day).date}-${indexOf(day).fingerprint}.idx`;

/** The indexes of a run of its own, over a store that is an object store's by name. */
function runWith(cacheBytes?: number): IndexStore {
  const store = { ...localStore(join(root, 'table')), kind: 's3' as const };
  const places = {
    store,
    folder: '_tidegate/index',
    cache: join(root, 'cache'),
    scratch: join(root, 'scratch'),
    overlay: null,
  };
  return new IndexStore(places, IDENTITY, 1, cacheBytes);
}

const age = (path: string, hours: number): void => {
  const then = new Date(Date.now() - hours * HOUR);
  utimesSync(path, then, then);
};

/** Indexes that earlier runs left in the cache, by how many hours ago they were used last. */
async function cached(hours: Readonly<Record<number, number>>): Promise<void> {
  for (const [day, ago] of Object.entries(hours)) {
    await runWith().save(indexOf(Number(day)), BYTES);
    age(join(folder, nameOf(Number(day))), ago);
  }
}

const daysLeft = (): number[] =>
  readdirSync(folder)
    .toSorted()
    .map((name) => Number(name.slice(8, 10)));

it('takes what was used longest ago first, and no more than it must', async () => {
  await cached({ 1: 50, 2: 90, 3: 70, 4: 60, 5: 80 });
  // Used again, so no longer the oldest.
  expect(await runWith().open(indexOf(2))).toMatchObject({ rows: 3 });
  const run = runWith(4 * SIZE);
  await run.save(indexOf(6), BYTES);
  await run.tidy();
  expect(daysLeft()).toEqual([1, 2, 4, 6]);
  await run.tidy();
  expect(daysLeft()).toEqual([1, 2, 4, 6]);
  // They are still where the cache has them from.
  expect(await runWith().open(indexOf(5))).toMatchObject({ rows: 3 });
});

it('lets the cache grow to 8 GiB where it is not told otherwise', async () => {
  await cached({ 1: 90, 2: 80 });
  const vast = join(folder, nameOf(2));
  const [run, large] = [runWith(), await fsp.open(vast, 'r+')];
  await run.save(indexOf(3), BYTES);
  // A hole: it takes no room on the disk.
  const most = 8 * 1024 ** 3;
  await large.truncate(most - 2 * SIZE);
  age(vast, 80);
  await run.tidy();
  expect(daysLeft()).toEqual([1, 2, 3]);
  await large.truncate(most - 2 * SIZE + 1);
  await large.close();
  age(vast, 80);
  await run.tidy();
  expect(daysLeft()).toEqual([2, 3]);
});

it('spares what was used within 24 hours, however large the cache', async () => {
  await cached({ 1: 23.9, 2: 24.1, 3: 0, 4: 100 });
  const run = runWith(0);
  await run.save(indexOf(5), BYTES);
  await run.tidy();
  expect(daysLeft()).toEqual([1, 3, 5]);
});

it('spares what this run uses, be it as old as can be, and takes others that are younger', async () => {
  await cached({ 1: 900, 2: 800 });
  const run = runWith(2 * SIZE);
  await run.open(indexOf(1));
  await run.save(indexOf(3), BYTES);
  // As on a disk that keeps no times, or under a clock that was put forward.
  for (const day of [1, 3]) age(join(folder, nameOf(day)), 1_000);
  await run.tidy();
  expect(daysLeft()).toEqual([1, 3]);
  const next = runWith(0);
  await next.open(indexOf(3));
  await next.tidy();
  expect(daysLeft()).toEqual([3]);
});

it('takes what a run left half written, and leaves alone what is not Tidegate’s, though it lies in the cache', async () => {
  const uuid = '00000000-0000-4000-8000-000000000000';
  const foreign = [
    nameOf(1),
    `tidegate-index/${nameOf(1)}`,
    'tidegate-index/0123456789abcdef',
    'tidegate-index/ffffffffffffffff/notes.idx',
    `tidegate-index/ffffffffffffffff/${nameOf(1)}.txt`,
    `tidegate-index/ffffffffffffffff/${nameOf(2)}/inside`,
    `tidegate-index/not-an-identity/${nameOf(1)}`,
  ].map((name) => join(root, 'cache', name));
  const half = join(root, 'cache', 'tidegate-index', 'ffffffffffffffff', `${nameOf(1)}.${uuid}`);
  for (const path of [...foreign, half]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'x');
    for (const old of [path, dirname(path)]) age(old, 90);
  }
  await cached({ 1: 90 });
  const run = runWith(0);
  await run.save(indexOf(2), BYTES);
  await run.tidy();
  expect(daysLeft()).toEqual([2]);
  expect(existsSync(half)).toBe(false);
  expect(foreign.filter((path) => !existsSync(path))).toEqual([]);
});

it('makes no room for a run that has no use for the cache', async () => {
  await cached({ 1: 90 });
  await runWith(0).tidy();
  expect(daysLeft()).toEqual([1]);
});

describe('while others make room too', () => {
  /** Acts first at the file operation number `at` of those that look at the cache or take from it. Returns whether it was reached. */
  function meeting(at: number, other: () => void): () => boolean {
    let begun = 0;
    for (const name of ['readdir', 'stat', 'rm'] as const) {
      const real = fsp[name] as (...args: unknown[]) => Promise<unknown>;
      jest.spyOn(fsp, name).mockImplementation((async (...args: unknown[]) => {
        if (begun++ === at) other();
        return real(...args);
      }) as never);
    }
    return () => begun > at;
  }

  it.each([
    ['a file', () => join(folder, nameOf(1)), [4]],
    ['a folder', () => folder, []],
    ['the whole cache', () => join(root, 'cache'), []],
  ] as const)('goes on where %s vanishes at any moment', async (_, taken, left) => {
    const another = join(dirname(folder), 'ffffffffffffffff');
    for (let at = 0; ; at += 1) {
      await cached({ 1: 90, 2: 80, 3: 70 });
      mkdirSync(another, { recursive: true });
      for (const day of [1, 2]) writeFileSync(join(another, nameOf(day)), BYTES);
      age(join(another, nameOf(1)), 75);
      const run = runWith(0);
      await run.save(indexOf(4), BYTES);
      const met = meeting(at, () => rmSync(taken(), { recursive: true, force: true }));
      await run.tidy();
      jest.restoreAllMocks();
      if (!met()) break;
      expect(existsSync(folder) ? daysLeft() : []).toEqual(left);
      expect(existsSync(another) ? readdirSync(another) : []).toEqual(
        taken() === join(root, 'cache') ? [] : [nameOf(2)],
      );
    }
  });
});
