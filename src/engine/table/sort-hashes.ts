import { NO_HASH } from '../duplicates';
import type { HashedRows } from './index-file';

/** The upper 32 of a hash's 53 bits are sorted by: 11, 11 and 10 at a time, the lowest first. */
const UPPER = 2 ** -21;
const DIGITS = [
  { shift: 0, values: 2048 },
  { shift: 11, values: 2048 },
  { shift: 22, values: 1024 },
] as const;

/**
 * The rows that take part, by hash, then by row: a radix sort, several times as fast as sorting pairs by comparison.
 * @param hashes of all rows, {@link NO_HASH} for those that take no part.
 */
export function sortHashes(hashes: Float64Array): HashedRows {
  const counts = DIGITS.map(({ values }) => new Uint32Array(values));
  let count = 0;
  let from = pairs(hashes.length);
  for (let row = 0; row < hashes.length; row++) {
    const hash = hashes[row]!;
    if (hash === NO_HASH) continue;
    const upper = (hash * UPPER) >>> 0;
    from.upper[count] = upper;
    from.rows[count++] = row;
    counts[0]![upper & 2047]!++;
    counts[1]![(upper >>> 11) & 2047]!++;
    counts[2]![upper >>> 22]!++;
  }
  let to = pairs(count);
  for (const [i, { shift, values }] of DIGITS.entries()) {
    deal(from, to, count, shift, startsOf(counts[i]!), values - 1);
    [from, to] = [to, from];
  }
  const rows = from.rows.subarray(0, count);
  const sorted = new Float64Array(count);
  for (let i = 0; i < count; i++) sorted[i] = hashes[rows[i]!]!;
  sortTies(sorted, rows);
  return { hashes: sorted, rows };
}

interface Pairs {
  readonly upper: Uint32Array;
  readonly rows: Uint32Array;
}

const pairs = (length: number): Pairs => ({ upper: new Uint32Array(length), rows: new Uint32Array(length) });

/** Where each value's pairs begin. */
function startsOf(counts: Uint32Array): Uint32Array {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    const own = counts[i]!;
    counts[i] = sum;
    sum += own;
  }
  return counts;
}

function deal(from: Pairs, to: Pairs, count: number, shift: number, next: Uint32Array, mask: number): void {
  const { upper, rows } = from;
  for (let i = 0; i < count; i++) {
    const value = upper[i]!;
    const at = next[(value >>> shift) & mask]!++;
    to.upper[at] = value;
    to.rows[at] = rows[i]!;
  }
}

/** Rows whose hashes differ in the lower bits alone are few. */
function sortTies(hashes: Float64Array, rows: Uint32Array): void {
  for (let i = 1; i < hashes.length; i++) {
    if (hashes[i]! >= hashes[i - 1]!) continue;
    const upper = Math.floor(hashes[i]! * UPPER);
    let [start, end] = [i, i];
    while (start > 0 && Math.floor(hashes[start - 1]! * UPPER) === upper) start--;
    while (end < hashes.length && Math.floor(hashes[end]! * UPPER) === upper) end++;
    const tied = Array.from(hashes.subarray(start, end), (hash, j) => ({ hash, row: rows[start + j]! }));
    tied.sort((a, b) => a.hash - b.hash);
    for (const [j, { hash, row }] of tied.entries()) {
      hashes[start + j] = hash;
      rows[start + j] = row;
    }
    i = end - 1;
  }
}
