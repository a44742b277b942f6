import type { DataFrame, Expr } from 'nodejs-polars';
import { readPieces } from './read';
import type { Reader } from './read';
import type { Batch, Piece } from './slices';

/**
 * Reads some rows of a batch, named by their index in it (ascending): the columns `columns` gives, for
 * the pieces that hold such rows. Null when `indexes` is empty. Row order is not promised.
 */
export async function readRows(
  reader: Reader,
  batch: Batch,
  indexes: Uint32Array,
  columns: (piece: Piece) => Expr[],
): Promise<DataFrame | null> {
  const wanted = new Map<Piece, Uint32Array>();
  for (const piece of batch.pieces) {
    const from = piece.start - batch.start;
    const rows = indexes.subarray(lowerBound(indexes, from), lowerBound(indexes, from + piece.rows));
    if (rows.length === 0) continue;
    const stored = rows.map((index) => index - from + piece.offset);
    const first = stored[0]!;
    const last = stored.at(-1)!;
    const narrowed = { ...piece, offset: first, rows: last - first + 1, start: piece.start + first - piece.offset };
    wanted.set(narrowed, stored);
  }
  if (wanted.size === 0) return null;
  return readPieces(reader, [...wanted.keys()], columns, (piece) => {
    const rows = wanted.get(piece)!;
    return rows.length === piece.rows ? null : rows;
  });
}

/**
 * Index of the first element of ascending `sorted` that is at least `value`.
 * @param from where to begin to look, when all before are smaller: what is near is found fast.
 */
export function lowerBound(sorted: Uint32Array | Float64Array, value: number, from = 0): number {
  let low = from;
  let high = sorted.length;
  if (from > 0) {
    for (let step = 1; low + step < high; step *= 2) {
      if (sorted[low + step]! >= value) high = low + step;
      else low += step;
    }
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
