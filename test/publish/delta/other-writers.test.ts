import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { localStore, type ObjectStore } from '../../../src/storage';
import { python } from '../../support/python';
import { type Act, meetings } from './meetings';
import { contractFor, newRoot, publishTo, stage, tableAt } from './support';

jest.setTimeout(120_000);

const logFile = (root: string, version: number, kind = 'curated'): string =>
  join(root, kind, '_delta_log', `${String(version).padStart(20, '0')}.json`);

/** A store in which somebody else commits just before our commit number `at` is put. */
function withRival(root: string, at: number, rival: () => Promise<void>): ObjectStore {
  const inner = localStore(root);
  let seen = 0;
  return {
    ...inner,
    putIfAbsent: async (key, data) => {
      if (key.startsWith('curated/_delta_log/') && seen++ === at) await rival();
      return inner.putIfAbsent(key, data);
    },
  };
}

const append = (root: string, date: string): Promise<void> =>
  python(
    `
import datetime, pyarrow as pa
from deltalake import write_deltalake
write_deltalake(input['path'], pa.table({'id': pa.array([7], pa.int64()), 'request': ['foreign'],
  'date': [datetime.date.fromisoformat(input['date'])]}), mode='append')`,
    { path: join(root, 'curated'), date },
  );
const compact = (root: string): Promise<void> =>
  python(`from deltalake import DeltaTable\nDeltaTable(input).optimize.compact()`, join(root, 'curated'));
const rowsOf = (root: string): Promise<[string, string, number][]> =>
  python(
    `
import polars as pl
output = [[str(d), r, n] for d, r, n in pl.scan_delta(input).group_by('date', 'request').len().sort('date', 'request').collect().rows()]`,
    join(root, 'curated'),
  );

