import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { commitSchema, corrupt, parseDocument } from '../documents';
import { isRequestName, requestName } from '../names';
import type { Commit } from '../table';
import { readCommit } from './documents';
import { fsync, linkOrCopyIfAbsent, readText, unlessMissing } from './durable';
import { forEachInFlight } from '../in-flight';
import { COMMIT_FILE, REQUESTS, versionFolder } from './layout';

/*
 * The request index: `requests/<digest of a request id>` is a second name of the commit.json that
 * holds the id. A link is put-if-absent, has its content from the start, and needs no space for a
 * new file, so a version that was claimed can be shown on a full disk.
 */

/** Makes a claimed version's request id known. Whoever shows a version does this first. Idempotent, durable. */
export async function indexRequest(root: string, commit: Commit): Promise<void> {
  const folder = join(root, REQUESTS);
  if ((await mkdir(folder, { recursive: true })) !== undefined) await fsync(root);
  await link(root, commit);
  await fsync(folder);
}

/**
 * The commit of a request id among the versions up to `newest`.
 * Numbers have no gaps and each commit has a request id of its own, so fewer entries than versions
 * means that the index was lost (a copy without it, a deleted folder): it is made anew, then asked again.
 */
export async function findRequest(root: string, newest: number, requestId: string): Promise<Commit | null> {
  const found = await lookUp(root, requestId);
  if (found !== null || newest === 0) return found;
  const entries = ((await unlessMissing(readdir(join(root, REQUESTS)))) ?? []).filter(isRequestName);
  if (entries.length >= newest) return null;
  return (await reindex(root, newest, requestId)) ?? lookUp(root, requestId);
}

async function lookUp(root: string, requestId: string): Promise<Commit | null> {
  const path = join(root, REQUESTS, requestName(requestId));
  const text = await readText(path);
  if (text === null) return null;
  const commit = parseDocument(commitSchema, text, path);
  if (commit.requestId === requestId) return commit;
  throw corrupt(
    `${path} belongs to the request "${commit.requestId}"; expected "${requestId}"; delete the folder ${join(root, REQUESTS)}, it is made anew from the commits`,
  );
}

/** Enters every commit, and returns the one of `requestId`, which counts even if the entries cannot be written. */
async function reindex(root: string, newest: number, requestId: string): Promise<Commit | null> {
  let found: Commit | null = null;
  const versions = Array.from({ length: newest }, (_, index) => index + 1);
  const folder = join(root, REQUESTS);
  const writable = await mkdir(folder, { recursive: true }).then(
    () => true,
    () => false,
  );
  await forEachInFlight(versions, async (version) => {
    const commit = await readCommit(root, version);
    if (commit.requestId === requestId) found = commit;
    // A reader without permission to write searches all the same; a publisher fails where it must.
    if (writable) await link(root, commit).catch(() => {});
  });
  if (writable) await fsync(folder);
  return found;
}

async function link(root: string, commit: Commit): Promise<void> {
  await linkOrCopyIfAbsent(
    join(versionFolder(root, commit.version), COMMIT_FILE),
    join(root, REQUESTS, requestName(commit.requestId)),
  );
}
