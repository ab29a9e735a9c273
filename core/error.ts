/**
 * Kinds of failure that every folder shares. A sender's mistake and a full or failing resource are AppErrors; a
 * bug is an assertion. A message names the thing, the value seen and the bound.
 */
export type ErrorCode =
  | 'invalid' // wrong data or a wrong parameter; the same request fails again
  | 'not_found'
  | 'unauthenticated'
  | 'forbidden'
  | 'throttled' // too many requests of one sender; retryAfterS says when to try again
  | 'too_large' // over a bound of core/limits.ts, before or after decompression
  | 'unsupported' // a content type, encoding or signal that is not supported
  | 'overloaded' // a queue is full; the same request can succeed later
  | 'unavailable' // the store cannot commit or read; the same request can succeed later
  | 'conflict' // another process holds the store or the port
  | 'internal';

export interface AppErrorOptions {
  cause?: unknown;
  /** The wrong parameter, field or variable, for programs. */
  field?: string;
  /** Seconds until the same request can succeed, when known. */
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

/** The error itself when it is an AppError, else an AppError `internal` with it as the cause. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AppError('internal', message, { cause: error });
}
