import { InvalidArgumentError, Option } from 'commander';
import type { PartitionDate } from '../../discovery';
import { parsePartitionDate } from '../../discovery';

export const PIPELINE = 'a pipeline’s name, or the path of its contract';

export const jsonOption = (what: string): Option => new Option('--json', `print ${what} as one JSON document`);

export function parseDate(text: string): PartitionDate {
  const date = parsePartitionDate(text);
  if (date === null) throw new InvalidArgumentError('Expected a real date as YYYY-MM-DD.');
  return date;
}

/** Dates with commas between them; the option may be given several times. */
export function parseDates(text: string, before?: unknown): PartitionDate[] {
  const dates = text.split(',').map((part) => parsePartitionDate(part.trim()));
  if (dates.some((date) => date === null)) {
    throw new InvalidArgumentError(
      'Expected nothing (all of them), or real dates as YYYY-MM-DD with commas between them.',
    );
  }
  const sofar = Array.isArray(before) ? (before as PartitionDate[]) : [];
  return [...new Set([...sofar, ...dates.filter((date) => date !== null)])].toSorted();
}

/** A whole number of `least` or more. */
export function parseWhole(least: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number of ${least} or more.`);
  };
}

const HOURS = { h: 1, d: 24, w: 168 } as const;

/** `36h`, `7d`, `2w` in hours. */
export function parseAge(text: string): number {
  const match = /^(?<count>\d+)(?<unit>[hdw])$/.exec(text)?.groups;
  if (!match) throw new InvalidArgumentError('Expected hours, days or weeks, such as 36h, 7d or 2w.');
  return Number(match['count']) * HOURS[match['unit'] as keyof typeof HOURS];
}

/** With a date alone, midnight; without a zone, UTC. Another zone is not guessed at. */
const MOMENT = /^(?<date>\d{4}-\d{2}-\d{2})(?:[T ](?<time>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(?:Z| ?UTC)?)?$/;

/** A UTC time, as `tidegate history` prints it: `2026-05-08 12:00:01`, `2026-05-08T12:00Z`, `2026-05-08`. */
export function parseTime(text: string): Date {
  const { date, time = '00:00' } = MOMENT.exec(text)?.groups ?? {};
  const moment = date === undefined || parsePartitionDate(date) === null ? null : new Date(`${date}T${time}Z`);
  if (moment !== null && !Number.isNaN(moment.getTime())) return moment;
  throw new InvalidArgumentError(
    'Expected a UTC time, such as 2026-05-08T12:00:01Z, "2026-05-08 12:00" or 2026-05-08.',
  );
}

/** Help text with examples. */
export function examples(...lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, what]) => `  $ ${command.padEnd(width)}   ${what}`.trimEnd()).join('\n')}\n`;
}
