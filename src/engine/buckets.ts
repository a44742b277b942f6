import { inChunks } from './chunks';
import { room } from './room';

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
    this.#words = wordsOf(2 ** (bits - 5));
    this.#left = rangeBits;
    this.#right = 32 - bits;
  }

  /** Indexes, ascending, of those whose bucket is set. */
  find(highs: Uint32Array): Uint32Array {
    const found = room(highs.length);
    let count = 0;
    inChunks(highs.length, (from, to) => {
      count = findSet(highs, from, to, this.#words, this.#left, this.#right, found, count);
    });
    return found.slice(0, count);
  }

  /** Gives its memory to whichever is made next. Not to be used after. */
  release(): void {
    const { length } = this.#words;
    if (length >= LEAST_KEPT && length <= MOST_KEPT && spare.length < SPARES) spare.push(this.#words);
  }

  /** Sets the bucket of each; where it was set before, sets that of `again`, which is as large. */
  add(highs: Uint32Array, again?: Buckets): void {
    const twice = again === undefined ? null : again.#words;
    inChunks(highs.length, (from, to) => set(highs, from, to, this.#words, this.#left, this.#right, twice));
  }
}

/** @returns `count`, and as many more as were found. */
function findSet(
  highs: Uint32Array,
  from: number,
  to: number,
  words: Uint32Array,
  left: number,
  right: number,
  found: Uint32Array,
  count: number,
): number {
  let next = count;
  for (let i = from; i < to; i++) {
    const bucket = (highs[i]! << left) >>> right;
    found[next] = i;
    next += (words[bucket >>> 5]! >>> (bucket & 31)) & 1;
  }
  return next;
}

function set(
  highs: Uint32Array,
  from: number,
  to: number,
  words: Uint32Array,
  left: number,
  right: number,
  again: Uint32Array | null,
): void {
  for (let i = from; i < to; i++) {
    const bucket = (highs[i]! << left) >>> right;
    const bit = 1 << (bucket & 31);
    const before = words[bucket >>> 5]!;
    if ((before & bit) === 0) words[bucket >>> 5] = before | bit;
    else if (again !== null) again[bucket >>> 5]! |= bit;
  }
}

/** Zeros. */
function wordsOf(length: number): Uint32Array {
  const at = spare.findIndex((words) => words.length === length);
  return at < 0 ? new Uint32Array(length) : spare.splice(at, 1)[0]!.fill(0);
}

/** A search needs three at a time, range after range. See `room`. */
const SPARES = 3;
const LEAST_KEPT = 2 ** 14;
const MOST_KEPT = 2 ** 20;
const spare: Uint32Array[] = [];

const FEWEST_BITS = 10;
/** 32 MiB. */
const MOST_BITS = 28;
