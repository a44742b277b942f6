import { dealHashes, fencesOf } from '../../src/engine/table/deal-hashes';
import { IndexWriter } from '../../src/engine/table/index-writer';

/** A whole index file. @param sections the hash of every row, by row: whole numbers below 2^53; 0 where a row has none. */
export function indexBytes(identity: string, rows: number, sections: readonly Float64Array[]): Buffer {
  const fences = sections.map(fencesOf);
  const index = new IndexWriter(identity, rows, fences);
  for (const [i, hashes] of sections.entries()) dealHashes(hashes, fences[i]!, index.planes(i));
  return index.bytes;
}
