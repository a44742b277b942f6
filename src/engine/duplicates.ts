/** Hashes are whole numbers from 1 to 2^53 - 1, in float64, which holds them exactly. */
export const HASH_BITS = 53;
/** The hash of a row that takes no part: its key has a null, or it was left out. */
export const NO_HASH = 0;

/**
 * Finds the hashes that occur more than once among many, in memory that does not depend on how many
 * times they do: one bit "seen" and one bit "seen again" for each bucket of hashes. A hash that shares
 * its bucket with another is a false candidate; candidates are settled on their true values.
 */
export class SeenTwice {
  readonly #once: Uint32Array;
  readonly #twice: Uint32Array;
  /** How many hashes share a bucket. */
  readonly #width: number;

  /** @param expected how many hashes will be added; false candidates stay below a few in a hundred up to 2^26. */
  constructor(expected: number) {
    const bits = Math.min(30, Math.max(10, Math.ceil(Math.log2(Math.max(1, expected) * 32))));
    this.#width = 2 ** (HASH_BITS - bits);
    this.#once = new Uint32Array(2 ** (bits - 5));
    this.#twice = new Uint32Array(2 ** (bits - 5));
  }

  add(hashes: Float64Array): void {
    const once = this.#once;
    const twice = this.#twice;
    const width = this.#width;
    for (let i = 0; i < hashes.length; i++) {
      const hash = hashes[i]!;
      if (hash === NO_HASH) continue;
      const bucket = Math.floor(hash / width);
      const word = bucket >>> 5;
      const bit = 1 << (bucket & 31);
      if ((once[word]! & bit) === 0) once[word]! |= bit;
      else twice[word]! |= bit;
    }
  }

  /** Indexes, ascending, of those of `hashes` that were seen more than once. */
  candidates(hashes: Float64Array): Uint32Array {
    const found = new Uint32Array(hashes.length);
    const twice = this.#twice;
    const width = this.#width;
    let count = 0;
    for (let i = 0; i < hashes.length; i++) {
      const hash = hashes[i]!;
      const bucket = Math.floor(hash / width);
      if (hash !== NO_HASH && (twice[bucket >>> 5]! & (1 << (bucket & 31))) !== 0) found[count++] = i;
    }
    return found.slice(0, count);
  }
}

/** Sorting more candidates than this would hold up the event loop for longer than a heartbeat should wait. */
const SORTED_AT_MOST = 2 ** 21;

/** The hashes among candidates that really occur more than once; null when there are too many candidates to tell. */
export function repeatedHashes(candidates: readonly Float64Array[]): Float64Array | null {
  const total = candidates.reduce((sum, hashes) => sum + hashes.length, 0);
  if (total > SORTED_AT_MOST) return null;
  const all = new Float64Array(total);
  let at = 0;
  for (const hashes of candidates) {
    all.set(hashes, at);
    at += hashes.length;
  }
  const sorted = all.toSorted();
  return sorted.filter((hash, i) => hash === sorted[i + 1] && hash !== sorted[i - 1]);
}
