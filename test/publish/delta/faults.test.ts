import { cp, rm } from 'node:fs/promises';
import { localStore } from '../../../src/storage';
import { faultyStore, type FaultMode, modesOf } from '../../support/faulty-store';
import { python } from '../../support/python';
import { contractFor, newRoot, publishTo, stage, tableAt } from './support';

jest.setTimeout(600_000);

/** What a reader that knows nothing of Tidegate sees now: the requests that wrote each partition. */
const READ = `
import os
import polars as pl
def see(path):
    if not os.path.isdir(path + '/_delta_log') or not any(n.endswith('.json') for n in os.listdir(path + '/_delta_log')):
        return None
    got = pl.scan_delta(path).group_by('date', 'request').len().sort('date', 'request').collect()
    return [[str(d), r, n] for d, r, n in got.rows()]
output = [see(input + '/' + kind) for kind in ['curated', 'quarantine']]
`;
type Seen = [string, string, number][] | null;
const see = (root: string) => python<[Seen, Seen]>(READ, root);

const OLD: Seen = [
  ['2026-05-01', 'one', 2],
  ['2026-05-02', 'one', 1],
];
const NEW: NonNullable<Seen> = [
  ['2026-05-01', 'one', 2],
  ['2026-05-02', 'two', 3],
  ['2026-05-03', 'two', 1],
];
const OLD_REJECTED: Seen = [['2026-05-02', 'one', 1]];
const NEW_REJECTED: Seen = [['2026-05-02', 'two', 2]];

/** A table with one version, and a second one staged on it. */
async function prepared(first: boolean) {
  const contract = contractFor(await newRoot());
  if (!first) {
    await publishTo(contract, 'one', [
      { date: '2026-05-01', published: 2 },
      { date: '2026-05-02', published: 1, quarantined: 1 },
    ]);
  }
  const table = tableAt(contract);
  await table.claimFolder();
  const outcomes = [
    { date: '2026-05-02', published: 3, quarantined: 2, superseded: 1 },
    { date: '2026-05-03', published: 1 },
  ];
  return { contract, input: await stage({ contract, base: await table.read(), requestId: 'two', outcomes }) };
}

describe.each([
  ['the first commit', true],
  ['a later commit', false],
])('a crash in %s, at every storage operation', (_, first) => {
  it('leaves the old or the new version, and a retry commits the request once', async () => {
    const { contract, input } = await prepared(first);
    const operationsOf = async (): Promise<readonly string[]> => {
      const copy = contractFor(`${contract.publish.path}-dry`);
      await cp(contract.publish.path, copy.publish.path, { recursive: true });
      const faulty = faultyStore(localStore(copy.publish.path), -1, 'before');
      await tableAt(copy, {}, faulty.store).publish(input);
      await rm(copy.publish.path, { recursive: true });
      return faulty.operations;
    };
    const operations = await operationsOf();
    let injected = 0;
    const outcomes = { old: 0, new: 0 };
    for (const [at, operation] of operations.entries()) {
      for (const mode of modesOf(operation)) {
        const seen = await crash(at, mode);
        outcomes[seen] += 1;
        injected += 1;
      }
    }
    process.stderr.write(
      `${first ? 'first' : 'later'} commit: ${injected} faults injected into ${operations.length} operations; old seen ${outcomes.old} times, new ${outcomes.new} times\n`,
    );
    expect(outcomes.old).toBeGreaterThan(0);
    expect(outcomes.new).toBeGreaterThan(0);

    async function crash(at: number, mode: FaultMode): Promise<'old' | 'new'> {
      const copy = contractFor(`${contract.publish.path}-${at}-${mode}`);
      const root = copy.publish.path;
      await cp(contract.publish.path, root, { recursive: true });
      const label = { at, mode };
      const faulty = faultyStore(localStore(root), at, mode);
      await tableAt(copy, {}, faulty.store)
        .publish(input)
        .catch(() => {});

      const [oldSeen, oldRejected] = first ? [null, null] : [OLD, OLD_REJECTED];
      const [newSeen, newRejected] = first ? [NEW.slice(1), NEW_REJECTED] : [NEW, NEW_REJECTED];
      const [curated, quarantine] = await see(root);
      const isNew = JSON.stringify(curated) === JSON.stringify(newSeen);
      expect({ label, curated }).toEqual({ label, curated: isNew ? newSeen : oldSeen });
      // The quarantine may lag and never runs ahead.
      const laggedOrNew = [oldRejected, ...(isNew ? [newRejected] : [])].map((one) => JSON.stringify(one));
      expect(laggedOrNew).toContain(JSON.stringify(quarantine));

      const table = tableAt(copy);
      const version = first ? 1 : 2;
      expect(await table.publish(input)).toMatchObject({ version, requestId: 'two' });
      expect((await table.history()).map(({ requestId }) => requestId)).toEqual(first ? ['two'] : ['two', 'one']);
      expect(await see(root)).toEqual([newSeen, newRejected]);
      expect((await table.find('two'))?.version).toBe(version);
      await checkNoOrphan(copy);
      await rm(root, { recursive: true });
      return isNew ? 'new' : 'old';
    }
  });
});

/** After vacuum with nothing kept but the newest version, every file is one that it names. */
async function checkNoOrphan(contract: ReturnType<typeof contractFor>): Promise<void> {
  const only = contractFor(contract.publish.path, {
    publish: { ...contract.publish, keep: { versions: 1, days: 0 } },
  });
  const table = tableAt(only);
  await table.vacuum({ dryRun: false, olderThanHours: 0, now: new Date(Date.now() + 2 * 3_600_000) });
  const { partitions, version } = await table.read();
  const named = [...partitions.values()].flatMap((one) => [...one.curated, ...one.quarantine].map(({ path }) => path));
  const found: string[] = [];
  for await (const { key } of localStore(contract.publish.path).list('')) found.push(key);
  expect(found.filter((key) => key.endsWith('.parquet')).toSorted()).toEqual(named.toSorted());
  const reports = found.filter((key) => key.startsWith('_tidegate/reports/'));
  expect(reports).toHaveLength(version);
  expect(found.filter((key) => key.includes('/.tmp-'))).toEqual([]);
}
