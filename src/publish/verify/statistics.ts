import type { ColumnFacts } from '../../engine';
import type { RecordedColumn } from './footer';

/** What a column's statistics say that its values do not bear out; null when they are true. A bound may be wider than the values. */
export function statisticsFault(recorded: RecordedColumn, found: ColumnFacts, rows: number): string | null {
  const { name, nulls, min, max } = recorded;
  if (found.values + found.nulls !== rows) {
    return `column ${name} holds ${found.values + found.nulls} values in a row group of ${rows} rows`;
  }
  if (nulls !== undefined && nulls !== BigInt(found.nulls)) {
    return `column ${name} has ${found.nulls} nulls; its statistics say ${nulls}`;
  }
  if (min !== undefined && found.min !== null && before(found.min, min)) {
    return `column ${name} holds ${show(found.min)}; its statistics say that nothing is below ${show(min)}`;
  }
  if (max !== undefined && found.max !== null && before(max, found.max)) {
    return `column ${name} holds ${show(found.max)}; its statistics say that nothing is above ${show(max)}`;
  }
  return null;
}

type Value = bigint | number | string | Uint8Array;

/** Room for decimals, which are compared as doubles. */
const PRECISION = 1e-12;

function before(a: Value, b: Value): boolean {
  if (typeof a === 'string' || a instanceof Uint8Array) return Buffer.compare(bytesOf(a), bytesOf(b)) < 0;
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b;
  const [x, y] = [Number(a), Number(b)];
  return x < y && !(y - x <= Math.abs(y) * PRECISION);
}

const bytesOf = (value: Value): Uint8Array =>
  typeof value === 'string' ? Buffer.from(value, 'utf8') : (value as Uint8Array);

const LONGEST = 60;

function show(value: Value): string {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) return String(value);
  const text = Buffer.from(bytesOf(value)).toString('utf8');
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}
