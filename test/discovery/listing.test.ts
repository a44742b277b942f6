import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type SourceListing, listSource } from '../../src/discovery';
import { localStore } from '../../src/storage';
import { Zone, contractFor } from './zone';

let zone: Zone;
beforeEach(() => void (zone = new Zone()));
afterEach(() => zone.remove());

const list = (source: Parameters<typeof contractFor>[1] = {}): Promise<SourceListing> =>
  listSource(localStore(zone.root), contractFor(zone.root, source));
const ignoredOf = ({ ignored }: SourceListing): [string, string][] => ignored.map(({ path, reason }) => [path, reason]);

describe('what is a partition', () => {
  it('takes Parquet files at any depth below a dated folder, in date order', async () => {
    zone
      .put('date=2026-05-02/b.parquet')
      .put('date=2026-05-01/hour=03/deep/a.PARQUET')
      .put('date=2024-02-29/c.Parquet');
    const { partitions, ignored } = await list();
    expect(partitions.map(({ date, files }) => [date, files.map(({ path }) => path)])).toEqual([
      ['2024-02-29', ['date=2024-02-29/c.Parquet']],
      ['2026-05-01', ['date=2026-05-01/hour=03/deep/a.PARQUET']],
      ['2026-05-02', ['date=2026-05-02/b.parquet']],
    ]);
    expect(ignored).toEqual([]);
  });

  it.each([
    '2026-02-30',
    '2026-13-01',
    '..',
    '2026-5-1',
    '2026%2D05%2D01',
    '20260501',
    '__HIVE_DEFAULT_PARTITION__',
    '',
    '2026-05-01 ',
    '2023-02-29',
    '+002026-05-01',
  ])('ignores the folder date=%s, with its count and bytes', async (date) => {
    zone.put(`date=${date}/a.parquet`, 'abc').put(`date=${date}/b.parquet`, 'de');
    const { partitions, ignored } = await list();
    expect(partitions).toEqual([]);
    expect(ignored).toEqual([
      { path: `date=${date}`, reason: expect.stringMatching(/^not a date/), count: 2, bytes: 5 },
    ]);
  });

  it('ignores other columns, files at the root, files that are not Parquet, and says why', async () => {
    zone.put('day=2026-05-01/a.parquet').put('2026-05-01/a.parquet').put('Date=2026-05-01/a.parquet');
    zone
      .put('loose.parquet')
      .put('date=2026-05-01')
      .put('date=2026-05-02/notes.txt')
      .put('date=2026-05-02/x.parquet.tmp');
    const listing = await list();
    expect(listing.partitions).toEqual([]);
    expect(ignoredOf(listing)).toEqual([
      ['2026-05-01/a.parquet', expect.stringMatching(/^not a partition/)],
      ['Date=2026-05-01/a.parquet', expect.stringMatching(/^not a partition/)],
      ['date=2026-05-01', expect.stringMatching(/^a file where a partition folder/)],
      ['date=2026-05-02', expect.stringMatching(/^its name does not end in .parquet/)],
      ['day=2026-05-01/a.parquet', expect.stringMatching(/^not a partition/)],
      ['loose.parquet', expect.stringMatching(/^a file at the root/)],
    ]);
  });

  it('passes over hidden housekeeping, mentions hidden Parquet, and fails for neither', async () => {
    zone.put('_SUCCESS').put('date=2026-05-01/_committed_1').put('date=2026-05-01/.a.parquet.crc').put('.DS_Store');
    zone.put('date=2026-05-01/_temporary/0/a.parquet').put('_date=2026-05-01/a.parquet').put('_delta_log/0.json');
    const listing = await list({ source: { unrecognized: 'fail' } });
    expect(listing.partitions).toEqual([]);
    expect(ignoredOf(listing)).toEqual([
      ['_date=2026-05-01/a.parquet', expect.stringMatching(/^hidden/)],
      ['_delta_log/0.json', expect.stringMatching(/Delta table's log/)],
      ['date=2026-05-01/_temporary/0/a.parquet', expect.stringMatching(/^hidden/)],
    ]);
  });

  it('takes a folder without data files for no folder', async () => {
    mkdirSync(join(zone.root, 'date=2026-05-01'));
    mkdirSync(join(zone.root, 'date=2026-02-30/empty'), { recursive: true });
    expect(await list()).toEqual({ partitions: [], ignored: [] });
  });

  it('orders the files of a partition by UTF-8 bytes, which is not the order of JavaScript', async () => {
    // U+FF5E sorts after U+1F600 by UTF-16 units, before it by UTF-8 bytes.
    const names = [
      'a[1].parquet',
      'a b.parquet',
      '50%2F.parquet',
      '～.parquet',
      '😀.parquet',
      'é.parquet',
      'a*.parquet',
    ];
    for (const name of names) zone.put(`date=2026-05-01/${name}`);
    const { partitions } = await list();
    expect(partitions[0]!.files.map(({ path }) => path.slice('date=2026-05-01/'.length))).toEqual([
      '50%2F.parquet',
      'a b.parquet',
      'a*.parquet',
      'a[1].parquet',
      'é.parquet',
      '～.parquet',
      '😀.parquet',
    ]);
  });

  it('never follows links, and says so', async () => {
    zone.put('date=2026-05-01/a.parquet');
    symlinkSync(join(zone.root, 'date=2026-05-01'), join(zone.root, 'date=2026-05-02'));
    symlinkSync('a.parquet', join(zone.root, 'date=2026-05-01/latest.parquet'));
    const listing = await list();
    expect(listing.partitions.map(({ date, files }) => [date, files.length])).toEqual([['2026-05-01', 1]]);
    expect(ignoredOf(listing)).toEqual([
      ['date=2026-05-01/latest.parquet', expect.stringMatching(/symbolic link/)],
      ['date=2026-05-02', expect.stringMatching(/symbolic link/)],
    ]);
  });

  it('uses the partition column of the contract', async () => {
    zone.put('day=2026-05-01/a.parquet').put('date=2026-05-02/a.parquet');
    const { partitions } = await list({ source: { partitionColumn: 'day' } });
    expect(partitions.map(({ date }) => date)).toEqual(['2026-05-01']);
  });
});

describe('bounds and refusals', () => {
  it('lists at most 1,000 ignored entries and sums up the rest', async () => {
    for (let i = 0; i < 1_005; i += 1) zone.put(`junk${i}/a`, 'ab').put(`junk${i}/b`, 'c');
    const { ignored } = await list();
    expect(ignored).toHaveLength(1_001);
    expect(ignored.at(-1)).toEqual({ path: '…', reason: 'and 5 more entries', count: 10, bytes: 15 });
  });

  it('fails on unrecognized entries when the contract says so, naming them', async () => {
    zone.put('date=2026-05-01/a.parquet').put('notes.txt').put('date=2026-02-30/a.parquet');
    await expect(list({ source: { unrecognized: 'fail' } })).rejects.toMatchObject({
      type: 'SourceError',
      message: expect.stringMatching(
        /"date=2026-02-30\/a.parquet": not a date[^]*"notes.txt": a file at the root[^]*set source.unrecognized to warn/,
      ),
    });
  });

  it('fails when the root is missing, or a file', async () => {
    const missing = join(zone.root, 'nope');
    await expect(listSource(localStore(missing), contractFor(missing))).rejects.toMatchObject({
      type: 'SourceError',
      message: expect.stringContaining(`${missing} of pipeline transactions does not exist`),
    });
    zone.put('file');
    const fileRoot = join(zone.root, 'file');
    await expect(listSource(localStore(fileRoot), contractFor(fileRoot))).rejects.toMatchObject({
      type: 'SourceError',
      message: expect.stringContaining('is not a folder'),
    });
  });

  it('stops when it is aborted', async () => {
    zone.put('date=2026-05-01/a.parquet');
    const signal = AbortSignal.abort(new Error('cancelled'));
    await expect(listSource(localStore(zone.root), contractFor(zone.root), { signal })).rejects.toThrow('cancelled');
  });
});
