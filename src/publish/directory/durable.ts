import { copyFile, constants, link, lstat, open, readFile, rename, rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { codeOf } from '../../errors';
import { TEMPORARY } from './layout';

/** Makes a file's content, or a folder's list of names, survive a power failure. */
export async function fsync(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a new file and makes its content durable; its name is durable once the folder is fsynced. */
export async function writeNew(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(text, 'utf8');
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts `text` at `path` whole, unless the name is taken; false when it is. The folder is fsynced either way. */
export async function putIfAbsent(path: string, text: string): Promise<boolean> {
  const folder = dirname(path);
  const temporary = join(folder, TEMPORARY + randomUUID());
  try {
    await writeNew(temporary, text);
    const put = await unlessTaken(link(temporary, path));
    await fsync(folder);
    return put;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** False when the operation failed because the name exists already. */
export async function unlessTaken(operation: Promise<unknown>): Promise<boolean> {
  try {
    await operation;
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Codes with which a file system, or the kernel, refuses this hard link where a copy may do:
 * 65,000 links to one file on ext4, another device, a file of another user (fs.protected_hardlinks),
 * or no hard links at all.
 */
const NO_LINK: ReadonlySet<string | undefined> = new Set([
  'EMLINK',
  'EXDEV',
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
]);

/** What {@link linkOrCopy} calls; a test gives a `link` that refuses. */
export interface LinkOperations {
  readonly link: typeof link;
}

/** Gives `from` a second name. Where no hard link can be had, it becomes a durable copy. */
export async function linkOrCopy(from: string, to: string, operations: LinkOperations = { link }): Promise<void> {
  try {
    await operations.link(from, to);
  } catch (error) {
    if (!NO_LINK.has(codeOf(error))) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await fsync(to);
  }
}

/** Like {@link linkOrCopy}, for a name whose content is always the same: false when it is there already. */
export async function linkOrCopyIfAbsent(from: string, to: string): Promise<boolean> {
  try {
    return await unlessTaken(link(from, to));
  } catch (error) {
    if (!NO_LINK.has(codeOf(error))) throw error;
    const temporary = join(dirname(to), TEMPORARY + randomUUID());
    try {
      await linkOrCopy(from, temporary);
      await rename(temporary, to);
      return true;
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

/** Whether the name exists, be it a dangling symlink. */
export async function exists(path: string): Promise<boolean> {
  return (await unlessMissing(lstat(path))) !== null;
}

/** Null when the name does not exist. */
export async function unlessMissing<Value>(operation: Promise<Value>): Promise<Value | null> {
  try {
    return await operation;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

export async function readText(path: string): Promise<string | null> {
  return unlessMissing(readFile(path, 'utf8'));
}
