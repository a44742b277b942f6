import type { ColumnFacts, ValueKind } from '../../engine';
import type { RecordedColumn } from './footer';

/** What a column's statistics say that its values do not bear out; null when they are true. A bound may be wider than the values. */
export function statisticsFault(recorded: RecordedColumn, found: ColumnFacts, rows: number): string | null {
  const { name, kind, nulls, min, max } = recorded;
  if (found.values + found.nulls !== rows) {
    return `column ${name} holds ${found.values + found.nulls} values in a row group of ${rows} rows`;
  }
  if (nulls !== undefined && nulls !== BigInt(found.nulls)) {
    return `column ${name} has ${found.nulls} nulls; its statistics say ${nulls}`;
  }
  if (min !== undefined && found.min !== null && before(found.min, min, kind)) {
    return `column ${name} holds ${show(found.min)}; its statistics say that nothing is below ${show(min)}`;
  }
  if (max !== undefined && found.max !== null && before(max, found.max, kind)) {
    return `column ${name} holds ${show(found.max)}; its statistics say that nothing is above ${show(max)}`;
  }
  return null;
}

type Value = bigint | number | string | Uint8Array;

/** Decimals are compared as doubles, of which the footer's and ours may differ in the last place. */
const PRECISION = 1e-12;

function before(a: Value, b: Value, kind: ValueKind): boolean {
  if (typeof a === 'string' || a instanceof Uint8Array) return Buffer.compare(bytesOf(a), bytesOf(b)) < 0;
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b;
  const [x, y] = [Number(a), Number(b)];
  return kind === 'decimal' ? y - x > Math.abs(y) * PRECISION : x < y;
}

const bytesOf = (value: Value): Uint8Array =>
  typeof value === 'string' ? Buffer.from(value, 'utf8') : (value as Uint8Array);

const LONGEST = 60;

function show(value: Value): string {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) return String(value);
  const text = Buffer.from(bytesOf(value)).toString('utf8');
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}
