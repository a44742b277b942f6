import { inChunks } from './chunks';

/** One byte a row, from row `start` on: 1 for those in `rows`. */
export function maskOf(rows: Uint32Array | Float64Array, length: number, start = 0): Uint8Array {
  const mask = new Uint8Array(length);
  inChunks(rows.length, (from, to) => raise(mask, rows, start, from, to));
  return mask;
}

function raise(mask: Uint8Array, rows: Uint32Array | Float64Array, start: number, from: number, to: number): void {
  for (let i = from; i < to; i++) mask[rows[i]! - start] = 1;
}
