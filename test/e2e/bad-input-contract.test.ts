import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tidegate } from '../cli/support/tidegate';
import { Zone } from '../support/bad-zone';
import { Installation } from '../support/installation';
import { publishedIds } from '../support/read-table';
import { transactions } from '../support/transactions';

/**
 * Contracts that contradict themselves, their source or their target: told by `tidegate check`, and
 * by a run that meets them. (Changed rules of a published table: see backfill.test.ts.)
 */
let it_: Installation;

beforeAll(async () => {
  it_ = await Installation.create();
  await it_.worker({ TIDEGATE_ACTIVITY_ATTEMPTS: '2' });
}, 180_000);
afterAll(async () => {
  await it_?.dispose();
});

async function check(pipeline: string): Promise<{ code: number | null; text: string }> {
  const { code, stdout, stderr } = await tidegate(['check', pipeline], { env: it_.env });
  return { code, text: stdout + stderr };
}

/** A change of the contract that is refused by `check` (exit code 2) and by a run, and then taken back. */
async function isRefused(zone: Zone, edit: (yaml: string) => string, says: readonly string[]): Promise<void> {
  zone.contract({}, edit);
  try {
    const [{ code, text }, failure] = await Promise.all([check(zone.pipeline), zone.failure()]);
    expect(code).toBe(2);
    expect(failure.type).toBe('ContractError');
    for (const part of says) {
      expect(text).toContain(part);
      expect(failure.message).toContain(part);
    }
  } finally {
    zone.contract();
  }
}

describe('a contract that contradicts itself', () => {
  let zone: Zone;
  beforeAll(async () => {
    zone = await Zone.published(it_, 'contradicting');
    zone.land('2026-05-02', transactions('next', 2));
    symlinkSync(zone.raw, join(zone.raw, '..', 'elsewhere'));
  });

  test('a gate on a column that is not declared is refused with its line, and the column that was meant', async () => {
    const says = ['contradicting.yaml', ':13:30:', 'amuont', 'did you mean "amount"?'];
    await isRefused(zone, (yaml) => yaml.replace('column: amount', 'column: amuont'), says);
  });

  test('every column that the Delta format cannot hold is refused by name, with what to declare instead', async () => {
    const edit = (yaml: string): string =>
      yaml.replace('format: directory', 'format: delta').replace('amount: float64', 'amount: uint8');
    await isRefused(zone, edit, [
      'column "amount" is uint8; Delta has no unsigned integers; declare it as int16',
      'column "updated_at" is a timestamp in ms; Delta has microseconds only; declare it as timestamp[us]',
    ]);
  });

  test.each([
    ['.', 'the published table is the source folder'],
    ['curated', 'the published table lies inside the source folder'],
    ['..', 'the published table holds the source folder'],
    // A symbolic link to the source.
    ['../elsewhere/curated', 'the published table lies inside the source folder'],
  ])('a target that overlaps its source is refused: %s', async (target, says) => {
    const held = readdirSync(zone.raw);
    await isRefused(zone, (yaml) => yaml.replace(zone.curated, `${zone.raw}/${target}`), [says]);
    expect(readdirSync(zone.raw)).toEqual(held);
  });

  test('once it is mended, the next run publishes everything', async () => {
    expect(await zone.publishesEverything()).toMatchObject({ commit: { version: 2 }, totals: { published: 5 } });
  });
});

test('a target folder that holds something else is refused, and nothing in it is touched', async () => {
  const zone = await Zone.published(it_, 'strangers');
  const folder = join(zone.raw, '..', 'documents');
  mkdirSync(folder);
  writeFileSync(join(folder, 'thesis.docx'), 'years of work');
  zone.contract({}, (yaml) => yaml.replace(zone.curated, folder));
  const says = `publish.path ${folder} holds 1 other entry (thesis.docx) and no tidegate.json: it is not a Tidegate table; name a new or empty folder`;
  const { code, text } = await check('strangers');
  expect(code).toBe(1);
  expect(text).toContain(says);
  const failure = await zone.failure();
  expect(failure.type).toBe('TargetError');
  expect(failure.message).toContain(says);
  expect(readdirSync(folder)).toEqual(['thesis.docx']);
  expect(readFileSync(join(folder, 'thesis.docx'), 'utf8')).toBe('years of work');

  rmSync(join(folder, 'thesis.docx'));
  expect((await zone.run()).commit!.path).toContain(folder);
});

test("another pipeline's table is refused, and stays that pipeline's", async () => {
  const owner = await Zone.published(it_, 'owner');
  const guest = await Zone.published(it_, 'guest');
  const before = owner.look();
  guest.contract({}, (yaml) => yaml.replace(guest.curated, owner.curated));
  const says = `the table at ${owner.curated} belongs to the pipeline "owner"; the pipeline "guest" cannot publish there; give it a publish.path of its own`;
  const { code, text } = await check('guest');
  expect(code).toBe(1);
  expect(text).toContain(says);
  const failure = await guest.failure();
  expect(failure.type).toBe('TargetError');
  expect(failure.message).toContain(says);
  expect(owner.look()).toEqual(before);

  guest.contract();
  guest.land('2026-05-02', transactions('next', 1));
  await guest.publishesEverything();
  await owner.publishesEverything();
  expect(publishedIds(owner.look().path)).toEqual(['tgood-0', 'tgood-1', 'tgood-2']);
});