describe('a commit that meets another writer', () => {
  it('goes on top of an append elsewhere and of a compaction', async () => {
    const contract = contractFor(await newRoot());
    const root = contract.publish.path;
    await publishTo(contract, 'one', [{ date: '2026-05-01' }, { date: '2026-05-02' }]);
    await append(root, '2026-05-01');
    const table = tableAt(contract);
    const input = await stage({
      contract,
      base: await table.read(),
      requestId: 'two',
      outcomes: [{ date: '2026-05-01', published: 2 }],
    });
    const rival = withRival(root, 0, async () => {
      await append(root, '2026-05-03');
      await compact(root);
    });
    expect(await tableAt(contract, {}, rival).publish(input)).toMatchObject({ version: 2 });
    expect(await rowsOf(root)).toEqual([
      ['2026-05-01', 'two', 2],
      ['2026-05-02', 'one', 1],
      ['2026-05-03', 'foreign', 1],
    ]);
    // The append was compacted together with Tidegate's own row.
    expect((await table.report()).overwritten).toMatchObject([
      {
        table: 'curated',
        date: '2026-05-01',
        added: { files: 1, rows: 2 },
        removed: { files: 1, rows: 1 },
        commits: [{ version: 1, operation: 'WRITE', engine: expect.stringContaining('delta-rs') }],
      },
    ]);
    const { faults } = await table.verify();
    expect(faults.filter(({ message }) => message.includes('another writer'))).toMatchObject([
      { check: 'state', path: 'curated', message: expect.stringContaining('changed the partition "2026-05-03"') },
    ]);
  });

  it('is void where the other changed rows of the same partitions, and goes through when planned again', async () => {
    const contract = contractFor(await newRoot());
    const root = contract.publish.path;
    await publishTo(contract, 'one', [{ date: '2026-05-01' }]);
    const base = await tableAt(contract).read();
    const input = await stage({ contract, base, requestId: 'two', outcomes: [{ date: '2026-05-01', published: 2 }] });
    const rival = withRival(root, 0, () => append(root, '2026-05-01'));
    await expect(tableAt(contract, {}, rival).publish(input)).rejects.toMatchObject({
      name: 'VoidPlan',
      reason: `another writer changed 2026-05-01 in ${root}/curated meanwhile`,
    });
    expect(await tableAt(contract).publish(input)).toMatchObject({ version: 2 });
    expect(await rowsOf(root)).toEqual([['2026-05-01', 'two', 2]]);
    const { overwritten, warnings } = await tableAt(contract).report();
    const [by] = overwritten![0]!.commits;
    expect(overwritten).toEqual([
      {
        table: 'curated',
        date: '2026-05-01',
        added: { files: 1, rows: 1 },
        removed: { files: 0, rows: 0 },
        commits: [{ version: 1, operation: 'WRITE', engine: expect.stringMatching(/^delta-rs/) }],
      },
    ]);
    expect(warnings).toEqual([
      `Other writers had changed 1 partition of the curated table that this version overwrote (2026-05-01): they had added 1 file (1 row), in version 1 (WRITE by ${by!.engine}). Version 1 of the Delta table shows what they had made of it, until it is vacuumed.`,
    ]);
  });

  it('is void where the other changed the same partitions and left nothing of it but a checkpoint', async () => {
    const contract = contractFor(await newRoot());
    const root = contract.publish.path;
    await publishTo(contract, 'one', [{ date: '2026-05-01' }, { date: '2026-05-02' }]);
    await append(root, '2026-05-01');
    const base = await tableAt(contract).read();
    const input = await stage({ contract, base, requestId: 'two', outcomes: [{ date: '2026-05-01', published: 2 }] });
    const rival = withRival(root, 0, async () => {
      await append(root, '2026-05-01');
      await python(`from deltalake import DeltaTable\nDeltaTable(input).create_checkpoint()`, join(root, 'curated'));
      await rm(logFile(root, 0));
      await rm(logFile(root, 1));
    });
    await expect(tableAt(contract, {}, rival).publish(input)).rejects.toMatchObject({
      name: 'VoidPlan',
      reason: `another writer changed 2026-05-01 in ${root}/curated meanwhile`,
    });
    expect(await tableAt(contract).publish(input)).toMatchObject({ version: 2 });
    expect(await rowsOf(root)).toEqual([
      ['2026-05-01', 'two', 2],
      ['2026-05-02', 'one', 1],
    ]);
    expect((await tableAt(contract).report()).overwritten).toMatchObject([
      { added: { files: 2, rows: 2 }, commits: [{ version: 2, operation: null, engine: null }] },
    ]);
  });

  it('leaves partitions alone that it does not publish, and says what it overwrites in those that it does', async () => {
    const contract = contractFor(await newRoot());
    const root = contract.publish.path;
    await publishTo(contract, 'one', [
      { date: '2026-05-01', published: 1, quarantined: 1 },
      { date: '2026-05-02', published: 2 },
      { date: '2026-05-03', published: 3 },
    ]);
    await append(root, '2026-05-01');
    await python(
      `
from deltalake import DeltaTable
DeltaTable(input + '/curated').delete("date = '2026-05-02'")
DeltaTable(input + '/curated').update(predicate="date = '2026-05-03'", updates={'request': "'updated'"})
DeltaTable(input + '/quarantine').delete()`,
      root,
    );
    await append(root, '2026-05-09');
    const left = [
      ['2026-05-01', 'foreign', 1],
      ['2026-05-01', 'one', 1],
      ['2026-05-03', 'updated', 3],
      ['2026-05-09', 'foreign', 1],
    ];
    expect(await rowsOf(root)).toEqual(left);
    // 2026-05-09 was never published.
    await publishTo(contract, 'two', [{ date: '2026-05-04' }]);
    expect((await tableAt(contract).report()).overwritten).toBeUndefined();
    expect(await rowsOf(root)).toEqual([...left.slice(0, 3), ['2026-05-04', 'two', 1], ...left.slice(3)]);

    await publishTo(
      contract,
      'three',
      ['2026-05-01', '2026-05-02', '2026-05-03', '2026-05-09'].map((date) => ({ date })),
    );
    const none = { files: 0, rows: 0 };
    const by = (version: number, operation: string) => [
      { version, operation, engine: expect.stringMatching(/^delta-rs/) },
    ];
    const curated = { table: 'curated', removed: none };
    expect((await tableAt(contract).report()).overwritten).toEqual([
      { ...curated, date: '2026-05-01', added: { files: 1, rows: 1 }, commits: by(1, 'WRITE') },
      { ...curated, date: '2026-05-02', added: none, removed: { files: 1, rows: 2 }, commits: by(2, 'DELETE') },
      {
        ...curated,
        date: '2026-05-03',
        added: { files: 1, rows: 3 },
        removed: { files: 1, rows: 3 },
        commits: by(3, 'UPDATE'),
      },
      { ...curated, date: '2026-05-09', added: { files: 1, rows: 1 }, commits: by(4, 'WRITE') },
      {
        table: 'quarantine',
        date: '2026-05-01',
        added: none,
        removed: { files: 1, rows: 1 },
        commits: by(1, 'DELETE'),
      },
    ]);
    expect((await tableAt(contract).verify()).faults).toEqual([]);
    await publishTo(contract, 'four', [{ date: '2026-05-01' }]);
    expect((await tableAt(contract).report()).overwritten).toBeUndefined();
  });

  it('is void where the other is of Tidegate; of many on one version one goes through', async () => {
    const contract = contractFor(await newRoot());
    await tableAt(contract).claimFolder();
    const base = await tableAt(contract).read();
    const inputs = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        stage({ contract, base, requestId: `request ${index}`, outcomes: [{ date: '2026-05-01' }] }),
      ),
    );
    const outcomes = await Promise.allSettled(inputs.map((input) => tableAt(contract).publish(input)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'VoidPlan' });
    }
    expect(await tableAt(contract).history()).toHaveLength(1);
  });

  it('is void where the other is of Tidegate, at whichever storage operation they meet', async () => {
    const contract = contractFor(await newRoot());
    await publishTo(contract, 'one', [{ date: '2026-05-01' }]);
    const base = await tableAt(contract).read();
    const publishOf = async (requestId: string): Promise<Act> => {
      const input = await stage({ contract, base, requestId, outcomes: [{ date: '2026-05-01' }] });
      return (copy, store) => tableAt(copy, {}, store).publish(input);
    };
    const [mine, theirs] = [await publishOf('mine'), await publishOf('theirs')];
    const others: string[] = [];
    const other: Act = (copy) =>
      theirs(copy).then(
        () => others.push('done'),
        (error: Error) => others.push(error.name),
      );
    const ends = await meetings(contract, mine, other, async (copy) => {
      const requests = (await tableAt(copy).history()).map(({ requestId }) => requestId);
      expect(requests).toEqual([others.at(-1) === 'done' ? 'theirs' : 'mine', 'one']);
      expect((await tableAt(copy).verify()).faults).toEqual([]);
    });
    expect([...ends.keys()].toSorted()).toEqual(['VoidPlan', 'done']);
    expect(others.filter((end) => end === 'done')).toHaveLength(ends.get('VoidPlan')!);
    expect(others.filter((end) => end === 'VoidPlan')).toHaveLength(ends.get('done')!);
  });

  it('lets one request through once when it is published twice at the same time', async () => {
    const contract = contractFor(await newRoot());
    await tableAt(contract).claimFolder();
    const base = await tableAt(contract).read();
    const input = await stage({ contract, base, requestId: 'one', outcomes: [{ date: '2026-05-01' }] });
    const commits = await Promise.all(Array.from({ length: 6 }, () => tableAt(contract).publish(input)));
    expect(new Set(commits.map(({ version }) => version))).toEqual(new Set([1]));
    expect(await tableAt(contract).history()).toHaveLength(1);
  });
});

