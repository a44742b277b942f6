import { inChunks } from '../chunks';
import { HASH_BITS, NO_HASH } from '../duplicates';
import { FENCES, FENCE_BITS, type Planes, fenceOf, lowerOf, upperOf } from './index-layout';

const PART_OF = 2 ** (FENCE_BITS - HASH_BITS);

/**
 * Where each part of the hash, by its upper bits, begins when the rows that have a hash are dealt out into them; the last one says
 * how many rows there are.
 */
export function fencesOf(hashes: Float64Array): Uint32Array {
  const fences = new Uint32Array(FENCES);
  inChunks(hashes.length, (from, to) => countParts(hashes, from, to, fences));
  for (let part = 1; part < FENCES; part++) fences[part]! += fences[part - 1]!;
  return fences;
}

/** Counts into the part after each one's own: added up, the counts say where parts begin. */
function countParts(hashes: Float64Array, from: number, to: number, counts: Uint32Array): void {
  for (let i = from; i < to; i++) {
    const hash = hashes[i]!;
    if (hash !== NO_HASH) counts[((hash * PART_OF) | 0) + 1]!++;
  }
}

/**
 * Deals the rows that have a hash out by its upper bits; in each part they stay in order. So few parts that what is written to
 * stays in the processor's cache: to sort them would take three times as long, and a search needs no more than this.
 *
 * @param fences see {@link fencesOf}.
 */
export function dealHashes(hashes: Float64Array, fences: Uint32Array, { high, low, rows }: Planes): void {
  const ends = fences.slice();
  inChunks(hashes.length, (from, to) => deal(hashes, from, to, ends, high, low, rows));
}

function deal(
  hashes: Float64Array,
  from: number,
  to: number,
  ends: Uint32Array,
  high: Uint32Array,
  low: Uint16Array,
  rows: Uint32Array,
): void {
  for (let row = from; row < to; row++) {
    const hash = hashes[row]!;
    if (hash === NO_HASH) continue;
    const upper = upperOf(hash);
    const at = ends[fenceOf(upper)]!++;
    high[at] = upper;
    low[at] = lowerOf(hash, upper);
    rows[at] = row;
  }
}
