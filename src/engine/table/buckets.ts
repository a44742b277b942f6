/** Bits of one range of hashes, addressed by the upper bits of what is left of the hash below the range. */
export class Buckets {
  readonly #words: Uint32Array;
  readonly #left: number;
  readonly #right: number;

  /**
   * @param expected how many hashes will be set; about one bucket in `spread` is then taken.
   * @param rangeBits upper bits that all of them share.
   */
  constructor(expected: number, spread: number, rangeBits: number) {
    const wanted = Math.ceil(Math.log2(Math.max(1, expected) * spread));
    const bits = Math.min(MOST_BITS, 32 - rangeBits, Math.max(FEWEST_BITS, wanted));
    this.#words = new Uint32Array(2 ** (bits - 5));
    this.#left = rangeBits;
    this.#right = 32 - bits;
  }

  has(high: number): boolean {
    const bucket = (high << this.#left) >>> this.#right;
    return (this.#words[bucket >>> 5]! & (1 << (bucket & 31))) !== 0;
  }

  /** Sets a hash's bucket; says whether it was set before. */
  add(high: number): boolean {
    const bucket = (high << this.#left) >>> this.#right;
    const bit = 1 << (bucket & 31);
    const before = this.#words[bucket >>> 5]!;
    this.#words[bucket >>> 5] = before | bit;
    return (before & bit) !== 0;
  }
}

const FEWEST_BITS = 10;
/** 32 MiB. */
const MOST_BITS = 28;
