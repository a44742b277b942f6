import {
  cp,
  lstat,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { openTable, type PublishInput, type Table } from '../../src/publish';
import { contractFor, day, newTablePath, stage, type Outcome } from './support/fixture';

let path: string;
let table: Table;

beforeEach(async () => {
  path = await newTablePath();
  table = openTable(contractFor(path));
  await table.claimFolder();
});

const contract = () => contractFor(path);

async function staged(requestId: string, outcomes: readonly Outcome[], watermark?: string): Promise<PublishInput> {
  return stage({ contract: contract(), base: await table.read(), requestId, outcomes, watermark });
}
async function publish(requestId: string, outcomes: readonly Outcome[]) {
  return table.publish(await staged(requestId, outcomes));
}

/** What a reader of a pinned version finds: who wrote each partition. */
async function contents(root: string, kind: 'curated' | 'quarantine' = 'curated'): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const folder of await readdir(join(root, kind))) {
    for (const file of await readdir(join(root, kind, folder))) {
      const text = await readFile(join(root, kind, folder, file), 'utf8');
      found[folder] = text.slice(4).split('|')[0]!;
    }
  }
  return found;
}

describe('publishing to a directory', () => {
  it('shows a complete version behind a relative symlink', async () => {
    const commit = await publish('request 1', [{ date: '2026-05-01', published: 3, quarantined: 1, superseded: 2 }]);

    expect(commit).toMatchObject({
      pipeline: 'transactions',
      version: 1,
      requestId: 'request 1',
      watermark: { before: null, after: '2026-05-01' },
      range: { from: '2026-05-01', to: '2026-05-01' },
      partitions: 1,
      totals: { read: 6, superseded: 2, quarantined: 1, published: 3 },
    });
    expect(await readlink(join(path, 'current'))).toBe('snapshots/00000001');
    expect((await readdir(join(path, 'current'))).toSorted()).toEqual([
      'commit.json',
      'curated',
      'quarantine',
      'report.json',
      'state.json',
    ]);
    expect(await contents(join(path, 'current'))).toEqual({ 'date=2026-05-01': 'request 1' });
    expect(await contents(join(path, 'current'), 'quarantine')).toEqual({ 'date=2026-05-01': 'request 1' });
  });

  it('replaces the partitions of the run and carries all others over as hard links', async () => {
    await publish('request 1', [{ date: '2026-05-01' }, { date: '2026-05-02', quarantined: 1 }]);
    const first = (await table.pathOf()).path;
    await publish('request 2', [{ date: '2026-05-02' }, { date: '2026-05-03' }]);
    const second = (await table.pathOf()).path;

    expect(await contents(second)).toEqual({
      'date=2026-05-01': 'request 1',
      'date=2026-05-02': 'request 2',
      'date=2026-05-03': 'request 2',
    });
    expect(await contents(second, 'quarantine')).toEqual({});
    expect(await contents(first)).toEqual({ 'date=2026-05-01': 'request 1', 'date=2026-05-02': 'request 1' });
    const [name] = await readdir(join(first, 'curated/date=2026-05-01'));
    const inode = async (root: string) => (await stat(join(root, 'curated/date=2026-05-01', name!))).ino;
    expect(await inode(second)).toBe(await inode(first));
  });

  it('takes removed partitions out, even when that is all a run does, and older versions keep them', async () => {
    await publish('request 1', [
      { date: '2026-05-01', published: 3, quarantined: 2, superseded: 1 },
      { date: '2026-05-02', quarantined: 1 },
    ]);
    const first = (await table.pathOf()).path;
    const base = await table.read();
    const input = await stage({
      contract: contract(),
      base,
      requestId: 'request 2',
      outcomes: [],
      removed: ['2026-05-01'],
    });
    const commit = await table.publish(input);

    expect(commit).toMatchObject({
      version: 2,
      partitions: 0,
      removed: 1,
      range: { from: '2026-05-01', to: '2026-05-01' },
      watermark: { before: '2026-05-02', after: '2026-05-02' },
      totals: { read: 0, published: 0 },
    });
    expect((await table.history())[0]).toEqual(commit);
    const state = await table.read();
    expect([...state.partitions.keys()]).toEqual(['2026-05-02']);
    const second = (await table.pathOf()).path;
    expect(await contents(second)).toEqual({ 'date=2026-05-02': 'request 1' });
    expect(await contents(second, 'quarantine')).toEqual({ 'date=2026-05-02': 'request 1' });
    expect(Object.keys(await contents(first))).toEqual(['date=2026-05-01', 'date=2026-05-02']);
    expect((await table.report(2)).removed).toEqual([
      { date: '2026-05-01', reason: 'gone', published: 3, quarantined: 2 },
    ]);
    // What has gone can be published again as if it were new, and be brought back by a rollback.
    await publish('request 3', [{ date: '2026-05-01' }]);
    const back = await table.rollback({ requestId: 'request 4', run: 'abc', to: 1 });
    expect(back.partitions).toBe(1);
    expect([...(await table.read()).partitions.keys()]).toEqual(['2026-05-01', '2026-05-02']);
  });

  it('states every partition, with its counts and what it was computed from', async () => {
    await publish('request 1', [{ date: '2026-05-02', published: 2 }]);
    await publish('request 2', [{ date: '2026-05-01', published: 0, quarantined: 2 }]);
    const state = await table.read();

    expect(state).toMatchObject({ version: 2, watermark: '2026-05-01', commit: { requestId: 'request 2' } });
    expect([...state.partitions.keys()]).toEqual(['2026-05-01', '2026-05-02']);
    expect(state.partitions.get(day('2026-05-02'))).toMatchObject({
      version: 1,
      rowsDigest: 'b'.repeat(64),
      counts: { read: 2, published: 2, violations: { primaryKey: 0, id_present: 0 } },
      files: [{ path: 'date=2026-05-02/a.parquet', size: 10, mtimeNs: '1790000000123456789', rows: 2 }],
      curated: [{ path: expect.stringMatching(/^curated\/date=2026-05-02\/part-.*-0\.parquet$/), rows: 2 }],
      quarantine: [],
    });
    expect(state.partitions.get(day('2026-05-01'))).toMatchObject({ version: 2, curated: [] });
  });

  it('has no curated folder for a partition whose rows were all quarantined, and no files for an empty one', async () => {
    await publish('request 1', [
      { date: '2026-05-01', published: 0, quarantined: 2 },
      { date: '2026-05-02', published: 0 },
    ]);
    const version = (await table.pathOf()).path;
    expect(await readdir(join(version, 'curated'))).toEqual([]);
    expect(await readdir(join(version, 'quarantine'))).toEqual(['date=2026-05-01']);
    expect((await table.read()).partitions.get(day('2026-05-02'))?.counts.read).toBe(0);
  });

  it('returns the recorded commit for a request id that is committed, however old', async () => {
    const first = await publish('request 1', [{ date: '2026-05-01' }]);
    const again = await staged('request 1', [{ date: '2026-05-01', published: 9 }]);
    for (const id of ['request 2', 'request 3', 'request 4']) await publish(id, [{ date: '2026-05-02' }]);

    expect(await table.publish(again)).toEqual(first);
    expect(await table.find('request 1')).toEqual(first);
    expect(await table.find('request 5')).toBeNull();
    expect((await table.read()).version).toBe(4);
  });

  it('refuses a plan made on another version, and leaves no trace of it', async () => {
    const late = await staged('request 2', [{ date: '2026-05-02' }]);
    await publish('request 1', [{ date: '2026-05-01' }]);

    await expect(table.publish(late)).rejects.toMatchObject({
      name: 'VoidPlan',
      reason: 'it was made on version 0, and the table is at version 1',
    });
    expect(await readdir(join(path, '_staging', late.run))).toHaveLength(1);
    expect((await table.history()).map((commit) => commit.requestId)).toEqual(['request 1']);
  });

  it('lets one of many publishers on the same version through, and voids the plans of the others', async () => {
    const inputs = await Promise.all(
      Array.from({ length: 8 }, (_, index) => staged(`request ${index}`, [{ date: '2026-05-01' }])),
    );
    const outcomes = await Promise.allSettled(inputs.map((input) => openTable(contract()).publish(input)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'VoidPlan' });
    }
    expect((await table.read()).version).toBe(1);
  });

  it('commits a request once, though several publishers carry it', async () => {
    const inputs = await Promise.all(Array.from({ length: 6 }, () => staged('request 1', [{ date: '2026-05-01' }])));
    const commits = await Promise.all(inputs.map((input) => openTable(contract()).publish(input)));
    expect(new Set(commits.map((commit) => JSON.stringify(commit))).size).toBe(1);
    expect((await table.read()).version).toBe(1);
  });

  it('empties the staging of the run it has committed', async () => {
    await publish('request 1', [{ date: '2026-05-01' }]);
    expect(await readdir(join(path, '_staging'))).toEqual([]);
  });

  it('keeps the report with the version, naming where it lies', async () => {
    await publish('request 1', [{ date: '2026-05-01', published: 5 }]);
    await publish('request 2', [{ date: '2026-05-02' }]);
    expect(await table.report(1)).toMatchObject({
      requestId: 'request 1',
      totals: { published: 5 },
      commit: { version: 1, path: join(path, 'snapshots/00000001') },
    });
    expect(await table.report()).toMatchObject({ requestId: 'request 2', commit: { version: 2 } });
    const stored: unknown = JSON.parse(await readFile(join(path, 'current/report.json'), 'utf8'));
    expect(stored).toMatchObject({ commit: { version: 2, path: join(path, 'snapshots/00000002') } });
  });

  it('lists its commits, newest first', async () => {
    for (const id of ['a', 'b', 'c']) await publish(id, [{ date: '2026-05-01' }]);
    expect((await table.history()).map((commit) => commit.requestId)).toEqual(['c', 'b', 'a']);
    expect((await table.history(2)).map((commit) => commit.version)).toEqual([3, 2]);
  });

  it('gives real paths of versions to pin', async () => {
    await publish('a', [{ date: '2026-05-01' }]);
    await publish('b', [{ date: '2026-05-01' }]);
    expect((await table.pathOf()).path).toBe(join(await realpath(path), 'snapshots/00000002'));
    expect((await table.pathOf({ version: 1 })).path).toBe(join(await realpath(path), 'snapshots/00000001'));
    await expect(table.pathOf({ version: 3 })).rejects.toThrow(
      'there is no version 3; the table has the versions 1 to 2',
    );
    await expect(table.pathOf({ version: 0.5 })).rejects.toThrow('there is no version 0.5');
  });

  it('says so when nothing is published yet', async () => {
    await expect(table.pathOf()).rejects.toMatchObject({ type: 'RequestError' });
    await expect(table.report()).rejects.toThrow(`nothing is published at ${path} yet`);
    expect(await table.history()).toEqual([]);
  });

  it('stays a table when it is moved or copied with its links', async () => {
    await publish('a', [{ date: '2026-05-01' }]);
    const copy = `${path}-copy`;
    const moved = `${path}-moved`;
    await cp(path, copy, { recursive: true, verbatimSymlinks: true });
    await rename(path, moved);
    for (const place of [copy, moved]) {
      const other = openTable(contractFor(place));
      expect((await other.read()).version).toBe(1);
      expect(await other.find('a')).not.toBeNull();
      expect((await other.pathOf()).path).toBe(join(await realpath(place), 'snapshots/00000001'));
    }
  });

  it('stops when it is told to, before anything is visible', async () => {
    const input = await staged('a', [{ date: '2026-05-01' }]);
    const reason = new Error('cancelled');
    await expect(table.publish({ ...input, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await readdir(path)).not.toContain('current');
    expect((await table.publish(input)).version).toBe(1);
  });

  it('never lets the request id become part of a path', async () => {
    const commit = await publish('../../../evil/$(id)\n', [{ date: '2026-05-01' }]);
    expect(commit.requestId).toBe('../../../evil/$(id)\n');
    expect(await readdir(join(path, 'requests'))).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
  });
});

describe('what publishing refuses, before anything is visible', () => {
  afterEach(async () => {
    expect(await readdir(path)).not.toContain('snapshots');
    expect((await table.read()).version).toBe(0);
  });

  const refused = (input: PublishInput) => expect(table.publish(input)).rejects;
  const conservation = (message: RegExp) =>
    expect.objectContaining({ type: 'ConservationError', message: expect.stringMatching(message) });

  it('a partition whose rows do not add up', async () => {
    const input = await staged('a', [{ date: '2026-05-01', published: 3 }]);
    const [result] = input.results;
    const results = [{ ...result!, counts: { ...result!.counts, superseded: 1 } }];
    await refused({ ...input, results }).toEqual(conservation(/2026-05-01: 3 rows were read, but 1 superseded/));
  });

  it('read rows that are not those of the source files', async () => {
    const input = await staged('a', [{ date: '2026-05-01', published: 3 }]);
    const [result] = input.results;
    const results = [{ ...result!, counts: { ...result!.counts, read: 4, superseded: 1 } }];
    await refused({ ...input, results }).toEqual(conservation(/rows read: 4, but the plan's source files hold 3/));
  });

  it('published rows that are not those of the files', async () => {
    const input = await staged('a', [{ date: '2026-05-01', published: 3 }]);
    const [result] = input.results;
    const results = [{ ...result!, curated: [] }];
    await refused({ ...input, results }).toEqual(conservation(/rows published: 3, but the curated files hold 0/));
  });

  it('a report that says otherwise', async () => {
    const input = await staged('a', [{ date: '2026-05-01', published: 3 }]);
    const report = { ...input.report, totals: { ...input.report.totals, published: 2 } };
    await refused({ ...input, report }).toEqual(conservation(/rows published in all: 3, but the report's total is 2/));
  });

  it('a partition both written and removed, and a report that speaks of other removals', async () => {
    const input = await staged('request 1', [{ date: '2026-05-01' }]);
    const removed = [{ date: day('2026-05-01'), reason: 'gone' as const }];
    await refused({ ...input, plan: { ...input.plan, removed } }).toEqual(
      conservation(/2026-05-01 is planned and to be removed/),
    );
    const others = [{ date: day('2026-05-02'), reason: 'gone' as const }];
    await refused({ ...input, plan: { ...input.plan, removed: others } }).toEqual(
      conservation(/removes the partitions 2026-05-02, the report says none/),
    );
  });

  it('a planned partition without a result', async () => {
    const input = await staged('a', [{ date: '2026-05-01' }, { date: '2026-05-02' }]);
    await refused({ ...input, results: input.results.slice(1) }).toEqual(
      conservation(/2026-05-01 is planned and has no result/),
    );
  });

  it('two results of a partition, and a result that was not planned', async () => {
    const input = await staged('a', [{ date: '2026-05-01' }]);
    const [result] = input.results;
    await refused({ ...input, results: [result!, result!] }).toEqual(conservation(/two results: 2026-05-01/));
    const other = { ...result!, date: day('2026-05-09') };
    await refused({ ...input, results: [result!, other] }).toEqual(
      conservation(/2026-05-09 has a result and is not planned/),
    );
  });

  it.each([
    '../../../etc/date=2026-05-01/part-x.parquet',
    '_staging/RUN/../curated/date=2026-05-01/part-x.parquet',
    '_staging/RUN/u/quarantine/date=2026-05-01/part-x.parquet',
    '_staging/RUN/u/curated/date=2026-05-02/part-x.parquet',
    '_staging/RUN/u/curated/date=2026-05-01/../part-x.parquet',
    '_staging/0123456789abcdef/u/curated/date=2026-05-01/part-x.parquet',
  ])('a result that names %s', async (named) => {
    const input = await staged('a', [{ date: '2026-05-01' }]);
    const [result] = input.results;
    const curated = [{ ...result!.curated[0]!, path: named.replace('RUN', input.run) }];
    await refused({ ...input, results: [{ ...result!, curated }] }).toThrow(/the result names .* expected _staging/);
  });

  it('staged files that are gone, cut short or overwritten: the plan is void, to be staged anew', async () => {
    const input = await staged('a', [{ date: '2026-05-01' }]);
    const { path: name, size } = input.results[0]!.curated[0]!;
    const file = join(path, name);
    await writeFile(file, 'x'.repeat(size));
    await refused(input).toMatchObject({ name: 'VoidPlan', reason: `the staged file ${name} does not end as Parquet` });
    await truncate(file, 7);
    await refused(input).toMatchObject({
      name: 'VoidPlan',
      reason: `the staged file ${name} has 7 bytes; expected ${size}`,
    });
    await rm(file);
    await refused(input).toMatchObject({ name: 'VoidPlan', reason: `the staged file ${name} is gone` });
  });

  it('the plan of another pipeline', async () => {
    const input = await staged('a', [{ date: '2026-05-01' }]);
    await refused({ ...input, plan: { ...input.plan, pipeline: 'other' } }).toThrow(
      'the plan is of the pipeline "other"',
    );
  });

  it('leaves the attempt of a refused publish nowhere', async () => {
    const input = await staged('a', [{ date: '2026-05-01' }]);
    await refused({ ...input, run: '..' }).toThrow('is no run');
    expect((await lstat(join(path, '_staging'))).isDirectory()).toBe(true);
  });
});
