import type { Contract, Scope } from '../../src/contract';
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
  readonly incremental?: Partial<Contract['incremental']>;
  /** Of the deduplication. Default `partition`. */
  readonly over?: Scope;
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

function select({
  data,
  state = EMPTY_TABLE,
  scope = INCREMENTAL,
  incremental = {},
  over,
  today = '2026-06-01',
}: Given) {
  const ruled = {
    ...contract,
    incremental: { ...contract.incremental, ...incremental },
    deduplicate: { ...contract.deduplicate, scope: over ?? 'partition' },
  };
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
  const { taken, removed, left } = select(given);
  const gone = removed.map(({ date }) => ({ date, reason: 'removed' }));
  return Object.fromEntries(
    [...taken, ...gone, ...left]
      .toSorted((a, b) => (a.date < b.date ? -1 : 1))
      .map(({ date, reason }) => [date, reason]),
  );
}

const at = (...dates: string[]) => Object.fromEntries(dates.map((date) => [date, [file(date)]]));

describe('an incremental run', () => {
  it('takes everything when nothing was ever published', () => {
    expect(reasons({ data: ['2020-01-01', '2026-05-01'] })).toEqual({ '2020-01-01': 'new', '2026-05-01': 'new' });
  });

  it('takes of the window what is new or changed, and leaves the rest unread', () => {
    const state = published(contract, '2026-05-10', at('2026-05-06', '2026-05-07', '2026-05-09', '2026-05-10'));
    const data = {
      ...at('2026-05-06', '2026-05-07', '2026-05-08', '2026-05-10', '2026-05-11'),
      '2026-05-09': [file('2026-05-09', 'a.parquet', 2)],
    };
    const expected = {
      '2026-05-06': 'unchanged',
      '2026-05-07': 'unchanged',
      '2026-05-08': 'new',
      '2026-05-09': 'changed',
      '2026-05-10': 'unchanged',
      '2026-05-11': 'new',
    };
    expect(reasons({ data, state })).toEqual(expected);
    expect(reasons({ data, state, over: 'table' })).toEqual(expected);
  });

  it('takes the whole window with reprocess: always, and nothing older that is unchanged', () => {
    const state = published(contract, '2026-05-10', at('2026-05-06', '2026-05-07', '2026-05-10'));
    const data = {
      ...at('2026-05-06', '2026-05-07', '2026-05-11'),
      '2026-05-10': [file('2026-05-10', 'a.parquet', 2)],
    };
    const incremental = { reprocess: 'always' } as const;
    for (const over of ['table', 'partition', 'window'] as const) {
      expect(reasons({ data, state, incremental, over })).toEqual({
        '2026-05-06': 'unchanged',
        '2026-05-07': 'lookback',
        '2026-05-10': 'changed',
        '2026-05-11': 'new',
      });
    }
  });

  it('reaches back over a leap day', () => {
    const state = published(contract, '2024-03-02', at('2024-02-28', '2024-02-29'));
    expect(
      reasons({
        data: ['2024-02-28', '2024-02-29'],
        state,
        incremental: { lookback: 2, reprocess: 'always' },
      }),
    ).toEqual({ '2024-02-28': 'unchanged', '2024-02-29': 'lookback' });
  });

  it.each([
    ['a file more', [file('2026-04-02'), file('2026-04-02', 'b.parquet')], 'late'],
    ['another size', [{ ...file('2026-04-02'), size: 7 }], 'late'],
    ['another name', [file('2026-04-02', 'c.parquet')], 'late'],
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
      '2026-05-01': 'unchanged',
      '2026-05-02': 'new',
    });
    const data = { '2026-05-01': [file('2026-05-01', 'b.parquet')] };
    expect(reasons({ data, state })).toEqual({ '2026-05-01': 'changed' });
  });
});

