import { randomUUID } from 'node:crypto';
import { access, constants, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { failpoint } from '../../failpoints';
import type { Commit } from '../table';
import { buildSnapshot, type SnapshotInput } from './build-snapshot';
import { fsync } from './durable';
import { SNAPSHOTS, STAGING, versionFolder } from './layout';
import type { NextVersion } from './next-version';
import { show } from './settle';

/** Builds a version, claims its number, and shows it. Fails when somebody else took the number. */
export async function claimVersion(root: string, next: NextVersion, input: SnapshotInput): Promise<Commit> {
  const { run, version } = next.commit;
  await failpoint('publish.before-build');
  const attempt = join(root, STAGING, run, randomUUID());
  const tree = join(attempt, 'snapshot');
  try {
    await buildSnapshot(root, tree, next, input);
    await mkdir(join(root, SNAPSHOTS), { recursive: true });
    await fsync(root);
    // What is claimed must be shown, so a root that may not be written is found out before.
    await access(root, constants.W_OK);
    await failpoint('publish.before-claim');
    input.signal?.throwIfAborted();
    await rename(tree, versionFolder(root, version));
  } finally {
    // What is left behind is of no use to anybody; vacuum takes it if this cannot.
    await rm(attempt, { recursive: true, force: true }).catch(() => {});
  }
  await failpoint('publish.claimed');
  await show(root, version);
  return next.commit;
}
