import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { openTable, type Commit, type Table } from '../../../src/publish';
import type { Contract } from '../../../src/contract/contract';

/** Which request's rows each partition of a version holds, read as a reader does: from the files alone. */
export async function readVersion(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const partition of (await readdir(join(folder, 'curated'))).toSorted()) {
    const names = await readdir(join(folder, 'curated', partition));
    if (names.length !== 1) throw new Error(`${partition} holds ${names.length} files`);
    const text = await readFile(join(folder, 'curated', partition, names[0]!), 'utf8');
    if (!/^PAR1.*PAR1$/.test(text)) throw new Error(`${partition}/${names[0]} is torn: ${text}`);
    found[partition.slice('date='.length)] = text.slice(4).split('|')[0]!;
  }
  return found;
}

/** Opens the table as a process that comes next does, and holds it against what must always be so. */
export async function checkTable(contract: Contract): Promise<{ table: Table; commits: Commit[] }> {
  const table = openTable(contract);
  const state = await table.read();
  const commits = (await table.history()).toReversed();
  const { path } = contract.publish;
  expect(commits.map((commit) => commit.version)).toEqual(commits.map((_, index) => index + 1));
  expect(new Set(commits.map((commit) => commit.requestId)).size).toBe(commits.length);
  expect(state.version).toBe(commits.length);
  if (state.version === 0) return { table, commits };

  const folder = (await table.pathOf()).path;
  expect(await readlink(join(path, 'current'))).toBe(`snapshots/${folder.slice(-8)}`);
  expect(Number(folder.slice(-8))).toBe(state.version);
  expect(state.commit).toEqual(commits.at(-1));
  await expect(lstat(join(folder, '.swing'))).rejects.toMatchObject({ code: 'ENOENT' });
  for (const commit of commits) expect(await table.find(commit.requestId)).toEqual(commit);

  const expected = [...state.partitions.values()]
    .filter((partition) => partition.curated.length > 0)
    .map((partition) => [partition.date, commits[partition.version - 1]!.requestId]);
  expect(await readVersion(folder)).toEqual(Object.fromEntries(expected));
  return { table, commits };
}
