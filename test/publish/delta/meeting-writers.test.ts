import { cp, rm } from 'node:fs/promises';
import type { Contract } from '../../../src/contract/contract';
import type { OutputKind, PublishInput } from '../../../src/publish';
import { logKey } from '../../../src/publish/delta/layout';
import { localStore, type ObjectStore } from '../../../src/storage';
import { commitByHand } from '../../support/commit-by-hand';
import { publishedFiles } from '../../support/delta-log';
import { meetingStore } from '../../support/meeting-store';
import { contractFor, newRoot, publishTo, stage, tableAt } from './support';

/*
 * Another writer changes a partition before a run publishes it, and once more at each storage operation of that publish in turn:
 * what becomes of the second change, and what is told of both.
 */

jest.setTimeout(300_000);

const DATE = '2026-05-01';
const AGAIN = `date=${DATE}/again.parquet`;

/** Adds a file to the partition, as any other writer may. */
const change = (contract: Contract, table: OutputKind, name: string): Promise<number> =>
  commitByHand(`${contract.publish.path}/${table}`, [
    { commitInfo: { operation: 'WRITE', engineInfo: name } },
    { add: { path: `date=${DATE}/${name}.parquet`, partitionValues: { date: DATE }, size: 1, dataChange: true } },
  ]);

/** A table that another writer changed since version 1, and a run staged on it. */
async function changedOnce(table: OutputKind): Promise<{ contract: Contract; input: PublishInput }> {
  const contract = contractFor(await newRoot());
  const outcomes = [{ date: DATE, quarantined: 1 }];
  await publishTo(contract, 'one', outcomes);
  await change(contract, table, 'before');
  return {
    contract,
    input: await stage({ contract, base: await tableAt(contract).read(), requestId: 'two', outcomes }),
  };
}

/** What the newest report tells of the partition, and whether the second change is still part of the table. */
async function outcomeOf(contract: Contract, table: OutputKind): Promise<string> {
  const { overwritten = [] } = await tableAt(contract).report();
  const told = overwritten
    .filter((one) => one.table === table)
    .flatMap(({ commits }) => commits.map((one) => one.engine));
  const stays = (await publishedFiles(localStore(contract.publish.path)))[table]!.includes(`${table}/${AGAIN}`);
  return `told of ${told.join(' and ')}, the second ${stays ? 'stays' : 'is overwritten'}`;
}

/** The outcomes in the order of the operations that the second change comes before, each once for a row of equals. */
async function phases(table: OutputKind): Promise<string[]> {
  const { contract, input } = await changedOnce(table);
  const found: string[] = [];
  for (let at = 0; ; at += 1) {
    const copy = contractFor(`${contract.publish.path}-${at}`);
    await cp(contract.publish.path, copy.publish.path, { recursive: true, preserveTimestamps: true });
    const meeting = meetingStore(localStore(copy.publish.path), at, () => change(copy, table, 'again'));
    const end = await tableAt(copy, {}, meeting.store)
      .publish(input)
      .then(
        () => 'done',
        (error: Error) => error.name,
      );
    if (!meeting.met()) return found;
    if (end !== 'done') await tableAt(copy).publish(input);
    const outcome = `${end}: ${await outcomeOf(copy, table)}`;
    if (found.at(-1) !== outcome) found.push(outcome);
    await rm(copy.publish.path, { recursive: true });
  }
}

it('voids the plan when a partition that had been changed before is changed again before the commit', async () => {
  expect(await phases('curated')).toEqual([
    'done: told of before and again, the second is overwritten',
    'VoidPlan: told of before and again, the second is overwritten',
    'done: told of before, the second stays',
  ]);
});

it('looks at the quarantine again where another writer took the number of the commit', async () => {
  const { contract, input } = await changedOnce('quarantine');
  const inner = localStore(contract.publish.path);
  let met = false;
  const rival: ObjectStore = {
    ...inner,
    putIfAbsent: async (key, data) => {
      if (key === logKey('curated', 1) && !met) {
        met = true;
        await change(contract, 'quarantine', 'again');
        await commitByHand(`${contract.publish.path}/curated`, [{ commitInfo: { operation: 'OPTIMIZE' } }]);
      }
      return inner.putIfAbsent(key, data);
    },
  };
  expect((await tableAt(contract, {}, rival).publish(input)).version).toBe(2);
  expect((await tableAt(contract).pathOf()).deltaVersions).toEqual({ curated: 2, quarantine: 3 });
  expect(await outcomeOf(contract, 'quarantine')).toBe('told of before and again, the second is overwritten');
});

it('tells of what it found in the quarantine when it last looked, right before the commit, and is not void for more', async () => {
  expect(await phases('quarantine')).toEqual([
    'done: told of before and again, the second is overwritten',
    'done: told of before, the second is overwritten',
    'done: told of before, the second stays',
  ]);
});
