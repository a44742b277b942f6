import { constants, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, VoidPlan } from '../../errors';
import type { PublishInput } from '../table';
import { forEachInFlight } from '../in-flight';
import type { NextVersion } from './next-version';

/** How what a run stages ends: verdicts, and Parquet. */
const endOf = (path: string): { readonly kind: string; readonly mark: string } =>
  path.endsWith('.rows') ? { kind: 'verdicts', mark: 'TGRW' } : { kind: 'Parquet', mark: 'PAR1' };

/**
 * Holds every staged file against what was recorded when it was written, and makes its content durable.
 * A machine that lost power after staging may have lost what Polars wrote: the plan is then made
 * and staged anew.
 * @throws VoidPlan when a file is missing, has another size, or does not end as its kind does.
 */
export async function secureStagedFiles(
  root: string,
  staged: NextVersion['staged'],
  { signal, onProgress }: Pick<PublishInput, 'signal' | 'onProgress'>,
): Promise<void> {
  let done = 0;
  await forEachInFlight(
    staged,
    async ({ from, size }) => {
      const handle = await openStaged(join(root, from), from);
      try {
        const found = (await handle.stat()).size;
        if (found !== size) throw new VoidPlan(`the staged file ${from} has ${found} bytes; expected ${size}`);
        const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, Math.max(0, size - 4));
        const { kind, mark } = endOf(from);
        if (buffer.toString('latin1') !== mark) throw new VoidPlan(`the staged file ${from} does not end as ${kind}`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      onProgress?.({ phase: 'securing staged files', done: ++done, total: staged.length });
    },
    signal,
  );
}

async function openStaged(path: string, name: string): Promise<FileHandle> {
  try {
    // A staged file is a file: a link put in its place is not followed out of the table.
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new VoidPlan(`the staged file ${name} is gone`);
    throw error;
  }
}
