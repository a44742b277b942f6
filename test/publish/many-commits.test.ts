import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openTable, runOf } from '../../src/publish';
import { installFaults, operationsOf } from '../support/fs-faults';
import { contractFor, newTablePath, stage } from './support/fixture';

const DAY = 86_400_000;

test('a commit costs as many file operations after many others as after few, though retention keeps them all', async () => {
  installFaults();
  const path = await newTablePath();
  const contract = contractFor(path, { keep: { versions: 1, days: 7 } });
  const table = openTable(contract);
  await table.claimFolder();
  let commits = 0;
  const publish = async (): Promise<number> => {
    const requestId = `request ${commits++}`;
    await mkdir(join(path, '_runs', runOf(requestId)), { recursive: true });
    await writeFile(join(path, '_runs', runOf(requestId), 'plan.json'), '{}');
    const base = await table.read();
    const input = await stage({ contract, base, requestId, outcomes: [{ date: '2026-05-01' }] });
    return (await operationsOf(() => table.publish(input))).length;
  };
  const publishAll = async (count: number): Promise<number> => {
    for (let n = 1; n < count; n++) await publish();
    return publish();
  };
  const few = await publishAll(10);
  // A look at each of the ten folders of runs, of which the last hundred are looked at; and two more for each halving of the versions.
  const after = await publishAll(90);
  expect(after - few).toBeLessThan(100);
  expect((await publishAll(100)) - after).toBeLessThanOrEqual(4);
});

test.each([0, 1, 2, 7, 11, 12])(
  'of twelve versions, the first %i of them old, a commit removes what may go',
  async (old) => {
    const path = await newTablePath();
    const publish = async (requestId: string, keep: { versions: number; days: number }): Promise<void> => {
      const contract = contractFor(path, { keep });
      const table = openTable(contract);
      await table.claimFolder();
      const outcomes = [{ date: '2026-05-01' }];
      await table.publish(await stage({ contract, base: await table.read(), requestId, outcomes }));
    };
    for (let n = 1; n <= 12; n++) await publish(`request ${n}`, { versions: 99, days: 7 });
    for (let version = 1; version <= 12; version++) {
      // A version is as old as the folder of the one after it says.
      const changed = new Date(Date.now() - (version <= old + 1 ? 8 : 6) * DAY);
      await utimes(folderOf(path, version), changed, changed);
    }
    await publish('the last', { versions: 2, days: 7 });
    const left: number[] = [];
    for (let version = 1; version <= 13; version++) {
      if ((await readdir(folderOf(path, version))).includes('curated')) left.push(version);
    }
    // The two newest are kept.
    const removed = Math.min(old, 11);
    expect(left).toEqual(Array.from({ length: 13 - removed }, (_, i) => removed + 1 + i));
  },
);

test('as time goes by, each commit removes what that time made old, no more and no less', async () => {
  const path = await newTablePath();
  const contract = contractFor(path, { keep: { versions: 3, days: 2 } });
  const table = openTable(contract);
  await table.claimFolder();
  const hours = 6;
  const held: number[] = [];
  for (let n = 1; n <= 40; n++) {
    const outcomes = [{ date: '2026-05-01' }];
    await table.publish(await stage({ contract, base: await table.read(), requestId: `request ${n}`, outcomes }));
    let withData = 0;
    for (let version = 1; version <= n; version++) {
      const folder = folderOf(path, version);
      if ((await readdir(folder)).includes('curated')) withData++;
      // What was removed was changed when it was.
      const { mtimeMs } = await stat(folder);
      const earlier = new Date(mtimeMs - (hours * DAY) / 24);
      await utimes(folder, earlier, earlier);
    }
    held.push(withData);
  }
  // The newest, and the eight that were replaced within two days.
  expect(held).toEqual(held.map((_, i) => Math.min(i + 1, 9)));
});

const folderOf = (path: string, version: number): string => join(path, 'snapshots', String(version).padStart(8, '0'));
