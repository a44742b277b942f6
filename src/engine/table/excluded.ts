import { has } from './sorted-rows';

/** Rows of each partition that do not count, asked for again and again: once for each window of the hash. */
export class Excluded {
  readonly #rowsOf: (partition: number) => Promise<Uint32Array>;
  /** One bit a row. */
  readonly #marks = new Map<number, Uint8Array>();
  /** Bytes. */
  #mayHold: number;

  /** @param rowsOf ascending. */
  constructor(rowsOf: (partition: number) => Promise<Uint32Array>, mayHold: number) {
    this.#rowsOf = rowsOf;
    this.#mayHold = mayHold;
  }

  /** Takes them out of `rows`, in any order, and what belongs to each out of `hashes`; both are overwritten. @returns how many are left. */
  async take(partition: number, rows: Uint32Array, hashes: Float64Array): Promise<number> {
    const marks = this.#marks.get(partition);
    if (marks !== undefined) return keepUnmarked(rows, hashes, marks);
    const excluded = await this.#rowsOf(partition);
    if (excluded.length === 0) return rows.length;
    const bytes = (excluded.at(-1)! >>> 3) + 1;
    if (bytes > this.#mayHold) return keepOthers(rows, hashes, excluded);
    this.#mayHold -= bytes;
    const made = new Uint8Array(bytes);
    for (const row of excluded) made[row >>> 3]! |= 1 << (row & 7);
    this.#marks.set(partition, made);
    return keepUnmarked(rows, hashes, made);
  }
}

function keepUnmarked(rows: Uint32Array, hashes: Float64Array, marks: Uint8Array): number {
  let kept = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const byte = row >>> 3;
    if (byte < marks.length && (marks[byte]! & (1 << (row & 7))) !== 0) continue;
    rows[kept] = row;
    hashes[kept++] = hashes[i]!;
  }
  return kept;
}

function keepOthers(rows: Uint32Array, hashes: Float64Array, excluded: Uint32Array): number {
  let kept = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (has(excluded, row)) continue;
    rows[kept] = row;
    hashes[kept++] = hashes[i]!;
  }
  return kept;
}
