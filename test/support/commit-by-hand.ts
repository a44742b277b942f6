import { copyFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PartitionState } from '../../src/publish';

/** Commits actions to a Delta table on a local path, as any other writer may, and returns the version they make. */
export async function commitByHand(table: string, actions: readonly object[]): Promise<number> {
  const log = join(table, '_delta_log');
  const version = (await readdir(log)).filter((name) => /^\d{20}\.json$/.test(name)).length;
  const text = actions.map((action) => `${JSON.stringify(action)}\n`).join('');
  await writeFile(join(log, `${String(version).padStart(20, '0')}.json`), text, { flag: 'wx' });
  return version;
}

/** Copies a published file of a partition under another writer's name, and gives what such a writer may log of both. */
export async function copyOf(root: string, { date, curated }: PartitionState, name: string) {
  const [file] = curated;
  const path = `date=${date}/${name}.parquet`;
  await copyFile(join(root, file!.path), join(root, 'curated', path));
  const partitionValues = { date };
  return {
    add: { path, partitionValues, size: file!.size, modificationTime: 0, dataChange: true },
    remove: { path: file!.path.slice('curated/'.length), partitionValues, deletionTimestamp: 0, dataChange: true },
  };
}
