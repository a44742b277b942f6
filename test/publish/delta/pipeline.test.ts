import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadContract } from '../../../src/contract';
import { openTable } from '../../../src/publish';
import { oracle, type Row } from '../../support/oracle';
import { python } from '../../support/python';
import { runPipeline } from '../../support/run-pipeline';
import { contractYaml, land, transaction, transactions } from '../../support/transactions';

jest.setTimeout(180_000);

/** All rows of a Delta table in a version, as texts, by deltalake: the date first, as the oracle has them. */
const READ = `
from deltalake import DeltaTable
t = DeltaTable(input['path'], version=input['version']).to_pyarrow_table().to_pylist()
output = sorted(([str(r['date']), r['transaction_id'], r['user_id'], r['amount'], r.get('_violations'), r.get('_source_file'), r.get('_source_row')] for r in t), key=str)
`;
type Line = [string, string, string | null, number | null, string[] | null, string | null, number | null];

test('runs of a pipeline publish to Delta what the oracle expects; rollback, verify and vacuum do the rest', async () => {
  const root = await mkdtemp(join(tmpdir(), 'tidegate-delta-run-'));
  const raw = join(root, 'raw');
  const file = join(root, 'pipelines.yaml');
  const yaml = contractYaml({ scope: 'partition' })
    .replaceAll('../', './')
    .replace('format: directory', 'format: delta, keep: { versions: 1, days: 0 }')
    .replace('timestamp[ms]', 'timestamp[us]');
  await writeFile(file, yaml);
  const contract = await loadContract(file);
  const table = openTable(contract);

  land(raw, '2026-05-01', [...transactions('a', 5), transaction('bad', { user_id: null })]);
  land(raw, '2026-05-02', transactions('b', 3));
  expect(await runPipeline(contract, 'one')).toMatchObject({ commit: { version: 1 }, totals: { quarantined: 1 } });
  await expectEqualsOracle(1);
  land(raw, '2026-05-02', [transaction('b-0', { amount: -1, updated_at: Date.UTC(2026, 4, 3) })], 'part-1.parquet');
  land(raw, '2026-05-03', transactions('c', 2));
  expect(await runPipeline(contract, 'two')).toMatchObject({ commit: { version: 2 } });
  await expectEqualsOracle(2);
  expect((await table.verify()).faults).toEqual([]);
  const second = await rows('curated', 2);

  // Rolling back brings the files of the first version into a third; nothing of theirs may be vacuumed.
  const first = await rows('curated', 1);
  await table.rollback({ requestId: 'back', run: 'abcdef', to: 1 });
  expect(await rows('curated', 3)).toEqual(first);
  expect((await table.verify()).faults).toEqual([]);
  expect(await table.read()).toMatchObject({ version: 3, watermark: '2026-05-02' });
  expect((await table.report()).kind).toBe('rollback');

  const later = new Date(Date.now() + 3_600_000);
  const dry = await table.vacuum({ dryRun: true, olderThanHours: 0, now: later });
  expect(dry.versions).toEqual([1, 2]);
  expect(await rows('curated', 2)).toEqual(second);
  const gone = await table.vacuum({ dryRun: false, olderThanHours: 0, now: later });
  expect(gone.removed.map(({ path }) => path)).toEqual(dry.removed.map(({ path }) => path));
  expect(await rows('curated', 3)).toEqual(first);
  expect((await table.verify()).faults).toEqual([]);
  await expect(table.pathOf({ version: 2 })).rejects.toThrow(/the data of version 2 was removed/);
  await expect(table.rollback({ requestId: 'again', run: 'abcdef', to: 2 })).rejects.toThrow(
    /was removed by retention/,
  );
  expect((await table.find('one'))?.version).toBe(1);

  // What somebody does to a file is found.
  const [partition] = (await table.read()).partitions.values();
  const damaged = join(contract.publish.path, partition!.curated[0]!.path);
  const bytes = await readFile(damaged);
  bytes[20] = bytes[20]! ^ 0xff;
  await writeFile(damaged, bytes);
  expect((await table.verify()).faults).toMatchObject([{ check: 'digest' }]);

  async function rows(kind: 'curated' | 'quarantine', version: number): Promise<Line[]> {
    const { deltaVersions } = await table.pathOf({ version });
    return python(READ, { path: join(contract.publish.path, kind), version: deltaVersions![kind] });
  }

  async function expectEqualsOracle(version: number): Promise<void> {
    const expected = await oracle({ contract });
    const names = ['transaction_id', 'user_id', 'amount'].map(
      (name) => 1 + contract.columns.findIndex((column) => column.name === name),
    );
    const width = contract.columns.length + 1;
    const toLine = (row: Row): unknown[] => [
      row[0],
      ...names.map((at) => row[at]),
      ...(row.length > width ? row.slice(width) : [null, null, null]),
    ];
    const text = (lines: readonly unknown[][]): string[] =>
      lines.map((line) => JSON.stringify(line.map((value) => normal(value)))).toSorted();
    for (const kind of ['curated', 'quarantine'] as const) {
      expect(text(await rows(kind, version))).toEqual(text(expected[kind].map(toLine)));
    }
  }
});

/** The oracle gives numbers as texts. */
const normal = (value: unknown): unknown =>
  value === null || Array.isArray(value) || Number.isNaN(Number(value)) ? value : Number(value);
