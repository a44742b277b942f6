import {
  type PlanState,
  type PlanScope,
  type SourceFile,
  type SourceListing,
  selectPartitions,
} from '../../src/discovery';
import { EMPTY_TABLE, contractFor, day, digestsOf, file, published } from './zone';

const INCREMENTAL: PlanScope = { kind: 'incremental' };
const range = (from: string, to: string): PlanScope => ({ kind: 'backfill', from: day(from), to: day(to) });

type Given = {
  readonly data: Record<string, readonly SourceFile[]> | readonly string[];
  readonly state?: PlanState;
  readonly scope?: PlanScope;
  readonly incremental?: Partial<ReturnType<typeof contractFor>['incremental']>;
  readonly today?: string;
};

const contract = contractFor('/data/raw');

function listingOf(data: Given['data']): SourceListing {
  const byDate = Array.isArray(data) ? Object.fromEntries(data.map((date: string) => [date, [file(date)]])) : data;
  return {
    partitions: Object.entries(byDate as Record<string, SourceFile[]>).map(([date, files]) => ({
      date: day(date),
      files,
    })),
    ignored: [],
  };
}

function select({ data, state = EMPTY_TABLE, scope = INCREMENTAL, incremental = {}, today = '2026-06-01' }: Given) {
  const ruled = { ...contract, incremental: { ...contract.incremental, ...incremental } };
  return selectPartitions({
    contract: ruled,
    digests: digestsOf(contract),
    scope,
    state,
    listing: listingOf(data),
    today: day(today),
  });
}

function reasons(given: Given): Record<string, string> {
  const { taken, left } = select(given);
  return Object.fromEntries(
    [...taken, ...left].toSorted((a, b) => (a.date < b.date ? -1 : 1)).map(({ date, reason }) => [date, reason]),
  );
}

const at = (...dates: string[]) => Object.fromEntries(dates.map((date) => [date, [file(date)]]));

describe('an incremental run', () => {
  it('takes everything when nothing was ever published', () => {
    expect(reasons({ data: ['2020-01-01', '2026-05-01'] })).toEqual({ '2020-01-01': 'new', '2026-05-01': 'new' });
  });

  it('takes the window, both published and new, and leaves what is older and unchanged', () => {
    const state = published(contract, '2026-05-10', at('2026-05-06', '2026-05-07', '2026-05-10'));
    expect(reasons({ data: ['2026-05-06', '2026-05-07', '2026-05-08', '2026-05-10', '2026-05-11'], state })).toEqual({
      '2026-05-06': 'unchanged',
      '2026-05-07': 'lookback',
      '2026-05-08': 'new',
      '2026-05-10': 'lookback',
      '2026-05-11': 'new',
    });
  });

  it('reaches back over a leap day', () => {
    const state = published(contract, '2024-03-02', at('2024-02-28', '2024-02-29'));
    expect(reasons({ data: ['2024-02-28', '2024-02-29'], state, incremental: { lookback: 2 } })).toEqual({
      '2024-02-28': 'unchanged',
      '2024-02-29': 'lookback',
    });
  });

  it('leaves what came or changed before the window, with the backfill command that takes it', () => {
    const state = published(contract, '2026-05-10', at('2026-04-02', '2026-05-10'));
    const { left } = select({
      data: { ...at('2026-04-01'), '2026-04-02': [file('2026-04-02', 'a.parquet', 2)] },
      state,
    });
    expect(left.filter(({ reason }) => reason === 'late: not taken')).toEqual([
      {
        date: '2026-04-01',
        reason: 'late: not taken',
        hint: 'never published, and older than the window that begins 2026-05-07; to take it: tidegate backfill transactions --from 2026-04-01 --to 2026-04-01',
      },
      {
        date: '2026-04-02',
        reason: 'late: not taken',
        hint: 'changed since it was published, and older than the window that begins 2026-05-07; to take it: tidegate backfill transactions --from 2026-04-02 --to 2026-04-02',
      },
    ]);
  });

  it.each([
    ['a file more', [file('2026-04-02'), file('2026-04-02', 'b.parquet')], 'late: not taken'],
    ['another size', [{ ...file('2026-04-02'), size: 7 }], 'late: not taken'],
    ['another name', [file('2026-04-02', 'c.parquet')], 'late: not taken'],
    ['the same files', [file('2026-04-02')], 'unchanged'],
  ])('notices %s in a published partition', (_, files, reason) => {
    const state = published(contract, '2026-05-10', at('2026-04-02'));
    expect(reasons({ data: { '2026-04-02': files }, state })).toEqual({ '2026-04-02': reason });
  });

  it('keeps what is gone', () => {
    const state = published(contract, '2026-05-10', at('2026-05-01', '2026-05-10'));
    expect(reasons({ data: ['2026-05-11'], state })).toEqual({
      '2026-05-01': 'gone: kept',
      '2026-05-10': 'gone: kept',
      '2026-05-11': 'new',
    });
  });

  it('leaves what is before the start, and what is later than tomorrow unless the contract accepts it', () => {
    const data = ['2026-04-30', '2026-05-01', '2026-06-01', '2026-06-02', '2026-06-03'];
    expect(reasons({ data, incremental: { start: day('2026-05-01') } })).toEqual({
      '2026-04-30': 'before-start',
      '2026-05-01': 'new',
      '2026-06-01': 'new',
      '2026-06-02': 'new',
      '2026-06-03': 'future',
    });
    expect(reasons({ data: ['2026-06-03'], incremental: { future: 'accept' } })).toEqual({ '2026-06-03': 'new' });
  });

  it('selects nothing when the watermark is later than every partition', () => {
    const state = published(contract, '2026-05-30', at('2026-05-01'));
    expect(select({ data: ['2026-05-01'], state }).taken).toEqual([]);
  });

  it('takes the partitions that only backfills have published while there is no watermark', () => {
    const state = published(contract, null, at('2026-05-01'));
    expect(reasons({ data: ['2026-05-01', '2026-05-02'], state })).toEqual({
      '2026-05-01': 'lookback',
      '2026-05-02': 'new',
    });
  });
});

