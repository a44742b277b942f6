import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import type { Contract } from '../../../src/contract/contract';
import { localStore, type ObjectStore } from '../../../src/storage';
import { python } from '../../support/python';
import { contractFor, newRoot, plainRows, publishTo, type Rows, stage, tableAt } from './support';

/* What others do to a Delta table as a whole: its properties, its features, its identity. */

jest.setTimeout(180_000);

const KINDS = ['curated', 'quarantine'] as const;
const logFile = (root: string, version: number, kind = 'curated'): string =>
  join(root, kind, '_delta_log', `${String(version).padStart(20, '0')}.json`);

/** With one more column, of a type that needs a table feature. */
const wider = (contract: Contract): Contract => ({
  ...contract,
  columns: [...contract.columns, { name: 'at', type: { kind: 'timestamp', unit: 'us', zoned: false } }],
});
const widerRows: Rows = (kind, content) => {
  const frame = plainRows(kind, content);
  const at = pl.lit(0).cast(pl.Datetime('us')).alias('at');
  const names = ['id', 'request', 'at', ...(kind === 'curated' ? [] : ['_violations', '_source_file', '_source_row'])];
  return frame.withColumns(at).select(...names);
};
const BOTH = [
  { date: '2026-05-01', published: 2, quarantined: 1 },
  { date: '2026-05-02', published: 3, quarantined: 2 },
];

interface Seen {
  readonly configuration: Record<string, string>;
  readonly description: string | null;
  readonly name: string;
  readonly id: string;
  readonly readers: readonly string[];
  readonly writers: readonly string[];
  readonly columns: readonly string[];
  /** By deltalake and by Polars. */
  readonly rows: readonly [number, number];
}
const look = (path: string): Promise<Seen> =>
  python(
    `
import polars as pl
from deltalake import DeltaTable
t = DeltaTable(input)
m, p = t.metadata(), t.protocol()
output = {'configuration': m.configuration, 'description': m.description, 'name': m.name, 'id': str(m.id),
  'readers': sorted(p.reader_features or []), 'writers': sorted(p.writer_features or []),
  'columns': [f.name for f in t.schema().fields],
  'rows': [t.to_pyarrow_table().num_rows, pl.scan_delta(input).collect().height]}`,
    path,
  );
const alter = (path: string, properties: Record<string, string>): Promise<void> =>
  python(
    `
from deltalake import DeltaTable
t = DeltaTable(input['path'])
t.alter.set_table_properties(input['properties'])
t = DeltaTable(input['path'])
t.alter.set_table_description('kept by the team')`,
    { path, properties },
  );

const requests = (path: string): Promise<unknown[]> =>
  python(
    `
import polars as pl
output = pl.scan_delta(input).select('request').unique().collect().to_series().to_list()`,
    path,
  );

const PROPERTIES = { 'delta.logRetentionDuration': 'interval 60 days', 'delta.appendOnly': 'false' };

