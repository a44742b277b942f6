import { VoidPlan } from '../../errors';
import { checkResults } from '../check-results';
import { corrupt } from '../documents';
import { checkRunName } from '../names';
import type { Commit, PublishInput } from '../table';
import { claimVersion } from './claim';
import { readCommit, readState, type Partitions } from './documents';
import { versionFolder } from './layout';
import { nextVersion } from './next-version';
import { findRequest } from './request-index';
import { newestFolder, settle } from './settle';
import { secureStagedFiles } from './staged-files';

/**
 * Commits a run's output (SEMANTICS 7.3, 7.4). At most one commit ever holds a request id: the id is
 * looked up after the table settled at n, so among all commits up to n, and claiming n+1 succeeds
 * only if none was made since.
 * @throws VoidPlan when the table's version is no longer the plan's base version, or staged files were lost.
 */
export async function publish(root: string, input: PublishInput, now: () => Date): Promise<Commit> {
  checkRunName(input.run);
  const before = await settle(root);
  const known = await findRequest(root, before, input.requestId);
  if (known !== null) return known;
  checkBase(before, input);
  checkResults(input);
  try {
    return await claim(root, input, now);
  } catch (error) {
    // Whatever failed on the way to the claim, what others did meanwhile explains it better: they
    // took the number, removed the base version's data, or committed this very request.
    const after = await settle(root);
    const done = await findRequest(root, after, input.requestId);
    if (done !== null) return done;
    checkBase(after, input);
    throw error;
  }
}

function checkBase(version: number, { plan }: PublishInput): void {
  if (version === plan.base.version) return;
  throw new VoidPlan(`it was made on version ${plan.base.version}, and the table is at version ${version}`);
}

async function claim(root: string, input: PublishInput, now: () => Date): Promise<Commit> {
  const base = await readBase(root, input);
  const next = nextVersion(base, input, now());
  await secureStagedFiles(root, next.staged, input);
  return claimVersion(root, next, input);
}

async function readBase(root: string, { plan }: PublishInput): Promise<Partitions> {
  const { version, watermark } = plan.base;
  const newest = await newestFolder(root);
  if (newest > version + 1) throw corrupt(`${root} has a version ${newest} and none before it but ${version}`);
  if (version === 0) return new Map();
  const commit = await readCommit(root, version);
  if (commit.watermark.after !== watermark) {
    throw new VoidPlan(
      `it was made on the watermark ${watermark}, and version ${version} has ${commit.watermark.after}: the table was replaced`,
    );
  }
  const state = await readState(root, version);
  if (state === null) throw corrupt(`${versionFolder(root, version)} is current and has no state.json`);
  return state;
}
