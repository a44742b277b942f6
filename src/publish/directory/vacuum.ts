import { join } from 'node:path';
import type { VacuumReport } from '../table';
import { DiskUse, newestChange } from './disk-use';
import { REQUESTS, RUNS, STAGING, TEMPORARY, TRASH, versionTarget } from './layout';
import { list, removeTree } from './remove-tree';
import { expiredVersions, isData, removeData, type Keep } from './retention';

const MS_PER_HOUR = 3_600_000;
const HOURS_PER_DAY = 24;
/** What is younger than this may belong to a run under way, whatever is asked for. */
const LEAST_HOURS = 1;

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
  /** How long staging, and anything else unfinished, must have been untouched; an hour at least. */
  readonly olderThanHours: number;
  readonly keep: Keep;
  readonly newest: number;
  readonly now: Date;
}

/** Removes what no commit refers to and what retention no longer holds. With `dryRun` it only tells. */
export async function vacuum(root: string, options: VacuumOptions): Promise<VacuumReport> {
  const { dryRun, keep, newest, now, olderThanHours } = options;
  const versions = await expiredVersions(root, newest, keep, now, true);
  const hours = Math.max(olderThanHours, LEAST_HOURS);
  const unfinished = now.getTime() - hours * MS_PER_HOUR;
  const runs = now.getTime() - Math.max(hours, keep.days * HOURS_PER_DAY) * MS_PER_HOUR;
  const items: Item[] = [
    ...(await Promise.all(versions.map((version) => versionItem(root, version, keep)))),
    ...(await stagingItems(root, unfinished, hours)),
    ...(await runItems(root, runs)),
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

/**
 * What runs staged that no longer show a sign of life. A run is one thing: its first group of
 * partitions may have been written hours before its last one, and is published with it.
 */
async function stagingItems(root: string, before: number, hours: number): Promise<Item[]> {
  const items: Item[] = [];
  for (const name of await list(join(root, STAGING))) {
    const path = join(STAGING, name);
    if (name.startsWith(TRASH)) items.push(...(await agedItem(root, path, before, INTERRUPTED)));
    else if ((await lastLife(root, name)) < before) {
      const why = `staged by a run without a sign of life for ${hours} hours`;
      items.push({ path, why, remove: () => removeTree(join(root, path)) });
    }
  }
  return items;
}

/** Plans and results, which a run reads as long as it goes on. */
async function runItems(root: string, before: number): Promise<Item[]> {
  const items: Item[] = [];
  for (const name of await list(join(root, RUNS))) {
    const path = join(RUNS, name);
    if (name.startsWith(TRASH)) items.push(...(await agedItem(root, path, before, INTERRUPTED)));
    else if ((await lastLife(root, name)) < before) {
      const why = 'plans and results of a run that ended long ago';
      items.push({ path, why, remove: () => removeTree(join(root, path)) });
    }
  }
  return items;
}

/** When a run last wrote anything: data, documents, or the sign of life that its activities give every minute. */
async function lastLife(root: string, run: string): Promise<number> {
  const changes = await Promise.all([STAGING, RUNS].map((folder) => newestChange(join(root, folder, run))));
  // A folder that is not there says nothing.
  return Math.max(...changes.filter(Number.isFinite));
}

const INTERRUPTED = 'remains of an interrupted removal';

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
