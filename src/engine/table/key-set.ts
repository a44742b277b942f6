import { inChunks } from '../chunks';

/** A set of hashes, as `keyOf` gives them: open addressing, at most half full. */
export class KeySet {
  /** No key is 0. */
  readonly #slots: Float64Array;
  #isEmpty = true;

  /** @param most how many will be added, repeats too. */
  constructor(most: number) {
    this.#slots = new Float64Array(2 ** Math.ceil(Math.log2(Math.max(2, 2 * most))));
  }

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  add(keys: Float64Array): void {
    if (keys.length > 0) this.#isEmpty = false;
    inChunks(keys.length, (from, to) => put(this.#slots, keys, from, to));
  }

  has(key: number): boolean {
    return this.#slots[slotOf(this.#slots, key)] === key;
  }
}

function put(slots: Float64Array, keys: Float64Array, from: number, to: number): void {
  for (let i = from; i < to; i++) slots[slotOf(slots, keys[i]!)] = keys[i]!;
}

/** Where `key` is, or would go. */
function slotOf(slots: Float64Array, key: number): number {
  const mask = slots.length - 1;
  // The lower bits: keys of one range share their upper ones.
  let slot = (key | 0) & mask;
  while (slots[slot] !== key && slots[slot] !== 0) slot = (slot + 1) & mask;
  return slot;
}
