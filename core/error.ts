/**
 * What can go wrong in words every room shares. The sender's mistake is an AppError; a mistake of ours
 * is an assertion. A message names the thing, the value seen and the bound.
 */
export type ErrorCode =
  | 'invalid' // the sender's data or parameter is wrong; sending it again cannot help
  | 'not_found'
  | 'unauthenticated'
  | 'forbidden'
  | 'throttled' // the sender did too much of something; later, see retryAfterS
  | 'too_large' // over a bound of core/limits.ts, before or after decompression
  | 'unsupported' // a content type, encoding or signal we do not take
  | 'overloaded' // a queue is at its bound; the same request later succeeds
  | 'unavailable' // the store cannot commit or read now; the same request later may succeed
  | 'conflict' // somebody else holds what we need (the store, a port)
  | 'internal';

export interface AppErrorOptions {
  cause?: unknown;
  /** The parameter, field or variable that was wrong, for a machine to read. */
  field?: string;
  /** Seconds after which the same request has a chance, when they are known. */
  retryAfterS?: number;
}

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly retryAfterS: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field;
    this.retryAfterS = options.retryAfterS;
  }
}

/** The error as an AppError: itself, or `internal` with the original as its cause. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AppError('internal', message, { cause: error });
}