describe('what is late', () => {
  const state = published(contract, '2026-05-10', at('2026-04-02', '2026-05-08', '2026-05-10'));
  const data = {
    ...at('2026-04-01', '2026-05-08', '2026-05-10'),
    '2026-04-02': [file('2026-04-02', 'a.parquet', 2)],
  };
  const hints = (given: Partial<Given>) =>
    select({ data, state, ...given }).left.filter(({ hint }) => hint !== undefined);

  it.each(['table', 'partition'] as const)('is taken by default, in scope %s', (over) => {
    expect(reasons({ data, state, over })).toMatchObject({ '2026-04-01': 'late', '2026-04-02': 'late' });
  });

  it.each([
    ['hold', 'held: late'],
    ['ignore', 'late: ignored'],
  ] as const)('is left by late: %s, with the command that takes it', (late, reason) => {
    expect(hints({ incremental: { late } })).toEqual([
      {
        date: '2026-04-01',
        reason,
        hint: 'never published, and older than the window that begins 2026-05-07; to take it: tidegate run transactions --include-late 2026-04-01',
      },
      {
        date: '2026-04-02',
        reason,
        hint: 'changed since it was published, and older than the window that begins 2026-05-07; to take it: tidegate run transactions --include-late 2026-04-02',
      },
    ]);
  });

  it('is taken when a request decides so, all of it or of single dates', () => {
    const incremental = { late: 'hold' } as const;
    const all: PlanScope = { kind: 'incremental', includeLate: 'all' };
    expect(reasons({ data, state, incremental, scope: all })).toMatchObject({
      '2026-04-01': 'late',
      '2026-04-02': 'late',
      '2026-05-08': 'unchanged',
    });
    const one: PlanScope = { kind: 'incremental', includeLate: [day('2026-04-02'), day('2026-04-03')] };
    expect(reasons({ data, state, incremental, scope: one })).toMatchObject({
      '2026-04-01': 'held: late',
      '2026-04-02': 'late',
      '2026-04-03': 'no data',
    });
  });

  it('is never taken by an incremental run in scope window, whatever the policy: a backfill takes it', () => {
    for (const late of ['process', 'hold', 'ignore'] as const) {
      expect(hints({ over: 'window', incremental: { late } })).toEqual([
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
    }
    expect(() => select({ data, state, over: 'window', scope: { kind: 'incremental', includeLate: 'all' } })).toThrow(
      expect.objectContaining({ type: 'RequestError', message: expect.stringMatching(/not for scope window/) }),
    );
  });
});

describe('what is gone', () => {
  const state = published(contract, '2026-05-10', at('2026-05-01', '2026-05-09', '2026-05-10'));
  const data = ['2026-05-10'];

  it.each([
    ['keep', 'gone: kept'],
    ['hold', 'held: gone'],
    ['remove', 'removed'],
  ] as const)('is treated as gone: %s says, in the window or before it', (gone, reason) => {
    expect(reasons({ data, state, incremental: { gone } })).toEqual({
      '2026-05-01': reason,
      '2026-05-09': reason,
      '2026-05-10': 'unchanged',
    });
  });

  it('is held with the command that removes it', () => {
    const { left } = select({ data, state, incremental: { gone: 'hold' } });
    expect(left[0]).toEqual({
      date: '2026-05-01',
      reason: 'held: gone',
      hint: 'published, and its raw files are gone; to remove it from the table: tidegate run transactions --remove-gone 2026-05-01',
    });
  });

  it('is removed when a request decides so, all of it or of single dates, and nothing else is', () => {
    const all: PlanScope = { kind: 'incremental', removeGone: 'all' };
    const some: PlanScope = {
      kind: 'incremental',
      removeGone: [day('2026-05-09'), day('2026-05-10'), day('2026-05-02')],
    };
    expect(select({ data, state, scope: some }).left.find(({ date }) => date === '2026-05-10')).toEqual({
      date: '2026-05-10',
      reason: 'unchanged',
      hint: 'not removed: its raw files are there',
    });
    for (const gone of ['keep', 'hold'] as const) {
      expect(reasons({ data, state, incremental: { gone }, scope: all })).toEqual({
        '2026-05-01': 'removed',
        '2026-05-09': 'removed',
        '2026-05-10': 'unchanged',
      });
      expect(reasons({ data, state, incremental: { gone }, scope: some })).toEqual({
        '2026-05-01': gone === 'keep' ? 'gone: kept' : 'held: gone',
        '2026-05-02': 'no data',
        '2026-05-09': 'removed',
        '2026-05-10': 'unchanged',
      });
    }
  });

  it('counts as changed when it is back as it was, if rows of it could not be decided meanwhile', () => {
    const { fingerprint, rowsDigest } = state.partitions.get(day('2026-05-01'))!;
    const partitions = new Map([...state.partitions, [day('2026-05-01'), { fingerprint, rowsDigest, undecided: 2 }]]);
    const back = { data: ['2026-05-01', '2026-05-09', '2026-05-10'], over: 'table' } as const;
    expect(reasons({ ...back, state: { ...state, partitions } })).toMatchObject({ '2026-05-01': 'late' });
    expect(reasons({ ...back, state })).toMatchObject({ '2026-05-01': 'unchanged' });
  });

  it('is removed by a backfill that comes upon it, when the policy says remove', () => {
    const scope = range('2026-05-08', '2026-05-10');
    expect(reasons({ data, state, incremental: { gone: 'remove' }, scope })).toEqual({
      '2026-05-08': 'no data',
      '2026-05-09': 'removed',
      '2026-05-10': 'requested',
    });
  });

  it('does not empty the table by policy because the raw zone is empty, unless that is asked for', () => {
    const given: Given = { data: [], state, incremental: { gone: 'remove' } };
    expect(() => select(given)).toThrow(
      expect.objectContaining({
        type: 'SourceError',
        message: expect.stringMatching(/holds no partition at all.*take all 3 out.*--remove-gone/),
      }),
    );
    expect(reasons({ ...given, scope: { kind: 'incremental', removeGone: 'all' } })).toEqual({
      '2026-05-01': 'removed',
      '2026-05-09': 'removed',
      '2026-05-10': 'removed',
    });
    // Who decides about some dates has not said that the others may go.
    expect(() => select({ ...given, scope: { kind: 'incremental', removeGone: [day('2026-05-01')] } })).toThrow(
      expect.objectContaining({ type: 'SourceError', message: expect.stringMatching(/take all 3 out/) }),
    );
    const hold: Given = { ...given, incremental: { gone: 'hold' }, over: 'partition' };
    expect(reasons({ ...hold, scope: { kind: 'incremental', removeGone: [day('2026-05-01')] } })).toEqual({
      '2026-05-01': 'removed',
      '2026-05-09': 'held: gone',
      '2026-05-10': 'held: gone',
    });
  });

  it.each(['includeLate', 'removeGone'] as const)('is no business of a %s that names no date', (key) => {
    const scope = { kind: 'incremental', [key]: ['2026-02-30'] } as unknown as PlanScope;
    expect(() => select({ data, state, scope })).toThrow(
      expect.objectContaining({ type: 'RequestError', message: expect.stringMatching(/"2026-02-30" is not a date/) }),
    );
  });
});

describe('an incremental run in scope window', () => {
  const over = 'window';
  const state = published(contract, '2026-05-10', at('2026-05-01', '2026-05-07', '2026-05-10'));

  it('takes nothing when nothing in the window is new or changed', () => {
    const data = ['2026-04-01', '2026-05-01', '2026-05-07', '2026-05-10'];
    expect(reasons({ data, state, over })).toEqual({
      '2026-04-01': 'late: not taken',
      '2026-05-01': 'unchanged',
      '2026-05-07': 'unchanged',
      '2026-05-10': 'unchanged',
    });
  });

  it.each([
    ['new', at('2026-05-11')],
    ['changed', { '2026-05-10': [file('2026-05-10', 'b.parquet')] }],
  ])('takes all of it when one of its partitions is %s', (reason, more) => {
    const data = { ...at('2026-05-01', '2026-05-07', '2026-05-10'), ...more };
    expect(reasons({ data, state, over })).toEqual({
      '2026-05-01': 'unchanged',
      '2026-05-07': 'lookback',
      '2026-05-10': 'lookback',
      [Object.keys(more)[0]!]: reason,
    });
  });

  it('takes the rest of it when one of its partitions is removed', () => {
    const data = ['2026-05-01', '2026-05-07'];
    expect(reasons({ data, state, over, incremental: { gone: 'remove' } })).toEqual({
      '2026-05-01': 'unchanged',
      '2026-05-07': 'lookback',
      '2026-05-10': 'removed',
    });
    expect(reasons({ data, state, over })).toMatchObject({ '2026-05-07': 'unchanged', '2026-05-10': 'gone: kept' });
  });
});

describe('what is published and unchanged before the start or in the future', () => {
  const state = published(contract, '2026-05-10', at('2026-03-01', '2026-05-09', '2026-05-10', '2026-07-01'));
  const data = at('2026-03-01', '2026-05-09', '2026-05-10', '2026-07-01', '2026-07-02');
  const incremental = { start: day('2026-05-10') };

  it.each(['table', 'partition', 'window'] as const)('is told to be unchanged, scope %s', (over) => {
    expect(reasons({ data, state, incremental, over })).toEqual({
      '2026-03-01': 'unchanged',
      '2026-05-09': 'unchanged',
      '2026-05-10': 'unchanged',
      '2026-07-01': 'unchanged',
      '2026-07-02': 'future',
    });
  });

  it.each([
    ['when the window is taken for another one', { reprocess: 'changed' as const }, at('2026-05-11')],
    ['with reprocess: always', { reprocess: 'always' as const }, {}],
  ])('is not taken along in scope window %s', (_, more, added) => {
    const { taken } = select({
      data: { ...data, ...added },
      state,
      incremental: { ...incremental, ...more },
      over: 'window',
    });
    expect(taken.map(({ date }) => date)).toEqual(['2026-05-10', ...Object.keys(added)]);
  });
});

describe('in scope table, what was consumed and has changed', () => {
  const over = 'table';
  const changed = (date: string) => ({ [date]: [file(date, 'a.parquet', 2)] });
  const state = published(contract, '2026-05-10', at('2026-03-01', '2026-05-01', '2026-05-10', '2026-07-01'));

  it('is taken even before the start or in the future, since its rows decide about the keys of others', () => {
    const data = {
      ...changed('2026-03-01'),
      ...at('2026-03-02', '2026-05-10', '2026-07-02'),
      ...changed('2026-07-01'),
    };
    const incremental = { start: day('2026-04-01') };
    expect(reasons({ data, state, incremental, over })).toEqual({
      '2026-03-01': 'late',
      '2026-03-02': 'before-start',
      '2026-05-01': 'gone: kept',
      '2026-05-10': 'unchanged',
      '2026-07-01': 'changed',
      '2026-07-02': 'future',
    });
    expect(reasons({ data, state, incremental })).toMatchObject({
      '2026-03-01': 'before-start',
      '2026-07-01': 'future',
    });
  });

  it.each([
    ['a range', range('2026-05-01', '2026-05-02')],
    ['the stale', { kind: 'backfill', select: 'stale' } as const],
  ])('goes with a backfill of %s, but not what is gone or was never consumed', (_, scope) => {
    const data = { ...changed('2026-03-01'), ...at('2026-04-01', '2026-05-01'), ...changed('2026-05-10') };
    const { taken, left } = select({ data, state, scope, over });
    expect(taken.filter(({ reason }) => reason === 'changed').map(({ date }) => date)).toEqual([
      '2026-03-01',
      '2026-05-10',
    ]);
    expect([...taken, ...left].map(({ date }) => date)).not.toContain('2026-04-01');
    const alone = select({ data, state, scope });
    expect(alone.taken.filter(({ reason }) => reason === 'changed')).toEqual([]);
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
        message: expect.stringMatching(
          /one published partition cannot be restated.*gone: 2026-05-02. Restore them.*incremental\.gone: remove/,
        ),
      }),
    );
  });

  it('let go what is gone, in the same commit, where the policy says remove', () => {
    const scope: PlanScope = { kind: 'backfill', select: 'all' };
    expect(reasons({ data: ['2026-05-01'], state, scope, incremental: { gone: 'remove' } })).toEqual({
      '2026-05-01': 'requested',
      '2026-05-02': 'removed',
    });
  });

  it('name the one way that empties the table: by the rules that it was published under', () => {
    const emptied = { data: [], state, incremental: { gone: 'remove' } } as const;
    expect(() => select({ ...emptied, scope: { kind: 'backfill', select: 'all' } })).toThrow(
      expect.objectContaining({
        type: 'SourceError',
        message: expect.stringMatching(
          /take the change of the contract back, then: tidegate run transactions --remove-gone\./,
        ),
      }),
    );
    const scope: PlanScope = { kind: 'incremental', removeGone: 'all' };
    expect(() => select({ ...emptied, scope })).toThrow(expect.objectContaining({ type: 'RestateRequired' }));
    const asBefore = published(contract, '2026-05-10', at('2026-05-01', '2026-05-02'));
    expect(Object.values(reasons({ ...emptied, state: asBefore, scope }))).toEqual(['removed', 'removed']);
    const empty = { ...state, partitions: new Map() };
    expect(reasons({ data: ['2026-05-10'], state: empty })).toEqual({ '2026-05-10': 'new' });
  });
});
