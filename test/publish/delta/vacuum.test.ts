import { mkdir, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Contract } from '../../../src/contract/contract';
import { runOf, type PublishInput } from '../../../src/publish';
import { CHECKPOINT_EVERY } from '../../../src/publish/delta/state';
import { localStore } from '../../../src/storage';
import { python } from '../../support/python';
import { type Act, meetings } from './meetings';
import { contractFor, newRoot, publishTo, stage, tableAt } from './support';

jest.setTimeout(300_000);

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const later = (ms: number): Date => new Date(Date.now() + ms);

/** Makes everything in a folder, or a file, look untouched for so long. */
async function age(path: string, ms: number): Promise<void> {
  const then = later(-ms);
  await utimes(path, then, then);
  if (!(await stat(path)).isDirectory()) return;
  for (const name of await readdir(path)) await age(join(path, name), ms);
}

async function keysOf(root: string, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of localStore(root).list(prefix)) keys.push(key);
  return keys.toSorted();
}

/** A table whose version 1 is there, and a run staged on it long ago: data, scratch and documents. */
async function withOldRun(): Promise<{ contract: Contract; root: string; input: PublishInput; data: string[] }> {
  const contract = contractFor(await newRoot());
  const root = contract.publish.path;
  await publishTo(contract, 'one', [{ date: '2026-05-01' }]);
  const outcomes = [{ date: '2026-05-02', quarantined: 1 }, { date: '2026-05-03' }];
  const input = await stage({ contract, base: await tableAt(contract).read(), requestId: 'two', outcomes });
  for (const key of [`_runs/${input.run}/plan-0.json`, `_staging/${input.run}/0/resolved.parquet`]) {
    await mkdir(dirname(join(root, key)), { recursive: true });
    await writeFile(join(root, key), 'x');
  }
  const data = input.results.flatMap((one) => [...one.curated, ...one.quarantine].map(({ path }) => path));
  for (const path of [...data, '_runs', '_staging']) await age(join(root, path), 8 * DAY);
  return { contract, root, input, data };
}

describe('what runs left in a Delta table', () => {
  it('is taken, folders too, when a run has shown no sign of life for as long as asked', async () => {
    const { contract, root, input, data } = await withOldRun();
    const table = tableAt(contract);
    const dry = await table.vacuum({ dryRun: true, olderThanHours: 24 });
    const gone = await table.vacuum({ dryRun: false, olderThanHours: 24 });
    expect(gone.removed).toEqual(dry.removed);
    const folders = [`_runs/${input.run}`, `_staging/${input.run}`];
    expect(gone.removed.map(({ path }) => path)).toEqual([...folders, ...data].toSorted());
    expect(gone.bytes).toBe(gone.removed.reduce((sum, { bytes }) => sum + bytes, 0));
    expect([await readdir(join(root, '_runs')), await readdir(join(root, '_staging'))]).toEqual([[], []]);
    expect((await table.verify()).faults).toEqual([]);
    await expect(table.publish(input)).rejects.toMatchObject({ name: 'VoidPlan' });
  });

  it.each(['_runs', '_staging', 'curated'])(
    'is spared whole while the run shows one sign of life, in %s',
    async (place) => {
      const { contract, root, input, data } = await withOldRun();
      // As an activity does every minute; or the last group of partitions, just written.
      const sign = place === 'curated' ? data.at(-1)! : `${place}/${input.run}/alive`;
      if (place === 'curated') await utimes(join(root, sign), new Date(), new Date());
      else await writeFile(join(root, sign), '');
      const table = tableAt(contract);
      const before = await keysOf(root);
      expect((await table.vacuum({ dryRun: false, olderThanHours: 24 })).removed).toEqual([]);
      expect(await keysOf(root)).toEqual(before);
      expect((await table.publish(input)).version).toBe(2);
    },
  );

  it('is spared for an hour, whatever is asked for', async () => {
    const { contract, root, input, data } = await withOldRun();
    for (const path of [...data, '_runs', '_staging']) await age(join(root, path), 0.9 * HOUR);
    const table = tableAt({ ...contract, publish: { ...contract.publish, keep: { versions: 1, days: 0 } } });
    expect((await table.vacuum({ dryRun: false, olderThanHours: 0 })).removed).toEqual([]);
    expect((await table.publish(input)).version).toBe(2);
  });

  it('is taken where writing was interrupted, but nothing that is not Tidegate’s', async () => {
    const contract = contractFor(await newRoot());
    const root = contract.publish.path;
    await publishTo(contract, 'one', [{ date: '2026-05-01' }]);
    const uuid = '00000000-0000-4000-8000-000000000000';
    const remains = [`_tidegate/state/.tmp-${uuid}`, `curated/_delta_log/.tmp-${uuid}`];
    const others = ['curated/date=2026-05-01/foreign-0.parquet', 'curated/notes.txt', 'elsewhere/x.parquet'];
    for (const key of [...remains, ...others]) {
      await mkdir(dirname(join(root, key)), { recursive: true });
      await writeFile(join(root, key), '');
      await age(join(root, key), 2 * HOUR);
    }
    const { removed } = await tableAt(contract).vacuum({ dryRun: false, olderThanHours: 1 });
    expect(removed.map(({ path }) => path)).toEqual(remains);
    expect(await keysOf(root)).toEqual(expect.arrayContaining(others));
  });

  it('stays before the first commit, which decides what is part of the table', async () => {
    const contract = contractFor(await newRoot());
    const table = tableAt(contract);
    await table.claimFolder();
    const base = await table.read();
    const input = await stage({ contract, base, requestId: 'one', outcomes: [{ date: '2026-05-01' }] });
    await table.vacuum({ dryRun: false, olderThanHours: 1, now: later(9 * DAY) });
    expect((await table.publish(input)).version).toBe(1);
  });
});

