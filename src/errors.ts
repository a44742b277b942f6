/**
 * Tidegate's two families of errors. Where an error is born decides which family it belongs to:
 * a {@link TerminalError} will fail the same way however often it is tried, everything else
 * (I/O, throttling, a lost worker) may succeed on retry.
 */

/** The types of terminal errors; they are the `type` of the non-retryable failures a workflow sees. */
export const TerminalErrorType = {
  /** The contract is wrong, unknown, or contradicts the table. */
  ContractError: 'ContractError',
  /** A source file's columns are not those the contract declares. */
  SchemaMismatch: 'SchemaMismatch',
  /** A source file is not Parquet that can be read. */
  UnreadableFile: 'UnreadableFile',
  /** The source root is missing, unreadable, or holds what the contract does not allow. */
  SourceError: 'SourceError',
  /** read = superseded + quarantined + published does not hold. */
  ConservationError: 'ConservationError',
  /** The target folder is not a Tidegate table, or belongs to another pipeline. */
  TargetError: 'TargetError',
  /** The contract's resolution rules changed; the whole table must be restated first. */
  RestateRequired: 'RestateRequired',
  /** `--plan <digest>` was asked for and the plan made now is another one. */
  PlanChanged: 'PlanChanged',
  /** The plan became void too many times in one run. */
  PlanNeverSettled: 'PlanNeverSettled',
  /** A request is malformed: dates, options. */
  RequestError: 'RequestError',
  /** A committed file is not what its commit says. */
  CorruptTable: 'CorruptTable',
} as const;
export type TerminalErrorType = (typeof TerminalErrorType)[keyof typeof TerminalErrorType];

/** Thrown when trying again cannot help. `message` is one readable line or block: expected, found, where, what to do. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  constructor(
    readonly type: TerminalErrorType,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The failure type under which a void plan travels through Temporal; the run plans again when it sees it. */
export const VOID_PLAN = 'VoidPlan';

/**
 * Thrown when the world moved under a frozen plan: a file of it vanished or changed, or the table's
 * version is no longer its base version. The run then makes a new plan under the same request id.
 */
export class VoidPlan extends Error {
  override readonly name = 'VoidPlan';
  constructor(readonly reason: string) {
    super(`the plan is void: ${reason}`);
  }
}

/** The message of anything thrown, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system error (`ENOENT`, …), or undefined. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
