import { Temporal } from '@js-temporal/polyfill';
import type { Expr } from 'nodejs-polars';
import type { ColumnType, Literal } from '../../contract/contract';
import { TerminalError } from '../../errors';
import { polarsType } from '../polars-types';
import type { Subject } from './gate-rule';
import { pl } from '../polars';

/** An exact number: `value / 10^scale`. */
interface Exact {
  readonly value: bigint;
  readonly scale: number;
}

/**
 * Columns whose values are whole numbers of some unit: integers, decimals (10^-scale), dates (days
 * since 1970), timestamps (their unit since 1970). Literals are turned into that unit with BigInt, so
 * a literal finer than the column, or beyond its range, still compares exactly.
 */
export interface Counted {
  readonly min: bigint;
  readonly max: bigint;
  /** The column as something `literal` can be compared with. */
  readonly values: Expr;
  readonly literal: (units: bigint) => Expr;
  /** Largest whole number of units at or below the literal, smallest at or above it. */
  readonly floor: (literal: Literal) => bigint;
  readonly ceil: (literal: Literal) => bigint;
}

/** How to compare a column by whole units; null for floats, text, booleans and binary. */
export function countedBy({ values, type }: Subject): Counted | null {
  switch (type.kind) {
    case 'decimal': {
      const max = 10n ** BigInt(type.precision) - 1n;
      const literal = (units: bigint): Expr => pl.lit(decimalText(units, type.scale)).cast(polarsType(type)!);
      return { min: -max, max, values, literal, ...rounding((text) => exactNumber(text, type), type.scale) };
    }
    case 'date': {
      const literal = (units: bigint): Expr => pl.lit(String(units)).cast(pl.Int64);
      const asDays = values.cast(pl.Int32).cast(pl.Int64);
      return { min: -MAX_DAYS, max: MAX_DAYS, values: asDays, literal, ...rounding(daysSince1970, 0) };
    }
    case 'timestamp': {
      const literal = (units: bigint): Expr => pl.lit(String(units)).cast(pl.Int64);
      const scale = { ms: 3, us: 6, ns: 9 }[type.unit];
      const read = (text: Literal): Exact => secondsSince1970(text, type.zoned);
      return { ...INT64, values: values.cast(pl.Int64), literal, ...rounding(read, scale) };
    }
    default: {
      const range = integerRange(type.kind);
      if (range === null) return null;
      const literal = (units: bigint): Expr => pl.lit(String(units)).cast(polarsType(type)!);
      return { ...range, values, literal, ...rounding((text) => exactNumber(text, type), 0) };
    }
  }
}

const MAX_DAYS = 2n ** 31n - 1n;
const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

function integerRange(kind: string): { min: bigint; max: bigint } | null {
  const parts = /^(u?)int(8|16|32|64)$/.exec(kind);
  if (parts === null) return null;
  const bits = BigInt(parts[2]!);
  return parts[1] === 'u'
    ? { min: 0n, max: 2n ** bits - 1n }
    : { min: -(2n ** (bits - 1n)), max: 2n ** (bits - 1n) - 1n };
}

function rounding(read: (literal: Literal) => Exact, scale: number): Pick<Counted, 'floor' | 'ceil'> {
  const divide = (literal: Literal): [quotient: bigint, rest: bigint] => {
    const exact = read(literal);
    if (exact.scale <= scale) return [exact.value * 10n ** BigInt(scale - exact.scale), 0n];
    const divisor = 10n ** BigInt(exact.scale - scale);
    const rest = ((exact.value % divisor) + divisor) % divisor;
    return [(exact.value - rest) / divisor, rest];
  };
  return {
    floor: (literal) => divide(literal)[0],
    ceil: (literal) => {
      const [quotient, rest] = divide(literal);
      return rest === 0n ? quotient : quotient + 1n;
    },
  };
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;

function exactNumber(literal: Literal, type: ColumnType): Exact {
  const parts = NUMBER.exec(String(literal).trim());
  const [, sign, whole = '', fraction = '', exponent = '0'] = parts ?? [];
  if (typeof literal === 'boolean' || parts === null || whole + fraction === '') {
    throw wrongLiteral(literal, `a number, as the column is ${type.kind}`);
  }
  const digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  const scale = fraction.length - Number(exponent);
  return scale < 0 ? { value: digits * 10n ** BigInt(-scale), scale: 0 } : { value: digits, scale };
}

/** A literal for a float column: the nearest value of the column's own type, as the column stores it. */
export function floatLiteral(literal: Literal, type: ColumnType): number {
  const number = typeof literal === 'string' && literal.trim() !== '' ? Number(literal) : literal;
  if (typeof number !== 'number' || Number.isNaN(number)) throw wrongLiteral(literal, 'a number');
  return type.kind === 'float32' ? Math.fround(number) : number;
}

function daysSince1970(literal: Literal): Exact {
  try {
    const date = Temporal.PlainDate.from(String(literal), { overflow: 'reject' });
    return { value: BigInt(Temporal.PlainDate.from('1970-01-01').until(date, { largestUnit: 'day' }).days), scale: 0 };
  } catch {
    throw wrongLiteral(literal, 'a date such as 2026-05-01');
  }
}

function secondsSince1970(literal: Literal, zoned: boolean): Exact {
  try {
    const text = String(literal).trim();
    const dateOnly = /^\d{4}-\d{2}-\d{2}$/.test(text);
    const instant =
      zoned && !dateOnly
        ? Temporal.Instant.from(text)
        : Temporal.PlainDateTime.from(text, { overflow: 'reject' }).toZonedDateTime('UTC').toInstant();
    return { value: BigInt(instant.epochNanoseconds.toString()), scale: 9 };
  } catch {
    const example = zoned ? '2026-05-01T12:00:00Z' : '2026-05-01T12:00:00 (without a zone, as the column has none)';
    throw wrongLiteral(literal, `a timestamp such as ${example}`);
  }
}

export function decimalText(units: bigint, scale: number): string {
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return units < 0n ? `-${text}` : text;
}

export function wrongLiteral(literal: Literal, expected: string): TerminalError {
  return new TerminalError('ContractError', `expected ${expected}, found ${JSON.stringify(literal)}`);
}

/** Where `flags` is null the row passes: only `notNull` is violated by a null (SEMANTICS 5.1). */
export const nullPasses = (flags: Expr): Expr => flags.fillNull(pl.lit(false));

/** A flag that is `value` for every row that is not null. */
export const whereNotNull = (values: Expr, value: boolean): Expr =>
  value ? values.isNotNull() : pl.lit(false).and(values.isNotNull());
