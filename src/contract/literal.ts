import { Temporal } from '@js-temporal/polyfill';
import { parsePartitionDate } from '../discovery/partition-date';
import { formatColumnType } from './column-type';
import type { ColumnType, Literal } from './contract';
import { compareDecimals, formatDecimal, parseDecimal, wholeDigits } from './decimal-text';

/**
 * A literal of a gate, held against its column's type. The normal form is one for each value, so that
 * digests and the engine see a value and not a spelling: whole numbers as numbers where they are safe and
 * as text beyond, decimals as plain text, dates `YYYY-MM-DD`, timestamps ISO with all digits of the
 * column's unit, ending in `Z` when the column is in UTC.
 */
export type ReadLiteral =
  | { readonly ok: true; readonly value: Literal }
  | { readonly ok: false; readonly allowed: string; readonly hint?: string };

/** Decimal digits that every JavaScript number keeps. */
const SAFE_DIGITS = 15;
const UNIT_DIGITS = { ms: 3, us: 6, ns: 9 } as const;

/** `value` in its normal form for a column of this type, or what would be allowed instead. */
export function readLiteral(value: Literal, type: ColumnType): ReadLiteral {
  switch (type.kind) {
    case 'boolean':
      return typeof value === 'boolean' ? { ok: true, value } : refuse(type, 'true or false');
    case 'string':
      return typeof value === 'string' ? { ok: true, value } : refuse(type, 'text', 'put it in quotes');
    case 'binary':
      return refuse(type, 'no value: binary columns can only be held to notNull and unique');
    case 'float32':
    case 'float64':
      return typeof value === 'number' && Number.isFinite(value)
        ? { ok: true, value: value === 0 ? 0 : value }
        : refuse(type, 'a number', typeof value === 'string' ? 'write it without quotes' : undefined);
    case 'date':
      return typeof value === 'string' && parsePartitionDate(value) !== null
        ? { ok: true, value }
        : refuse(type, 'a date as text, such as 2026-05-01');
    case 'timestamp':
      return readTimestamp(value, type);
    case 'decimal':
      return readDecimal(value, type);
    default:
      return readWhole(value, type);
  }
}

function refuse(type: ColumnType, allowed: string, hint?: string): ReadLiteral {
  return { ok: false, allowed: `${allowed}, since the column is ${formatColumnType(type)}`, hint };
}

function readWhole(value: Literal, type: ColumnType & { kind: `${'u' | ''}int${8 | 16 | 32 | 64}` }): ReadLiteral {
  const unsigned = type.kind.startsWith('u');
  const bits = BigInt(type.kind.replace(/^u?int/, ''));
  const least = unsigned ? 0n : -(1n << (bits - 1n));
  const most = (1n << (unsigned ? bits : bits - 1n)) - 1n;
  const allowed = `a whole number from ${least} to ${most}`;
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) return textForDigits(type);
  const number = typeof value === 'boolean' ? null : parseDecimal(value);
  if (number === null || number.scale > 0 || number.digits < least || number.digits > most)
    return refuse(type, allowed);
  const plain = Number(number.digits);
  return { ok: true, value: Number.isSafeInteger(plain) ? plain : number.digits.toString() };
}

function readDecimal(value: Literal, type: ColumnType & { kind: 'decimal' }): ReadLiteral {
  const number = typeof value === 'boolean' ? null : parseDecimal(value);
  if (number === null) return refuse(type, 'a number');
  if (typeof value === 'number' && number.digits.toString().length > SAFE_DIGITS) return textForDigits(type);
  const whole = type.precision - type.scale;
  if (number.scale > type.scale || wholeDigits(number) > whole) {
    return refuse(type, `a number with at most ${whole} digits before the point and ${type.scale} after it`);
  }
  return { ok: true, value: formatDecimal(number) };
}

function textForDigits(type: ColumnType): ReadLiteral {
  return refuse(type, 'text for a number with this many digits', 'put it in quotes, so that no digit is lost');
}

function readTimestamp(value: Literal, type: ColumnType & { kind: 'timestamp' }): ReadLiteral {
  const digits = UNIT_DIGITS[type.unit];
  const example = type.zoned ? '2026-05-01T12:00:00Z' : '2026-05-01T12:00:00';
  const allowed = `an ISO time as text, such as ${example}, ${type.zoned ? 'with' : 'without'} a zone`;
  const shape = type.zoned
    ? /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.(\d{1,9}))?)?(?:Z|[+-]\d\d:\d\d)$/
    : /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.(\d{1,9}))?)?$/;
  const match = typeof value === 'string' ? shape.exec(value) : null;
  if (!match) return refuse(type, allowed);
  if ((match[1] ?? '').replace(/0+$/, '').length > digits) {
    return refuse(type, `an ISO time with at most ${digits} digits after the second`);
  }
  try {
    const instant = type.zoned
      ? Temporal.Instant.from(match[0])
      : Temporal.PlainDateTime.from(match[0], { overflow: 'reject' }).toZonedDateTime('UTC').toInstant();
    if (
      type.unit === 'ns' &&
      BigInt.asIntN(64, BigInt(instant.epochNanoseconds.toString())) !== BigInt(instant.epochNanoseconds.toString())
    ) {
      return refuse(type, 'a time from 1677-09-22 to 2262-04-11');
    }
    const text = instant.toString({ fractionalSecondDigits: digits });
    return { ok: true, value: type.zoned ? text : text.slice(0, -1) };
  } catch {
    return refuse(type, allowed);
  }
}

/** Order of two literals in the normal form of one type: negative, 0 or positive, as the column's own values compare. */
export function compareLiterals(a: Literal, b: Literal, type: ColumnType): number {
  const [left, right] = [parseDecimal(String(a)), parseDecimal(String(b))];
  const textual = type.kind === 'string' || type.kind === 'date' || type.kind === 'timestamp';
  if (!textual && left && right) return compareDecimals(left, right);
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}
