import pl from 'nodejs-polars';
import { flush } from './flush';
import { targetStore } from './places';
import { writing } from './write-error';

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
    .map(([set, row]) => pl.DataFrame({ row }).lazy().select(pl.lit(set).alias('set'), pl.col('row').cast(pl.UInt32)));
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
  const frame = await pl
    .scanParquet(store.urlOf(name), options)
    .groupBy('set', true)
    .agg(pl.col('row').count().alias('rows'))
    .collect();
  const names = frame.getColumn('set').toArray() as string[];
  for (const set of names) {
    const rows = await pl
      .scanParquet(store.urlOf(name), options)
      .filter(pl.col('set').eq(pl.lit(set)))
      .select(pl.col('row'))
      .collect();
    sets.set(set, rows.getColumn('row').toTypedArray() as Uint32Array);
  }
  return sets;
}
