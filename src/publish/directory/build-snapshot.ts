import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, TerminalError } from '../../errors';
import { failpoint } from '../../failpoints';
import type { PublishInput } from '../table';
import { encodeDocument, encodeState } from './documents';
import { exists, fsync, linkOrCopy, writeNew } from './durable';
import { forEachInFlight } from '../in-flight';
import { COMMIT_FILE, FILE_KINDS, REPORT_FILE, STATE_FILE, SWING, versionFolder, versionTarget } from './layout';
import type { NextVersion, PlacedFile } from './next-version';

export type SnapshotInput = Pick<PublishInput, 'report' | 'signal' | 'onProgress'>;

/**
 * Builds a version's complete, durable tree in `folder`, which does not exist yet: real folders,
 * hard links of files that are never written to, the documents, the token.
 */
export async function buildSnapshot(
  root: string,
  folder: string,
  next: NextVersion,
  input: SnapshotInput,
): Promise<void> {
  const { signal, onProgress } = input;
  const files: readonly PlacedFile[] = [...next.staged, ...next.carried];
  const inner = [...new Set(files.map((file) => join(folder, dirname(file.to))))];
  const kinds = FILE_KINDS.filter(
    (kind) => kind === 'curated' || kind === 'quarantine' || files.some(({ to }) => to.startsWith(`${kind}/`)),
  );
  const outer = [folder, ...kinds.map((kind) => join(folder, kind))];
  await mkdir(dirname(folder), { recursive: true });
  for (const path of outer) await mkdir(path);
  await forEachInFlight(inner, (path) => mkdir(path), signal);

  const counted = (phase: string, total: number) => {
    let done = 0;
    return () => onProgress?.({ phase, done: ++done, total });
  };
  const linked = counted('linking', files.length);
  await forEachInFlight(files, (file) => place(root, folder, file).then(linked), signal);
  const { commit } = next;
  const report = { ...input.report, commit: { version: commit.version, path: versionFolder(root, commit.version) } };
  await writeNew(join(folder, STATE_FILE), encodeState(commit.version, next.partitions));
  await writeNew(join(folder, REPORT_FILE), encodeDocument(report));
  await writeNew(join(folder, COMMIT_FILE), encodeDocument(commit));
  await symlink(versionTarget(commit.version), join(folder, SWING));
  await failpoint('publish.built');
  // After all names are there: the first fsync then commits them together, and the rest find little left.
  const folders = [...inner, ...outer];
  const durable = counted('making durable', folders.length);
  await forEachInFlight(folders, (path) => fsync(path).then(durable), signal);
}

async function place(root: string, folder: string, { from, to }: PlacedFile): Promise<void> {
  try {
    await linkOrCopy(join(root, from), join(folder, to));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && !(await exists(join(root, from)))) throw missing(from, error);
    throw error;
  }
}

/** What publish reports when the base version is still the current one: else retention took the file, and the plan is void. */
const missing = (from: string, cause: unknown): Error =>
  new TerminalError(
    'CorruptTable',
    `${from} is missing, though the table's state names it; restore it from a backup, or backfill its partition from raw files`,
    { cause },
  );
