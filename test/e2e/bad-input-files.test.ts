import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tidegate } from '../cli/support/tidegate';
import { columnsWith } from '../support/bad-columns';
import { Zone } from '../support/bad-zone';
import { Installation } from '../support/installation';
import { writeFiles } from '../support/oracle';
import { transactions } from '../support/transactions';

/** One bad file beside good ones: the run says which and why and publishes nothing; mended, everything is published. */
let it_: Installation;

beforeAll(async () => {
  it_ = await Installation.create();
  await it_.worker({ TIDEGATE_ACTIVITY_ATTEMPTS: '2' });
}, 180_000);
afterAll(async () => {
  await it_?.dispose();
});

const DAY = '2026-05-02';
const BAD = `date=${DAY}/part-1.parquet`;

/** A published pipeline with a new day in it: one good file, and room for a bad one. */
async function zoneWithNewDay(pipeline: string): Promise<Zone> {
  const zone = await Zone.published(it_, pipeline);
  zone.land(DAY, transactions('day', 2), 'part-0.parquet');
  return zone;
}

async function mendedPublishesEverything(zone: Zone): Promise<void> {
  zone.land(DAY, transactions('mended', 2), 'part-1.parquet');
  const summary = await zone.publishesEverything();
  expect(summary).toMatchObject({ commit: { version: 2 }, totals: { read: 7, published: 7 } });
}

const UNREADABLE = `the source file ${BAD} in `;
test.each([
  [
    'cut-short',
    (good: Buffer) => good.subarray(0, good.length >> 1),
    UNREADABLE,
    'it was cut short, is still being written',
  ],
  ['empty', () => Buffer.alloc(0), UNREADABLE, 'it is empty (0 bytes)'],
  ['not-parquet', () => Buffer.from('id,amount\n1,2\n'.repeat(9)), UNREADABLE, 'does not end as a Parquet file does'],
  ['half-a-footer', (good: Buffer) => good.subarray(good.length - 700), UNREADABLE, 'its footer claims'],
  ['damaged', damagedInside, `${BAD} (partition ${DAY}) cannot be read`, 'as the columns the contract declares'],
])('a file that is %s is named with what is wrong with it', async (name, spoil, where, why) => {
  const zone = await zoneWithNewDay(name);
  zone.put(BAD, spoil(readFileSync(join(zone.raw, `date=${DAY}/part-0.parquet`))));
  const failure = await zone.failure();
  expect(failure.type).toBe('UnreadableFile');
  expect(failure.message).toContain(where);
  expect(failure.message).toContain(why);
  expect(failure.message).toMatch(
    /Replace (the file, or move it out of the raw zone|or remove the file, then run again)\.$/,
  );
  await mendedPublishesEverything(zone);
});

/** A whole footer, and rubbish where the data was. */
function damagedInside(good: Buffer): Buffer {
  const footer = good.readUInt32LE(good.length - 8) + 8;
  return Buffer.concat([good.subarray(0, 4), Buffer.alloc(good.length - footer - 4, 0xff), good.subarray(-footer)]);
}

test.each([
  ['missing', { amount: null }, 'column "amount": expected float64, found no such column; rewrite the file with it'],
  ['extra', { coupon: ['string', ['a', 'b']] }, 'column "coupon": expected no such column, found string; declare it'],
  ['retyped', { amount: ['string', ['1', '2']] }, 'column "amount": expected float64, found string; rewrite the file'],
  [
    'zoned',
    { updated_at: ['timestamp[ms, UTC]', ['1', '2']] },
    'column "updated_at": expected timestamp[ms], found timestamp[ms, UTC]; a time without a zone and one in UTC are never mixed',
  ],
] as const)(
  'a file of many with a %s column is named with the column, expected and found',
  async (name, changes, says) => {
    const zone = await zoneWithNewDay(name);
    await writeFiles([{ path: join(zone.raw, BAD), columns: columnsWith(changes) }]);
    const failure = await zone.failure();
    expect(failure.type).toBe('SchemaMismatch');
    expect(failure.message).toContain('a source file does not have the columns the contract declares');
    expect(failure.message).toContain(`${BAD}: ${says}`);
    expect(failure.message).toContain('Nothing was written.');
    await mendedPublishesEverything(zone);
  },
);

test('a time without a zone is refused where the contract declares UTC', async () => {
  const zone = new Zone(it_, 'naive');
  zone.contract({}, (yaml) => yaml.replace('timestamp[ms]', 'timestamp[ms, UTC]'));
  const zoned = columnsWith({ updated_at: ['timestamp[ms, UTC]', ['1', '2']] });
  await writeFiles([{ path: join(zone.raw, 'date=2026-05-01/part-0.parquet'), columns: zoned }]);
  await zone.publishesEverything();
  await writeFiles([{ path: join(zone.raw, BAD), columns: columnsWith({}) }]);
  const failure = await zone.failure();
  expect(failure.type).toBe('SchemaMismatch');
  expect(failure.message).toContain(
    `${BAD}: column "updated_at": expected timestamp[ms, UTC], found timestamp[ms]; a time without a zone and one in UTC are never mixed: rewrite the file, or declare the other`,
  );
  await writeFiles([{ path: join(zone.raw, BAD), columns: zoned }]);
  expect(await zone.publishesEverything()).toMatchObject({ totals: { read: 4, superseded: 2, published: 2 } });
});

test('tidegate check names every bad file at once, tidegate run fails on them, and neither changes the table', async () => {
  const zone = await zoneWithNewDay('check');
  const before = zone.look();
  zone.put('date=2026-05-03/cut.parquet', readFileSync(join(zone.raw, `date=${DAY}/part-0.parquet`)).subarray(0, 99));
  zone.put('date=2026-05-04/empty.parquet', '');
  await writeFiles([
    { path: join(zone.raw, 'date=2026-05-05/missing.parquet'), columns: columnsWith({ user_id: null }) },
    { path: join(zone.raw, 'date=2026-05-06/extra.parquet'), columns: columnsWith({ coupon: ['int64', ['1', '2']] }) },
  ]);
  const { code, stdout } = await tidegate(['check', 'check'], { env: it_.env });
  expect(code).toBe(1);
  for (const file of [
    'date=2026-05-03/cut',
    'date=2026-05-04/empty',
    'date=2026-05-05/missing',
    'date=2026-05-06/extra',
  ]) {
    expect(stdout).toContain(`${file}.parquet`);
  }
  const run = await tidegate(['run', 'check'], { env: it_.env });
  expect(run).toMatchObject({ code: 1, stdout: '' });
  expect(run.stderr).toMatch(/error \(UnreadableFile\): .*date=2026-05-0[34].*is not Parquet that can be read/);
  expect(zone.look()).toEqual(before);
});
