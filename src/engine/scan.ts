import type { LazyDataFrame } from 'nodejs-polars';
import type { ObjectStore } from '../storage';
import { pl } from './polars';

/**
 * One Parquet file of a store: its name is a name, and says nothing of its columns.
 * @param rowIndexName a column with each row's number inside the file (uint32); none where absent.
 */
export async function scanFile(store: ObjectStore, key: string, rowIndexName?: string): Promise<LazyDataFrame> {
  return pl.scanParquet(store.urlOf(key), {
    glob: false,
    hivePartitioning: false,
    ...(rowIndexName === undefined ? {} : { rowIndexName }),
    ...(await store.scanOptions()),
  });
}