describe('a table that is refused', () => {
  it('is one that Tidegate did not make, with the reason', async () => {
    const contract = contractFor(await newRoot());
    const root = contract.publish.path;
    await python(
      `import pyarrow as pa\nfrom deltalake import write_deltalake\nwrite_deltalake(input, pa.table({'a': [1]}))`,
      root,
    );
    await expect(tableAt(contract).read()).rejects.toMatchObject({
      type: 'TargetError',
      message: expect.stringContaining('it holds a Delta table that Tidegate did not make'),
    });
    await rm(root, { recursive: true });
    await tableAt(contract).claimFolder();
    await mkdir(join(root, 'curated', '_delta_log'), { recursive: true });
    await writeFile(logFile(root, 0), '{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}\n');
    await expect(tableAt(contract).read()).rejects.toThrow(/curated is a Delta table that Tidegate did not make/);
  });

  it('is one with a feature, a version or columns that are not ours', async () => {
    const contract = contractFor(await newRoot());
    const root = contract.publish.path;
    await publishTo(contract, 'one', [{ date: '2026-05-01' }]);
    const first = (await readFile(logFile(root, 0), 'utf8')).split('\n').map((line) => JSON.parse(line || '{}'));
    const { metaData } = first.find((action: { metaData?: unknown }) => action.metaData !== undefined);
    const protocol = { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: [], writerFeatures: [] };
    const cases: [object, RegExp][] = [
      [
        { protocol: { ...protocol, readerFeatures: ['deletionVectors'], writerFeatures: ['deletionVectors'] } },
        /has the table feature deletionVectors, which Tidegate does not implement/,
      ],
      [{ protocol: { ...protocol, writerFeatures: ['rowTracking'] } }, /has the table feature rowTracking/],
      [{ protocol: { minReaderVersion: 2, minWriterVersion: 5 } }, /needs reader version 2 and writer version 5/],
      [{ metaData: { ...metaData, partitionColumns: [] } }, /is now partitioned by nothing; expected date/],
      [
        { metaData: { ...metaData, schemaString: metaData.schemaString.replace('"long"', '"string"') } },
        /the columns of .* were changed by another writer/,
      ],
      [
        { metaData: { ...metaData, configuration: { 'delta.appendOnly': 'true' } } },
        /has the table property delta.appendOnly/,
      ],
    ];
    for (const [action, message] of cases) {
      await writeFile(logFile(root, 1), `${JSON.stringify(action)}\n`);
      await expect(tableAt(contract).read()).rejects.toThrow(message);
    }
    await writeFile(
      logFile(root, 1),
      `${JSON.stringify({ metaData: { ...metaData, description: 'mine' }, news: {} })}\n`,
    );
    expect((await tableAt(contract).read()).version).toBe(1);
  });

  it('belongs to another pipeline', async () => {
    const contract = contractFor(await newRoot());
    await publishTo(contract, 'one', [{ date: '2026-05-01' }]);
    await expect(tableAt({ ...contract, pipeline: 'other' }).read()).rejects.toThrow(
      /belongs to the pipeline "transactions"/,
    );
  });
});

