import { inChunks } from '../chunks';
import { HASH_BITS, NO_HASH } from '../duplicates';
import { keyName } from '../settle';
import { frameOf, numbersOf, pl } from '../polars';
import { type Planes, lowerOf, upperOf } from './index-layout';

const ROWS = 'rows';
/** More at once would hold up the event loop for longer than a tenth of a second. */
const SORTED_HERE = 2 ** 21;
/** Steps an element takes on average before these are taken for no hashes at all. */
const PATIENCE = 16;

/** How many rows have a hash. */
export function countHashes(hashes: Float64Array): number {
  let count = 0;
  inChunks(hashes.length, (from, to) => (count += countBetween(hashes, from, to)));
  return count;
}

function countBetween(hashes: Float64Array, from: number, to: number): number {
  let count = 0;
  for (let row = from; row < to; row++) if (hashes[row] !== NO_HASH) count++;
  return count;
}

/**
 * Puts the rows that have a hash in the order of their hashes, which are cut to what an index keeps; rows of equal ones in
 * no promised order. Hashes are spread evenly, so that dealing them out nearly sorts them.
 *
 * @param planes as long as {@link countHashes} says.
 */
export async function sortHashes(hashes: Float64Array, planes: Planes): Promise<void> {
  if (hashes.length <= SORTED_HERE) {
    deal(hashes, planes);
    if (settle(planes)) return;
  }
  await sorted(hashes, planes);
}

/** Kept, as V8 collects garbage whenever 64 MiB of arrays were made. */
let dealtHashes = new Float64Array(0);
let dealtRows = new Uint32Array(0);

/** So many buckets that what is dealt into them stays in the processor's cache. */
const FINE_BITS = 11;

/**
 * Puts every row where the upper bits of its hash say, about one to a bucket: first into large buckets, then each of these
 * into small ones. At once, every row would miss the cache three times.
 */
function deal(hashes: Float64Array, { high, low, rows }: Planes): void {
  const bits = Math.ceil(Math.log2(Math.max(2, hashes.length)));
  const fineBits = Math.min(FINE_BITS, bits);
  const coarse = new Uint32Array(2 ** (bits - fineBits) + 1);
  const coarseScale = 2 ** (bits - fineBits - HASH_BITS);
  inChunks(hashes.length, (from, to) => countBuckets(hashes, from, to, coarseScale, coarse));
  addUp(coarse, 0);
  const starts = coarse.slice();
  if (dealtHashes.length < hashes.length) {
    dealtHashes = new Float64Array(hashes.length);
    dealtRows = new Uint32Array(hashes.length);
  }
  const [some, numbers] = [dealtHashes, dealtRows];
  inChunks(hashes.length, (from, to) => dealCoarsely(hashes, from, to, coarseScale, coarse, some, numbers));
  const scale = 2 ** (bits - HASH_BITS);
  const fine = new Uint32Array(2 ** fineBits + 1);
  for (let bucket = 0; bucket < starts.length - 1; bucket++) {
    const [from, to] = [starts[bucket]!, starts[bucket + 1]!];
    fine.fill(0);
    countBuckets(some, from, to, scale, fine, bucket * 2 ** fineBits);
    addUp(fine, from);
    dealFinely(some, numbers, from, to, scale, bucket * 2 ** fineBits, fine, high, low, rows);
  }
}

/** Counts into the bucket after each one's own: added up, the counts say where buckets begin. */
function countBuckets(
  hashes: Float64Array,
  from: number,
  to: number,
  scale: number,
  counts: Uint32Array,
  first = 0,
): void {
  for (let i = from; i < to; i++) {
    const hash = hashes[i]!;
    if (hash !== NO_HASH) counts[((hash * scale) | 0) - first + 1]!++;
  }
}

function addUp(counts: Uint32Array, start: number): void {
  counts[0] = start;
  for (let bucket = 1; bucket < counts.length; bucket++) counts[bucket]! += counts[bucket - 1]!;
}

function dealCoarsely(
  hashes: Float64Array,
  from: number,
  to: number,
  scale: number,
  ends: Uint32Array,
  dealt: Float64Array,
  rows: Uint32Array,
): void {
  for (let row = from; row < to; row++) {
    const hash = hashes[row]!;
    if (hash === NO_HASH) continue;
    const at = ends[(hash * scale) | 0]!++;
    dealt[at] = hash;
    rows[at] = row;
  }
}

function dealFinely(
  hashes: Float64Array,
  numbers: Uint32Array,
  from: number,
  to: number,
  scale: number,
  first: number,
  ends: Uint32Array,
  high: Uint32Array,
  low: Uint16Array,
  rows: Uint32Array,
): void {
  for (let i = from; i < to; i++) {
    const hash = hashes[i]!;
    const at = ends[((hash * scale) | 0) - first]!++;
    const upper = upperOf(hash);
    high[at] = upper;
    low[at] = lowerOf(hash, upper);
    rows[at] = numbers[i]!;
  }
}

/** Sorts by insertion what is nearly sorted; false when it is not. */
function settle({ high, low, rows }: Planes): boolean {
  let steps = rows.length * PATIENCE;
  inChunks(rows.length, (from, to) => {
    if (steps >= 0) steps -= insertBetween(high, low, rows, Math.max(1, from), to, steps);
  });
  return steps >= 0;
}

/** @returns how many steps it took; it gives up when there were more than `most`. */
function insertBetween(
  high: Uint32Array,
  low: Uint16Array,
  rows: Uint32Array,
  from: number,
  to: number,
  most: number,
): number {
  let steps = 0;
  for (let i = from; i < to && steps <= most; i++) {
    const upper = high[i]!;
    if (high[i - 1]! < upper) continue;
    const lower = low[i]!;
    if (high[i - 1] === upper && low[i - 1]! <= lower) continue;
    const row = rows[i]!;
    let at = i;
    while (at > 0 && (high[at - 1]! > upper || (high[at - 1] === upper && low[at - 1]! > lower))) {
      high[at] = high[at - 1]!;
      low[at] = low[at - 1]!;
      rows[at] = rows[at - 1]!;
      at--;
    }
    high[at] = upper;
    low[at] = lower;
    rows[at] = row;
    steps += i - at;
  }
  return steps;
}

async function sorted(hashes: Float64Array, planes: Planes): Promise<void> {
  const numbers = new Uint32Array(hashes.length);
  for (let row = 0; row < numbers.length; row++) numbers[row] = row;
  const frame = await frameOf({ [keyName(0)]: hashes, [ROWS]: numbers })
    .lazy()
    .filter(pl.col(keyName(0)).gt(pl.lit(NO_HASH)))
    .sort(keyName(0), false)
    .collect();
  const ordered = numbersOf(frame, keyName(0));
  planes.rows.set(numbersOf(frame, ROWS));
  for (let i = 0; i < ordered.length; i++) {
    const hash = ordered[i]!;
    const upper = upperOf(hash);
    planes.high[i] = upper;
    planes.low[i] = lowerOf(hash, upper);
  }
}
