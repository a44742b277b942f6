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
import { IndexStore } from './index-store';

export interface MakeIndexInput {
  readonly contract: Contract;
  /** Location of the raw zone. */
  readonly sourceRoot: string;
  /** One whose raw files are there. */
  readonly source: SourcePartition;
  /** See `TableLimits`. */
  readonly rowsAtATime: number | null;
  /** Location of the table's root. */
  readonly tableRoot: string;
  readonly indexes: ResolveTableInput['indexes'];
  /** A local folder for an index that nothing else can take. */
  readonly scratch: string;
}

/**
 * Makes the index of one partition and keeps it where it will be found.
 * @throws VoidPlan when a file changed since it was planned.
 */
export async function makeIndex(input: MakeIndexInput, { signal }: EngineHooks = {}): Promise<void> {
  const { contract, sourceRoot, source, rowsAtATime, tableRoot, indexes, scratch } = input;
  const keys = await indexedKeys(contract);
  const store = openStore(tableRoot, { errorType: 'TargetError' });
  const kept = new IndexStore({ store, ...indexes, scratch }, keys.identity, 1 + keys.gates.length);
  const batches = batchesOf(source, rowsAtATime ?? batchRows(contract, source));
  const index = await buildIndex({ sourceRoot, partition: source, signal }, batches, keys, () => {});
  await verifyFiles(sourceRoot, source.files);
  await releaseNativeMemory({ rows: source.rows, columns: 1 + keys.gates.length, bytes: 0 });
  await kept.save(source, index.bytes);
  index.release();
}
