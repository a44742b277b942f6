import { CommanderError } from 'commander';
import { TerminalErrorType } from '../../errors';
import { explain } from './failure';

/** What the process ends with. Documented in `tidegate --help`. */
export const ExitCode = {
  Done: 0,
  Failed: 1,
  /** Wrong usage or contract: the same command will not work before one of them is changed. */
  Usage: 2,
  /** Done, and something is held until somebody decides about it. */
  Held: 3,
  /** Ctrl-C, as shells have it; a run that was followed goes on. */
  Interrupted: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Thrown when the command line itself is wrong; the message says what was expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Thrown when Ctrl-C ended a command that was only watching; everything was said already. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

const USAGE_TYPES: ReadonlySet<string> = new Set([
  TerminalErrorType.ContractError,
  TerminalErrorType.RequestError,
  TerminalErrorType.RestateRequired,
]);

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Interrupted) return ExitCode.Interrupted;
  if (error instanceof UsageError) return ExitCode.Usage;
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Done : ExitCode.Usage;
  return USAGE_TYPES.has(explain(error).type) ? ExitCode.Usage : ExitCode.Failed;
}
