import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tidegate } from '../cli/support/tidegate';
import { Zone } from '../support/bad-zone';
import { Installation } from '../support/installation';
import { publishedIds } from '../support/read-table';
import { transactions } from '../support/transactions';

/** Raw zones that hold no data, strange names, or dates that cannot be: nothing breaks, nothing is guessed. */
let it_: Installation;

beforeAll(async () => {
  it_ = await Installation.create();
  await it_.worker({ TIDEGATE_ACTIVITY_ATTEMPTS: '2' });
}, 180_000);
afterAll(async () => {
  await it_?.dispose();
});

/** What `tidegate plan` prints. */
async function planOf(zone: Zone): Promise<string> {
  const { code, stdout, stderr } = await tidegate(['plan', zone.pipeline], { env: it_.env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

test('a folder without files is no partition; a valid file without rows is one', async () => {
  const zone = await Zone.published(it_, 'without-rows');
  const first = zone.look();
  mkdirSync(join(zone.raw, 'date=2026-05-09'));
  zone.land('2026-05-02', []);
  const summary = await zone.publishesEverything();
  expect(summary).toMatchObject({
    watermark: { before: '2026-05-01', after: '2026-05-02' },
    taken: 2,
    totals: { read: 3, published: 3 },
  });
  expect(zone.look().curated).toEqual(first.curated);
});

test('a raw zone without partitions leaves the table and the watermark as they are, and says that data is gone', async () => {
  const zone = await Zone.published(it_, 'no-partitions');
  const before = zone.look();
  renameSync(join(zone.raw, 'date=2026-05-01'), join(it_.folder, 'aside'));
  expect(await zone.run()).toMatchObject({
    status: 'nothing',
    commit: null,
    watermark: { before: '2026-05-01', after: '2026-05-01' },
  });
  expect(zone.look()).toEqual(before);
  expect(await planOf(zone)).toMatch(/2026-05-01.*gone/);

  renameSync(join(it_.folder, 'aside'), join(zone.raw, 'date=2026-05-01'));
  zone.land('2026-05-02', transactions('next', 1));
  await zone.publishesEverything();
});

test('a raw zone that is not there fails the run, with its path', async () => {
  const zone = await Zone.published(it_, 'no-root');
  renameSync(zone.raw, `${zone.raw}-unmounted`);
  const failure = await zone.failure();
  expect(failure.type).toBe('SourceError');
  expect(failure.message).toContain(
    `the raw zone ${zone.raw} of pipeline no-root does not exist. Create it, or correct source.path in the contract.`,
  );
  renameSync(`${zone.raw}-unmounted`, zone.raw);
  zone.land('2026-05-02', transactions('next', 1));
  await zone.publishesEverything();
});

test('a watermark later than every partition stays, and late data is listed with the command that takes it', async () => {
  const zone = await Zone.published(it_, 'ahead', { lookback: 3 });
  zone.land('2026-06-01', transactions('newest', 1));
  await zone.run();
  const before = zone.look();
  rmSync(join(zone.raw, 'date=2026-06-01'), { recursive: true });
  zone.land('2026-05-20', transactions('late', 1));
  expect(await zone.run()).toMatchObject({
    status: 'nothing',
    watermark: { before: '2026-06-01', after: '2026-06-01' },
    left: 3,
  });
  expect(zone.look()).toEqual(before);
  expect(await planOf(zone)).toContain('tidegate backfill ahead --from 2026-05-20 --to 2026-05-20');

  await (await it_.start('backfill', { pipeline: 'ahead', from: '2026-05-20', to: '2026-05-20' })).result();
  expect(publishedIds(zone.look().path)).toEqual(['tgood-0', 'tgood-1', 'tgood-2', 'tlate-0', 'tnewest-0']);
});

test('folders that are no dated partition are refused where the contract says so, and else listed and left', async () => {
  const folders = ['date=2026-02-30', 'date=..', 'date=2026-5-1', '2026-05-03'];
  const zone = await Zone.published(it_, 'no-dates');
  for (const folder of folders) {
    zone.land('2026-05-02', transactions(`in-${folder}`, 1));
    renameSync(join(zone.raw, 'date=2026-05-02'), join(zone.raw, folder));
  }
  zone.contract({}, (yaml) => yaml.replace('partitionColumn: date', 'partitionColumn: date, unrecognized: fail'));
  const failure = await zone.failure();
  expect(failure.type).toBe('SourceError');
  expect(failure.message).toContain(`the raw zone ${zone.raw} holds what is not partitioned data`);
  expect(failure.message).toContain("a partition's folder is named date=YYYY-MM-DD");
  expect(failure.message).toContain('Move these out of the raw zone, or set source.unrecognized to warn.');

  zone.contract();
  const plan = await planOf(zone);
  for (const folder of folders) {
    expect(failure.message).toContain(`"${folder}`);
    expect(plan).toContain(folder);
  }
  expect(await zone.run()).toMatchObject({ status: 'committed', taken: 1, ignored: 4, totals: { published: 3 } });
  for (const [index, folder] of folders.entries()) {
    renameSync(join(zone.raw, folder), join(zone.raw, `date=2026-05-0${index + 2}`));
  }
  expect(await zone.publishesEverything()).toMatchObject({ taken: 5, ignored: 0, totals: { published: 7 } });
});

test('file names with brackets, stars, spaces, percent signs, quotes and other scripts are taken as they are', async () => {
  const zone = await Zone.published(it_, 'names');
  const names = [
    'part[0].parquet',
    'part[!0].parquet',
    'part-*.parquet',
    'part-?.parquet',
    '{a,b}.parquet',
    'two  spaces .parquet',
    'per%20cent%.parquet',
    'hash#question&equals=.parquet',
    `it's "quoted".parquet`,
    'back\\slash.parquet',
    'naïve-Ω-雪-🦉.parquet',
    'nai\u0308ve.parquet',
    'UPPER.PARQUET',
    'sub folder [1]/part 0%.parquet',
  ];
  for (const [index, name] of names.entries()) {
    const rejected = { amount: index % 2 === 0 ? 5 : -5 };
    zone.land('2026-05-02', transactions(`n${index}`, 2, rejected), name);
  }
  expect(await zone.publishesEverything()).toMatchObject({
    ignored: 0,
    totals: { read: 3 + 2 * names.length, published: 3 + names.length, quarantined: names.length },
  });
  const rejected = zone.look().quarantine.map((row) => row['_source_file']);
  expect(new Set(rejected)).toEqual(
    new Set(names.filter((_, index) => index % 2 === 1).map((name) => `date=2026-05-02/${name}`)),
  );
});
