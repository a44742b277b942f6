import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runOf } from '../../../src/publish';
import { contractFor, day, newRoot, publishTo, tableAt } from './support';
import { python } from '../../support/python';

jest.setTimeout(180_000);

/** What other readers see in each version of a Delta table: rows by partition and request. */
const READ = `
import polars as pl
from deltalake import DeltaTable
def count(frame):
    got = frame.group_by('date', 'request').len().sort('date', 'request')
    return [[str(d), r, n] for d, r, n in got.rows()]
versions = {}
for v in input['versions']:
    by_arrow = count(pl.from_arrow(DeltaTable(input['path'], version=v).to_pyarrow_table()))
    by_polars = count(pl.scan_delta(input['path'], version=v).collect())
    assert by_arrow == by_polars, (by_arrow, by_polars)
    versions[str(v)] = by_polars
output = versions
`;
const readVersions = (path: string, versions: number[]) =>
  python<Record<string, [string, string, number][]>>(READ, { path, versions });

/** The `commitInfo` of a version of one of the two tables, as it stands in the log. */
async function commitInfoOf(path: string, kind: 'curated' | 'quarantine', version: number): Promise<CommitInfo> {
  const name = `${String(version).padStart(20, '0')}.json`;
  const lines = (await readFile(join(path, kind, '_delta_log', name), 'utf8')).trim().split('\n');
  const infos = lines.flatMap((line) => (JSON.parse(line) as { commitInfo?: CommitInfo }).commitInfo ?? []);
  expect(infos).toHaveLength(1);
  return infos[0]!;
}
interface CommitInfo {
  readonly tidegate: { readonly state: string };
}

