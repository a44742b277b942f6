import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openTable, runOf, type Table } from '../../src/publish';
import type { Contract } from '../../src/contract/contract';
import { checkTable, readVersion } from './support/check-table';
import { contractFor, newTablePath, stage } from './support/fixture';

const DAY = 86_400_000;
const HOUR = 3_600_000;
/** Folders of runs looked at after a commit. */
const LOOKED_AT = 100;
const later = (milliseconds: number): Date => new Date(Date.now() + milliseconds);

let path: string;
const open = (keep: Contract['publish']['keep'], now?: () => Date): Table =>
  openTable(contractFor(path, { keep }), { now });

async function publish(table: Table, requestId: string, date = '2026-05-01') {
  const base = await table.read();
  return table.publish(await stage({ contract: contractFor(path), base, requestId, outcomes: [{ date }] }));
}

/** The versions that still have data. */
async function readable(): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir(join(path, 'snapshots'))) {
    const entries = (await readdir(join(path, 'snapshots', name))).toSorted();
    if (entries.includes('curated')) {
      expect(entries).toEqual(['commit.json', 'curated', 'quarantine', 'report.json', 'state.json']);
      found.push(Number(name));
    } else expect(entries).toEqual(['commit.json', 'report.json']);
  }
  return found.toSorted((a, b) => a - b);
}

/** Sets back everything at and below a path. */
async function age(folder: string, milliseconds: number): Promise<void> {
  const time = later(-milliseconds);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await age(join(folder, entry.name), milliseconds);
    else await utimes(join(folder, entry.name), time, time);
  }
  await utimes(folder, time, time);
}

/** The folder of a run that ended long ago. */
async function writeRun(run: string, ago: number): Promise<void> {
  const folder = join(path, '_runs', run);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'plan.json'), '{}');
  await age(folder, ago);
}

beforeEach(async () => {
  path = await newTablePath();
  await open({ versions: 30, days: 7 }).claimFolder();
});

describe('retention', () => {
  it('removes data of versions that are neither among the newest nor young, after each commit', async () => {
    const table = open({ versions: 2, days: 0 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) await publish(table, id);
    expect(await readable()).toEqual([4, 5]);
  });

  it('keeps a version for its days, counted from when it was replaced', async () => {
    const keep = { versions: 1, days: 7 };
    for (const id of ['a', 'b', 'c', 'd']) await publish(open(keep), id);
    const replaced = async (version: number, daysAgo: number): Promise<void> => {
      const time = later(-daysAgo * DAY);
      await utimes(join(path, `snapshots/0000000${version + 1}`), time, time);
    };
    await replaced(1, 8);
    await replaced(2, 7.1);
    await replaced(3, 6.9);
    expect(await readable()).toEqual([1, 2, 3, 4]);
    await publish(open(keep), 'e');
    expect(await readable()).toEqual([3, 4, 5]);
  });

  it('keeps the newest versions, however old', async () => {
    const table = open({ versions: 3, days: 7 }, () => later(1000 * DAY));
    for (const id of ['a', 'b', 'c', 'd']) await publish(table, id);
    expect(await readable()).toEqual([2, 3, 4]);
  });

  it('never removes the current version, even when asked to keep none', async () => {
    const table = open({ versions: 0, days: 0 });
    for (const id of ['a', 'b', 'c']) await publish(table, id);
    expect(await readable()).toEqual([3]);
    await checkTable(contractFor(path));
  });

  it('keeps commits and reports for ever, and numbers taken', async () => {
    const table = open({ versions: 1, days: 0 });
    for (const id of ['a', 'b', 'c']) await publish(table, id);
    expect((await table.history()).map((commit) => commit.requestId)).toEqual(['c', 'b', 'a']);
    expect((await table.report(1)).requestId).toBe('a');
    expect((await publish(table, 'a')).version).toBe(1);
    await expect(table.pathOf({ version: 1 })).rejects.toMatchObject({
      type: 'RequestError',
      message: 'the data of version 1 was removed (publish.keep: 1 versions, 0 days); versions 3 to 3 are there',
    });
  });

  it('takes nothing from newer versions that share files with the removed one', async () => {
    const table = open({ versions: 1, days: 0 });
    await publish(table, 'a', '2026-05-01');
    await publish(table, 'b', '2026-05-02');
    await publish(table, 'c', '2026-05-03');
    expect(await readVersion((await table.pathOf()).path)).toEqual({
      '2026-05-01': 'a',
      '2026-05-02': 'b',
      '2026-05-03': 'c',
    });
  });

  it('removes the folders of runs older than the days, and never that of the run itself', async () => {
    const own = runOf('a');
    await writeRun(own, 9 * DAY);
    await writeRun('0123456789abcdef', 8 * DAY);
    await writeRun('fedcba9876543210', 6 * DAY);
    // One file in it is young: somebody works there.
    await writeRun('00000000000000aa', 8 * DAY);
    await utimes(join(path, '_runs/00000000000000aa/plan.json'), new Date(), new Date());
    await publish(open({ versions: 30, days: 7 }), 'a');
    expect(await readdir(join(path, '_runs'))).toEqual(['00000000000000aa', own, 'fedcba9876543210'].toSorted());
  });

  it('spares the folder of a run under way when no days are kept at all', async () => {
    await writeRun('0123456789abcdef', 23 * HOUR);
    await writeRun('fedcba9876543210', 25 * HOUR);
    await publish(open({ versions: 1, days: 0 }), 'a');
    expect(await readdir(join(path, '_runs'))).toEqual(['0123456789abcdef']);
  });

  it('looks at a bounded number of runs after each commit, and gets round to all', async () => {
    const many = Array.from({ length: 2 * LOOKED_AT }, (_, index) => runOf(`old ${index}`));
    await Promise.all(many.map((run) => writeRun(run, 9 * DAY)));
    const table = open({ versions: 30, days: 7 });
    await publish(table, 'a');
    expect(await readdir(join(path, '_runs'))).toHaveLength(LOOKED_AT);
    await publish(table, 'b');
    expect(await readdir(join(path, '_runs'))).toEqual([]);
  });

  it('may run many times at once', async () => {
    const table = open({ versions: 30, days: 0 });
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) await publish(table, id);
    const tables = Array.from({ length: 6 }, () => open({ versions: 2, days: 0 }));
    const reports = await Promise.all(tables.map((each) => each.vacuum({ dryRun: false, olderThanHours: 1 })));
    expect(reports.some(({ versions }) => versions.length === 4)).toBe(true);
    expect(await readable()).toEqual([5, 6]);
  });
});

