import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pl from 'nodejs-polars';
import { planNow } from '../../src/activities';
import type { Contract } from '../../src/contract';
import { planDigest } from '../../src/discovery';
import { openTable } from '../../src/publish';
import { contractOf, int64, text } from '../engine/support';
import { type Row, readTables } from '../support/oracle';
import { python } from '../support/python';
import { reasonsOf } from '../support/reasons';
import { runPipeline } from '../support/run-pipeline';

interface Transaction {
  readonly id: number | null;
  readonly at: number;
  readonly receipt: string;
}

const [MAY_1, MAY_2, MAY_3] = ['2026-05-01', '2026-05-02', '2026-05-03'] as const;
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A pipeline in scope `table`, keyed by id, newest `at` first, receipts unique over the whole table. */
function newPipeline(format: Contract['publish']['format'], gone: 'keep' | 'remove' = 'keep'): Contract {
  const root = mkdtempSync(join(tmpdir(), 'tidegate-table-scope-'));
  folders.push(root);
  const contract = contractOf(root, {
    columns: [int64('id'), int64('at'), text('receipt')],
    scope: 'table',
    gates: [{ kind: 'unique', name: 'receipt_unique', columns: ['receipt'], scope: 'table' }],
  });
  return {
    ...contract,
    incremental: { ...contract.incremental, gone },
    publish: { ...contract.publish, format },
  };
}

function put(contract: Contract, date: string, rows: readonly Transaction[], file = 'a.parquet'): void {
  const path = join(contract.source.path, `date=${date}`, file);
  mkdirSync(dirname(path), { recursive: true });
  const column = (name: keyof Transaction, type: typeof pl.Int64 | typeof pl.Utf8): pl.Series =>
    pl.Series(
      name,
      rows.map((row) => row[name]),
      type,
    );
  pl.DataFrame([column('id', pl.Int64), column('at', pl.Int64), column('receipt', pl.Utf8)]).writeParquet(path);
}

const remove = (contract: Contract, date: string): void =>
  rmSync(join(contract.source.path, `date=${date}`), { recursive: true });

/** What a reader of the directory format sees, as text. */
async function rowsOf(contract: Contract, kind: 'curated' | 'quarantine'): Promise<string[]> {
  const { [kind]: folder } = await openTable(contract).pathOf();
  const [table] = await readTables([{ folder, partitionColumn: 'date' }]);
  return table!.rows.map((row: Row) => row.flat().join(' '));
}

async function countsOf(contract: Contract, date: string) {
  const { partitions } = await openTable(contract).read();
  return partitions.get(date as never)?.counts;
}

const reasons = async (contract: Contract, version: number): Promise<string[]> =>
  reasonsOf(await openTable(contract).report(version));

