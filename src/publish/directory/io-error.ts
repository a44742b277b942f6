import { codeOf, messageOf, TerminalError, VoidPlan } from '../../errors';

const REMEDY: Readonly<Record<string, string>> = {
  EACCES: 'give the user that runs Tidegate read and write access to this folder and all below it',
  EPERM: 'give the user that runs Tidegate read and write access to this folder and all below it',
  EROFS: 'the file system is mounted read-only; mount it for writing',
  ENOSPC: 'no space is left on the device; free some (`tidegate vacuum` shows what the table can give back)',
  EDQUOT: 'the disk quota is used up; free some space (`tidegate vacuum` shows what the table can give back)',
  EXDEV: 'everything below publish.path must lie on one file system',
  EMFILE: 'this process has too many files open; raise the limit (`ulimit -n`)',
};

/** Codes of a table that can be read and not written now. */
export const UNWRITABLE: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT']);

/** Thrown when the operating system refused; trying again helps once the cause is gone. Nothing that was published changed. */
export class TableIoError extends Error {
  override readonly name = 'TableIoError';
  constructor(
    /** Of the operating system: `EACCES`, `ENOSPC`, … */
    readonly code: string,
    message: string,
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The error as a user should read it: which table, what the system said about which path, what to do. */
export function explain(root: string, error: unknown): unknown {
  if (error instanceof TerminalError || error instanceof VoidPlan || error instanceof TableIoError) return error;
  const code = codeOf(error);
  const remedy = code === undefined ? undefined : REMEDY[code];
  if (code === undefined || remedy === undefined) return error;
  return new TableIoError(code, `the table at ${root} cannot be used: ${messageOf(error)}; ${remedy}`, {
    cause: error,
  });
}
