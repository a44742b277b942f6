import fc from 'fast-check';
import { type PartitionDate, addDays, daysBetween, parsePartitionDate, utcToday } from '../../src/discovery';
import { windowStart } from '../../src/discovery';

const DAY = 86_400_000;
/** Independent of the library under test: days since the epoch, as JavaScript's own calendar counts them. */
const epochDay = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY;
const fromEpochDay = (days: number): string => new Date(days * DAY).toISOString().slice(0, 10);

/** 1900 to 2200. */
const days = fc.integer({ min: -25_567, max: 84_006 });
const dates = days.map((count) => fromEpochDay(count) as PartitionDate);

it('moves dates as the calendar does, over month ends and leap years', () => {
  fc.assert(
    fc.property(dates, fc.integer({ min: -800, max: 800 }), (date, count) => {
      const moved = addDays(date, count);
      expect(moved).toBe(fromEpochDay(epochDay(date) + count));
      expect(daysBetween(date, moved)).toBe(count);
      expect(addDays(moved, -count)).toBe(date);
    }),
  );
});

it('begins the window `lookback` days before the watermark, that day included', () => {
  fc.assert(
    fc.property(dates, fc.integer({ min: 0, max: 400 }), (watermark, lookback) => {
      const from = windowStart(watermark, lookback)!;
      expect(epochDay(watermark) - epochDay(from)).toBe(lookback);
      expect(from <= watermark).toBe(true);
    }),
  );
  expect(windowStart('2024-03-01' as PartitionDate, 1)).toBe('2024-02-29');
  expect(windowStart('2100-03-01' as PartitionDate, 1)).toBe('2100-02-28');
  expect(windowStart('2026-01-02' as PartitionDate, 3)).toBe('2025-12-30');
  expect(windowStart(null, 3)).toBeNull();
});

it('accepts exactly the dates that exist', () => {
  fc.assert(fc.property(dates, (date) => parsePartitionDate(date) === date));
  const maybe = fc.tuple(
    fc.integer({ min: 0, max: 9999 }),
    fc.integer({ min: 0, max: 13 }),
    fc.integer({ min: 0, max: 32 }),
  );
  fc.assert(
    fc.property(maybe, ([year, month, dayOfMonth]) => {
      const text = `${`${year}`.padStart(4, '0')}-${`${month}`.padStart(2, '0')}-${`${dayOfMonth}`.padStart(2, '0')}`;
      const parsed = new Date(`${text}T00:00:00Z`);
      const exists = !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text);
      expect(parsePartitionDate(text)).toBe(exists ? text : null);
    }),
    { numRuns: 2_000 },
  );
});

it('accepts no other text', () => {
  fc.assert(fc.property(fc.string(), (text) => parsePartitionDate(text) === null));
  for (const text of ['', '..', '2026-02-30', '2026-05-01T00:00', '2026-05-01\n', '٢٠٢٦-05-01', '-002026-05-01']) {
    expect(parsePartitionDate(text)).toBeNull();
  }
});

it('takes the day from UTC, not from the clock on the wall', () => {
  expect(utcToday(new Date('2026-05-01T23:59:59.999Z'))).toBe('2026-05-01');
  expect(utcToday(new Date('2026-05-02T01:30:00+02:00'))).toBe('2026-05-01');
});
