import { TerminalError, type TerminalErrorType, VoidPlan, codeOf, messageOf } from '../../errors';

/** An error as it travels between threads, where an object loses its class and what it has beside its message. */
export type FrozenError =
  | { readonly family: 'terminal'; readonly type: TerminalErrorType; readonly message: string; readonly stack?: string }
  | { readonly family: 'void'; readonly reason: string; readonly stack?: string }
  | {
      readonly family: 'other';
      readonly name: string;
      readonly message: string;
      readonly code?: string;
      readonly stack?: string;
      readonly cause?: FrozenError;
    };

export function freeze(error: unknown): FrozenError {
  const stack = error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {};
  if (error instanceof TerminalError) return { family: 'terminal', type: error.type, message: error.message, ...stack };
  if (error instanceof VoidPlan) return { family: 'void', reason: error.reason, ...stack };
  const code = codeOf(error);
  return {
    family: 'other',
    name: error instanceof Error ? error.name : 'Error',
    message: messageOf(error),
    ...(code !== undefined && { code }),
    ...stack,
    ...(error instanceof Error && error.cause !== undefined && { cause: freeze(error.cause) }),
  };
}

/** The error again, of its class. */
export function thaw(frozen: FrozenError): Error {
  const error = errorOf(frozen);
  if (frozen.stack !== undefined) error.stack = frozen.stack;
  return error;
}

function errorOf(frozen: FrozenError): Error {
  if (frozen.family === 'terminal') return new TerminalError(frozen.type, frozen.message);
  if (frozen.family === 'void') return new VoidPlan(frozen.reason);
  const { name, message, code, cause } = frozen;
  const error = new Error(message, cause === undefined ? {} : { cause: thaw(cause) });
  error.name = name;
  return code === undefined ? error : Object.assign(error, { code });
}
