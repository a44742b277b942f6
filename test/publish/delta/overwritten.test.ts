import { PLAIN, renderReport } from '../../../src/quality';
import type { Contract } from '../../../src/contract/contract';
import { CHECKPOINT_EVERY, fold, sinceOf } from '../../../src/publish/delta/state';
import { parseStateCheckpoint } from '../../../src/publish/delta/state-document';
import { openView } from '../../../src/publish/delta/view';
import { localStore, type ObjectStore } from '../../../src/storage';
import { commitByHand, copyOf } from '../../support/commit-by-hand';
import { publishedFiles } from '../../support/delta-log';
import { contractFor, day, newRoot, publishTo, stage, tableAt } from './support';

/* What the report says of other writers' work that a commit overwrites; other-writers.test.ts has a real one at work. */

let contract: Contract;
let root: string;
let curated: string;
beforeEach(async () => {
  contract = contractFor(await newRoot());
  root = contract.publish.path;
  curated = `${root}/curated`;
  await publishTo(contract, 'one', [{ date: '2026-05-01', published: 3 }]);
});

const copied = async (name: string) =>
  copyOf(root, (await tableAt(contract).read()).partitions.get(day('2026-05-01'))!, name);
const report = () => tableAt(contract).report();

it('is silent of files that were only rearranged', async () => {
  const { add, remove } = await copied('compacted');
  const version = await commitByHand(curated, [
    { remove: { ...remove, dataChange: false } },
    { add: { ...add, dataChange: false } },
    { commitInfo: { operation: 'OPTIMIZE' } },
  ]);
  expect(version).toBe(1);
  await publishTo(contract, 'two', [{ date: '2026-05-01' }]);
  expect(await report()).toMatchObject({ warnings: [] });
  expect((await report()).overwritten).toBeUndefined();
  expect((await publishedFiles(localStore(root))).curated).toEqual(
    (await tableAt(contract).read()).partitions.get(day('2026-05-01'))!.curated.map(({ path }) => path),
  );
});

it('is silent of what another writer took back itself', async () => {
  const { add } = await copied('added');
  await commitByHand(curated, [{ add }]);
  await commitByHand(curated, [{ remove: add }]);
  await publishTo(contract, 'two', [{ date: '2026-05-01' }]);
  expect((await report()).overwritten).toBeUndefined();
});

it('counts rows by the log, and tells the words of a hostile writer escaped and cut', async () => {
  const { add } = await copied('hostile');
  const engineInfo = `evil\u001b[2J\u202e${'x'.repeat(500)}`;
  await commitByHand(curated, [{ commitInfo: { operation: ['WRITE'], engineInfo } }, { add: { ...add, stats: '{"' } }]);
  const second = { ...add, path: add.path.replace('hostile', 'second'), stats: '{"numRecords":3}' };
  await commitByHand(curated, [{ commitInfo: null }, { add: second }]);
  await publishTo(contract, 'two', [{ date: '2026-05-01' }]);
  const engine = `evil\\u{1b}[2J\\u{202e}${'x'.repeat(91)}`;
  expect((await report()).overwritten).toEqual([
    {
      table: 'curated',
      date: '2026-05-01',
      added: { files: 2, rows: null },
      removed: { files: 0, rows: 0 },
      commits: [
        { version: 1, operation: null, engine },
        { version: 2, operation: null, engine: null },
      ],
    },
  ]);
  expect(renderReport(await report(), PLAIN)).toContain(
    `\nwarning: Other writers had changed 1 partition of the curated table that this version overwrote (2026-05-01): they had added 2 files (rows unknown), in version 1 (by ${engine}), version 2. `,
  );
});