describe('a backfill of a range', () => {
  it('takes every date with data, both ends included, even before the start, and lists the others', () => {
    const state = published(contract, '2026-05-10', at('2026-05-02', '2026-05-04'));
    const data = ['2026-04-30', '2026-05-01', '2026-05-02', '2026-05-05', '2026-05-06'];
    expect(
      reasons({ data, state, scope: range('2026-05-01', '2026-05-05'), incremental: { start: day('2026-05-02') } }),
    ).toEqual({
      '2026-05-01': 'requested',
      '2026-05-02': 'requested',
      '2026-05-03': 'no data',
      '2026-05-04': 'gone: kept',
      '2026-05-05': 'requested',
    });
  });

  it('leaves the future', () => {
    const given = { data: ['2026-06-03'], scope: range('2026-06-03', '2026-06-03') };
    expect(reasons(given)).toEqual({ '2026-06-03': 'future' });
    expect(reasons({ ...given, incremental: { future: 'accept' } })).toEqual({ '2026-06-03': 'requested' });
  });

  it('lists at most 1,000 dates without data and says that there are more', () => {
    const { left } = select({ data: [], scope: range('1900-01-01', '2026-01-01') });
    expect(left).toHaveLength(1_000);
    expect(left.at(-1)).toMatchObject({ reason: 'no data', hint: expect.stringContaining('there are more') });
  });

  it.each([
    [range('2026-05-02', '2026-05-01'), /ends before it begins: from 2026-05-02, to 2026-05-01/],
    [
      { kind: 'backfill', from: '2026-02-30', to: '2026-03-01' } as unknown as PlanScope,
      /--from "2026-02-30" is not a date/,
    ],
    [{ kind: 'backfill', from: '2026-02-01', to: 'x' } as unknown as PlanScope, /--to "x" is not a date/],
  ])('refuses a range that is none', (scope, message) => {
    expect(() => select({ data: [], scope })).toThrow(
      expect.objectContaining({ type: 'RequestError', message: expect.stringMatching(message) }),
    );
  });
});

describe('a backfill of all, or of what is stale', () => {
  it('takes all with data from the start on, and whatever was published before', () => {
    const state = published(contract, '2026-05-10', at('2026-04-01', '2026-04-03', '2026-07-01'));
    const data = ['2026-04-01', '2026-04-02', '2026-05-01', '2026-07-01', '2026-07-02'];
    expect(
      reasons({ data, state, scope: { kind: 'backfill', select: 'all' }, incremental: { start: day('2026-05-01') } }),
    ).toEqual({
      '2026-04-01': 'requested',
      '2026-04-02': 'before-start',
      '2026-04-03': 'gone: kept',
      '2026-05-01': 'requested',
      '2026-07-01': 'requested',
      '2026-07-02': 'future',
    });
  });

  it('takes what stands under earlier gates and still has data', () => {
    const current = published(contract, '2026-05-10', at('2026-05-03'));
    const stale = published(contract, '2026-05-10', at('2026-05-01', '2026-05-02'), { rows: 'earlier' });
    const state = { ...current, partitions: new Map([...stale.partitions, ...current.partitions]) };
    const data = ['2026-05-01', '2026-05-03', '2026-05-04'];
    expect(reasons({ data, state, scope: { kind: 'backfill', select: 'stale' } })).toEqual({
      '2026-05-01': 'stale',
      '2026-05-02': 'gone: kept',
    });
  });
});

describe('changed resolution rules', () => {
  const state = published(contract, '2026-05-10', at('2026-05-01', '2026-05-02'), { resolution: 'earlier' });

  it.each([INCREMENTAL, range('2026-05-01', '2026-05-02'), { kind: 'backfill', select: 'stale' } as const])(
    'refuse %j, naming the command that restates the table',
    (scope) => {
      expect(() => select({ data: ['2026-05-01', '2026-05-02'], state, scope })).toThrow(
        expect.objectContaining({
          type: 'RestateRequired',
          message: expect.stringContaining('tidegate backfill transactions --all'),
        }),
      );
    },
  );

  it('let all be restated', () => {
    const scope: PlanScope = { kind: 'backfill', select: 'all' };
    expect(
      reasons({ data: ['2026-05-01', '2026-05-02'], state, scope, incremental: { start: day('2026-05-02') } }),
    ).toEqual({
      '2026-05-01': 'requested',
      '2026-05-02': 'requested',
    });
  });

  it('refuse even that while raw files are gone, naming the dates', () => {
    expect(() => select({ data: ['2026-05-01'], state, scope: { kind: 'backfill', select: 'all' } })).toThrow(
      expect.objectContaining({
        type: 'RestateRequired',
        message: expect.stringMatching(/one published partition cannot be restated.*gone: 2026-05-02. Restore them/),
      }),
    );
  });
});
