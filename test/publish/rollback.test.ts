import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { VoidPlan } from '../../src/errors';
import { openTable, runOf, type Table } from '../../src/publish';
import { checkTable, readVersion } from './support/check-table';
import { contractFor, newTablePath, stage } from './support/fixture';

const [FIRST, SECOND, THIRD] = ['2026-05-01', '2026-05-02', '2026-05-03'];

let path: string;
let table: Table;

async function publish(requestId: string, dates: readonly string[]) {
  const base = await table.read();
  const outcomes = dates.map((date) => ({ date, quarantined: 1 }));
  return table.publish(await stage({ contract: contractFor(path), base, requestId, outcomes }));
}

const rollback = (requestId: string, to: number) => table.rollback({ requestId, run: runOf(requestId), to });

/** Three versions: two dates, the second again, then a third date. */
beforeEach(async () => {
  path = await newTablePath();
  table = openTable(contractFor(path));
  await table.claimFolder();
  await publish('a', [FIRST, SECOND]);
  await publish('b', [SECOND]);
  await publish('c', [THIRD]);
});

it('makes a new version with the files, watermark and manifests of the one named', async () => {
  const before = await contentOf(1);
  const commit = await rollback('back', 1);
  expect(commit).toMatchObject({
    version: 4,
    requestId: 'back',
    scope: { kind: 'rollback', to: 1 },
    watermark: { before: THIRD, after: SECOND },
    range: { from: SECOND, to: THIRD },
    partitions: 2,
    totals: { read: 2, published: 1, quarantined: 1, violations: { id_present: 1 } },
  });
  expect(await contentOf(4)).toEqual(before);
  const state = await table.read();
  expect(state).toMatchObject({ version: 4, watermark: SECOND });
  expect([...state.partitions.values()].map(({ date, version }) => [date, version])).toEqual([
    [FIRST, 1],
    [SECOND, 1],
  ]);
  await checkTable(contractFor(path));
});

it('reports what came back and what went', async () => {
  await rollback('back', 1);
  expect(await table.report()).toMatchObject({
    kind: 'rollback',
    scope: { kind: 'rollback', to: 1 },
    commit: { version: 4 },
    partitions: [{ date: SECOND, reason: 'restored', published: 1, quarantined: 1 }],
    left: [{ date: THIRD, reason: 'not in the restored version' }],
  });
});

it('can be undone by rolling back to the version it replaced', async () => {
  const before = await contentOf(3);
  await rollback('back', 1);
  await rollback('forth', 3);
  expect(await contentOf(5)).toEqual(before);
  expect((await table.read()).watermark).toBe(THIRD);
  await checkTable(contractFor(path));
});

it('goes on from there: the next run builds on what was restored', async () => {
  await rollback('back', 2);
  await publish('d', [FIRST]);
  expect(await readVersion((await table.pathOf()).path)).toEqual({ [FIRST]: 'd', [SECOND]: 'b' });
  await checkTable(contractFor(path));
});

it('commits a request once, however often it is asked for', async () => {
  const first = await rollback('back', 1);
  await publish('d', [THIRD]);
  expect(await rollback('back', 1)).toEqual(first);
  expect((await table.read()).version).toBe(5);
});

it('asked for at once by many, is committed once', async () => {
  const all = await Promise.allSettled(Array.from({ length: 6 }, () => rollback('back', 1)));
  expect(all.filter(({ status }) => status === 'rejected')).toEqual([]);
  expect((await table.history()).map(({ requestId }) => requestId)).toEqual(['back', 'c', 'b', 'a']);
});

it('of two at once, one is void or follows the other', async () => {
  const all = await Promise.allSettled([rollback('one', 1), rollback('two', 2), publish('d', [THIRD])]);
  for (const one of all) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(VoidPlan);
  const { commits } = await checkTable(contractFor(path));
  expect(commits).toHaveLength(3 + all.filter(({ status }) => status === 'fulfilled').length);
});

it.each([
  [0, 'there is no version 0; the table has the versions 1 to 3'],
  [4, 'there is no version 4; the table has the versions 1 to 3'],
  [1.5, 'there is no version 1.5; the table has the versions 1 to 3'],
  [3, 'version 3 is the newest: there is nothing to roll back'],
])('refuses version %p', async (to, message) => {
  await expect(rollback('back', to)).rejects.toMatchObject({ type: 'RequestError', message });
});

it('refuses a version whose data retention took, and a table without commits', async () => {
  await openTable(contractFor(path, { keep: { versions: 1, days: 0 } })).vacuum({ dryRun: false, olderThanHours: 0 });
  await expect(rollback('back', 1)).rejects.toMatchObject({
    type: 'RequestError',
    message: expect.stringContaining('the data of version 1 was removed by retention'),
  });
  path = await newTablePath();
  table = openTable(contractFor(path));
  await expect(rollback('back', 1)).rejects.toThrow('nothing is published at');
});

it('says so when a file of the version is missing', async () => {
  const [partition] = [...(await table.read()).partitions.values()];
  await rm(join((await table.pathOf({ version: 1 })).path, partition!.curated[0]!.path));
  await expect(rollback('back', 1)).rejects.toMatchObject({ type: 'CorruptTable' });
  expect((await table.read()).version).toBe(3);
});

describe('a version as of a time', () => {
  it('is the one that was committed last by then', async () => {
    const clock = { time: new Date('2026-06-01T00:00:00Z') };
    path = await newTablePath();
    table = openTable(contractFor(path), { now: () => clock.time });
    await table.claimFolder();
    for (const [index, id] of ['a', 'b', 'c'].entries()) {
      clock.time = new Date(Date.UTC(2026, 5, 1 + index, 12));
      await publish(id, [FIRST]);
    }
    const asOf = async (time: string) => (await table.pathOf({ asOf: new Date(time) })).version;
    expect(await asOf('2026-06-01T12:00:00Z')).toBe(1);
    expect(await asOf('2026-06-02T11:59:59Z')).toBe(1);
    expect(await asOf('2026-06-02T12:00:00Z')).toBe(2);
    expect(await asOf('2036-01-01T00:00:00Z')).toBe(3);
    await expect(asOf('2026-06-01T11:59:59Z')).rejects.toMatchObject({
      type: 'RequestError',
      message:
        'nothing was published at 2026-06-01T11:59:59.000Z; version 1, the first, was committed at 2026-06-01T12:00:00.000Z',
    });
    await expect(table.pathOf({ version: 1, asOf: clock.time })).rejects.toThrow('not both');
  });

  it('names the folders that readers open', async () => {
    const place = await table.pathOf({ version: 2 });
    expect(place).toEqual({
      version: 2,
      path: expect.stringMatching(/snapshots\/00000002$/),
      curated: join(place.path, 'curated'),
      quarantine: join(place.path, 'quarantine'),
      report: join(place.path, 'report.json'),
    });
  });
});

/** Rows by date, as a reader sees them. */
async function contentOf(version: number): Promise<Record<string, string>> {
  return readVersion((await table.pathOf({ version })).path);
}
