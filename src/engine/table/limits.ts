import type { Contract } from '../../contract/contract';

/** How much is kept in memory at a time. Results do not depend on it. */
export interface TableLimits {
  /**
   * Rows (4 bytes each) that all lists of row numbers hold together before the longest goes to disk; as many of each kind of
   * what is read again, and of what is searched in partitions that did not change.
   */
  readonly rowsInMemory: number;
  /** Bytes of indexes searched at a time. */
  readonly indexBytes: number;
  /** Hashes compared at a time. */
  readonly hashesAtATime: number;
  /** Candidate rows settled at a time: key and ordering columns. */
  readonly candidatesAtATime: number;
  /** Whole rows compared at a time for `ambiguous`, and rows scanned at a time; null: what the contract's width allows. */
  readonly rowsAtATime: number | null;
}

/** The buckets of so many hashes stay in the processor's cache; it is far below what any memory allows. */
const WINDOW = 2 ** 17;
/** However much memory there is: an array cannot hold more than 4 GiB, and a larger range brings nothing. */
const MOST_SEARCHED = 2 ** 30;
/** What one candidate row costs while it is settled: key, ordering columns and position, several times over. */
const CANDIDATE_BYTES = 256;

/** Shares of `engine.memory`; the rest is for what is read and written a batch at a time. */
export function limitsOf({ engine: { memory } }: Contract): TableLimits {
  return {
    rowsInMemory: Math.floor(memory / 16 / Uint32Array.BYTES_PER_ELEMENT),
    indexBytes: Math.min(MOST_SEARCHED, Math.floor(memory / 4)),
    hashesAtATime: WINDOW,
    candidatesAtATime: Math.floor(memory / 4 / CANDIDATE_BYTES),
    rowsAtATime: null,
  };
}