describe.each(['directory', 'delta'] as const)('scope table, %s format', (format) => {
  test('a newer version in another partition takes the old one away, and its deletion brings it back', async () => {
    const contract = newPipeline(format, 'remove');
    put(contract, MAY_1, [
      { id: 1, at: 1, receipt: 'a' },
      { id: 2, at: 1, receipt: 'b' },
    ]);
    await runPipeline(contract, 'first');
    put(contract, MAY_3, [{ id: 1, at: 2, receipt: 'a2' }]);
    const planned = await planNow(contract, { kind: 'incremental' });
    expect(reasonsOf(planned)).toEqual([`${MAY_1} coupled 1`, `${MAY_3} new`]);
    const { commit } = await runPipeline(contract, 'second');
    expect(await reasons(contract, commit!.version)).toEqual([`${MAY_1} coupled 1`, `${MAY_3} new`]);
    expect((await openTable(contract).report(2)).left).toEqual([]);
    // The plan that was printed is the plan that was run.
    expect((await openTable(contract).report(2)).planDigest).toBe(planDigest(planned));
    expect(await countsOf(contract, MAY_1)).toMatchObject({ read: 2, superseded: 1, published: 1 });
    remove(contract, MAY_3);
    put(contract, MAY_2, [{ id: 9, at: 1, receipt: 'z' }]);
    await runPipeline(contract, 'third');
    expect(await countsOf(contract, MAY_1)).toMatchObject({ read: 2, superseded: 0, published: 2 });
    expect((await openTable(contract).verify()).faults).toEqual([]);
  });

  test('a receipt that appears again elsewhere is flagged in both partitions, until it disappears', async () => {
    const contract = newPipeline(format);
    put(contract, MAY_1, [{ id: 1, at: 1, receipt: 'same' }]);
    put(contract, MAY_2, [{ id: 2, at: 1, receipt: 'other' }]);
    await runPipeline(contract, 'first');
    put(contract, MAY_2, [{ id: 2, at: 2, receipt: 'same' }]);
    const second = await runPipeline(contract, 'second');
    expect(await reasons(contract, second.commit!.version)).toEqual([`${MAY_1} coupled 1`, `${MAY_2} changed`]);
    expect(await countsOf(contract, MAY_1)).toMatchObject({ quarantined: 1, violations: { receipt_unique: 1 } });
    put(contract, MAY_3, [{ id: 2, at: 3, receipt: 'new' }]);
    const third = await runPipeline(contract, 'third');
    expect(await reasons(contract, third.commit!.version)).toEqual([
      `${MAY_1} coupled 1`,
      `${MAY_2} coupled 1`,
      `${MAY_3} new`,
    ]);
    expect(await countsOf(contract, MAY_1)).toMatchObject({ published: 1, quarantined: 0 });
    expect(await countsOf(contract, MAY_2)).toMatchObject({ superseded: 1, published: 0, quarantined: 0 });
  });

  test('lost key indexes are made anew, and change nothing', async () => {
    const contract = newPipeline(format);
    put(contract, MAY_1, [{ id: 1, at: 1, receipt: 'a' }]);
    put(contract, MAY_2, [{ id: 2, at: 1, receipt: 'b' }]);
    await runPipeline(contract, 'first');
    const folder = join(contract.publish.path, openTable(contract).indexFolder);
    expect(
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.idx')),
    ).toHaveLength(2);
    rmSync(folder, { recursive: true });
    put(contract, MAY_2, [
      { id: 1, at: 0, receipt: 'a' },
      { id: 2, at: 1, receipt: 'b' },
    ]);
    const second = await runPipeline(contract, 'second');
    // Without the old index of what changed, everything is decided again; what comes out the same is left alone.
    expect(await reasons(contract, second.commit!.version)).toEqual([`${MAY_2} changed`]);
    expect(await countsOf(contract, MAY_2)).toMatchObject({ superseded: 1, published: 1 });
    expect(
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.idx')),
    ).toHaveLength(2);
  });

  test('a plan made for looking leaves nothing behind; a missing file of verdicts is a fault that verify names', async () => {
    const contract = newPipeline(format);
    put(contract, MAY_1, [
      { id: 1, at: 1, receipt: 'a' },
      { id: 1, at: 2, receipt: 'a' },
    ]);
    const before = existsSync(contract.publish.path);
    await planNow(contract, { kind: 'incremental' });
    expect(existsSync(contract.publish.path)).toBe(before);
    await runPipeline(contract, 'first');
    const { partitions } = await openTable(contract).read();
    const [verdicts] = partitions.get(MAY_1 as never)!.verdicts;
    const { path } = await openTable(contract).pathOf();
    expect(statSync(join(path, verdicts!.path)).size).toBe(verdicts!.size);
    rmSync(join(path, verdicts!.path));
    expect((await openTable(contract).verify()).faults).toMatchObject([{ check: 'file', date: MAY_1 }]);
  });

  test('whose raw files are all gone is emptied by the rules it was published under, and then takes other ones', async () => {
    const contract = newPipeline(format, 'remove');
    put(contract, MAY_1, [{ id: 1, at: 1, receipt: 'a' }]);
    await runPipeline(contract, 'first');
    const changed: Contract = {
      ...contract,
      columns: contract.columns.filter(({ name }) => name !== 'receipt'),
      gates: [],
    };
    remove(contract, MAY_1);
    // Neither the restate that changed rules ask for, nor the removal that the restate asks for.
    await expect(runPipeline(changed, 'restate', { kind: 'backfill', select: 'all' })).rejects.toThrow(
      /take the change of the contract back, then: tidegate run \S+ --remove-gone/,
    );
    const removal = { kind: 'incremental', removeGone: 'all' } as const;
    await expect(runPipeline(changed, 'removal', removal)).rejects.toMatchObject({ type: 'RestateRequired' });
    await runPipeline(contract, 'emptied', removal);
    put(contract, MAY_3, [{ id: 1, at: 2, receipt: 'b' }]);
    await runPipeline(changed, 'anew');
    expect([...(await openTable(changed).read()).partitions.keys()]).toEqual([MAY_3]);
    expect(await countsOf(changed, MAY_3)).toMatchObject({ published: 1, violations: { primaryKey: 0 } });
    expect((await openTable(changed).verify()).faults).toEqual([]);
  });
});

