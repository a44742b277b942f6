import { randomUUID } from 'node:crypto';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unlessMissing } from './durable';
import { TRASH } from './layout';

/** The names in a folder, sorted; none for what is missing or no folder of its own. */
export async function list(folder: string): Promise<string[]> {
  const info = await unlessMissing(lstat(folder));
  return info?.isDirectory() ? (await readdir(folder)).toSorted() : [];
}

/**
 * Removes a tree that its owner may yet wake up and use: renamed first, so that it is there whole or
 * not at all. A publisher that stalled for hours can then not claim half a version.
 */
export async function removeTree(path: string): Promise<void> {
  const trash = join(dirname(path), TRASH + randomUUID());
  if ((await unlessMissing(rename(path, trash).then(() => true))) === null) return;
  await rm(trash, { recursive: true, force: true });
}