describe('vacuum', () => {
  const keep = { versions: 1, days: 7 };

  it('tells what it would remove, and how much room that gives, and removes nothing in a dry run', async () => {
    const table = open({ versions: 9, days: 7 });
    await publish(table, 'a', '2026-05-01');
    await publish(table, 'b', '2026-05-01');
    await publish(table, 'c', '2026-05-02');
    const options = { olderThanHours: 1, now: later(8 * DAY) };
    const dry = await open(keep).vacuum({ ...options, dryRun: true });
    expect(dry).toMatchObject({ dryRun: true, versions: [1, 2] });
    expect(dry.removed.map((item) => item.path)).toEqual(['snapshots/00000001', 'snapshots/00000002']);
    expect(await readable()).toEqual([1, 2, 3]);

    const [file] = await readdir(join(path, 'snapshots/00000001/curated/date=2026-05-01'));
    const size = async (name: string) => (await stat(join(path, 'snapshots', name))).size;
    const own = (await size(`00000001/curated/date=2026-05-01/${file}`)) + (await size('00000001/state.json'));
    // What version 3 still uses gives nothing back.
    expect(dry.removed.map((item) => item.bytes)).toEqual([own, await size('00000002/state.json')]);
    expect(dry.bytes).toBe(own + (await size('00000002/state.json')));

    expect(await open(keep).vacuum({ ...options, dryRun: false })).toEqual({ ...dry, dryRun: false });
    expect(await readable()).toEqual([3]);
    expect((await open(keep).vacuum({ ...options, dryRun: false })).removed).toEqual([]);
  });

  it.each(['_staging', '_runs'])('spares all that a run staged while it shows a sign of life in %s', async (place) => {
    const table = open(keep);
    const base = await table.read();
    const outcomes = [{ date: '2026-05-01' }];
    const input = await stage({ contract: contractFor(path), base, requestId: 'a', outcomes });
    // The first group was written long ago; the last one is still being computed.
    await age(join(path, '_staging', input.run), 30 * HOUR);
    await mkdir(join(path, '_runs', input.run), { recursive: true });
    await age(join(path, '_runs', input.run), 30 * HOUR);
    const vacuumed = async () =>
      (await table.vacuum({ dryRun: true, olderThanHours: 24 })).removed.map((item) => item.path);
    expect(await vacuumed()).toEqual([`_staging/${input.run}`]);

    await writeFile(join(path, place, input.run, 'alive'), '');
    await utimes(join(path, place, input.run), later(-30 * HOUR), later(-30 * HOUR));
    expect(await vacuumed()).toEqual([]);
    expect((await table.publish(input)).version).toBe(1);
  });

  it('spares what is younger than an hour, whatever is asked for', async () => {
    const table = open(keep);
    const base = await table.read();
    const input = await stage({
      contract: contractFor(path),
      base,
      requestId: 'a',
      outcomes: [{ date: '2026-05-01' }],
    });
    await age(join(path, '_staging', input.run), 0.9 * HOUR);
    expect((await table.vacuum({ dryRun: false, olderThanHours: 0 })).removed).toEqual([]);
    expect((await table.publish(input)).version).toBe(1);
  });

  it('removes all of a run’s staging, its empty folder too', async () => {
    const table = open(keep);
    const input = await stage({
      contract: contractFor(path),
      base: await table.read(),
      requestId: 'a',
      outcomes: [{ date: '2026-05-01' }],
    });
    await table.vacuum({ dryRun: false, olderThanHours: 1, now: later(2 * HOUR) });
    expect(await readdir(join(path, '_staging'))).toEqual([]);
    await expect(table.publish(input)).rejects.toMatchObject({ name: 'VoidPlan' });
  });

  it('spares staging in which any one thing is young', async () => {
    const table = open(keep);
    const input = await stage({
      contract: contractFor(path),
      base: await table.read(),
      requestId: 'a',
      outcomes: [{ date: '2026-05-01' }],
    });
    const [attempt] = await readdir(join(path, '_staging', input.run));
    await age(join(path, '_staging', input.run, attempt!), 30 * HOUR);
    const file = join(path, input.results[0]!.curated[0]!.path);
    await utimes(file, new Date(), new Date());
    expect((await table.vacuum({ dryRun: false, olderThanHours: 24 })).removed).toEqual([]);
    expect((await table.publish(input)).version).toBe(1);
  });

  it('removes the folders of runs older than the days, and temporary files', async () => {
    await mkdir(join(path, '_runs/0123456789abcdef'), { recursive: true });
    await mkdir(join(path, 'requests'), { recursive: true });
    await writeFile(join(path, '_runs/0123456789abcdef/plan.json'), '12345');
    for (const name of ['.tmp-1', 'requests/.tmp-2']) await writeFile(join(path, name), '');
    await mkdir(join(path, '_staging/.trash-3/x'), { recursive: true });
    // Of a vacuum that died while it removed a key index, and of a run that died while it wrote one.
    const indexes = '_index/0123456789abcdef';
    await mkdir(join(path, indexes), { recursive: true });
    for (const name of ['.trash-4', '.tmp-5']) await writeFile(join(path, indexes, name), '');
    const paths = async (now: Date) =>
      (await open(keep).vacuum({ dryRun: true, olderThanHours: 1, now })).removed.map((item) => item.path).toSorted();
    const leftovers = ['.tmp-1', `${indexes}/.tmp-5`, `${indexes}/.trash-4`, '_staging/.trash-3', 'requests/.tmp-2'];
    expect(await paths(new Date())).toEqual([]);
    expect(await paths(later(2 * HOUR))).toEqual(leftovers);
    expect(await paths(later(8 * DAY))).toEqual([
      '.tmp-1',
      `${indexes}/.tmp-5`,
      `${indexes}/.trash-4`,
      '_runs/0123456789abcdef',
      '_staging/.trash-3',
      'requests/.tmp-2',
    ]);
    const report = await open(keep).vacuum({ dryRun: false, olderThanHours: 1, now: later(8 * DAY) });
    expect(report.bytes).toBe(5);
    expect((await readdir(path)).toSorted()).toEqual(['_index', '_runs', '_staging', 'requests', 'tidegate.json']);
    expect(await readdir(join(path, indexes))).toEqual([]);
  });

  it('removes what a removal of its own left when it was interrupted, wherever that was', async () => {
    const index = '_index/0123456789abcdef';
    for (const folder of [index, 'requests']) await mkdir(join(path, folder), { recursive: true });
    const remains = ['.trash-1', `${index}/.trash-2`, 'requests/.trash-3'];
    for (const name of remains) await writeFile(join(path, name), '');
    const removed = async (now: Date) =>
      (await open(keep).vacuum({ dryRun: false, olderThanHours: 1, now })).removed.map((item) => item.path).toSorted();
    expect(await removed(new Date())).toEqual([]);
    expect(await removed(later(2 * HOUR))).toEqual(remains);
    expect(await readdir(join(path, index))).toEqual([]);
  });
});
