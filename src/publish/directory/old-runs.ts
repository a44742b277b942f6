import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Keep } from '../run-life';
import { newestChange } from './disk-use';
import { unlessMissing } from './durable';
import { RUNS } from './layout';
import { list, removeTree } from './remove-tree';

const MS_PER_DAY = 86_400_000;
/** Folders looked at after one commit: many more than runs end between two commits, and few enough to cost nothing. */
const LOOKED_AT = 100;

/**
 * Removes folders of runs (`_runs/<run>`: plans, results, reports) untouched for `keep.days`, and for
 * a day at least: another run may be under way. Never that of the run `current`. It looks at the
 * {@link LOOKED_AT} names that follow `current` in a circle; names are digests, so each gets its turn.
 */
export async function removeOldRuns(root: string, current: string, keep: Keep, now: Date): Promise<void> {
  const before = now.getTime() - Math.max(1, keep.days) * MS_PER_DAY;
  const names = await list(join(root, RUNS));
  const start = names.findIndex((name) => name > current);
  const circle = start < 0 ? names : [...names.slice(start), ...names.slice(0, start)];
  for (const name of circle.slice(0, LOOKED_AT)) {
    const path = join(root, RUNS, name);
    if (name !== current && (await isOlder(path, before))) await removeTree(path);
  }
}

/** Whether a folder and all in it was last changed before a moment: of most, the folder alone tells that it was not. */
async function isOlder(path: string, before: number): Promise<boolean> {
  const folder = await unlessMissing(lstat(path));
  return folder !== null && folder.mtimeMs < before && (await newestChange(path)) < before;
}
