import pl from 'nodejs-polars';
import { type DiscoverInput, checkSource, discover, fingerprint, planDigest } from '../../src/discovery';
import { localStore } from '../../src/storage';
import { EMPTY_TABLE, Zone, contractFor, day, digestsOf } from './zone';

let zone: Zone;
beforeEach(() => void (zone = new Zone()));
afterEach(() => zone.remove());

function input(overrides: Partial<DiscoverInput> = {}): DiscoverInput {
  const contract = overrides.contract ?? contractFor(zone.root);
  return {
    contract,
    store: localStore(zone.root),
    digests: digestsOf(contract),
    scope: { kind: 'incremental' },
    state: EMPTY_TABLE,
    today: day('2026-06-01'),
    ...overrides,
  };
}

const WITHOUT_AT = pl.DataFrame({ id: pl.Series('id', [1], pl.Int64) }).writeParquet();

it('plans with the rows of every footer, files in byte order, and an empty file among them', async () => {
  zone
    .put('date=2026-05-01/b [1] 50%.parquet', 3)
    .put('date=2026-05-01/～.parquet', 0)
    .put('date=2026-05-01/😀.parquet', 2);
  zone.put('date=2026-05-02/a.parquet', 7).put('notes.txt');
  const phases: string[] = [];
  const plan = await discover(
    input({ onProgress: ({ phase, done, total }) => phases.push(`${phase} ${done}/${total}`) }),
  );
  expect(plan.partitions.map(({ date, rows, files }) => [date, rows, files.map((file) => file.rows)])).toEqual([
    ['2026-05-01', 5, [3, 0, 2]],
    ['2026-05-02', 7, [7]],
  ]);
  expect(plan.watermark).toBe('2026-05-02');
  expect(plan.ignored).toHaveLength(1);
  expect(phases.at(-1)).toBe('reading footers 4/4');
  expect(planDigest(await discover(input()))).toBe(planDigest(plan));
});

it('opens the files of selected partitions only', async () => {
  zone.put('date=2026-05-01/broken.parquet', 'no Parquet').put('date=2026-05-02/a.parquet', 1);
  const scope = { kind: 'backfill', from: day('2026-05-02'), to: day('2026-05-02') } as const;
  expect((await discover(input({ scope }))).partitions).toHaveLength(1);
  await expect(discover(input())).rejects.toMatchObject({
    type: 'UnreadableFile',
    message: expect.stringContaining('date=2026-05-01/broken.parquet'),
  });
});

it('plans nothing over an empty raw zone', async () => {
  expect(await discover(input())).toMatchObject({ partitions: [], left: [], watermark: null });
});

it('names every file, of many, that has other columns', async () => {
  for (let i = 1; i <= 9; i += 1) zone.put(`date=2026-05-0${i}/a.parquet`, i === 3 || i === 8 ? WITHOUT_AT : 1);
  await expect(discover(input())).rejects.toMatchObject({
    type: 'SchemaMismatch',
    message: expect.stringMatching(
      /^2 source files do not have.*\n {2}date=2026-05-03\/a.parquet: column "at": .*\n {2}date=2026-05-08\/a.parquet: column "at": .*\nNothing was written\.$/,
    ),
  });
});

it('stops when it is aborted while reading footers', async () => {
  for (let i = 10; i < 28; i += 1) for (let n = 0; n < 5; n += 1) zone.put(`date=2026-05-${i}/${n}.parquet`, 1);
  const abort = new AbortController();
  const onProgress: DiscoverInput['onProgress'] = ({ phase, done }) => {
    if (phase === 'reading footers' && done === 3) abort.abort(new Error('cancelled'));
  };
  await expect(discover(input({ signal: abort.signal, onProgress }))).rejects.toThrow('cancelled');
});

it('gives each partition the fingerprint of its files', async () => {
  zone.put('date=2026-05-01/a.parquet', 3).put('date=2026-05-01/b.parquet', 1);
  const { files, fingerprint: digest } = (await discover(input())).partitions[0]!;
  expect(fingerprint(files)).toBe(digest);
  expect(fingerprint(files.slice(1))).not.toBe(digest);
});

it.each([
  ['unreadable', 'no parquet', 'UnreadableFile'],
  ['of other columns', WITHOUT_AT, 'SchemaMismatch'],
])('names a file %s on one line, whatever its name holds', async (_, content, type) => {
  zone.put('date=2026-05-01/two\nlines\u001b[2J.parquet', content);
  const failure: unknown = await discover(input()).catch((error: unknown) => error);
  expect(failure).toMatchObject({ type });
  const { message } = failure as Error;
  expect(message.split('\n').find((line) => line.includes('two'))).toContain(
    'date=2026-05-01/two\\u{a}lines\\u{1b}[2J.parquet',
  );
});

describe('checking a source', () => {
  it('returns every fault of the newest partitions instead of throwing at the first', async () => {
    zone.put('date=2026-05-01/old.parquet', WITHOUT_AT).put('date=2026-05-02/a.parquet', 4);
    zone.put('date=2026-05-03/bad.parquet', 'no').put('date=2026-05-03/c.parquet', WITHOUT_AT).put('junk.txt');
    const contract = contractFor(zone.root);
    const newest = await checkSource(contract, localStore(zone.root), { newest: 2 });
    expect(newest).toMatchObject({ partitions: 3, files: 4, first: '2026-05-01', last: '2026-05-03' });
    expect(newest.checked).toEqual({ partitions: 2, files: 3, rows: 5 });
    expect(newest.faults.map(({ file }) => file)).toEqual(['date=2026-05-03/c.parquet']);
    expect(newest.unreadable).toEqual([expect.stringContaining('date=2026-05-03/bad.parquet')]);
    expect(newest.ignored).toHaveLength(1);
    const all = await checkSource(contract, localStore(zone.root), { newest: 'all' });
    expect(all.faults.map(({ file }) => file)).toEqual(['date=2026-05-01/old.parquet', 'date=2026-05-03/c.parquet']);
  });
});
