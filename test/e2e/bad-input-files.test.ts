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
/** All faults meet one table, each on a day of its own. */
let zone: Zone;

beforeAll(async () => {
  it_ = await Installation.create();
  await it_.worker({ TIDEGATE_ACTIVITY_ATTEMPTS: '2' });
  zone = await Zone.published(it_, 'files');
}, 180_000);
afterAll(async () => {
  await it_?.dispose();
});

interface Failure {
  /** The bad file, relative to the raw zone. */
  readonly file: string;
  readonly type: unknown;
  readonly message: string;
}

let days = 1;
/** What a run over a new day with a good file and a bad one says; with the bad one mended, everything is published. */
async function failureOver(makeBad: (file: string, good: Buffer) => Promise<void> | void): Promise<Failure> {
  days += 1;
  const date = `2026-05-${String(days).padStart(2, '0')}`;
  const file = `date=${date}/part-1.parquet`;
  zone.land(date, transactions(`${date}-good`, 2), 'part-0.parquet');
  try {
    await makeBad(file, readFileSync(join(zone.raw, `date=${date}/part-0.parquet`)));
    const { type, message } = await zone.failure();
    return { file, type, message };
  } finally {
    zone.land(date, transactions(`${date}-mended`, 2), 'part-1.parquet');
    const { totals } = await zone.publishesEverything();
    // Three rows of the first day, and four of each day since.
    expect(totals).toMatchObject({ read: 4 * days - 1, published: 4 * days - 1 });
  }
}

test.each([
  ['cut short', (good: Buffer) => good.subarray(0, good.length >> 1), 'it was cut short, is still being written'],
  ['empty', () => Buffer.alloc(0), 'it is empty (0 bytes)'],
  ['no Parquet', () => Buffer.from('id,amount\n1,2\n'.repeat(9)), 'does not end as a Parquet file does'],
  ['half a footer', (good: Buffer) => good.subarray(good.length - 700), 'its footer claims'],
])('a file that is %s is named with what is wrong with it, before anything is written', async (_, spoil, why) => {
  const { file, type, message } = await failureOver((bad, good) => zone.put(bad, spoil(good)));
  expect(type).toBe('UnreadableFile');
  expect(message).toContain(
    `discoverPartitions: the source file ${file} in ${zone.raw} is not Parquet that can be read: `,
  );
  expect(message).toContain(why);
  expect(message).toContain('Nothing was written. Replace the file, or move it out of the raw zone.');
});

test('a file whose data is damaged behind a good footer is named when it is read', async () => {
  const { file, type, message } = await failureOver((bad, good) => zone.put(bad, damagedInside(good)));
  expect(type).toBe('UnreadableFile');
  expect(message).toMatch(/: resolveKeys: date=.* cannot be read as the columns the contract declares: /);
  expect(message).toContain(file);
  expect(message).toContain('Replace or remove the file, then run again.');
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
  async (_, changes, says) => {
    const { file, type, message } = await failureOver((bad) =>
      writeFiles([{ path: join(zone.raw, bad), columns: columnsWith(changes) }]),
    );
    expect(type).toBe('SchemaMismatch');
    expect(message).toContain('a source file does not have the columns the contract declares');
    expect(message).toContain(`${file}: ${says}`);
    expect(message).toContain('Nothing was written.');
  },
);

test('a time without a zone is refused where the contract declares UTC', async () => {
  const naive = 'date=2026-05-02/part-1.parquet';
  const utc = new Zone(it_, 'utc');
  utc.contract({}, (yaml) => yaml.replace('timestamp[ms]', 'timestamp[ms, UTC]'));
  const zoned = columnsWith({ updated_at: ['timestamp[ms, UTC]', ['1', '2']] });
  await writeFiles([{ path: join(utc.raw, 'date=2026-05-01/part-0.parquet'), columns: zoned }]);
  await utc.publishesEverything();
  await writeFiles([{ path: join(utc.raw, naive), columns: columnsWith({}) }]);
  const failure = await utc.failure();
  expect(failure.type).toBe('SchemaMismatch');
  expect(failure.message).toContain(
    `${naive}: column "updated_at": expected timestamp[ms, UTC], found timestamp[ms]; a time without a zone and one in UTC are never mixed: rewrite the file, or declare the other`,
  );
  await writeFiles([{ path: join(utc.raw, naive), columns: zoned }]);
  expect(await utc.publishesEverything()).toMatchObject({ totals: { read: 4, superseded: 2, published: 2 } });
});

test('tidegate check names every bad file at once, tidegate run fails on them, and neither changes the table', async () => {
  const before = zone.look();
  const good = readFileSync(join(zone.raw, 'date=2026-05-01/part-0.parquet'));
  zone.put('date=2026-06-03/cut.parquet', good.subarray(0, 99));
  zone.put('date=2026-06-04/empty.parquet', '');
  await writeFiles([
    { path: join(zone.raw, 'date=2026-06-05/missing.parquet'), columns: columnsWith({ user_id: null }) },
    { path: join(zone.raw, 'date=2026-06-06/extra.parquet'), columns: columnsWith({ coupon: ['int64', ['1', '2']] }) },
  ]);
  const { code, stdout } = await tidegate(['check', 'files'], { env: it_.env });
  expect(code).toBe(1);
  for (const file of [
    'date=2026-06-03/cut',
    'date=2026-06-04/empty',
    'date=2026-06-05/missing',
    'date=2026-06-06/extra',
  ]) {
    expect(stdout).toContain(`${file}.parquet`);
  }
  const run = await tidegate(['run', 'files'], { env: it_.env });
  expect(run).toMatchObject({ code: 1, stdout: '' });
  expect(run.stderr).toMatch(/error \(UnreadableFile\): .*date=2026-06-0[34].*is not Parquet that can be read/);
  expect(zone.look()).toEqual(before);
});