describe('files that move while a run reads', () => {
  /** A first version, and a second one to come in which a row of 2 May concerns one of 1 May. */
  async function aboutToCouple(): Promise<Contract> {
    const contract = newPipeline('directory');
    put(contract, MAY_1, [{ id: 1, at: 1, receipt: 'a' }]);
    await runPipeline(contract, 'first');
    put(contract, MAY_2, [{ id: 1, at: 2, receipt: 'b' }]);
    return contract;
  }
  /** What is done just before keys are resolved. */
  const runMeanwhile = (contract: Contract, asWorkflow: boolean, meanwhile: () => void) => {
    let done = false;
    return runPipeline(contract, 'second', undefined, {
      asWorkflow,
      around: async (activity, attempt) => {
        if (activity === 'resolveKeys' && !done) {
          done = true;
          meanwhile();
        }
        return attempt();
      },
    });
  };

  test('a partition that is only concerned voids the plan when its file was rewritten since it was published', async () => {
    const contract = await aboutToCouple();
    const rewrite = (): void => put(contract, MAY_1, [{ id: 1, at: 3, receipt: 'c' }]);
    await expect(runMeanwhile(contract, false, rewrite)).rejects.toMatchObject({ type: 'VoidPlan' });
    expect((await openTable(contract).read()).version).toBe(1);
    const { commit } = await runPipeline(contract, 'third');
    expect(await reasons(contract, commit!.version)).toEqual([`${MAY_1} changed`, `${MAY_2} new`]);
    expect(await rowsOf(contract, 'curated')).toEqual([`${MAY_1} 1 3 c`]);
  });

  test('what vanishes meanwhile is taken from what was published of it; what arrives belongs to the next run', async () => {
    const contract = await aboutToCouple();
    const { commit } = await runMeanwhile(contract, true, () => {
      remove(contract, MAY_1);
      put(contract, MAY_3, [{ id: 1, at: 9, receipt: 'z' }]);
    });
    expect(await reasons(contract, commit!.version)).toEqual([`${MAY_1} coupled 1`, `${MAY_2} new`]);
    expect(await rowsOf(contract, 'curated')).toEqual([`${MAY_2} 1 2 b`]);
    await runPipeline(contract, 'third');
    expect(await rowsOf(contract, 'curated')).toEqual([`${MAY_3} 1 9 z`]);
  });
});

