import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import pl from 'nodejs-polars';
import type { Table } from '../../src/publish';

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

/**
 * What the newest version of a table holds, in either format: its rows, and of each partition what it was computed from
 * and what was decided in it. Two tables with the same content differ in the names of their files alone.
 */
export async function contentOf(table: Table) {
  const { watermark, partitions } = await table.read();
  const { path } = await table.pathOf();
  const all = [...partitions.values()];
  const rowsOf = (kind: 'curated' | 'quarantine'): Row[] =>
    all.flatMap(({ date, [kind]: files }) =>
      files.flatMap((file) =>
        (pl.readParquet(join(path, file.path)).toRecords() as Row[]).map((row) => ({ date, ...row })),
      ),
    );
  const decided = all.map(({ date, fingerprint, counts, verdicts }) => ({
    date,
    fingerprint,
    counts,
    verdicts: verdicts.map(({ rows, sha256 }) => ({ rows, sha256 })),
  }));
  return { watermark, curated: rowsOf('curated'), quarantine: rowsOf('quarantine'), decided };
}
