import { TerminalError, codeOf, messageOf } from '../errors';
import { causeOf, redact } from '../storage';
import { refusalOf } from './store-error';

/** Codes of system errors by the number that Polars gives (Linux). */
const CODES: Readonly<Record<string, string>> = { 1: 'EPERM', 13: 'EACCES', 28: 'ENOSPC', 30: 'EROFS', 122: 'EDQUOT' };

const SPACE = 'Free some space (`tidegate vacuum` shows what the table can give back), then run again';
const ACCESS =
  'Give the user that runs the worker read and write access to publish.path and all below it, then run again';
const WHY: Readonly<Record<string, string>> = {
  EPERM: `operation not permitted (EPERM). ${ACCESS}.`,
  EACCES: `permission denied (EACCES). ${ACCESS}.`,
  EROFS: 'the file system is read-only (EROFS). Mount it for writing, then run again.',
  ENOSPC: `no space left on the device (ENOSPC). ${SPACE}.`,
  EDQUOT: `the disk quota is used up (EDQUOT). ${SPACE}.`,
};

/**
 * Does work that writes `path`, and says of a failure what could not be written, why, and what to do.
 * Such a failure is the disk's, not the data's: another try may succeed.
 */
export async function writing<T>(path: string, work: () => Promise<T>, what = ''): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof TerminalError ? error : notWritten(error, path, what);
  }
}

function notWritten(error: unknown, path: string, what: string): Error {
  const message = redact(messageOf(error)).split('\n')[0] ?? '';
  const refusal = refusalOf(message);
  if (refusal !== null) {
    return new TerminalError('TargetError', `cannot write ${path}${what}: ${refusal}.`, { cause: causeOf(error) });
  }
  // Errors of Polars have a code too, and it says nothing.
  const code = CODES[/os error (\d+)/i.exec(message)?.[1] ?? ''] ?? codeOf(error) ?? '';
  return new Error(`could not write ${path}${what}: ${WHY[code] ?? message}`, { cause: causeOf(error) });
}
