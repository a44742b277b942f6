/**
 * A row among several partitions as one float64, exact: the partition's index times 2^32, plus the
 * row's number in the partition. Greater means later path, then later row (SEMANTICS 4.2), since
 * partitions, files and rows are all in order.
 */
const ROWS = 2 ** 32;

export const baseOf = (partition: number): number => partition * ROWS;
export const partitionOf = (position: number): number => Math.floor(position / ROWS);
export const rowOf = (position: number): number => position % ROWS;

/** Row numbers, partition by partition. */
export class RowLists {
  readonly #parts: Uint32Array[][];

  constructor(partitions: number) {
    this.#parts = Array.from({ length: partitions }, () => []);
  }

  /** Adds positions, in any order. */
  add(positions: Float64Array): void {
    const sorted = positions.toSorted();
    for (let i = 0; i < sorted.length;) {
      const partition = partitionOf(sorted[i]!);
      let end = i + 1;
      while (end < sorted.length && partitionOf(sorted[end]!) === partition) end++;
      this.#parts[partition]!.push(Uint32Array.from(sorted.subarray(i, end), rowOf));
      i = end;
    }
  }

  /** Ascending. */
  rows(partition: number): Uint32Array {
    const parts = this.#parts[partition]!;
    if (parts.length > 1) parts.splice(0, parts.length, concat(parts).toSorted());
    return parts[0] ?? new Uint32Array(0);
  }
}

function concat(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