it('tells of a rollback too, and of each change and its author once', async () => {
  await publishTo(contract, 'two', [{ date: '2026-05-01', published: 2 }]);
  const { add, remove } = await copied('replaced');
  await commitByHand(curated, [{ remove }, { add: { ...add, stats: '{"numRecords":2}' } }]);
  await tableAt(contract).rollback({ requestId: 'back', run: 'abcdef', to: 1 });
  expect((await report()).overwritten).toMatchObject([
    { date: '2026-05-01', added: { files: 1, rows: 2 }, removed: { files: 1, rows: 2 }, commits: [{ version: 2 }] },
  ]);
  await publishTo(contract, 'three', [{ date: '2026-05-01' }]);
  expect((await report()).overwritten).toBeUndefined();
  const again = await copied('again');
  expect(await commitByHand(curated, [{ add: again.add }])).toBe(5);
  await publishTo(contract, 'four', [{ date: '2026-05-01' }]);
  expect((await report()).overwritten).toMatchObject([{ commits: [{ version: 5 }] }]);
});

it('does not count what a commit of Tidegate overwrote in the quarantine before its own came', async () => {
  const quarantine = `${root}/quarantine`;
  const add = (name: string) => ({
    add: {
      path: `date=2026-05-01/${name}.parquet`,
      partitionValues: { date: '2026-05-01' },
      size: 1,
      dataChange: true,
    },
  });
  const inner = localStore(root);
  const rival: ObjectStore = {
    ...inner,
    putIfAbsent: async (key, data) => {
      const path = 'quarantine/_delta_log/00000000000000000001.json';
      if (key === path) await commitByHand(quarantine, [add('between')]);
      return inner.putIfAbsent(key, data);
    },
  };
  const base = await tableAt(contract).read();
  const input = await stage({ contract, base, requestId: 'two', outcomes: [{ date: '2026-05-01', quarantined: 1 }] });
  await tableAt(contract, {}, rival).publish(input);
  expect((await report()).overwritten).toBeUndefined();
  expect(await commitByHand(quarantine, [add('after')])).toBe(3);
  await publishTo(contract, 'three', [{ date: '2026-05-01' }]);
  expect((await report()).overwritten).toEqual([
    {
      table: 'quarantine',
      date: '2026-05-01',
      added: { files: 1, rows: null },
      removed: { files: 0, rows: 0 },
      commits: [{ version: 3, operation: null, engine: null }],
    },
  ]);
});

it('remembers the newest five commits of a writer that goes on and on, also in a state that is written whole', async () => {
  for (const name of ['1', '2', '3', '4', '5', '6', '7']) {
    const { add } = await copied(name);
    const commitInfo = { operation: 'STREAMING UPDATE', engineInfo: `writer ${name}` };
    await commitByHand(curated, [{ commitInfo }, { add: { ...add, stats: '{"numRecords":3}' } }]);
  }
  await publishTo(contract, 'two', [{ date: '2026-05-02' }]);
  const store = localStore(root);
  const { state } = await openView({ store, pipeline: contract.pipeline, column: 'date' });
  const versions = state!.others.curated.get('2026-05-01')!.map(({ version }) => version);
  expect(versions).toEqual([3, 4, 5, 6, 7]);

  const states = Array.from({ length: CHECKPOINT_EVERY - 1 }, () => state!.key);
  const grown = { ...state!, document: { ...state!.document, since: { checkpoint: null, states } } };
  const { checkpoint } = await sinceOf(store, grown);
  const whole = fold(parseStateCheckpoint((await store.read(checkpoint!)).toString('utf8'), checkpoint!), []);
  expect(whole.others).toEqual(state!.others);

  await publishTo(contract, 'three', [{ date: '2026-05-01' }]);
  const { overwritten, warnings } = await report();
  expect(overwritten).toMatchObject([{ added: { files: 7, rows: 21 } }]);
  expect(overwritten![0]!.commits.map(({ version }) => version)).toEqual([3, 4, 5, 6, 7]);
  expect(warnings[0]).toContain(
    'added 7 files (21 rows), in earlier versions, version 5 (STREAMING UPDATE by writer 5), version 6 (STREAMING UPDATE by writer 6), version 7 (STREAMING UPDATE by writer 7). Version 7 of the Delta table shows',
  );
});