const ONE = { versions: 1, days: 0 };
const keeping = (contract: Contract, keep: Contract['publish']['keep']): Contract => ({
  ...contract,
  publish: { ...contract.publish, keep },
});

/** Nothing that the table names is missing, in any version that it says is there. */
async function expectWhole(contract: Contract): Promise<void> {
  const table = tableAt(contract);
  const { version } = await table.read();
  for (let at = version; at > 0; at -= 1) {
    const there = await table.pathOf({ version: at }).catch(() => null);
    if (there === null) return;
    expect((await table.verify({ version: at })).faults).toEqual([]);
  }
}

/** Version 2 replaced all of version 1, which a vacuum that keeps one version takes. */
async function withOldVersion(): Promise<Contract> {
  const contract = contractFor(await newRoot());
  for (const requestId of ['one', 'two']) {
    await publishTo(contract, requestId, [{ date: '2026-05-01', quarantined: 1 }, { date: '2026-05-02' }]);
  }
  return contract;
}

const vacuumAt =
  (keep: Contract['publish']['keep'], now: () => Date = () => new Date()): Act =>
  (contract, store) =>
    tableAt(keeping(contract, keep), {}, store).vacuum({ dryRun: false, olderThanHours: 0, now: now() });
const rollBack: Act = (contract, store) =>
  tableAt(contract, {}, store).rollback({ requestId: 'back', run: runOf('back'), to: 1 });

