import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CountedFile } from '../discovery/manifest';
import type { PlannedPartition } from '../discovery/plan-types';
import { TerminalError, VoidPlan, codeOf, messageOf } from '../errors';
import { safeText } from '../safe-text';

export const sourcePath = (sourceRoot: string, file: CountedFile): string => join(sourceRoot, ...file.path.split('/'));

/** @throws VoidPlan when a file of the partition vanished or is not the one that was planned. */
export async function verifyFiles(sourceRoot: string, files: readonly CountedFile[]): Promise<void> {
  for (const file of files) {
    const found = await stat(sourcePath(sourceRoot, file), { bigint: true }).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
      throw error;
    });
    if (found === null) throw new VoidPlan(`${safeText(file.path)} was planned and is gone`);
    if (Number(found.size) !== file.size || (file.mtimeNs !== undefined && String(found.mtimeNs) !== file.mtimeNs)) {
      throw new VoidPlan(
        `${safeText(file.path)} changed after it was planned ` +
          `(planned: ${file.size} bytes, mtime ${file.mtimeNs} ns; found: ${found.size} bytes, mtime ${found.mtimeNs} ns)`,
      );
    }
  }
}

const IO_ERROR = /os error (\d+)/i;
/** Linux errno values of errors that another try may not meet: EPERM, EIO, ENOMEM, EACCES, ENFILE, EMFILE, ENOSPC, ESTALE. */
const RETRYABLE_ERRNO = new Set([1, 5, 12, 13, 23, 24, 28, 116]);

/**
 * What went wrong while reading a source file: a void plan when the file is not the planned one, an
 * error worth a retry when the system refused, else a file that cannot be read. Always throws.
 */
export async function failReading(
  error: unknown,
  sourceRoot: string,
  partition: PlannedPartition,
  file: CountedFile,
): Promise<never> {
  await verifyFiles(sourceRoot, [file]);
  const message = messageOf(error).split('\n')[0] ?? '';
  const errno = Number(IO_ERROR.exec(message)?.[1]);
  if (RETRYABLE_ERRNO.has(errno)) {
    throw new Error(`could not read ${safeText(file.path)} (partition ${partition.date}): ${message}`, {
      cause: error,
    });
  }
  throw new TerminalError(
    'UnreadableFile',
    `${safeText(file.path)} (partition ${partition.date}) cannot be read as the columns the contract declares: ${message}. ` +
      'Replace or remove the file, then run again.',
    { cause: error },
  );
}
