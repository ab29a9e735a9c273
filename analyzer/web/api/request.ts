import { basePath } from '../state/base.ts';

/** An answer of the API that is no success, with its own words. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }
}

/** No answer at all: the analyzer is away, or the network is. */
export class NoAnswer extends Error {
  constructor(cause: unknown) {
    super('the analyzer does not answer', { cause });
    this.name = 'NoAnswer';
  }
}

export type Parameters = Readonly<Record<string, string | undefined>>;

export function addressOf(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) query.set(name, value);
  }
  const text = query.toString();
  return `${basePath}${path}${text === '' ? '' : `?${text}`}`;
}

/** The API's path with its version. */
export const api = (path: string): string => `api/v1${path}`;

interface Sent {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  parameters?: Parameters;
  /** As JSON, or text as it is. */
  body?: object | string;
  signal?: AbortSignal;
}

/**
 * Asks the analyzer. A page of another origin cannot send the header of ours without being asked first,
 * which the analyzer refuses: that keeps such pages from acting through this browser's session.
 * @throws ApiError, NoAnswer
 */
export async function request<T>(path: string, sent: Sent = {}): Promise<T> {
  const text = await answerTo(path, sent);
  return text === undefined ? (undefined as T) : (JSON.parse(text) as T);
}

/** As `request`, for an answer that is no JSON. */
export async function requestText(path: string, parameters: Parameters): Promise<string> {
  return (await answerTo(path, { parameters })) ?? '';
}

/** Undefined for an answer without a body. */
async function answerTo(path: string, sent: Sent): Promise<string | undefined> {
  const { method = 'GET', parameters, body, signal } = sent;
  const headers: Record<string, string> = { accept: 'application/json', 'x-rollcall-page': '1' };
  if (body !== undefined) {
    headers['content-type'] = typeof body === 'string' ? 'text/plain' : 'application/json';
  }
  let response: Response;
  try {
    response = await fetch(addressOf(path, parameters), {
      method,
      headers,
      ...(body !== undefined && {
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new NoAnswer(error);
  }
  if (response.status === 204) return undefined;
  const text = await response.text();
  if (response.ok) return text;
  throw errorOf(response.status, text);
}

function errorOf(status: number, text: string): Error {
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    return new ApiError(status, error.code, error.message);
  } catch {
    // A proxy in between answers in its own words.
    return new ApiError(status, 'unknown', `the analyzer's address answers ${status}`);
  }
}
