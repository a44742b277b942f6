import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import pl from 'nodejs-polars';

export type Row = Record<string, unknown>;

/** Every row below `<version>/<zone>`, each with the partition `date` of its folder, in date and stored order. */
export function readRows(version: string, zone: 'curated' | 'quarantine'): Row[] {
  const root = join(version, zone);
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .toSorted()
    .flatMap((folder) => {
      const date = folder.slice(folder.indexOf('=') + 1);
      return readdirSync(join(root, folder))
        .toSorted()
        .flatMap((file) => {
          const frame = pl.readParquet(join(root, folder, file));
          return (frame.toRecords() as Row[]).map((row) => ({ date, ...row }));
        });
    });
}

/** The transaction ids published, sorted. */
export function publishedIds(version: string): string[] {
  return readRows(version, 'curated')
    .map((row) => String(row['transaction_id']))
    .toSorted();
}
