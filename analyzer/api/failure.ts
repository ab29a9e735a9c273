import { type AppError, asAppError, type ErrorCode } from '../../core/error.ts';

/** A failure as the REST API answers it. */
export interface Failure {
  status: number;
  headers: Record<string, string>;
  /** JSON `{"error":{"code","message","field"}}`; `field` is null when no parameter is to blame. */
  body: string;
}

const statusByCode: Record<ErrorCode, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unsupported: 415,
  internal: 500,
  overloaded: 503,
  throttled: 429,
  unavailable: 503,
};

export function failure(thrown: unknown): Failure {
  const error = asAppError(thrown);
  const status = isBadUrl(thrown) ? 400 : statusByCode[error.code];
  return {
    status,
    headers: headersOf(status, error),
    body: failureBody(error, status),
  };
}

function headersOf(status: number, { retryAfterS = 1 }: AppError): Record<string, string> {
  if (status === 401) return { 'WWW-Authenticate': 'Bearer realm="rollcall"' };
  return status === 503 || status === 429 ? { 'Retry-After': String(retryAfterS) } : {};
}

/** The path is there, the method is not. */
export function wrongMethod(method: string, path: string, allowed: readonly string[]): Failure {
  const error = {
    code: 'method_not_allowed',
    message: `${method} is not allowed on ${path}; use ${allowed.join(' or ')}`,
    field: null,
  };
  return { status: 405, headers: { Allow: allowed.join(', ') }, body: JSON.stringify({ error }) };
}

function failureBody(error: AppError, status: number): string {
  // Internal details go to the log, not into the answer.
  const shown =
    status === 500
      ? { code: 'internal', message: 'the analyzer failed; its log says why', field: null }
      : {
          code: status === 400 ? 'invalid' : error.code,
          message: error.message,
          field: error.field ?? null,
        };
  return JSON.stringify({ error: shown });
}

/** Express's complaint about a path that cannot be decoded, such as /%zz. */
function isBadUrl(thrown: unknown): boolean {
  return thrown instanceof URIError && (thrown as { status?: number }).status === 400;
}
