import type { SchemaElement } from 'hyparquet' with { 'resolution-mode': 'import' };
import type { ObjectStore } from '../storage';

export interface FooterFacts {
  readonly rows: number;
  /** Top-level columns; null for one that is nested. */
  readonly columns: ReadonlyMap<string, SchemaElement | null>;
}

/** Reads the footer of a Parquet file of `size` bytes: what is really in it. */
export async function readFooterFacts(
  store: Pick<ObjectStore, 'readRange'>,
  key: string,
  size: number,
): Promise<FooterFacts> {
  const { parquetMetadataAsync, parquetSchema } = await hyparquet();
  const file = {
    byteLength: size,
    slice: async (start: number, end: number = size): Promise<ArrayBuffer> => {
      const bytes = await store.readRange(key, start, end);
      return new Uint8Array(bytes).buffer;
    },
  };
  const metadata = await parquetMetadataAsync(file, { geoparquet: false, initialFetchSize: TAIL_BYTES });
  const columns = new Map(
    parquetSchema(metadata).children.map(({ element, children }) => [
      element.name,
      children.length === 0 ? element : null,
    ]),
  );
  return { rows: Number(metadata.num_rows), columns };
}

/** Read at once from the end; a larger footer takes a second read. */
const TAIL_BYTES = 64 * 1024;

const hyparquet = async () => import('hyparquet');