describe('a restate with other columns keeps what others made of the table', () => {
  it.each(['at once', 'after a commit of ours', 'after a checkpoint and log clean-up'])('%s', async (when) => {
    const contract = contractFor(await newRoot());
    const root = contract.publish.path;
    await publishTo(contract, 'one', BOTH);
    const before = await Promise.all(KINDS.map((kind) => look(join(root, kind))));
    for (const kind of KINDS) await alter(join(root, kind), PROPERTIES);
    if (when !== 'at once') await publishTo(contract, 'two', [BOTH[0]!]);
    if (when === 'after a checkpoint and log clean-up') {
      await python(
        `
import os
from deltalake import DeltaTable
for kind in ['curated', 'quarantine']:
    path = f'{input}/{kind}'
    DeltaTable(path).create_checkpoint()
    for v in range(DeltaTable(path).version() + 1): os.remove(f'{path}/_delta_log/{v:020}.json')`,
        root,
      );
    }
    const altered = await Promise.all(KINDS.map((kind) => look(join(root, kind))));
    expect(altered[0]).toMatchObject({ configuration: PROPERTIES, columns: ['id', 'request', 'date'] });

    await publishTo(wider(contract), 'restated', BOTH, widerRows);
    for (const [index, kind] of KINDS.entries()) {
      const { id, name } = before[index]!;
      const after = await look(join(root, kind));
      expect(after).toMatchObject({ id, name, configuration: PROPERTIES, description: 'kept by the team' });
      expect(after.columns).toContain('at');
      expect(after.rows).toEqual(kind === 'curated' ? [5, 5] : [3, 3]);
      // Those that others turned on, and the one that the new column needs.
      expect(after.readers).toEqual([...new Set([...altered[index]!.readers, 'timestampNtz'])].toSorted());
      expect(after.writers).toEqual([...new Set([...altered[index]!.writers, 'timestampNtz'])].toSorted());
    }
    expect(altered[0]!.writers).not.toEqual([]);

    // And back: a protocol is never lowered.
    await publishTo(contract, 'back', BOTH);
    const back = await look(join(root, 'curated'));
    expect(back).toMatchObject({ configuration: PROPERTIES, columns: ['id', 'request', 'date'], rows: [5, 5] });
    expect(back.readers).toContain('timestampNtz');
    expect((await tableAt(contract).verify()).faults).toEqual([]);
  });

  it('be it that they did so between the commit and the quarantine that follows', async () => {
    const contract = contractFor(await newRoot());
    const root = contract.publish.path;
    await publishTo(contract, 'one', BOTH);
    const base = await tableAt(contract).read();
    const input = await stage({
      contract: wider(contract),
      base,
      requestId: 'restated',
      outcomes: BOTH,
      rows: widerRows,
    });
    const inner = localStore(root);
    let altered = false;
    const store: ObjectStore = {
      ...inner,
      putIfAbsent: async (key, data) => {
        if (key.startsWith('quarantine/_delta_log/') && !altered) {
          altered = true;
          await alter(join(root, 'quarantine'), PROPERTIES);
        }
        return inner.putIfAbsent(key, data);
      },
    };
    await tableAt(wider(contract), {}, store).publish(input);
    expect(altered).toBe(true);
    expect(await look(join(root, 'quarantine'))).toMatchObject({
      configuration: PROPERTIES,
      description: 'kept by the team',
      rows: [3, 3],
    });
    await publishTo(contract, 'back', BOTH);
    expect(await look(join(root, 'quarantine'))).toMatchObject({ configuration: PROPERTIES, rows: [3, 3] });
  });

  it('and a commit with the same columns says nothing of them', async () => {
    const contract = contractFor(await newRoot());
    const root = contract.publish.path;
    await publishTo(contract, 'one', BOTH);
    for (const kind of KINDS) await alter(join(root, kind), PROPERTIES);
    await publishTo(contract, 'two', BOTH);
    for (const kind of KINDS) {
      const text = await readFile(logFile(root, 3, kind), 'utf8');
      expect(text).toContain('"add"');
      expect(text).not.toMatch(/"metaData"|"protocol"/);
    }
  });
});

it('a rollback brings the columns of the version back too, for every reader, whatever the contract says by now', async () => {
  const path = await newRoot();
  const contract = contractFor(path);
  await publishTo(contract, 'one', BOTH);
  const before = await look(join(path, 'curated'));
  // The same name, of another type: files of both could not be read together.
  const other: Contract = {
    ...contract,
    columns: [contract.columns[0]!, { name: 'request', type: { kind: 'int32' } }],
  };
  const otherRows: Rows = (kind, content) =>
    plainRows(kind, content).withColumns(pl.lit(7).cast(pl.Int32).alias('request'));
  await publishTo(other, 'two', BOTH, otherRows);
  await tableAt(other).rollback({ requestId: 'back', run: 'abc', to: 1 });
  const after = await look(join(path, 'curated'));
  expect(after).toEqual(before);
  expect(await look(join(path, 'quarantine'))).toMatchObject({ rows: [3, 3] });
  expect(await requests(join(path, 'curated'))).toEqual(['one']);
  expect((await tableAt(contract).verify()).faults).toEqual([]);

  await publishTo(other, 'four', BOTH, otherRows);
  expect(await requests(join(path, 'curated'))).toEqual([7]);
  expect((await tableAt(other).verify()).faults).toEqual([]);
});

