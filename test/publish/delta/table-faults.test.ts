import { rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { runOf, type PublishInput } from '../../../src/publish';
import type { Contract } from '../../../src/contract/contract';
import { openStore, type ObjectStore } from '../../../src/storage';
import { publishedFiles, type PublishedFiles } from '../../support/delta-log';
import { faultyStore, type FaultMode, modesOf } from '../../support/faulty-store';
import { startLake } from '../../support/lake';
import type { S3Server } from '../../support/s3-server';
import { contractFor, newRoot, publishTo, putFile, stage, tableAt } from './support';

/*
 * A small Delta table with a fault at every storage operation of a publish on a real S3 server, and of a rollback
 * and a vacuum on a local disk; test/publish/delta/faults.test.ts has publishing on a local disk.
 */

jest.setTimeout(300_000);

const LANES = 4;
const HOURS = 3_600_000;
const later = (hours: number): Date => new Date(Date.now() + hours * HOURS);

let server: S3Server;
beforeAll(async () => {
  server = await startLake();
}, 60_000);
afterAll(() => server?.stop());

const PLACES = {
  'a local disk': newRoot,
  S3: () => Promise.resolve(`s3://lake/${randomUUID()}`),
} as const;
type Place = keyof typeof PLACES;

type Objects = ReadonlyMap<string, Buffer>;
async function objectsOf(store: ObjectStore): Promise<Objects> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return new Map(await Promise.all(keys.map(async (key) => [key, await store.read(key)] as const)));
}

const keeping = (contract: Contract, keep: Contract['publish']['keep']): Contract => ({
  ...contract,
  publish: { ...contract.publish, keep },
});

/** What is done with a table, and what of it is true whenever it was interrupted and tried again. */
interface Case {
  readonly place: Place;
  /** Makes the table, in the folder of a contract. */
  readonly prepare: (contract: Contract) => Promise<(copy: Contract, store?: ObjectStore) => Promise<unknown>>;
  /** The requests of all versions, newest first, when it was done. */
  readonly requests: readonly string[];
  /** Versions that are there afterwards. */
  readonly kept: readonly number[];
}

const FIRST = [
  { date: '2026-05-01', published: 2, quarantined: 1 },
  { date: '2026-05-02', quarantined: 1 },
];
const SECOND = [
  { date: '2026-05-02', published: 3, quarantined: 2, superseded: 1 },
  { date: '2026-05-03', quarantined: 1 },
];

/** What a run that died staged: data, scratch, documents, and a state and a report that no commit names. */
async function leaveDeadRun(contract: Contract): Promise<PublishInput> {
  const base = await tableAt(contract).read();
  const input = await stage({ contract, base, requestId: 'dead', outcomes: SECOND });
  const name = `${String(base.version + 1).padStart(8, '0')}-00000000abcde.json`;
  const left = [
    `_runs/${input.run}/plan-0.json`,
    `_runs/${input.run}/alive`,
    `_staging/${input.run}/0/resolved.parquet`,
    `_tidegate/state/${name}`,
    `_tidegate/reports/${name}`,
  ];
  for (const key of left) await putFile(contract.publish.path, key, '{}');
  return input;
}

const CASES: Readonly<Record<string, Case>> = {
  publish: {
    place: 'S3',
    prepare: async (contract) => {
      await publishTo(contract, 'one', FIRST);
      const input = await stage({
        contract,
        base: await tableAt(contract).read(),
        requestId: 'two',
        outcomes: SECOND,
      });
      return (copy, store) => tableAt(copy, {}, store).publish(input);
    },
    requests: ['two', 'one'],
    kept: [1, 2],
  },
  rollback: {
    place: 'a local disk',
    prepare: async (contract) => {
      await publishTo(contract, 'one', FIRST);
      await publishTo(contract, 'two', SECOND);
      return (copy, store) => tableAt(copy, {}, store).rollback({ requestId: 'back', run: runOf('back'), to: 1 });
    },
    requests: ['back', 'two', 'one'],
    kept: [1, 2, 3],
  },
  vacuum: {
    place: 'a local disk',
    prepare: async (contract) => {
      await publishTo(contract, 'one', FIRST);
      await publishTo(contract, 'two', SECOND);
      await publishTo(contract, 'three', [{ date: '2026-05-01' }]);
      await leaveDeadRun(contract);
      return (copy, store) =>
        tableAt(keeping(copy, { versions: 2, days: 0 }), {}, store).vacuum({
          dryRun: false,
          olderThanHours: 0,
          now: later(2),
        });
    },
    requests: ['three', 'two', 'one'],
    kept: [2, 3],
  },
};

