import { join } from 'node:path';
import { cutoffsOf, RunLives, type VacuumOptions, WHY, type Keep } from '../run-life';
import { type FoundIndex, OLD_INDEX, oldIndexes } from '../old-indexes';
import type { VacuumReport } from '../table';
import { readState } from './documents';
import { DiskUse, newestChange } from './disk-use';
import { INDEXES, REQUESTS, RUNS, STAGING, TEMPORARY, TRASH, versionTarget } from './layout';
import { list, removeTree } from './remove-tree';
import { expiredVersions, isData, removeData } from './retention';

interface Item {
  /** Relative to the table's root. */
  readonly path: string;
  readonly why: string;
  /** What goes, when it is not all of `path`. */
  readonly parts?: readonly string[];
  readonly remove: () => Promise<void>;
}

/** Removes what no commit refers to and what retention no longer holds. With `dryRun` it only tells. */
export async function vacuum(root: string, newest: number, options: VacuumOptions): Promise<VacuumReport> {
  const { dryRun, keep, now } = options;
  const versions = await expiredVersions(root, newest, keep, now, true);
  const cutoffs = cutoffsOf(options);
  const lives = await livesIn(root);
  const items: Item[] = [
    ...(await Promise.all(versions.map((version) => versionItem(root, version, keep)))),
    ...(await runItems(root, STAGING, lives, cutoffs.unfinished, WHY.staged(cutoffs.hours))),
    ...(await runItems(root, RUNS, lives, cutoffs.documents, WHY.documents)),
    ...(await indexItems(root, newest, cutoffs.documents)),
    ...(await remainsItems(root, cutoffs.unfinished)),
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

async function indexItems(root: string, newest: number, before: number): Promise<Item[]> {
  const found: FoundIndex[] = [];
  for (const identity of await list(join(root, INDEXES))) {
    for (const name of await list(join(root, INDEXES, identity))) {
      const path = join(identity, name);
      found.push({ path, changedAt: await newestChange(join(root, INDEXES, path)) });
    }
  }
  const partitions = found.length === 0 || newest === 0 ? null : await readState(root, newest);
  // Null when retention took it: there is a newer version, whose vacuum looks again.
  if (partitions === null) return [];
  return oldIndexes(found, partitions.values(), before).map(({ path }) => ({
    path: join(INDEXES, path),
    why: OLD_INDEX,
    remove: () => removeTree(join(root, INDEXES, path)),
  }));
}

async function livesIn(root: string): Promise<RunLives> {
  const lives = new RunLives();
  for (const folder of [STAGING, RUNS]) {
    for (const run of await list(join(root, folder))) {
      const changed = await newestChange(join(root, folder, run));
      // A folder that went meanwhile says nothing.
      if (Number.isFinite(changed)) lives.see(run, changed);
    }
  }
  return lives;
}

/** What quiet runs left in a folder. */
async function runItems(root: string, folder: string, lives: RunLives, before: number, why: string): Promise<Item[]> {
  const items: Item[] = [];
  for (const name of await list(join(root, folder))) {
    const path = join(folder, name);
    if (name.startsWith(TRASH)) items.push(...(await agedItem(root, path, before, INTERRUPTED)));
    else if (lives.isQuiet(name, before)) items.push({ path, why, remove: () => removeTree(join(root, path)) });
  }
  return items;
}

const INTERRUPTED = 'remains of an interrupted removal';

/** What writers and removals that were interrupted left beside what belongs there. */
async function remainsItems(root: string, before: number): Promise<Item[]> {
  const items: Item[] = [];
  const indexes = (await list(join(root, INDEXES))).map((identity) => join(INDEXES, identity));
  for (const folder of ['', REQUESTS, ...indexes]) {
    for (const name of await list(join(root, folder))) {
      const why = name.startsWith(TEMPORARY) ? WHY.interrupted : name.startsWith(TRASH) ? INTERRUPTED : null;
      if (why !== null) items.push(...(await agedItem(root, join(folder, name), before, why)));
    }
  }
  return items;
}

async function agedItem(root: string, path: string, before: number, why: string): Promise<Item[]> {
  return (await newestChange(join(root, path))) < before
    ? [{ path, why, remove: () => removeTree(join(root, path)) }]
    : [];
}