describe('a table that others replaced by one with the same columns is refused, with the reason:', () => {
  const create = (path: string, how: 'overwrite' | 'error', appends = 0): Promise<void> =>
    python(
      `
import datetime, pyarrow as pa
from deltalake import DeltaTable, Schema, write_deltalake
from deltalake.schema import *
def f(name, type): return Field(name, PrimitiveType(type), nullable=True)
fields = [f('id', 'long'), f('request', 'string')]
if 'quarantine' in input['path']:
    fields += [Field('_violations', ArrayType(PrimitiveType('string'), True), nullable=True), f('_source_file', 'string'), f('_source_row', 'long')]
DeltaTable.create(input['path'], Schema(fields + [f('date', 'date')]), mode=input['how'], partition_by=['date'])
for n in range(input['appends']):
    columns = {'id': pa.array([n], pa.int64()), 'request': ['theirs'], 'date': [datetime.date(2026, 5, 1)]}
    write_deltalake(input['path'], pa.table(columns), mode='append', schema_mode='merge')`,
      { path, how, appends },
    );
  const REPLACED = /another writer replaced the Delta table .*/;

  let contract: Contract;
  let root: string;
  beforeEach(async () => {
    contract = contractFor(await newRoot());
    root = contract.publish.path;
    await publishTo(contract, 'one', BOTH);
    await publishTo(contract, 'two', [BOTH[0]!]);
  });

  it('curated, by a commit on top of ours', async () => {
    await create(join(root, 'curated'), 'overwrite');
    await expect(tableAt(contract).read()).rejects.toMatchObject({
      type: 'TargetError',
      message: expect.stringMatching(
        /another writer replaced .*\/curated by a table of its own: its id is [-0-9a-f]+; expected/,
      ),
    });
    await expect(publishTo(contract, 'three', BOTH)).rejects.toThrow(REPLACED);
  });

  it.each([0, 1, 2, 5])('curated, by another log with %d appends', async (appends) => {
    await rm(join(root, 'curated'), { recursive: true });
    await create(join(root, 'curated'), 'error', appends);
    const failure = tableAt(contract).read();
    if (appends === 0)
      await expect(failure).rejects.toMatchObject({
        type: 'CorruptTable',
        message: expect.stringMatching(/0001\.json is gone, which Tidegate committed: .* or replaced/),
      });
    else await expect(failure).rejects.toThrow(/version 1 of its log is not the one that Tidegate committed/);
  });

  it('curated, by another log that was checkpointed and cleaned up', async () => {
    await rm(join(root, 'curated'), { recursive: true });
    await create(join(root, 'curated'), 'error', 3);
    await python(
      `
import os
from deltalake import DeltaTable
DeltaTable(input).create_checkpoint()
for v in range(3): os.remove(f'{input}/_delta_log/{v:020}.json')`,
      join(root, 'curated'),
    );
    await expect(tableAt(contract).read()).rejects.toThrow(/by a table of its own: its id is/);
  });

  it('curated, gone', async () => {
    await rm(join(root, 'curated'), { recursive: true });
    await expect(tableAt(contract).read()).rejects.toThrow(/no longer holds version 0, nor a checkpoint/);
  });

  it('curated, gone after its first commit', async () => {
    const once = contractFor(await newRoot());
    await publishTo(once, 'one', BOTH);
    await rm(join(once.publish.path, 'curated'), { recursive: true });
    await expect(tableAt(once).read()).rejects.toThrow(/0000\.json is gone, which Tidegate committed/);
  });

  it('quarantine, by a commit on top of ours', async () => {
    await create(join(root, 'quarantine'), 'overwrite');
    await expect(publishTo(contract, 'three', BOTH)).rejects.toThrow(/quarantine by a table of its own: its id is/);
    expect((await tableAt(contract).read()).version).toBe(2);
  });

  it.each([0, 1, 5])('quarantine, by another log with %d appends', async (appends) => {
    await rm(join(root, 'quarantine'), { recursive: true });
    await create(join(root, 'quarantine'), 'error', appends);
    await expect(publishTo(contract, 'three', BOTH)).rejects.toThrow(
      /replaced by another writer|another writer replaced/,
    );
    expect((await tableAt(contract).read()).version).toBe(2);
  });

  it('but not one whose metadata others wrote anew', async () => {
    await alter(join(root, 'curated'), PROPERTIES);
    expect(await publishTo(contract, 'three', BOTH)).toMatchObject({ version: 3 });
  });

  it('nor is one of files of another format taken for ours', async () => {
    const first = (await readFile(logFile(root, 0), 'utf8')).split('\n').map((line) => JSON.parse(line || '{}'));
    const { metaData } = first.find((action: { metaData?: unknown }) => action.metaData !== undefined);
    await writeFile(
      logFile(root, 2),
      `${JSON.stringify({ metaData: { ...metaData, format: { provider: 'orc', options: {} } } })}\n`,
    );
    await expect(tableAt(contract).read()).rejects.toThrow(/are now of the format orc; expected parquet/);
  });
});
