import { lstat, readdir, readlink, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../errors';
import { failpoint } from '../../failpoints';
import { corrupt } from '../documents';
import { readCommit } from './documents';
import { exists, fsync, unlessMissing, unlessTaken } from './durable';
import { UNWRITABLE } from './io-error';
import {
  CURRENT,
  parseVersionName,
  parseVersionTarget,
  SNAPSHOTS,
  SWING,
  versionFolder,
  versionTarget,
} from './layout';
import { indexRequest } from './request-index';

/*
 * Which version is the newest, and how one comes to be shown (SEMANTICS 7.4).
 *
 * A version is claimed by renaming its complete tree to snapshots/<n>, with the token `.swing`
 * inside, and shown by renaming the token over `current`. What makes `current` never go back:
 * 1. The token of n exists once and is never made again, so it is swung at most once.
 * 2. n+1 is claimed only by a publisher that settled the table at n, after n's token was gone.
 * 3. So tokens are swung in the order of their versions, whoever does it and whoever stalls.
 * It follows that `current` is at the newest version, or one before it. The newest is therefore
 * found with three looks, however many versions there are.
 */

/** A bound on rounds in which others published meanwhile; each round waits on none of them. */
const MOST_ROUNDS = 10_000;

/**
 * Finishes what an interrupted publisher left claimed and not shown, and returns the newest version,
 * which `current` shows: 0 for a table without commits.
 * @throws TerminalError `CorruptTable` when `current` is not what the protocol leaves.
 */
export async function settle(root: string): Promise<number> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const shown = await shownVersion(root);
    if (shown === null) {
      const newest = await newestFolder(root);
      if (newest === 0) return 0;
      await showAgain(root, newest);
      continue;
    }
    const next = shown + 1;
    // A token in the version that is shown: somebody set `current` by hand. Left there, it would
    // later take `current` back.
    if (await hasToken(root, shown)) await show(root, shown);
    if (!(await exists(versionFolder(root, next)))) return shown;
    if (await hasToken(root, next)) {
      await show(root, next);
      continue;
    }
    // The token of `next` is gone, so `current` has moved on since it was read, or was moved back by hand.
    if ((await shownVersion(root)) === shown) throw movedBack(root, shown, await newestFolder(root));
  }
  throw new Error(`the table at ${root} was published to ${MOST_ROUNDS} times while its state was read; try again`);
}

/** As {@link settle}; who may not write, or cannot for want of space, gets the version that is shown. */
export async function settleToRead(root: string): Promise<number> {
  try {
    return await settle(root);
  } catch (error) {
    if (!UNWRITABLE.has(codeOf(error))) throw error;
    return (await shownVersion(root)) ?? 0;
  }
}

/** Shows a claimed version, unless another process has done so. Durable when it returns. */
export async function show(root: string, version: number): Promise<void> {
  // The claim must be durable before anything refers to it: its publisher may have died before it was.
  await fsync(join(root, SNAPSHOTS));
  await indexRequest(root, await readCommit(root, version));
  await failpoint('publish.indexed');
  await unlessMissing(rename(token(root, version), join(root, CURRENT)));
  await failpoint('publish.shown');
  await fsync(root);
  await fsync(versionFolder(root, version));
}

/** The greatest number under `snapshots`, claimed or shown; 0 when there is none. */
export async function newestFolder(root: string): Promise<number> {
  const names = (await unlessMissing(readdir(join(root, SNAPSHOTS)))) ?? [];
  return names.reduce((newest, name) => Math.max(newest, parseVersionName(name) ?? 0), 0);
}

const token = (root: string, version: number): string => join(versionFolder(root, version), SWING);
const hasToken = (root: string, version: number): Promise<boolean> => exists(token(root, version));

/** What `current` points to; null when there is no `current`. */
export async function shownVersion(root: string): Promise<number | null> {
  const path = join(root, CURRENT);
  try {
    const target = await readlink(path);
    const version = parseVersionTarget(target);
    if (version !== null && version > 0) return version;
    throw corrupt(`${path} points to "${target}"; expected snapshots/<number>; ${await remedy(root)}`);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    if (codeOf(error) !== 'EINVAL') throw error;
    const kind = (await lstat(path)).isDirectory() ? 'folder' : 'file';
    throw corrupt(
      `${path} is a ${kind}; expected a symlink to snapshots/<number> (copy tables with symlinks kept, as \`cp -a\` and \`rsync -aH\` do); move it away; ${await remedy(root)}`,
    );
  }
}

/** `current` is missing although there are versions: the first was never shown, or the symlink was lost. */
async function showAgain(root: string, newest: number): Promise<void> {
  if (await hasToken(root, newest)) return show(root, newest);
  // Only if there still is none: others may have shown this version, or later ones, meanwhile.
  await unlessTaken(symlink(versionTarget(newest), join(root, CURRENT)));
  await fsync(root);
}

const movedBack = (root: string, shown: number, newest: number) =>
  corrupt(
    `${join(root, CURRENT)} points to ${versionTarget(shown)}, but version ${newest} was published after it; to show it again: ${repair(root, newest)}`,
  );

async function remedy(root: string): Promise<string> {
  const newest = await newestFolder(root);
  return newest === 0 ? 'there is no version to point it to; delete it' : `then: ${repair(root, newest)}`;
}

const repair = (root: string, version: number): string => `ln -sfn ${versionTarget(version)} ${join(root, CURRENT)}`;
