import { lowerOf, upperOf } from '../../src/engine/table/index-layout';
import { IndexWriter } from '../../src/engine/table/index-writer';

/** The rows of one section, by hash: both arrays as long. */
export interface HashedRows {
  /** Whole numbers below 2^53, ascending. */
  readonly hashes: Float64Array;
  readonly rows: Uint32Array;
}

/** A whole index file. */
export function indexBytes(identity: string, rows: number, sections: readonly HashedRows[]): Buffer {
  const counts = sections.map((section) => section.rows.length);
  const index = new IndexWriter(identity, rows, counts);
  for (const [i, section] of sections.entries()) {
    const planes = index.planes(i);
    planes.rows.set(section.rows);
    for (const [j, hash] of section.hashes.entries()) {
      planes.high[j] = upperOf(hash);
      planes.low[j] = lowerOf(hash, upperOf(hash));
    }
    index.seal(i);
  }
  return index.bytes;
}
