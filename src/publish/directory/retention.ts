import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { failpoint } from '../../failpoints';
import type { Keep } from '../run-life';
import { fsync, unlessMissing } from './durable';
import { FILE_KINDS, OUTPUT_KINDS, STATE_FILE, TRASH, versionFolder } from './layout';

const MS_PER_DAY = 86_400_000;
/** What retention takes; commit.json and report.json stay, so that numbers stay taken and request ids known. */
const DATA: readonly string[] = [STATE_FILE, ...FILE_KINDS];
/** Without one of these a version cannot be read. */
const NEEDED: readonly string[] = [STATE_FILE, ...OUTPUT_KINDS];
/** Whether a name in a version's folder is data, or the remains of it. */
export const isData = (name: string): boolean => DATA.includes(name) || name.startsWith(TRASH);

/**
 * Versions whose data may go, oldest first; never the newest. Versions are replaced one after another, and removal goes from
 * old to new and finishes one before the next: those removed come first, then those that may go, so the last of these is found
 * with a few looks, however many there are. `thorough` looks at all.
 */
export async function expiredVersions(
  root: string,
  newest: number,
  keep: Keep,
  now: Date,
  thorough = false,
): Promise<number[]> {
  const before = now.getTime() - keep.days * MS_PER_DAY;
  const isOld = async (version: number): Promise<boolean> => (await replacedAt(root, version)) <= before;
  const last = newest - Math.max(1, keep.versions);
  // What was removed changed its folder when it was, so its age says nothing of what was replaced before it.
  const mayGo = async (version: number): Promise<boolean> => !(await hasData(root, version)) || isOld(version);
  const held: number[] = [];
  for (let version = thorough ? last : await lastOf(last, mayGo); version > 0; version--) {
    if (await hasData(root, version)) held.push(version);
    else if (!thorough) break;
  }
  const expired: number[] = [];
  for (const version of held.toReversed()) {
    if (!(await isOld(version))) break;
    expired.push(version);
  }
  return expired;
}

/** The last of 1 … `most` for which `holds`; 0 where it does for none. @param holds for all up to some number. */
async function lastOf(most: number, holds: (version: number) => Promise<boolean>): Promise<number> {
  let [low, high] = [0, Math.max(0, most)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (await holds(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * When a version stopped being current. The folder of the one after it last changed when its token
 * left it, which is that moment; `committedAt` can be long before it, when a publisher died in between.
 */
async function replacedAt(root: string, version: number): Promise<number> {
  return (await stat(versionFolder(root, version + 1))).mtimeMs;
}

/** Whether a version has data, or remains of it. */
async function hasData(root: string, version: number): Promise<boolean> {
  const names = (await unlessMissing(readdir(versionFolder(root, version)))) ?? [];
  return names.some(isData);
}

/** Whether a version can still be read whole. */
export async function isReadable(root: string, version: number): Promise<boolean> {
  const names = (await unlessMissing(readdir(versionFolder(root, version)))) ?? [];
  return NEEDED.every((name) => names.includes(name));
}

/**
 * Removes a version's data. It is first taken out of sight by renames: a reader that still uses it
 * meets "no such file", never a part of the partitions that looks like all. Safe to interrupt and to
 * do twice at once.
 */
export async function removeData(root: string, version: number): Promise<void> {
  const folder = versionFolder(root, version);
  for (const name of DATA) await unlessMissing(rename(join(folder, name), join(folder, `${TRASH}${randomUUID()}`)));
  await fsync(folder);
  await failpoint('retention.hidden');
  for (const name of await readdir(folder)) {
    if (name.startsWith(TRASH)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