describe('a log that others cleaned up', () => {
  it('is read from a checkpoint in several parts, where the newest commit of ours is gone', async () => {
    const contract = contractFor(await newRoot());
    const root = contract.publish.path;
    await publishTo(contract, 'one', [{ date: '2026-05-01' }]);
    await publishTo(contract, 'two', [{ date: '2026-05-02', quarantined: 1 }]);
    await append(root, '2026-05-09');
    await python(
      `
import json, os, pyarrow as pa, pyarrow.parquet as pq
from deltalake import DeltaTable
DeltaTable(input).create_checkpoint()
log = input + '/_delta_log/'
name = f'{2:020}.checkpoint'
table = pq.read_table(log + name + '.parquet')
half = table.num_rows // 2
pq.write_table(table.slice(0, half), log + name + f'.{1:010}.{2:010}.parquet')
pq.write_table(table.slice(half), log + name + f'.{2:010}.{2:010}.parquet')
os.remove(log + name + '.parquet')
last = json.load(open(log + '_last_checkpoint'))
last['parts'] = 2
last.pop('checksum', None)
json.dump(last, open(log + '_last_checkpoint', 'w'))
for v in range(3): os.remove(log + f'{v:020}.json')
`,
      join(root, 'curated'),
    );
    expect((await readdir(join(root, 'curated', '_delta_log'))).filter((name) => name.endsWith('.json'))).toEqual([]);
    // As if the publisher had died right after its commit, too: only the log's checkpoint names the state.
    for (const name of ['newest.json', 'commits', 'requests']) {
      await rm(join(root, '_tidegate', name), { recursive: true, force: true });
    }
    const table = tableAt(contract);
    expect(await table.read()).toMatchObject({ version: 2, watermark: '2026-05-02' });
    expect((await table.find('two'))?.version).toBe(2);
    expect((await publishTo(contract, 'three', [{ date: '2026-05-09' }])).version).toBe(3);
    // Whose it was went with the log.
    expect((await table.report()).overwritten).toEqual([
      {
        table: 'curated',
        date: '2026-05-09',
        added: { files: 1, rows: 1 },
        removed: { files: 0, rows: 0 },
        commits: [{ version: 2, operation: null, engine: null }],
      },
    ]);
    await expect(table.pathOf()).resolves.toMatchObject({ deltaVersions: { curated: 3 } });
    // Without the pointer the folder is listed.
    await rm(join(root, 'curated', '_delta_log', '_last_checkpoint'));
    await rm(join(root, '_tidegate', 'newest.json'));
    expect((await tableAt(contract).read()).version).toBe(3);
  });
});
