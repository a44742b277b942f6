import type { CountedFile } from '../discovery/manifest';
import type { PlannedPartition } from '../discovery/plan-types';
import { TerminalError, VoidPlan, messageOf } from '../errors';
import { safeText } from '../safe-text';
import { type ObjectStore, StorageError, causeOf, changeBetween, changeOf, openStore, redact } from '../storage';
import { mayPass, refusalOf } from './store-error';

export const sourceOf = (sourceRoot: string): ObjectStore => openStore(sourceRoot);

const LOOKED_AT_ONCE = 32;

/** @throws VoidPlan when a file of the partition vanished or is not the one that was planned. */
export async function verifyFiles(sourceRoot: string, files: readonly CountedFile[]): Promise<void> {
  const store = sourceOf(sourceRoot);
  for (let i = 0; i < files.length; i += LOOKED_AT_ONCE) {
    const some = files.slice(i, i + LOOKED_AT_ONCE);
    const changes = await Promise.all(some.map((file) => changeOf(store, file)));
    const change = changes.find((found) => found !== null);
    if (change !== undefined) throw new VoidPlan(change);
  }
}

/** How many of the files are gone, and what happened first to one of them, in words; null: they are those planned. */
export async function changesOf(
  sourceRoot: string,
  files: readonly CountedFile[],
): Promise<{ readonly vanished: number; readonly first: string | null }> {
  const store = sourceOf(sourceRoot);
  let vanished = 0;
  let first: string | null = null;
  for (let i = 0; i < files.length; i += LOOKED_AT_ONCE) {
    const some = files.slice(i, i + LOOKED_AT_ONCE);
    const found = await Promise.all(some.map(async (file) => ({ file, there: await store.stat(file.path) })));
    for (const { file, there } of found) {
      // As listings see it: what is no regular file is not data.
      if (there === null || there.special !== undefined) vanished += 1;
      first ??= changeBetween(file, there);
    }
  }
  return { vanished, first };
}

/**
 * What went wrong while reading a source file: a void plan when the file is not the planned one, an
 * error worth a retry when the system refused, else a file that cannot be read. Always throws.
 */
export async function failReading(
  error: unknown,
  sourceRoot: string,
  partition: Pick<PlannedPartition, 'date'>,
  file: CountedFile,
): Promise<never> {
  await verifyFiles(sourceRoot, [file]);
  const message = redact(messageOf(error)).split('\n')[0] ?? '';
  if (error instanceof TerminalError || error instanceof StorageError) throw error;
  const refusal = refusalOf(message);
  if (refusal !== null) {
    const what = `cannot read ${safeText(file.path)} (partition ${partition.date}) in ${sourceRoot}`;
    throw new TerminalError('SourceError', `${what}: ${refusal}.`, { cause: causeOf(error) });
  }
  if (mayPass(message)) {
    throw new Error(`could not read ${safeText(file.path)} (partition ${partition.date}): ${message}`, {
      cause: causeOf(error),
    });
  }
  throw new TerminalError(
    'UnreadableFile',
    `${safeText(file.path)} (partition ${partition.date}) cannot be read as the columns the contract declares: ${message}. ` +
      'Replace or remove the file, then run again.',
    { cause: causeOf(error) },
  );
}
