import { inChunks } from './chunks';
import { room } from './room';

/** Hashes are whole numbers from 1 to 2^53 - 1, in float64, which holds them exactly. */
export const HASH_BITS = 53;
/** The hash of a row that takes no part: its key has a null, or it was left out. */
export const NO_HASH = 0;

/** More would make fewer false candidates, and miss the processor's cache more often. */
const BITS_TO_A_HASH = 16;

/** Rows of one batch whose hash may occur more than once. */
export interface Suspects {
  readonly indexes: Uint32Array;
  readonly hashes: Float64Array;
}

/**
 * Finds the hashes that occur more than once among many, in memory that does not depend on how many
 * times they do: one bit "seen" and one bit "seen again" for each bucket of hashes. A hash that shares
 * its bucket with another is a false candidate; candidates are settled on their true values.
 */
export class SeenTwice {
  readonly #once: Uint32Array;
  readonly #twice: Uint32Array;
  /** Buckets to a hash: a power of two, so that the product is exact. */
  readonly #scale: number;

  /** @param expected how many hashes will be added; false candidates stay below one in ten up to 2^26. */
  constructor(expected: number) {
    const bits = Math.min(30, Math.max(10, Math.ceil(Math.log2(Math.max(1, expected) * BITS_TO_A_HASH))));
    this.#scale = 2 ** (bits - HASH_BITS);
    this.#once = new Uint32Array(2 ** (bits - 5));
    this.#twice = new Uint32Array(2 ** (bits - 5));
  }

  add(hashes: Float64Array): void {
    inChunks(hashes.length, (from, to) => mark(hashes, from, to, this.#once, this.#twice, this.#scale));
  }

  /** Forgets all, for as many hashes as were expected or fewer. */
  clear(): void {
    this.#once.fill(0);
    this.#twice.fill(0);
  }

  /** Those of `hashes` that were seen more than once. */
  suspects(hashes: Float64Array): Suspects {
    const found = room(hashes.length);
    let count = 0;
    inChunks(hashes.length, (from, to) => {
      count = findMarked(hashes, from, to, this.#twice, this.#scale, found, count);
    });
    const indexes = found.slice(0, count);
    return { indexes, hashes: hashesAt(hashes, indexes) };
  }
}

function mark(
  hashes: Float64Array,
  from: number,
  to: number,
  once: Uint32Array,
  twice: Uint32Array,
  scale: number,
): void {
  for (let i = from; i < to; i++) {
    const hash = hashes[i]!;
    if (hash === NO_HASH) continue;
    const bucket = (hash * scale) | 0;
    const word = bucket >>> 5;
    const bit = 1 << (bucket & 31);
    if ((once[word]! & bit) === 0) once[word]! |= bit;
    else twice[word]! |= bit;
  }
}

/** @returns `count`, and as many more as were found. */
function findMarked(
  hashes: Float64Array,
  from: number,
  to: number,
  marked: Uint32Array,
  scale: number,
  found: Uint32Array,
  count: number,
): number {
  let next = count;
  for (let i = from; i < to; i++) {
    const hash = hashes[i]!;
    const bucket = (hash * scale) | 0;
    if ((marked[bucket >>> 5]! & (1 << (bucket & 31))) !== 0 && hash !== NO_HASH) found[next++] = i;
  }
  return next;
}

/** A table of more candidates would take more memory than it is worth. */
const TOLD_AT_MOST = 2 ** 21;

const slotsOf = (size: number): [Float64Array, Uint8Array] => [new Float64Array(size), new Uint8Array(size)];
/** Slots that are used again: see `room`. One set is in use at a time, as nothing is awaited meanwhile. */
const KEPT = 2 ** 19;
let kept: [Float64Array, Uint8Array] | null = null;

/** Which of a number of hashes occur more than once: open addressing, at most half full. */
class Occurrences {
  readonly #slots: Float64Array;
  readonly #repeated: Uint8Array;

  constructor(total: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(2, total * 2)));
    const [slots, repeated] = size <= KEPT ? (kept ??= slotsOf(KEPT)) : slotsOf(size);
    this.#slots = slots.subarray(0, size).fill(NO_HASH);
    this.#repeated = repeated.subarray(0, size).fill(0);
  }

  add(hashes: Float64Array): void {
    inChunks(hashes.length, (from, to) => put(hashes, from, to, this.#slots, this.#repeated));
  }

  /** Those of `indexes` whose hash, at the same place in `hashes`, occurs more than once. */
  repeated({ indexes, hashes }: Suspects): Uint32Array {
    const found = room(indexes.length);
    let count = 0;
    inChunks(indexes.length, (from, to) => {
      count = findRepeated(indexes, hashes, from, to, this.#slots, this.#repeated, found, count);
    });
    return found.slice(0, count);
  }
}

/** Where `hash` is, or would go. No hash is {@link NO_HASH}, so zeros are free. */
function slotOf(slots: Float64Array, hash: number): number {
  const mask = slots.length - 1;
  // The lower bits: hashes of one range share their upper ones.
  let slot = (hash | 0) & mask;
  while (slots[slot] !== hash && slots[slot] !== NO_HASH) slot = (slot + 1) & mask;
  return slot;
}

function put(hashes: Float64Array, from: number, to: number, slots: Float64Array, repeated: Uint8Array): void {
  for (let i = from; i < to; i++) {
    const hash = hashes[i]!;
    const slot = slotOf(slots, hash);
    if (slots[slot] === hash) repeated[slot] = 1;
    else slots[slot] = hash;
  }
}

/** @returns `count`, and as many more as were found. */
function findRepeated(
  indexes: Uint32Array,
  hashes: Float64Array,
  from: number,
  to: number,
  slots: Float64Array,
  repeated: Uint8Array,
  found: Uint32Array,
  count: number,
): number {
  let next = count;
  for (let i = from; i < to; i++) {
    if (repeated[slotOf(slots, hashes[i]!)] === 1) found[next++] = indexes[i]!;
  }
  return next;
}

function hashesAt(hashes: Float64Array, indexes: Uint32Array): Float64Array {
  const some = new Float64Array(indexes.length);
  inChunks(some.length, (from, to) => pick(hashes, indexes, from, to, some));
  return some;
}

function pick(hashes: Float64Array, indexes: Uint32Array, from: number, to: number, picked: Float64Array): void {
  for (let i = from; i < to; i++) picked[i] = hashes[indexes[i]!]!;
}

/** By batch, the indexes of suspects whose hash does occur again; of all suspects, when they are too many to tell. */
export function trulyRepeated(suspects: readonly Suspects[]): Uint32Array[] {
  const total = suspects.reduce((sum, { hashes }) => sum + hashes.length, 0);
  if (total > TOLD_AT_MOST) return suspects.map(({ indexes }) => indexes);
  const occurrences = new Occurrences(total);
  for (const { hashes } of suspects) occurrences.add(hashes);
  return suspects.map((some) => occurrences.repeated(some));
}