describe('a Delta table of ours', () => {
  it('is read by deltalake and Polars in every version, both tables', async () => {
    const contract = contractFor(await newRoot());
    const path = contract.publish.path;
    await publishTo(contract, 'one', [
      { date: '2026-05-01', published: 3, quarantined: 1 },
      { date: '2026-05-02', published: 2 },
    ]);
    await publishTo(contract, 'two', [{ date: '2026-05-02', published: 5, quarantined: 2, superseded: 1 }]);
    await publishTo(contract, 'three', [{ date: '2026-05-01', published: 0, quarantined: 4 }]);
    expect(await readVersions(join(path, 'curated'), [0, 1, 2])).toEqual({
      0: [
        ['2026-05-01', 'one', 3],
        ['2026-05-02', 'one', 2],
      ],
      1: [
        ['2026-05-01', 'one', 3],
        ['2026-05-02', 'two', 5],
      ],
      2: [['2026-05-02', 'two', 5]],
    });
    expect(await readVersions(join(path, 'quarantine'), [0, 1, 2])).toEqual({
      0: [['2026-05-01', 'one', 1]],
      1: [
        ['2026-05-01', 'one', 1],
        ['2026-05-02', 'two', 2],
      ],
      2: [
        ['2026-05-01', 'three', 4],
        ['2026-05-02', 'two', 2],
      ],
    });
    const table = tableAt(contract);
    expect((await table.history()).map(({ requestId }) => requestId)).toEqual(['three', 'two', 'one']);
    expect(await table.pathOf({ version: 2 })).toMatchObject({ deltaVersions: { curated: 1, quarantine: 1 } });
    expect((await table.report(2)).totals.published).toBe(5);
  });

  it('loses a removed partition in both tables, for every reader, and keeps it in the versions before', async () => {
    const contract = contractFor(await newRoot());
    const path = contract.publish.path;
    await publishTo(contract, 'one', [
      { date: '2026-05-01', published: 3, quarantined: 1 },
      { date: '2026-05-02', published: 2, quarantined: 2 },
    ]);
    const commit = await publishTo(contract, 'two', [], undefined, ['2026-05-01']);
    expect(commit).toMatchObject({ version: 2, partitions: 0, removed: 1 });
    expect(await readVersions(join(path, 'curated'), [0, 1])).toEqual({
      0: [
        ['2026-05-01', 'one', 3],
        ['2026-05-02', 'one', 2],
      ],
      1: [['2026-05-02', 'one', 2]],
    });
    expect(await readVersions(join(path, 'quarantine'), [1])).toEqual({ 1: [['2026-05-02', 'one', 2]] });
    const table = tableAt(contract);
    expect([...(await table.read()).partitions.keys()]).toEqual(['2026-05-02']);
    expect((await table.report()).removed).toEqual([
      { date: '2026-05-01', reason: 'gone', published: 3, quarantined: 1 },
    ]);
    await publishTo(contract, 'three', [{ date: '2026-05-01', published: 7 }]);
    await table.rollback({ requestId: 'four', run: 'abc', to: 2 });
    expect([...(await table.read()).partitions.keys()]).toEqual(['2026-05-02']);
  });

  it('says with each commit what made it, on which plan and watermark, and which state file it names', async () => {
    const contract = contractFor(await newRoot());
    const path = contract.publish.path;
    const commits = [
      await publishTo(contract, 'one', [{ date: '2026-05-01', quarantined: 1 }]),
      await publishTo(contract, 'two', [{ date: '2026-05-02' }]),
      await tableAt(contract).rollback({ requestId: 'back', run: runOf('back'), to: 1 }),
    ];
    const write = { operation: 'WRITE', operationParameters: { mode: 'Overwrite', partitionBy: '["date"]' } };
    const made = [
      { ...write, kind: 'incremental', watermark: { before: null, after: '2026-05-01' } },
      { ...write, kind: 'incremental', watermark: { before: '2026-05-01', after: '2026-05-02' } },
      {
        operation: 'RESTORE',
        operationParameters: { version: '1' },
        kind: 'rollback',
        watermark: { before: '2026-05-02', after: '2026-05-01' },
      },
    ];
    for (const [index, commit] of commits.entries()) {
      const { version, requestId, planDigest, committedAt } = commit;
      const { operation, operationParameters, kind, watermark } = made[index]!;
      const info = await commitInfoOf(path, 'curated', index);
      const record = JSON.parse(await readFile(join(path, '_tidegate/commits', `0000000${version}.json`), 'utf8'));
      expect(info).toEqual({
        timestamp: Date.parse(committedAt),
        operation,
        operationParameters,
        isBlindAppend: false,
        engineInfo: 'tidegate',
        tidegate: {
          pipeline: contract.pipeline,
          version: index + 1,
          requestId,
          run: runOf(requestId),
          kind,
          planDigest,
          watermark,
          state: record.state,
        },
      });
      expect(planDigest).toMatch(/^[0-9a-f]{64}$/);
      const state = JSON.parse(await readFile(join(path, info.tidegate.state), 'utf8'));
      expect(state).toMatchObject({ commit, deltaVersion: index });
      expect(await commitInfoOf(path, 'quarantine', index)).toEqual(info);
    }
    // Another reader shows it.
    const shown = await python<{ tidegate: object }[]>(
      `
from deltalake import DeltaTable
output = [{'tidegate': commit.get('tidegate')} for commit in DeltaTable(input + '/curated').history()]
`,
      path,
    );
    const infos = await Promise.all([2, 1, 0].map((version) => commitInfoOf(path, 'curated', version)));
    expect(shown).toEqual(infos.map(({ tidegate }) => ({ tidegate })));
  });

  it('goes on after deltalake appended, compacted, checkpointed and cleaned up', async () => {
    const contract = contractFor(await newRoot());
    const path = contract.publish.path;
    await publishTo(contract, 'one', [
      { date: '2026-05-01', published: 3, quarantined: 1 },
      { date: '2026-05-02', published: 2, quarantined: 1 },
    ]);
    await publishTo(contract, 'two', [{ date: '2026-05-03', published: 1, quarantined: 1 }]);
    await python(
      `
import datetime, pyarrow as pa
from deltalake import DeltaTable, write_deltalake
for kind in ['curated', 'quarantine']:
    path = input['path'] + '/' + kind
    d = lambda t: datetime.date.fromisoformat(t)
    for date in ['2026-05-03', '2026-05-09', '2026-05-09']:
        columns = {'id': pa.array([7], pa.int64()), 'request': ['foreign'], 'date': [d(date)]}
        if kind == 'quarantine':
            columns.update({'_violations': pa.array([['x']]), '_source_file': ['f'], '_source_row': pa.array([1], pa.int64())})
        write_deltalake(path, pa.table(columns), mode='append')
    t = DeltaTable(path)
    t.optimize.compact()
    t.create_checkpoint()
    t = DeltaTable(path)
    t.alter.set_table_properties({'delta.logRetentionDuration': 'interval 0 seconds'})
    t = DeltaTable(path)
    t.create_checkpoint()
    t.cleanup_metadata()
import os
output = sorted(os.listdir(input['path'] + '/curated/_delta_log'))
`,
      { path },
    ).then((names) => expect(names).not.toContain('00000000000000000000.json'));

    const before = await tableAt(contract).read();
    expect(before.version).toBe(2);
    // Rewrites a partition that was appended to and compacted; leaves the other one as it is.
    await publishTo(contract, 'three', [{ date: '2026-05-03', published: 4, quarantined: 2 }]);
    const last = (await tableAt(contract).pathOf()).deltaVersions!;
    expect((await readVersions(join(path, 'curated'), [last.curated]))[last.curated]).toEqual([
      ['2026-05-01', 'one', 3],
      ['2026-05-02', 'one', 2],
      ['2026-05-03', 'three', 4],
      ['2026-05-09', 'foreign', 2],
    ]);
    expect((await readVersions(join(path, 'quarantine'), [last.quarantine!]))[last.quarantine!]).toEqual([
      ['2026-05-01', 'one', 1],
      ['2026-05-02', 'one', 1],
      ['2026-05-03', 'three', 2],
      ['2026-05-09', 'foreign', 2],
    ]);
    // And once more: what others did is part of the state by now.
    await publishTo(contract, 'four', [{ date: '2026-05-09', published: 1, quarantined: 1 }]);
    // Of another version before, whose log is gone: of the two tables what was done is known, not by whom.
    const lost = [expect.objectContaining({ operation: null, engine: null })];
    const told = { date: '2026-05-09', added: { files: 1, rows: 2 }, removed: { files: 0, rows: 0 }, commits: lost };
    expect((await tableAt(contract).report()).overwritten).toEqual([
      { table: 'curated', ...told },
      { table: 'quarantine', ...told },
    ]);
    const newest = (await tableAt(contract).pathOf()).deltaVersions!;
    expect((await readVersions(join(path, 'curated'), [newest.curated]))[newest.curated]?.at(-1)).toEqual([
      '2026-05-09',
      'four',
      1,
    ]);
    expect((await readVersions(join(path, 'quarantine'), [newest.quarantine!]))[newest.quarantine!]?.at(-1)).toEqual([
      '2026-05-09',
      'four',
      1,
    ]);
    expect((await tableAt(contract).find('one'))?.version).toBe(1);
  });

  it('is all under its path: a copy goes on as the table itself would', async () => {
    const contract = contractFor(await newRoot());
    await publishTo(contract, 'one', [{ date: '2026-05-01' }]);
    await publishTo(contract, 'two', [{ date: '2026-05-02' }]);
    const copy = contractFor(`${contract.publish.path}-copy`);
    await cp(contract.publish.path, copy.publish.path, { recursive: true });
    await rm(contract.publish.path, { recursive: true });
    const state = await tableAt(copy).read();
    expect(state).toMatchObject({ version: 2, watermark: '2026-05-02' });
    expect(state.partitions.get(day('2026-05-01'))?.files[0]?.path).toBe('date=2026-05-01/a.parquet');
    expect((await tableAt(copy).find('one'))?.version).toBe(1);
    expect((await publishTo(copy, 'three', [{ date: '2026-05-01' }])).version).toBe(3);
  });
});
