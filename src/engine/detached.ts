import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataFrame } from 'nodejs-polars';
import type { Column } from '../contract/contract';
import { pl } from './polars';
import { writing } from './write-error';

const SINK = { maintainOrder: true, syncOnClose: 'none', mkdir: false };

/** Whether values of these columns are views into a batch, and rows of it are worth {@link detached}. */
export const haveViews = (columns: readonly Column[]): boolean =>
  columns.some(({ type: { kind } }) => kind === 'string' || kind === 'binary');

/**
 * The same rows in memory of their own. Texts that were picked out of a batch are views, which keep all text of the batch in
 * memory: a few rows of many batches would hold the whole table's.
 *
 * @param folder a scratch folder; it need not exist. Polars lets go of the batch only where rows are written and read again.
 */
export async function detached(frame: DataFrame, folder: string): Promise<DataFrame> {
  const path = join(folder, `${randomUUID()}.parquet`);
  await writing(path, async () => {
    await mkdir(folder, { recursive: true });
    await frame.lazy().sinkParquet(path, { compression: 'uncompressed', sinkOptions: SINK }).collect();
  });
  try {
    return await pl.scanParquet(path, { glob: false, hivePartitioning: false }).collect();
  } finally {
    await rm(path, { force: true });
  }
}
