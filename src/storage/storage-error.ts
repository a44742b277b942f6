import { TerminalError, type TerminalErrorType, codeOf, messageOf } from '../errors';
import { safeText } from '../safe-text';

/** Thrown when the file system refuses for a reason that may pass (no space left, too many open files, not there yet). */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  constructor(
    /** The system's code, such as `ENOSPC`; `ENOENT` when the object is not there. */
    readonly code: string,
    /** Absolute. */
    readonly path: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const LASTING: Readonly<Record<string, string>> = {
  EACCES: 'permission denied. Give the user that runs the worker access to it',
  EPERM: 'operation not permitted. Give the user that runs the worker access to it, on a file system with hard links',
  EROFS: 'the file system is read-only. Mount it writable, or choose another folder',
  ENOTDIR: 'a part of the path is a file, not a folder. Move that file away, or correct the path',
  EEXIST: 'a file stands where a folder is needed. Move that file away, or correct the path',
  EISDIR: 'this is a folder where a file was expected. Move it away, or correct the path',
  ELOOP: 'too many symbolic links. Remove the loop',
  ENAMETOOLONG: 'the name is too long for this file system. Shorten it',
  ENOTSUP: 'the file system does not support this operation (hard links are needed). Choose a folder on another one',
  EXDEV: 'the folder spans file systems. Keep the whole of it on one',
};

const PASSING: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  ENOSPC: 'no space left on the device. Free some space, then run again',
  EDQUOT: 'the disk quota is used up. Free some space, then run again',
  EMFILE: 'too many open files in this process. Raise the limit (ulimit -n)',
  ENFILE: 'too many open files on this machine. Raise the limit',
  EIO: 'the device reports an input/output error. Check the disk',
};

/**
 * What to throw for a system error: a TerminalError of `type` when it will stay so until someone acts,
 * a {@link StorageError} otherwise. Both name the path and what to do. Errors of ours pass unchanged.
 */
export function storageError(error: unknown, action: string, path: string, type: TerminalErrorType): Error {
  if (error instanceof TerminalError || error instanceof StorageError) return error;
  const code = codeOf(error) ?? 'UNKNOWN';
  const lasting = LASTING[code];
  if (lasting !== undefined) {
    return new TerminalError(type, `cannot ${action} ${safeText(path)}: ${lasting} (${code}).`, { cause: error });
  }
  const why = PASSING[code] ?? messageOf(error);
  return new StorageError(code, path, `cannot ${action} ${safeText(path)}: ${why} (${code}).`, { cause: error });
}
