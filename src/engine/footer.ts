import type { SchemaElement } from 'hyparquet' with { 'resolution-mode': 'import' };

export interface FooterFacts {
  readonly rows: number;
  /** Top-level columns; null for one that is nested. */
  readonly columns: ReadonlyMap<string, SchemaElement | null>;
}

/** Reads the footer of a local Parquet file: what is really in it. */
export async function readFooterFacts(path: string): Promise<FooterFacts> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetSchema } = await hyparquet();
  const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path), { geoparquet: false });
  const columns = new Map(
    parquetSchema(metadata).children.map(({ element, children }) => [
      element.name,
      children.length === 0 ? element : null,
    ]),
  );
  return { rows: Number(metadata.num_rows), columns };
}

const hyparquet = async () => import('hyparquet');
