import { lowerBound } from './read-rows';

/** Hashes are whole numbers from 1 to 2^53 - 1, in float64, which holds them exactly. */
export const HASH_BITS = 53;
/** The hash of a row that takes no part: its key has a null, or it was left out. */
export const NO_HASH = 0;

/** Rows of one batch whose hash may occur more than once. */
export interface Suspects {
  /** Ascending. */
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

  /** @param expected how many hashes will be added; false candidates stay below a few in a hundred up to 2^26. */
  constructor(expected: number) {
    const bits = Math.min(30, Math.max(10, Math.ceil(Math.log2(Math.max(1, expected) * 32))));
    this.#scale = 2 ** (bits - HASH_BITS);
    this.#once = new Uint32Array(2 ** (bits - 5));
    this.#twice = new Uint32Array(2 ** (bits - 5));
  }

  add(hashes: Float64Array): void {
    const once = this.#once;
    const twice = this.#twice;
    const scale = this.#scale;
    for (let i = 0; i < hashes.length; i++) {
      const hash = hashes[i]!;
      if (hash === NO_HASH) continue;
      const bucket = (hash * scale) | 0;
      const word = bucket >>> 5;
      const bit = 1 << (bucket & 31);
      if ((once[word]! & bit) === 0) once[word]! |= bit;
      else twice[word]! |= bit;
    }
  }

  /** Those of `hashes` that were seen more than once. */
  suspects(hashes: Float64Array): Suspects {
    const found = new Uint32Array(hashes.length);
    const twice = this.#twice;
    const scale = this.#scale;
    let count = 0;
    for (let i = 0; i < hashes.length; i++) {
      const hash = hashes[i]!;
      const bucket = (hash * scale) | 0;
      if ((twice[bucket >>> 5]! & (1 << (bucket & 31))) !== 0 && hash !== NO_HASH) found[count++] = i;
    }
    const indexes = found.slice(0, count);
    return { indexes, hashes: hashesAt(hashes, indexes) };
  }
}

/** Sorting more candidates than this would hold up the event loop for longer than a heartbeat should wait. */
const SORTED_AT_MOST = 2 ** 21;

/** The hashes among candidates that really occur more than once; null when there are too many candidates to tell. */
function repeatedHashes(candidates: readonly Float64Array[]): Float64Array | null {
  const total = candidates.reduce((sum, hashes) => sum + hashes.length, 0);
  if (total > SORTED_AT_MOST) return null;
  const all = new Float64Array(total);
  let at = 0;
  for (const hashes of candidates) {
    all.set(hashes, at);
    at += hashes.length;
  }
  const sorted = all.toSorted();
  let found = 0;
  for (let i = 1; i < total; i++) {
    const hash = sorted[i]!;
    if (hash === sorted[i - 1]! && (found === 0 || hash !== sorted[found - 1]!)) sorted[found++] = hash;
  }
  return sorted.slice(0, found);
}

function hashesAt(hashes: Float64Array, indexes: Uint32Array): Float64Array {
  const some = new Float64Array(indexes.length);
  for (let i = 0; i < some.length; i++) some[i] = hashes[indexes[i]!]!;
  return some;
}

/** By batch, the indexes of suspects whose hash does occur again; of all suspects, when they are too many to tell. */
export function trulyRepeated(suspects: readonly Suspects[]): Uint32Array[] {
  const repeated = repeatedHashes(suspects.map(({ hashes }) => hashes));
  if (repeated === null) return suspects.map(({ indexes }) => indexes);
  return suspects.map(({ indexes, hashes }) => {
    const found = new Uint32Array(indexes.length);
    let count = 0;
    for (let i = 0; i < indexes.length; i++) {
      const hash = hashes[i]!;
      if (repeated[lowerBound(repeated, hash)] === hash) found[count++] = indexes[i]!;
    }
    return found.slice(0, count);
  });
}
