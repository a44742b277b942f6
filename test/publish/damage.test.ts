import { cp, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openTable, type Table } from '../../src/publish';
import { checkTable } from './support/check-table';
import { contractFor, newTablePath, stage } from './support/fixture';

let path: string;
let table: Table;
const dates = ['2026-05-01'];

async function publish(requestId: string) {
  const outcomes = dates.map((date) => ({ date }));
  return table.publish(await stage({ contract: contractFor(path), base: await table.read(), requestId, outcomes }));
}

beforeEach(async () => {
  path = await newTablePath();
  table = openTable(contractFor(path));
  await table.claimFolder();
  for (const id of ['a', 'b', 'c']) await publish(id);
});

const corrupt = (message: RegExp) => ({ type: 'CorruptTable', message: expect.stringMatching(message) });

describe('`current`', () => {
  const current = () => join(path, 'current');

  it('is put back when it was lost', async () => {
    await rm(current());
    expect((await table.read()).version).toBe(3);
    expect(await readlink(current())).toBe('snapshots/00000003');
    expect((await publish('d')).version).toBe(4);
    await checkTable(contractFor(path));
  });

  it('that a person moved back is not guessed at: the error gives the command that repairs it', async () => {
    await rm(current());
    await symlink('snapshots/00000001', current());
    await expect(table.read()).rejects.toMatchObject(
      corrupt(/points to snapshots\/00000001, but version 3 was published after it; .*: ln -sfn snapshots\/00000003 /),
    );
    await expect(table.pathOf()).rejects.toMatchObject({ type: 'CorruptTable' });
  });

  it.each(['/etc', '../elsewhere', 'snapshots/3', 'snapshots/00000003/curated', 'snapshots/00000000'])(
    'that points to %s is refused',
    async (target) => {
      await rm(current());
      await symlink(target, current());
      await expect(table.read()).rejects.toMatchObject(
        corrupt(/points to ".*"; expected snapshots\/<number>; then: ln/),
      );
    },
  );

  it('that a copy turned into a folder, or a file, is refused and left alone', async () => {
    await rm(current());
    await cp(join(path, 'snapshots/00000003'), current(), { recursive: true });
    await expect(table.read()).rejects.toMatchObject(corrupt(/current is a folder; expected a symlink.*cp -a/));
    await rm(current(), { recursive: true });
    await writeFile(current(), 'mine');
    await expect(table.read()).rejects.toMatchObject(corrupt(/current is a file; expected a symlink/));
    expect(await readFile(current(), 'utf8')).toBe('mine');
  });

  it('never goes back because a token was left in a version that is shown', async () => {
    await symlink('snapshots/00000003', join(path, 'snapshots/00000003/.swing'));
    expect((await publish('d')).version).toBe(4);
    await checkTable(contractFor(path));
    await expect(readlink(join(path, 'snapshots/00000003/.swing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('with a number missing before it is refused by publish', async () => {
    await mkdir(join(path, 'snapshots/00000009'));
    await expect(publish('d')).rejects.toMatchObject(corrupt(/has a version 9 and none before it but 3/));
  });
});

describe('the request index', () => {
  const entries = async () => (await readdir(join(path, 'requests'))).toSorted();

  it('is made anew when it was lost, so that an old request is still not committed twice', async () => {
    const before = await entries();
    await rm(join(path, 'requests'), { recursive: true });
    expect((await table.find('b'))?.version).toBe(2);
    expect(await entries()).toEqual(before);
    await rm(join(path, 'requests'), { recursive: true });
    expect((await publish('a')).version).toBe(1);
    expect((await table.read()).version).toBe(3);
  });

  it('is completed when entries are missing', async () => {
    const before = await entries();
    const [first] = before;
    await rm(join(path, 'requests', first!));
    for (const id of ['a', 'b', 'c']) expect((await table.find(id))?.requestId).toBe(id);
    expect(await table.find('d')).toBeNull();
    expect(await entries()).toEqual(before);
  });

  it('is made anew after publishing went on without it', async () => {
    await rm(join(path, 'requests'), { recursive: true });
    await publish('d');
    expect((await table.find('a'))?.version).toBe(1);
    expect(await entries()).toHaveLength(4);
  });

  it('with an entry of another request is refused', async () => {
    const names = await entries();
    const text = await readFile(join(path, 'requests', names[0]!), 'utf8');
    await rm(join(path, 'requests', names[1]!));
    await writeFile(join(path, 'requests', names[1]!), text);
    const finds = await Promise.allSettled(['a', 'b', 'c'].map((id) => table.find(id)));
    expect(finds.filter(({ status }) => status === 'rejected')).toHaveLength(1);
  });
});

describe('the documents of a version', () => {
  const file = (name: string) => join(path, 'snapshots/00000003', name);
  async function edit(name: string, change: (text: string) => string): Promise<void> {
    const text = await readFile(file(name), 'utf8');
    // A new file: the old one may have other names.
    await rm(file(name));
    await writeFile(file(name), change(text));
  }

  it.each([
    ['state.json', (text: string) => text.slice(0, -20), /state\.json is not JSON/],
    ['state.json', (text: string) => text.replace('"version":3', '"version":2'), /says version 2; expected 3/],
    [
      'state.json',
      (text: string) => text.replace('"published":1', '"published":-1'),
      /partitions\.0\.counts\.published/,
    ],
    [
      'state.json',
      (text: string) => text.replace('curated/date=2026-05-01/', 'curated/../../../'),
      /partitions\.0\.curated\.0\.path/,
    ],
    [
      'state.json',
      (text: string) => text.replace('"date":"2026-05-01"', '"date":"2026-02-30"'),
      /expected an ISO date/,
    ],
    ['commit.json', (text: string) => text.replace('"requestId"', '"request"'), /commit\.json: requestId/],
    ['commit.json', (text: string) => text.replace(/"run": "\w+"/, '"run": ".."'), /commit\.json: run/],
  ])('%s that does not hold is a corrupt table, which the error locates', async (name, change, message) => {
    await edit(name, change);
    await expect(table.read()).rejects.toMatchObject(corrupt(message));
    await expect(table.read()).rejects.toThrow(file(name));
  });

  it('that name a file which is gone are a corrupt table, once the file is needed; its partition can be backfilled', async () => {
    const curated = join(path, 'snapshots/00000003/curated');
    await rm(join(curated, 'date=2026-05-01'), { recursive: true });
    const attempt = async (requestId: string, date: string) =>
      table.publish(
        await stage({ contract: contractFor(path), base: await table.read(), requestId, outcomes: [{ date }] }),
      );
    await expect(attempt('d', '2026-05-02')).rejects.toMatchObject(
      corrupt(
        /^snapshots\/00000003\/curated\/date=2026-05-01\/part-.*\.parquet is missing, though the table's state names it/,
      ),
    );
    expect((await attempt('e', '2026-05-01')).version).toBe(4);
    expect((await attempt('f', '2026-05-02')).version).toBe(5);
    await checkTable(contractFor(path));
  });

  it('missing from the current version are a corrupt table', async () => {
    await rm(file('state.json'));
    await expect(table.read()).rejects.toMatchObject(corrupt(/00000003 is current and has no state.json/));
    await rm(file('commit.json'));
    await expect(table.read()).rejects.toMatchObject(corrupt(/commit.json is missing/));
    await rm(file('report.json'));
    await expect(table.report()).rejects.toMatchObject(corrupt(/report.json is missing/));
  });
});
