import { Temporal } from '@js-temporal/polyfill';

declare const brand: unique symbol;
/** An ISO calendar date, `YYYY-MM-DD`, that exists. Text order is date order. */
export type PartitionDate = string & { readonly [brand]: 'PartitionDate' };

const SHAPE = /^\d{4}-\d{2}-\d{2}$/;

/** The date that `text` names, or null when it is not a real ISO date (`2026-02-30`, `..`). */
export function parsePartitionDate(text: string): PartitionDate | null {
  if (!SHAPE.test(text)) return null;
  try {
    Temporal.PlainDate.from(text, { overflow: 'reject' });
    return text as PartitionDate;
  } catch {
    return null;
  }
}

/** `date` moved by whole days; negative moves back. */
export function addDays(date: PartitionDate, days: number): PartitionDate {
  return Temporal.PlainDate.from(date).add({ days }).toString() as PartitionDate;
}

/** Days from `from` to `to`; negative when `to` is earlier. */
export function daysBetween(from: PartitionDate, to: PartitionDate): number {
  return Temporal.PlainDate.from(from).until(to, { largestUnit: 'day' }).days;
}

/** Today in UTC. */
export function utcToday(now: Date = new Date()): PartitionDate {
  return now.toISOString().slice(0, 10) as PartitionDate;
}
