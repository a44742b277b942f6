import type { DataFrame, Expr } from 'nodejs-polars';
import type { PlannedPartition } from '../discovery/plan-types';
import { ROW } from './names';
import { scanFile } from './scan';
import type { Piece } from './slices';
import { failReading, sourceOf } from './source-files';
import { pl } from './polars';

/** A name no file has: `_source_` is reserved. */
const STORED_ROW = '_source_row_number';
const FILES_AT_A_TIME = 4;

export interface Reader {
  readonly sourceRoot: string;
  readonly partition: Pick<PlannedPartition, 'date'>;
  readonly signal?: AbortSignal;
}

/**
 * Reads pieces one file at a time (a scan over several would silently coerce types, and its errors
 * would not name the file) and stacks them in order. `columns` says what to take of a piece, over the
 * columns as stored and `row`, the row's number inside its file (uint32); `rows`, which of these numbers, ascending (null: all).
 */
export async function readPieces(
  reader: Reader,
  pieces: readonly Piece[],
  columns: (piece: Piece) => Expr[],
  rows: (piece: Piece) => Uint32Array | null = () => null,
): Promise<DataFrame> {
  const frames: DataFrame[] = [];
  for (let i = 0; i < pieces.length; i += FILES_AT_A_TIME) {
    reader.signal?.throwIfAborted();
    const some = pieces.slice(i, i + FILES_AT_A_TIME);
    const read = await Promise.allSettled(
      some.map(async (piece) => readPiece(reader, piece, columns(piece), rows(piece))),
    );
    for (const result of read) {
      if (result.status === 'rejected') throw result.reason;
      frames.push(result.value);
    }
  }
  return frames.length === 1 ? frames[0]! : pl.concat(frames);
}

async function readPiece(
  { sourceRoot, partition }: Reader,
  piece: Piece,
  columns: Expr[],
  rows: Uint32Array | null,
): Promise<DataFrame> {
  try {
    const scan = await scanFile(sourceOf(sourceRoot), piece.file.path, STORED_ROW);
    const whole = piece.offset === 0 && piece.rows === piece.file.rows;
    const slice = whole ? scan : scan.slice(piece.offset, piece.rows);
    // Chosen before anything is computed of them: hashing the others would cost as much as reading them.
    const some = rows === null ? slice : slice.select(pl.allAt(rows.map((row) => row - piece.offset)));
    return await some.select(...columns).collect();
  } catch (error) {
    return failReading(error, sourceRoot, partition, piece.file);
  }
}

/** The row's number inside its file. */
export const storedRow = (): Expr => pl.col(STORED_ROW).alias(ROW);
/** The row's number in the partition, plus `base`, as a float64 (exact below 2^53). */
export function position(piece: Piece, base: number, name: string): Expr {
  return pl
    .col(STORED_ROW)
    .cast(pl.Float64)
    .plus(pl.lit(base + piece.start - piece.offset))
    .alias(name);
}
