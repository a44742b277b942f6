import { readlink, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openTable } from '../../src/publish';
import { codeOf } from '../../src/errors';
import { checkTable, readVersion } from './support/check-table';
import { contractFor, newTablePath } from './support/fixture';
import { startPublisher } from './support/processes';
import { publishAll } from './support/publisher';

const dates = ['2026-05-01', '2026-05-02', '2026-05-03'];
const STALL = 25;

afterEach(() => {
  delete process.env['TIDEGATE_FAILPOINTS'];
});

/** Watches `current` without rest, until told to stop; throws when it goes back, or is not there. */
async function watchCurrent(path: string, going: () => boolean): Promise<number> {
  let newest = 0;
  let looks = 0;
  while (going()) {
    const target = await readlink(join(path, 'current')).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT' && newest === 0) return null;
      throw error;
    });
    if (target === null) continue;
    const version = Number(target.slice(-8));
    if (version < newest) throw new Error(`current went back from ${newest} to ${version}`);
    newest = version;
    looks++;
  }
  return looks;
}

/** Pins a version and reads it whole, again and again; throws on a mix of versions, a gap or an error. */
async function readPinned(path: string, going: () => boolean): Promise<number> {
  const table = openTable(contractFor(path));
  let newest = 0;
  let reads = 0;
  while (going()) {
    const state = await table.read();
    if (state.version === 0) continue;
    const folder = (await table.pathOf()).path;
    const commit = JSON.parse(await readFile(join(folder, 'commit.json'), 'utf8')) as {
      version: number;
      requestId: string;
    };
    const expected = Object.fromEntries(dates.map((date) => [date, commit.requestId]));
    const found = await readVersion(folder);
    if (JSON.stringify(found) !== JSON.stringify(expected))
      throw new Error(`a mix in ${folder}: ${JSON.stringify(found)}`);
    if (commit.version < newest) throw new Error(`version ${commit.version} after ${newest}`);
    newest = commit.version;
    reads++;
  }
  return reads;
}

async function whilePublishing(
  path: string,
  publishers: Promise<unknown>[],
): Promise<{ looks: number; reads: number }> {
  let going = true;
  const readers = [watchCurrent(path, () => going), readPinned(path, () => going), readPinned(path, () => going)];
  const published = Promise.all(publishers).finally(() => {
    going = false;
  });
  const [, looks, first, second] = await Promise.all([published, ...readers]);
  return { looks: looks!, reads: first! + second! };
}

it('4 publishers in one process, stalling at random, lose no claim and never move current back', async () => {
  const path = await newTablePath();
  const acknowledged: { version: number; requestId: string }[] = [];
  const publishers = ['a', 'b', 'c', 'd'].map((name) =>
    publishAll({ path, name, count: 12, dates, stallUpTo: STALL }, (commit) => acknowledged.push(commit)),
  );
  const { looks, reads } = await whilePublishing(path, publishers);

  const { commits } = await checkTable(contractFor(path));
  expect(acknowledged.toSorted((a, b) => a.version - b.version)).toEqual(
    commits.map(({ version, requestId }) => ({ version, requestId })),
  );
  expect(commits).toHaveLength(48);
  expect(looks).toBeGreaterThan(100);
  expect(reads).toBeGreaterThan(10);
}, 120_000);

it('4 publisher processes, stalling at random, lose no claim and never move current back', async () => {
  const path = await newTablePath();
  const publishers = ['a', 'b', 'c', 'd'].map((name) =>
    startPublisher({ path, name, count: 10, dates, stallUpTo: STALL }),
  );
  const { looks, reads } = await whilePublishing(path, publishers);

  const ended = await Promise.all(publishers);
  expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual(ended.map(() => ({ code: 0, stderr: '' })));
  const acknowledged = ended.flatMap(({ stdout }) =>
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { version: number; requestId: string }),
  );
  const { commits } = await checkTable(contractFor(path));
  expect(acknowledged.toSorted((a, b) => a.version - b.version)).toEqual(
    commits.map(({ version, requestId }) => ({ version, requestId })),
  );
  expect(commits).toHaveLength(40);
  expect(looks).toBeGreaterThan(100);
  expect(reads).toBeGreaterThan(10);
}, 120_000);

it('publishers whose base version retention removes meanwhile get a void plan, never a broken version', async () => {
  const path = await newTablePath();
  const keep = { versions: 1, days: 0 };
  const publishers = ['a', 'b', 'c', 'd'].map((name) =>
    startPublisher({ path, name, count: 8, dates: [`2026-05-0${name.codePointAt(0)! - 96}`], stallUpTo: STALL, keep }),
  );
  const ended = await Promise.all(publishers);
  expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual(ended.map(() => ({ code: 0, stderr: '' })));
  const { commits, table } = await checkTable(contractFor(path, { keep }));
  expect(commits).toHaveLength(32);
  expect(Object.keys(await readVersion((await table.pathOf()).path))).toHaveLength(4);
}, 120_000);
