import type { SchemaElement } from 'hyparquet' with { 'resolution-mode': 'import' };
import type { ObjectStore } from '../storage';
import { pl } from './polars';
import { scanFile } from './scan';

/** Rows of a Parquet file, as its footer says. */
export async function storedRows(store: ObjectStore, key: string): Promise<number> {
  const counted = await (await scanFile(store, key)).select(pl.len()).collect();
  return Number(counted.row(0)[0]);
}

/** Names of a Parquet file's top-level columns. */
export async function storedNames(store: ObjectStore, key: string): Promise<string[]> {
  return (await (await scanFile(store, key)).limit(0).collect()).columns;
}

/**
 * How a top-level column of a Parquet file of `size` bytes is stored, which Polars does not tell of every type; null when it is
 * nested, undefined when there is none. {@link storedNames} takes less where there is none: what parses this here is large,
 * and every thread would load it.
 */
export async function storedColumnType(
  store: Pick<ObjectStore, 'readRange'>,
  { key, size }: { readonly key: string; readonly size: number },
  column: string,
): Promise<SchemaElement | null | undefined> {
  const { parquetMetadataAsync, parquetSchema } = await import('hyparquet');
  const file = {
    byteLength: size,
    slice: async (start: number, end: number = size): Promise<ArrayBuffer> => {
      const bytes = await store.readRange(key, start, end);
      return new Uint8Array(bytes).buffer;
    },
  };
  const metadata = await parquetMetadataAsync(file, { geoparquet: false, initialFetchSize: TAIL_BYTES });
  const found = parquetSchema(metadata).children.find(({ element }) => element.name === column);
  if (found === undefined) return undefined;
  return found.children.length === 0 ? found.element : null;
}

/** Read at once from the end; a larger footer takes a second read. */
const TAIL_BYTES = 64 * 1024;
