import type { Contract } from '../contract/contract';
import type { CountedFile } from '../discovery/manifest';
import type { PlannedPartition } from '../discovery/plan-types';

/** Rows [offset, offset + rows) of one file; `start` is the position of its first row in the partition. */
export interface Piece {
  readonly file: CountedFile;
  readonly offset: number;
  readonly rows: number;
  readonly start: number;
}

/** What is held in memory at a time: pieces that follow each other in a partition. */
export interface Batch {
  readonly start: number;
  readonly rows: number;
  readonly pieces: readonly Piece[];
}

/** Row groups of most writers begin at multiples of this, so slices seldom cut one. */
const ALIGN = 131_072;
/** Of a batch. */
export const MAX_ROWS = 8 * ALIGN;
const MAX_CELLS = 32 * MAX_ROWS;
/** Of compressed source; decompressed it is three to five times as much. */
export const MAX_BYTES = 128 * 1024 * 1024;

/**
 * How many rows are handled at a time, so that memory depends on neither the number nor the size of
 * partitions. A function of the plan and the contract alone: output files are cut at the same rows
 * by every attempt.
 */
export function batchRows(contract: Contract, partition: Pick<PlannedPartition, 'rows' | 'bytes'>): number {
  const byCells = MAX_CELLS / Math.max(1, contract.columns.length);
  const byBytes = MAX_BYTES / Math.max(1, partition.bytes / Math.max(1, partition.rows));
  const rows = Math.min(MAX_ROWS, byCells, byBytes);
  return Math.max(1, Math.floor(rows / ALIGN)) * ALIGN;
}

/** Cuts a partition into batches of at most `size` rows. Files without rows appear in none. */
export function batchesOf(partition: Pick<PlannedPartition, 'files'>, size: number): Batch[] {
  const batches: Batch[] = [];
  let pieces: Piece[] = [];
  let rows = 0;
  let position = 0;
  const close = (): void => {
    if (pieces.length > 0) batches.push({ start: pieces[0]!.start, rows, pieces });
    pieces = [];
    rows = 0;
  };
  for (const file of partition.files) {
    for (let offset = 0; offset < file.rows;) {
      const take = Math.min(file.rows - offset, size - rows);
      pieces.push({ file, offset, rows: take, start: position });
      offset += take;
      position += take;
      rows += take;
      if (rows === size) close();
    }
  }
  close();
  return batches;
}
