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
  readonly #shift: number;

  /** @param expected how many hashes will be added; false candidates stay below a few in a hundred up to 2^26. */
  constructor(expected: number) {
    const bits = Math.min(30, Math.max(10, Math.ceil(Math.log2(Math.max(1, expected) * 32))));
    this.#shift = 32 - bits;
    this.#once = new Uint32Array(2 ** (bits - 5));
    this.#twice = new Uint32Array(2 ** (bits - 5));
  }

  add(hashes: Uint32Array): void {
    const once = this.#once;
    const twice = this.#twice;
    const shift = this.#shift;
    for (let i = 0; i < hashes.length; i++) {
      const hash = hashes[i]!;
      if (hash === NO_HASH) continue;
      const bucket = hash >>> shift;
      const word = bucket >>> 5;
      const bit = 1 << (bucket & 31);
      if ((once[word]! & bit) === 0) once[word]! |= bit;
      else twice[word]! |= bit;
    }
  }

  /** Indexes, ascending, of those of `hashes` that were seen more than once. */
  candidates(hashes: Uint32Array): Uint32Array {
    const found = new Uint32Array(hashes.length);
    const twice = this.#twice;
    const shift = this.#shift;
    let count = 0;
    for (let i = 0; i < hashes.length; i++) {
      const hash = hashes[i]!;
      const bucket = hash >>> shift;
      if (hash !== NO_HASH && (twice[bucket >>> 5]! & (1 << (bucket & 31))) !== 0) found[count++] = i;
    }
    return found.slice(0, count);
  }
}