describe('a vacuum that meets a commit, at any storage operation of either', () => {
  it('and a rollback to a version that it takes: one of them wins, and nothing named is missing', async () => {
    const contract = await withOldVersion();
    const check = async (copy: Contract): Promise<void> => {
      await expectWhole(copy);
      // Whoever came second did what is left to do: the version is back, or was refused for good.
      const version = (await tableAt(copy).read()).version;
      if (version === 2) await expect(rollBack(copy)).rejects.toMatchObject({ type: 'RequestError' });
    };
    const rolledBack = await meetings(contract, rollBack, vacuumAt(ONE), check);
    expect([...rolledBack.keys()].toSorted()).toEqual(['RequestError', 'done']);
    const tryRollBack: Act = (copy) => rollBack(copy).catch(() => {});
    const vacuumed = await meetings(contract, vacuumAt(ONE), tryRollBack, check);
    expect([...vacuumed.keys()]).toEqual(['done']);
    process.stderr.write(
      `${count(rolledBack)} meetings of a rollback with a vacuum, ${count(vacuumed)} the other way\n`,
    );
  });

  it('and the commit of a run that was quiet for hours: it is made, or its plan is void', async () => {
    const { contract, input } = await withOldRun();
    const publish: Act = (copy, store) => tableAt(copy, {}, store).publish(input);
    const vacuum = vacuumAt({ versions: 30, days: 7 });
    const published = await meetings(contract, publish, vacuum, expectWhole);
    expect([...published.keys()].toSorted()).toEqual(['VoidPlan', 'done']);
    const vacuumed = await meetings(contract, vacuum, (copy) => publish(copy).catch(() => {}), expectWhole);
    expect([...vacuumed.keys()]).toEqual(['done']);
    process.stderr.write(`${count(published)} meetings of a publish with a vacuum, ${count(vacuumed)} the other way\n`);
  });

  it('and another vacuum, which keeps less or more', async () => {
    const contract = await withOldVersion();
    await publishTo(contract, 'three', [{ date: '2026-05-01' }]);
    for (const [mine, others] of [
      [1, 2],
      [2, 1],
    ] as const) {
      const keep = (versions: number) => vacuumAt({ versions, days: 0 }, () => later(2 * HOUR));
      const check = async (copy: Contract): Promise<void> => {
        await expectWhole(copy);
        await expect(tableAt(copy).pathOf({ version: 2 })).rejects.toThrow('was removed');
      };
      expect([...(await meetings(contract, keep(mine), keep(others), check)).keys()]).toEqual(['done']);
    }
  });

  it('and a reader, who sees the version before or after', async () => {
    const contract = contractFor(await newRoot());
    // So many that the next one is a checkpoint: the state files that the reader begins with all go.
    for (let index = 0; index < CHECKPOINT_EVERY; index += 1) {
      await publishTo(contract, `request ${index}`, [{ date: '2026-05-01' }]);
    }
    const replaceAndVacuum: Act = async (copy) => {
      const input = await stage({
        contract: copy,
        base: await tableAt(copy).read(),
        requestId: 'next',
        outcomes: [{ date: '2026-05-01' }],
      });
      await tableAt(copy).publish(input);
      await vacuumAt(ONE)(copy);
    };
    const read: Act = (copy, store) => tableAt(copy, {}, store).read();
    expect([...(await meetings(contract, read, replaceAndVacuum, expectWhole, 8)).keys()]).toEqual(['done']);
  });
});

it('leaves an entry in the log that other readers and writers pass over', async () => {
  const contract = await withOldVersion();
  const path = join(contract.publish.path, 'curated');
  await vacuumAt(ONE)(contract);
  const seen = await python<unknown>(
    `
import polars as pl, pyarrow as pa, datetime
from deltalake import DeltaTable, write_deltalake
table = DeltaTable(input)
output = [table.version(), table.history(1)[0]['operation'],
          sorted(pl.scan_delta(input).select('request').collect().to_series().to_list())]
write_deltalake(input, pa.table({'id': pa.array([7], pa.int64()), 'request': ['foreign'],
  'date': [datetime.date(2026, 6, 1)]}), mode='append')
DeltaTable(input).create_checkpoint()`,
    path,
  );
  expect(seen).toEqual([2, 'VACUUM START', ['two', 'two']]);
  const commit = await publishTo(contract, 'three', [{ date: '2026-05-01' }]);
  expect(commit.version).toBe(3);
  expect((await tableAt(contract).pathOf()).deltaVersions?.curated).toBe(4);
});

const count = (ends: ReadonlyMap<string, number>): number => [...ends.values()].reduce((sum, one) => sum + one, 0);
