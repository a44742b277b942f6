import { setImmediate } from 'node:timers/promises';
import { inChunks } from '../chunks';
import { type Suspects, trulyRepeated } from '../duplicates';
import { Buckets } from '../buckets';
import type { Excluded } from './excluded';
import { FENCE_BITS, type Planes, fenceOf, keyOf } from './index-layout';

/** Rows of one part that take part in a range of hashes. */
export interface InPlay {
  readonly partition: number;
  readonly planes: Planes;
}

export interface Searched {
  /** One of 2^bits. */
  readonly range: number;
  readonly bits: number;
  /** About how many hashes a window of the range may hold. */
  readonly hashesAtATime: number;
  readonly signal?: AbortSignal;
}

/** One false suspect in 32. */
const SPREAD = 32;

/**
 * Finds the rows whose hash occurs more than once among all of a range, but for those that do not count. They are told window by
 * window, in any order. Memory: a few bytes for each row of a window, of which there are at most as many as parts of the hash.
 */
export async function findRepeated(
  found: readonly InPlay[],
  { range, bits, hashesAtATime, signal }: Searched,
  excluded: Excluded | null,
  onRepeated: (partition: number, rows: Uint32Array) => Promise<void>,
): Promise<void> {
  const inPlay = found.filter(({ planes }) => planes.high.length > 0);
  const total = inPlay.reduce((sum, { planes }) => sum + planes.high.length, 0);
  const more = Math.min(FENCE_BITS - bits, Math.max(0, Math.ceil(Math.log2(total / hashesAtATime))));
  const starts = new Uint32Array(inPlay.length);
  for (let window = range * 2 ** more; window < (range + 1) * 2 ** more; window++) {
    // A wish to stop may come meanwhile.
    await setImmediate();
    signal?.throwIfAborted();
    const after = (window + 1) * 2 ** (FENCE_BITS - bits - more);
    const ends = Uint32Array.from(inPlay, ({ planes }, i) => firstOf(planes.high, after, starts[i]!));
    const highs = inPlay.map(({ planes }, i) => planes.high.subarray(starts[i], ends[i]));
    const suspects: { readonly partition: number; readonly suspects: Suspects }[] = [];
    for (const [i, at] of repeatedBuckets(highs, bits + more).entries()) {
      if (at.length === 0) continue;
      const { partition, planes } = inPlay[i]!;
      suspects.push({ partition, suspects: await suspectsOf(partition, planes, at, starts[i]!, excluded) });
    }
    const repeated = trulyRepeated(suspects.map(({ suspects: own }) => own));
    for (const [i, { partition }] of suspects.entries()) {
      if (repeated[i]!.length > 0) await onRepeated(partition, repeated[i]!);
    }
    starts.set(ends);
  }
}

/** Index of the first hash of this part of the hash, or of one after it. @param from none before it is. */
function firstOf(high: Uint32Array, part: number, from: number): number {
  let [first, end] = [from, high.length];
  while (first < end) {
    const middle = (first + end) >>> 1;
    if (fenceOf(high[middle]!) < part) first = middle + 1;
    else end = middle;
  }
  return first;
}

/** Of each list, the indexes of those whose upper bits may occur more than once in all. */
function repeatedBuckets(highs: readonly Uint32Array[], bits: number): Uint32Array[] {
  const size = highs.reduce((sum, { length }) => sum + length, 0);
  const [once, twice] = [new Buckets(size, SPREAD, bits), new Buckets(size, SPREAD, bits)];
  for (const high of highs) once.add(high, twice);
  const found = highs.map((high) => twice.find(high));
  once.release();
  twice.release();
  return found;
}

/** The rows at these places, each of which is `start` too small, and their hashes; but for those that do not count. */
async function suspectsOf(
  partition: number,
  { high, low, rows: numbers }: Planes,
  at: Uint32Array,
  start: number,
  excluded: Excluded | null,
): Promise<Suspects> {
  const rows = new Uint32Array(at.length);
  const hashes = new Float64Array(at.length);
  inChunks(at.length, (from, to) => pick(at, from, to, start, high, low, numbers, rows, hashes));
  if (excluded === null) return { indexes: rows, hashes };
  const kept = await excluded.take(partition, rows, hashes);
  return { indexes: rows.subarray(0, kept), hashes: hashes.subarray(0, kept) };
}

function pick(
  at: Uint32Array,
  from: number,
  to: number,
  start: number,
  high: Uint32Array,
  low: Uint16Array,
  numbers: Uint32Array,
  rows: Uint32Array,
  hashes: Float64Array,
): void {
  for (let j = from; j < to; j++) {
    const i = start + at[j]!;
    rows[j] = numbers[i]!;
    hashes[j] = keyOf(high[i]!, low[i]!);
  }
}
