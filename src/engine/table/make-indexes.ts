import type { Contract } from '../../contract/contract';
import { openStore } from '../../storage';
import type { ResolveTableInput } from '../inputs';
import { releaseNativeMemory } from '../memory';
import type { SourcePartition } from '../resolve-scope';
import { batchRows, batchesOf } from '../slices';
import { verifyFiles } from '../source-files';
import type { EngineHooks } from '../types';
import { buildIndex } from './build-index';
import { indexedKeys } from './identity';
import type { IndexFile } from './index-file';
import { IndexStore } from './index-store';
import type { IndexWriter } from './index-writer';

export interface MakeIndexesInput {
  readonly contract: Contract;
  /** Location of the raw zone. */
  readonly sourceRoot: string;
  /** Partitions whose raw files are there. */
  readonly sources: readonly SourcePartition[];
  /** How many of them somebody has set about: one number, in memory that threads share. */
  readonly begun: Int32Array;
  /** See `TableLimits`. */
  readonly rowsAtATime: number | null;
  /** Location of the table's root. */
  readonly tableRoot: string;
  readonly indexes: ResolveTableInput['indexes'];
  /** A local folder for an index that nothing else can take. */
  readonly scratch: string;
}

/**
 * Makes the indexes of all partitions that nobody else sets about, one after another, and keeps them where they will be found:
 * one is written while the next is computed. Threads that are given the same `begun` share the work; where one fails, none
 * begins another.
 *
 * @param onMade is told the partition's place among `sources`.
 * @throws VoidPlan when a file changed since it was planned.
 */
export async function makeIndexes(
  input: MakeIndexesInput,
  { signal }: EngineHooks = {},
  onMade: (i: number, index: IndexFile) => void = () => {},
): Promise<void> {
  const { contract, sourceRoot, sources, begun, rowsAtATime, tableRoot, indexes, scratch } = input;
  const keys = await indexedKeys(contract);
  const store = openStore(tableRoot, { errorType: 'TargetError' });
  const kept = new IndexStore({ store, ...indexes, scratch }, keys.identity, 1 + keys.gates.length);
  const save = async (i: number, index: IndexWriter): Promise<void> => {
    onMade(i, await kept.save(sources[i]!, index.bytes));
    index.release();
  };
  let saving: Promise<void> = Promise.resolve();
  try {
    for (let i: number; (i = Atomics.add(begun, 0, 1)) < sources.length;) {
      signal?.throwIfAborted();
      const source = sources[i]!;
      const batches = batchesOf(source, rowsAtATime ?? batchRows(contract, source));
      const index = await buildIndex({ sourceRoot, partition: source, signal }, batches, keys);
      await verifyFiles(sourceRoot, source.files);
      await saving;
      saving = save(i, index);
      // Told before the next is saved, and at the end.
      saving.catch(() => {});
      await releaseNativeMemory({ rows: source.rows, columns: 1 + keys.gates.length, bytes: 0 });
    }
    await saving;
  } catch (error) {
    Atomics.store(begun, 0, sources.length);
    await Promise.allSettled([saving]);
    throw error;
  }
}
