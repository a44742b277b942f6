import type { PartitionDate } from '../discovery/partition-date';

/** `1,234,567`, the same in every locale. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US');
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in decimal units: `512 B`, `1.2 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** `1 row`, `1,200 rows`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** One date, two, or the first and last with their number. `items` are in date order. */
export function dates(items: readonly { readonly date: PartitionDate }[]): string {
  const [first, second] = items;
  const last = items.at(-1);
  if (!first || !last) return 'none';
  if (items.length === 1) return first.date;
  if (items.length === 2 && second) return `${first.date} and ${second.date}`;
  return `${first.date} … ${last.date}, ${items.length} dates`;
}

/**
 * A duration for people: `0.4 s`, `12.3 s`, `2 min 5 s`.
 */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}
