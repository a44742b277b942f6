import { hashOf, hashesOf } from '../hashes';
import { asDeclared } from '../polars-types';
import { readPieces } from '../read';
import type { Reader } from '../read';
import type { Batch } from '../slices';
import { verifyFiles } from '../source-files';
import type { IndexedKeys } from './identity';
import { IndexWriter } from './index-writer';
import { dealHashes, fencesOf } from './deal-hashes';

/**
 * The index of a partition, from its key columns alone. A row with a null in its primary key is in no section, one
 * with a null in a unique value not in that of its gate.
 *
 * Memory: 8 bytes a row and section while it is read, and those of the index.
 * @throws VoidPlan when a file was written again with more or fewer rows.
 */
export async function buildIndex(reader: Reader, batches: readonly Batch[], keys: IndexedKeys): Promise<IndexWriter> {
  const hashes = [hashOf(keys.primaryKey), ...keys.gates.map(({ columns }) => hashOf(columns, keys.primaryKey))];
  const hashed = new Map([...keys.primaryKey, ...keys.gates.flatMap(({ columns }) => columns)].map((c) => [c.name, c]));
  const columns = [...hashed.values()].map((column) => asDeclared(column));
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  const read: Float64Array[] = hashes.map(() => new Float64Array(batches.length > 1 ? rows : 0));
  for (const batch of batches) {
    const frame = await readPieces(reader, batch.pieces, () => columns);
    if (frame.height !== batch.rows) await failRows(reader, batch, frame.height);
    for (const [i, all] of read.entries()) {
      // One by one, and not while they are read: together they would share the search for nulls, which costs more than it saves.
      const some = await hashesOf(frame, hashes[i]!);
      if (batches.length > 1) all.set(some, batch.start);
      else read[i] = some;
    }
  }
  const fences = read.map(fencesOf);
  const index = new IndexWriter(keys.identity, rows, fences);
  for (const [section, all] of read.entries()) dealHashes(all, fences[section]!, index.planes(section));
  return index;
}

/** A file that was written again holds other rows than planned: the plan is void, not the read. */
async function failRows(
  { sourceRoot, partition }: Reader,
  { pieces, rows, start }: Batch,
  found: number,
): Promise<never> {
  await verifyFiles(
    sourceRoot,
    pieces.map(({ file }) => file),
  );
  throw new Error(`partition ${partition.date}: expected ${rows} rows from row ${start} on, found ${found}`);
}