describe('a partition whose raw files are gone, and which is kept', () => {
  test('loses rows to newer versions elsewhere, keeps the places of its quarantined rows, and counts what cannot come back', async () => {
    const contract = newPipeline('directory');
    put(contract, MAY_1, [{ id: 7, at: 5, receipt: 'x' }], 'a.parquet');
    put(
      contract,
      MAY_1,
      [
        { id: null, at: 1, receipt: 'n' },
        { id: 1, at: 1, receipt: 'a' },
        { id: 2, at: 1, receipt: 'b' },
        { id: 2, at: 2, receipt: 'b' },
        { id: 3, at: 1, receipt: 'c' },
      ],
      'b.parquet',
    );
    await runPipeline(contract, 'first');
    remove(contract, MAY_1);
    put(contract, MAY_2, [
      { id: 1, at: 2, receipt: 'a2' },
      { id: 4, at: 1, receipt: 'c' },
    ]);
    const second = await runPipeline(contract, 'second');
    expect(await reasons(contract, second.commit!.version)).toEqual([`${MAY_1} coupled 2`, `${MAY_2} new`]);
    expect(await rowsOf(contract, 'curated')).toEqual([`${MAY_1} 7 5 x`, `${MAY_1} 2 2 b`, `${MAY_2} 1 2 a2`]);
    expect(await rowsOf(contract, 'quarantine')).toEqual([
      `${MAY_1}  1 n primaryKey date=${MAY_1}/b.parquet 0`,
      `${MAY_1} 3 1 c receipt_unique date=${MAY_1}/b.parquet 4`,
      `${MAY_2} 4 1 c receipt_unique date=${MAY_2}/a.parquet 1`,
    ]);
    expect(await countsOf(contract, MAY_1)).toEqual({
      read: 6,
      superseded: 2,
      ambiguous: 0,
      quarantined: 2,
      published: 2,
      misfiled: 0,
      violations: { primaryKey: 1, receipt_unique: 1 },
    });
    expect((await openTable(contract).verify()).faults).toEqual([]);

    // The newer version of key 1 goes, and so does the repeated receipt: the one cannot come back, the other can.
    put(contract, MAY_2, [{ id: 5, at: 1, receipt: 'e' }]);
    const third = await runPipeline(contract, 'third');
    expect(await reasons(contract, third.commit!.version)).toEqual([`${MAY_1} coupled 2`, `${MAY_2} changed`]);
    expect(await rowsOf(contract, 'curated')).toEqual([
      `${MAY_1} 7 5 x`,
      `${MAY_1} 2 2 b`,
      `${MAY_1} 3 1 c`,
      `${MAY_2} 5 1 e`,
    ]);
    expect(await countsOf(contract, MAY_1)).toMatchObject({
      superseded: 2,
      unrecoverable: 1,
      quarantined: 1,
      published: 3,
    });
    const report = await openTable(contract).report(third.commit!.version);
    expect(report.totals.unrecoverable).toBe(1);
    expect(report.warnings.join('\n')).toMatch(/1 superseded row in 2026-05-01 ought to come back/);
    expect((await openTable(contract).verify()).faults).toEqual([]);

    // A newer version of it elsewhere makes good for it.
    put(contract, MAY_3, [{ id: 1, at: 9, receipt: 'a9' }]);
    await runPipeline(contract, 'fourth');
    expect(await countsOf(contract, MAY_1)).not.toHaveProperty('unrecoverable');
  });

  test('is computed afresh once its files are back as they were, also when its index was lost meanwhile', async () => {
    const contract = newPipeline('directory');
    put(contract, MAY_1, [{ id: 1, at: 1, receipt: 'a' }]);
    put(contract, MAY_2, [{ id: 1, at: 2, receipt: 'b' }]);
    await runPipeline(contract, 'first');
    const [there, away] = [join(contract.source.path, `date=${MAY_1}`), join(contract.source.path, '..', 'away')];
    renameSync(there, away);
    rmSync(join(contract.publish.path, openTable(contract).indexFolder), { recursive: true });
    put(contract, MAY_3, [{ id: 9, at: 1, receipt: 'z' }]);
    await runPipeline(contract, 'second');
    put(contract, MAY_2, [{ id: 2, at: 1, receipt: 'b' }]);
    await runPipeline(contract, 'third');
    expect(await rowsOf(contract, 'curated')).toEqual([`${MAY_2} 2 1 b`, `${MAY_3} 9 1 z`]);
    renameSync(away, there);
    await runPipeline(contract, 'fourth');
    expect(await rowsOf(contract, 'curated')).toEqual([`${MAY_1} 1 1 a`, `${MAY_2} 2 1 b`, `${MAY_3} 9 1 z`]);
  });

  test('is not put together again for every run once its index is lost', async () => {
    const contract = newPipeline('delta');
    put(contract, MAY_1, [{ id: 1, at: 1, receipt: 'a' }]);
    await runPipeline(contract, 'first');
    remove(contract, MAY_1);
    rmSync(join(contract.publish.path, openTable(contract).indexFolder), { recursive: true });
    put(contract, MAY_2, [{ id: 2, at: 1, receipt: 'b' }]);
    await runPipeline(contract, 'second');

    // What was published of it cannot be read for a while, and nobody needs to.
    const state = (await openTable(contract).read()).partitions.get(MAY_1 as never)!;
    const file = join(contract.publish.path, state.curated[0]!.path);
    renameSync(file, `${file}.away`);
    put(contract, MAY_3, [{ id: 3, at: 1, receipt: 'c' }]);
    await runPipeline(contract, 'third');
    renameSync(`${file}.away`, file);
    put(contract, MAY_3, [{ id: 1, at: 2, receipt: 'c' }]);
    const fourth = await runPipeline(contract, 'fourth');
    expect(await reasons(contract, fourth.commit!.version)).toEqual([`${MAY_1} coupled 1`, `${MAY_3} changed`]);
    expect(await countsOf(contract, MAY_1)).toMatchObject({ read: 1, superseded: 1, published: 0 });
    expect((await openTable(contract).verify()).faults).toEqual([]);
  });

  test('is put together again with columns that cannot be cast, also where a whole file of it lost', async () => {
    const plain = newPipeline('directory');
    const contract: Contract = {
      ...plain,
      columns: [int64('id'), int64('at'), { name: 'receipt', type: { kind: 'binary' } }],
      gates: [],
    };
    const putBytes = async (date: string, file: string, rows: readonly [number, number, string][]): Promise<void> => {
      const folder = join(contract.source.path, `date=${date}`);
      mkdirSync(folder, { recursive: true });
      await python(
        `
import polars as pl
rows = input['rows']
pl.DataFrame({'id': [row[0] for row in rows], 'at': [row[1] for row in rows], 'receipt': [row[2].encode() for row in rows]}).write_parquet(input['path'])
output = None
`,
        { path: join(folder, file), rows },
      );
    };
    await putBytes(MAY_1, 'a.parquet', [[1, 1, 'lost']]);
    await putBytes(MAY_1, 'b.parquet', [
      [1, 2, 'won'],
      [2, 1, 'other'],
    ]);
    await runPipeline(contract, 'first');
    remove(contract, MAY_1);
    await putBytes(MAY_2, 'a.parquet', [[2, 9, 'newer']]);
    await runPipeline(contract, 'second');
    expect(await countsOf(contract, MAY_1)).toMatchObject({ read: 3, superseded: 2, published: 1 });
    expect(await countsOf(contract, MAY_2)).toMatchObject({ published: 1 });
    expect((await openTable(contract).verify()).faults).toEqual([]);
  });

  test('is gone as well when its files became links, which no listing follows', async () => {
    const contract = newPipeline('directory');
    put(contract, MAY_1, [{ id: 1, at: 1, receipt: 'a' }]);
    await runPipeline(contract, 'first');
    const file = join(contract.source.path, `date=${MAY_1}`, 'a.parquet');
    const elsewhere = join(contract.source.path, '..', 'cold.parquet');
    renameSync(file, elsewhere);
    symlinkSync(elsewhere, file);
    put(contract, MAY_2, [{ id: 1, at: 2, receipt: 'b' }]);
    await runPipeline(contract, 'second', undefined, { asWorkflow: true });
    expect(await rowsOf(contract, 'curated')).toEqual([`${MAY_2} 1 2 b`]);
    expect(await countsOf(contract, MAY_1)).toMatchObject({ superseded: 1, published: 0 });
  });
});