test.each(Object.keys(CASES))('a fault at any storage operation of a %s is harmless', async (name) => {
  const { place, prepare, requests, kept } = CASES[name]!;
  const pristine = contractFor(await PLACES[place]());
  const act = await prepare(pristine);
  const objects = await objectsOf(openStore(pristine.publish.path));
  const fresh = async (): Promise<Contract> => {
    const copy = contractFor(await PLACES[place]());
    await Promise.all([...objects].map(([key, bytes]) => putFile(copy.publish.path, key, bytes)));
    return copy;
  };

  const old = await publishedFiles(openStore(pristine.publish.path));
  const dry = await fresh();
  const { store, operations } = faultyStore(openStore(dry.publish.path), -1, 'before');
  await act(dry, store);
  const now = await publishedFiles(openStore(dry.publish.path));
  const text = (files: PublishedFiles['curated']): string => JSON.stringify(files);

  const seen = { old: 0, new: 0 };
  const faults = operations.flatMap((operation, at) => {
    const modes = modesOf(operation);
    // Every operation meets one kind of fault, in turn, and all of them in `npm run soak:faults`.
    const some = process.env['TIDEGATE_FAULTS'] === 'all' ? modes : [modes[at % modes.length]!];
    return some.map((mode) => ({ at, mode, operation }));
  });
  const queue = faults.values();
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (const fault of queue) {
        try {
          await injected(fault.at, fault.mode);
        } catch (error) {
          throw new Error(`${fault.mode}: ${fault.operation}: ${String(error)}`, { cause: error });
        }
      }
    }),
  );
  process.stderr.write(
    `${name} on ${place}: ${faults.length} faults injected into ${operations.length} operations; old seen ${seen.old} times, new ${seen.new} times\n`,
  );
  // A vacuum changes nothing that readers of the newest version see.
  expect(seen.old > 0).toBe(name !== 'vacuum');
  expect(seen.new).toBeGreaterThan(0);

  async function injected(at: number, mode: FaultMode): Promise<void> {
    const copy = await fresh();
    const direct = openStore(copy.publish.path);
    await act(copy, faultyStore(direct, at, mode).store).catch(() => {});

    const found = await publishedFiles(direct);
    const isNew = text(found.curated) === text(now.curated);
    expect(found.curated).toEqual(isNew ? now.curated : old.curated);
    // The quarantine may lag and never runs ahead.
    expect([text(old.quarantine), ...(isNew ? [text(now.quarantine)] : [])]).toContain(text(found.quarantine));
    seen[isNew ? 'new' : 'old'] += 1;

    await act(copy);
    expect(await publishedFiles(direct)).toEqual(now);
    const table = tableAt(copy);
    expect((await table.history()).map(({ requestId }) => requestId)).toEqual(requests);
    // Each version is read whole; on S3, which is slower, the newest.
    for (const version of upTo(requests.length).slice(place === 'S3' ? -1 : 0)) {
      const whole = table.verify({ version }).then(
        (verdict) => verdict.faults.length === 0,
        () => false,
      );
      expect([version, await whole]).toEqual([version, kept.includes(version)]);
    }
    await expectNoOrphan(copy);
    if (place !== 'S3') await rm(copy.publish.path, { recursive: true });
  }
});

/** After a vacuum that keeps the newest version alone, everything that lies there is one that it needs. */
async function expectNoOrphan(contract: Contract): Promise<void> {
  const table = tableAt(keeping(contract, { versions: 1, days: 0 }));
  await table.vacuum({ dryRun: false, olderThanHours: 0, now: later(2) });
  const { partitions, version } = await table.read();
  const keys: string[] = [];
  for await (const { key } of openStore(contract.publish.path).list('')) keys.push(key);
  const below = (...prefixes: string[]): string[] =>
    keys.filter((key) => prefixes.some((prefix) => key.startsWith(prefix))).toSorted();
  const named = [...partitions.values()].flatMap((one) => [...one.curated, ...one.quarantine].map(({ path }) => path));
  expect(keys.filter((key) => key.endsWith('.parquet')).toSorted()).toEqual(named.toSorted());
  expect(below('_runs/', '_staging/')).toEqual([]);
  // Small states of all versions since the last checkpoint; there is none yet.
  expect(below('_tidegate/state/').map((key) => Number(/(\d{8})-/.exec(key)?.[1]))).toEqual(upTo(version));
  expect(below('_tidegate/reports/')).toHaveLength(version);
  expect(keys.filter((key) => key.includes('.tmp-'))).toEqual([]);
}

const upTo = (version: number): number[] => Array.from({ length: version }, (_, index) => index + 1);
