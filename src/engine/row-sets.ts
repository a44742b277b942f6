import type { LazyDataFrame } from 'nodejs-polars';
import { flush } from './flush';
import { targetStore } from './places';
import { writing } from './write-error';
import { frameOf, numbersOf, pl } from './polars';

export const SUPERSEDED = 'superseded';
export const uniqueSet = (gate: string): string => `unique:${gate}`;

/** Row sets of one partition by name; the rows of each ascending. */
export type RowSets = ReadonlyMap<string, Uint32Array>;

const SINK = { maintainOrder: true, syncOnClose: 'none', mkdir: false };

/** Writes the sets to `directory/name` (see `PartitionResolution.rowSets`); null, and no file, when all are empty. */
export async function writeRowSets(directory: string, name: string, sets: RowSets): Promise<string | null> {
  const frames = [...sets]
    .filter(([, rows]) => rows.length > 0)
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([set, row]) => frameOf({ row }).lazy().select(pl.lit(set).alias('set'), pl.col('row').cast(pl.UInt32)));
  if (frames.length === 0) return null;
  const store = targetStore(directory);
  const path = store.urlOf(name);
  const all = frames.length === 1 ? frames[0]! : pl.concat(frames);
  await writing(path, async () => {
    await all
      .sinkParquet(path, {
        compression: 'zstd',
        compressionLevel: 1,
        statistics: true,
        sinkOptions: SINK,
        ...(await store.scanOptions()),
      })
      .collect();
    if (store.kind === 'local') await flush(path);
  });
  return name;
}

export async function readRowSets(directory: string, name: string | null): Promise<RowSets> {
  const sets = new Map<string, Uint32Array>();
  if (name === null) return sets;
  const store = targetStore(directory);
  const options = { glob: false, hivePartitioning: false, ...(await store.scanOptions()) };
  const scan = (): LazyDataFrame => pl.scanParquet(store.urlOf(name), options);
  const [counts, frame] = await Promise.all([
    scan().groupBy('set', true).agg(pl.col('row').count().cast(pl.Float64).alias('n')).collect(),
    scan().select(pl.col('row')).collect(),
  ]);
  const rows = numbersOf(frame, 'row') as Uint32Array;
  let at = 0;
  for (const [set, count] of counts.rows() as [string, number][]) {
    sets.set(set, rows.subarray(at, at + count));
    at += count;
  }
  return sets;
}
