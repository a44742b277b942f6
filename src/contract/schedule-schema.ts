import { z } from 'zod';
import { strict, text as shaped, word } from './strict';

export const DEFAULT_CATCHUP = '1d';
const LEAST_CATCHUP_SECONDS = 10;
const DURATION = /^(\d{1,9})(s|m|h|d|w)$/;
const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const;

/** Seconds in a duration such as `15m`, or null. */
export function durationSeconds(text: string): number | null {
  const match = DURATION.exec(text);
  return match ? Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS] : null;
}

function duration(allowed: string, least: number) {
  return z.string({ error: allowed }).refine((value) => (durationSeconds(value) ?? -1) >= least, { error: allowed });
}

const FIELDS = {
  second: [0, 59, /^$/],
  minute: [0, 59, /^$/],
  hour: [0, 23, /^$/],
  day: [1, 31, /^$/],
  month: [1, 12, /^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/i],
  weekday: [0, 7, /^(sun|mon|tue|wed|thu|fri|sat)/i],
  year: [2000, 2100, /^$/],
} as const;
const USUAL = ['minute', 'hour', 'day', 'month', 'weekday'] as const;

/**
 * Whether Temporal takes this as a cron expression: five fields, six with a year at the end, seven with
 * seconds in front as well, or `@daily` and its like. (temporal/api/schedule/v1/message.proto, cron_string)
 */
export function isCron(expression: string): boolean {
  const trimmed = expression.trim();
  if (/^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/.test(trimmed)) return true;
  const fields = trimmed.split(/\s+/);
  const names = {
    5: USUAL,
    6: [...USUAL, 'year'] as const,
    7: ['second', ...USUAL, 'year'] as const,
  }[fields.length];
  return names !== undefined && fields.every((field, index) => isCronField(field, names[index]!));
}

function isCronField(field: string, name: keyof typeof FIELDS): boolean {
  const [least, most, names] = FIELDS[name];
  const isValue = (value: string) =>
    names.test(value) || (/^\d{1,4}$/.test(value) && Number(value) >= least && Number(value) <= most);
  return field.split(',').every((part) => {
    const [range = '', step, ...more] = part.split('/');
    if (more.length > 0 || (step !== undefined && !/^[1-9]\d{0,3}$/.test(step))) return false;
    if (range === '*' || (range === '?' && (name === 'day' || name === 'weekday'))) return true;
    const ends = range.split('-');
    return ends.length <= 2 && ends.every((end) => isValue(end));
  });
}

const CRON = 'a cron expression of five fields, such as 15 2 * * * (minute, hour, day, month, weekday), or @daily';
const ZONE = 'a time zone of the IANA database, such as UTC or Europe/Berlin';

/** Whether the time zone database has this zone, spelled like this (the server's look-up minds the case). */
export function isTimezone(zone: string): boolean {
  if (/^[+-]/.test(zone)) return false;
  try {
    const canonical = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
    return canonical === zone || canonical.toLowerCase() !== zone.toLowerCase();
  } catch {
    return false;
  }
}

export const scheduleSchema = strict({
  cron: z
    .string({ error: CRON })
    .refine(isCron, { error: CRON })
    .optional()
    .describe('When to run, as a cron expression in `timezone`. Exactly one of `cron` and `every` is given.'),
  every: duration('a number and s, m, h, d or w, such as 15m', 1)
    .optional()
    .describe('How often to run: a number and s, m, h, d or w, such as `15m`. Exactly one of `cron` and `every`.'),
  timezone: shaped(ZONE)
    .refine(isTimezone, { error: ZONE })
    .default('UTC')
    .describe('Time zone of `cron`, by IANA name.'),
  overlap: word(['skip', 'bufferOne', 'bufferAll', 'cancelOther', 'terminateOther', 'allowAll'])
    .default('skip')
    .describe("What to do when a run is due and the one before is not done: Temporal's overlap policies."),
  catchupWindow: duration('a number and s, m, h, d or w, such as 1d, of 10 seconds or more', LEAST_CATCHUP_SECONDS)
    .default(DEFAULT_CATCHUP)
    .describe('How far back runs that were missed while the server was down are made up for.'),
  jitter: duration('a number and s, m, h, d or w, such as 30s', 0)
    .optional()
    .describe('Runs start up to this much later, at random, so that pipelines do not start all at once.'),
  pauseOnFailure: z.boolean({ error: 'true or false' }).default(false).describe('Pause the schedule when a run fails.'),
});
