import fc from 'fast-check';
import { chunksOf } from '../../src/workflows/backfill-chunks';

const DAY = 86_400_000;
const isoDay = (epochDay: number): string => new Date(epochDay * DAY).toISOString().slice(0, 10);

/** Chunks as ranges; fails on a message. */
function ranges(input: Parameters<typeof chunksOf>[0], whole = false): { from: string; to: string }[] {
  const chunks = chunksOf(input, whole);
  if (typeof chunks === 'string') throw new Error(chunks);
  return chunks.map((chunk) => ('from' in chunk ? { from: chunk.from, to: chunk.to } : { from: '', to: '' }));
}

test('chunks cover the range once, in date order, none longer than asked', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 30_000 }),
      fc.integer({ min: 0, max: 900 }),
      fc.integer({ min: 1, max: 60 }),
      (start, length, chunkDays) => {
        const chunks = ranges({ pipeline: 'p', from: isoDay(start), to: isoDay(start + length), chunkDays });
        const days = chunks.flatMap(({ from, to }) => {
          const first = Date.parse(from) / DAY;
          const last = Date.parse(to) / DAY;
          expect(last - first + 1).toBeLessThanOrEqual(chunkDays);
          return Array.from({ length: last - first + 1 }, (_, i) => first + i);
        });
        expect(days).toEqual(Array.from({ length: length + 1 }, (_, i) => start + i));
      },
    ),
  );
});

test('a month is one chunk unless the request says otherwise', () => {
  expect(ranges({ pipeline: 'p', from: '2026-05-01', to: '2026-05-31' })).toEqual([
    { from: '2026-05-01', to: '2026-05-31' },
  ]);
});

test('scope window is never chunked', () => {
  expect(ranges({ pipeline: 'p', from: '2020-01-01', to: '2026-05-31', chunkDays: 1 }, true)).toHaveLength(1);
});

test('chunks end with the range, at the end of time and however long they may be', () => {
  expect(ranges({ pipeline: 'p', from: '9999-12-25', to: '9999-12-31' })).toEqual([
    { from: '9999-12-25', to: '9999-12-31' },
  ]);
  expect(ranges({ pipeline: 'p', from: '9999-12-25', to: '9999-12-31', chunkDays: 4 })).toEqual([
    { from: '9999-12-25', to: '9999-12-28' },
    { from: '9999-12-29', to: '9999-12-31' },
  ]);
  expect(ranges({ pipeline: 'p', from: '2026-05-01', to: '2026-05-02', chunkDays: Number.MAX_SAFE_INTEGER })).toEqual([
    { from: '2026-05-01', to: '2026-05-02' },
  ]);
});

test.each([
  [{ from: '2026-05-07', to: '2026-05-01' }, 'to (2026-05-01) is before from (2026-05-07)'],
  [{ from: '2026-02-30', to: '2026-03-01' }, 'a backfill needs from and to as real dates'],
  [{ from: '2026-02-01' }, 'a backfill needs from and to as real dates'],
  [{ from: 20260201, to: '2026-03-01' }, 'a backfill needs from and to as real dates'],
  [{ select: 'everything' }, 'select is "all" or "stale", found "everything"'],
  [{ select: 'all', from: '2026-02-01' }, 'give either from and to, or select, not both'],
  [{ from: '2026-02-01', to: '2026-02-01', chunkDays: 0 }, 'chunkDays is a whole number from 1, found 0'],
  [
    { from: '1990-01-01', to: '2026-02-01', chunkDays: 1 },
    '13181 days in chunks of 1 make 13181 chunks, the most is 1000: set chunkDays to 14',
  ],
])('%j is refused with the reason', (input, message) => {
  expect(chunksOf({ pipeline: 'p', ...(input as object) }, false)).toContain(message);
});
