import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../errors';
import type { VacuumReport } from '../table';
import { DiskUse, newestChange } from './disk-use';
import { REQUESTS, RUNS, STAGING, TEMPORARY, TRASH, versionTarget } from './layout';
import { list, removeTree } from './remove-tree';
import { expiredVersions, isData, removeData, type Keep } from './retention';

const MS_PER_HOUR = 3_600_000;
const HOURS_PER_DAY = 24;

interface Item {
  /** Relative to the table's root. */
  readonly path: string;
  readonly why: string;
  /** What goes, when it is not all of `path`. */
  readonly parts?: readonly string[];
  readonly remove: () => Promise<void>;
}

export interface VacuumOptions {
  readonly dryRun: boolean;
  /** How long staging, and anything else unfinished, must have been untouched. */
  readonly olderThanHours: number;
  readonly keep: Keep;
  readonly newest: number;
  readonly now: Date;
}

/** Removes what no commit refers to and what retention no longer holds. With `dryRun` it only tells. */
export async function vacuum(root: string, options: VacuumOptions): Promise<VacuumReport> {
  const { dryRun, keep, newest, now, olderThanHours } = options;
  const versions = await expiredVersions(root, newest, keep, now, true);
  const unfinished = now.getTime() - olderThanHours * MS_PER_HOUR;
  // A run that is under way reads its folder, whatever the contract says about days.
  const runs = now.getTime() - Math.max(olderThanHours, keep.days * HOURS_PER_DAY) * MS_PER_HOUR;
  const items: Item[] = [
    ...(await Promise.all(versions.map((version) => versionItem(root, version, keep)))),
    ...(await stagingItems(root, unfinished, olderThanHours)),
    ...(await agedItems(root, RUNS, runs, 'plans and results of a run that ended long ago')),
    ...(await temporaryItems(root, unfinished)),
  ];

  const use = new DiskUse();
  const removed: VacuumReport['removed'][number][] = [];
  for (const { path, why, parts, remove } of items) {
    const paths = parts ?? [path];
    const bytes = await use.release(paths.map((part) => join(root, part)));
    if (!dryRun) await remove();
    removed.push({ path, bytes, why });
  }
  return { dryRun, versions, removed, bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function versionItem(root: string, version: number, keep: Keep): Promise<Item> {
  const path = versionTarget(version);
  return {
    path,
    why: `not one of the newest ${keep.versions} versions, and replaced ${keep.days} days ago or earlier`,
    parts: (await list(join(root, path))).filter(isData).map((name) => join(path, name)),
    remove: () => removeData(root, version),
  };
}

/** Attempts that nobody has written to for a while, one by one: another attempt of the run may be under way. */
async function stagingItems(root: string, before: number, hours: number): Promise<Item[]> {
  const items: Item[] = [];
  for (const run of await list(join(root, STAGING))) {
    const path = join(STAGING, run);
    if (run.startsWith(TRASH)) {
      items.push(...(await agedItem(root, path, before, INTERRUPTED)));
      continue;
    }
    const attempts = await agedItems(root, path, before, `staged and untouched for ${hours} hours`);
    items.push(...attempts);
    if (attempts.length < (await list(join(root, path))).length) continue;
    const old = attempts.length > 0 || (await newestChange(join(root, path))) < before;
    if (old)
      items.push({ path, why: 'an empty staging folder', parts: [], remove: () => rmdirIfEmpty(join(root, path)) });
  }
  return items;
}

const INTERRUPTED = 'remains of an interrupted removal';

async function agedItems(root: string, folder: string, before: number, why: string): Promise<Item[]> {
  const items: Item[] = [];
  for (const name of await list(join(root, folder))) {
    items.push(...(await agedItem(root, join(folder, name), before, name.startsWith(TRASH) ? INTERRUPTED : why)));
  }
  return items;
}

async function temporaryItems(root: string, before: number): Promise<Item[]> {
  const items: Item[] = [];
  for (const folder of ['', REQUESTS]) {
    for (const name of await list(join(root, folder))) {
      if (!name.startsWith(TEMPORARY)) continue;
      items.push(...(await agedItem(root, join(folder, name), before, 'a file whose writing was interrupted')));
    }
  }
  return items;
}

async function agedItem(root: string, path: string, before: number, why: string): Promise<Item[]> {
  return (await newestChange(join(root, path))) < before
    ? [{ path, why, remove: () => removeTree(join(root, path)) }]
    : [];
}

async function rmdirIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTEMPTY') throw error;
  }
}
