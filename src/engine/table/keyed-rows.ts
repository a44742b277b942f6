import type { Section } from './index-file';
import { keyOf } from './index-layout';
import { has } from './sorted-rows';

/** Rows and their hashes, in no promised order. */
export interface KeyedRows {
  readonly rows: Uint32Array;
  readonly keys: Float64Array;
}

/** All hashes of several parts, one part after another. */
export function allKeys(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The hashes of some rows (ascending) of a section; rows that it does not hold are left out. */
export async function keyedRows(section: Section, rows: Uint32Array): Promise<KeyedRows> {
  if (rows.length === 0) return { rows, keys: new Float64Array(0) };
  const numbers = await section.rows();
  const found = new Uint32Array(rows.length);
  let count = 0;
  for (let i = 0; i < numbers.length; i++) if (has(rows, numbers[i]!)) found[count++] = i;
  const at = found.slice(0, count);
  const { high } = await section.high(0, 0);
  const low = await section.lowsAt(at);
  return { rows: at.map((i) => numbers[i]!), keys: Float64Array.from(at, (i, j) => keyOf(high[i]!, low[j]!)) };
}
