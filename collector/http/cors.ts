import type { IncomingMessage, ServerResponse } from 'node:http';
import { type GlobMatcher, globMatcher } from '../../core/glob.ts';
import { limits } from '../../core/limits.ts';

/**
 * Lets pages of some origins export from the browser (docs/conformance.md A3). An origin that is not allowed gets no
 * CORS header at all, and its browser keeps the answer from it.
 */
export class Cors {
  readonly #origins: readonly GlobMatcher[];

  /** @param origins globs in lower case (core/glob.ts); none: CORS is off */
  constructor(origins: readonly string[]) {
    this.#origins = origins.map(globMatcher);
  }

  get isOn(): boolean {
    return this.#origins.length > 0;
  }

  allows(origin: string): boolean {
    if (origin.length > limits.originCharacters) return false;
    const lower = origin.toLowerCase();
    return this.#origins.some((matches) => matches(lower));
  }

  /** Marks the answer to an export as readable for the page that sent it. */
  mark(request: IncomingMessage, response: ServerResponse): void {
    const { origin } = request.headers;
    // A cache must not hand one origin's answer to another, nor one without an origin.
    response.setHeader('vary', 'Origin');
    if (origin === undefined || !this.allows(origin)) return;
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-expose-headers', 'Retry-After');
  }

  /**
   * Answers a preflight request. It carries no key, so it is answered before authorization.
   * @returns false when the request is not a preflight
   */
  preflight(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin, 'access-control-request-method': method } = request.headers;
    if (request.method !== 'OPTIONS' || origin === undefined || method === undefined) return false;
    response.setHeader(
      'vary',
      'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    );
    if (this.allows(origin)) {
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-allow-credentials', 'true');
      response.setHeader('access-control-allow-methods', 'POST');
      response.setHeader('access-control-allow-headers', allowedHeaders);
      response.setHeader('access-control-max-age', maxAgeS);
    }
    response.writeHead(204);
    response.end();
    request.resume();
    return true;
  }
}

/** What an exporter in a browser sends. With credentials `*` would be the name of a header. */
const allowedHeaders =
  'content-type, content-encoding, authorization, x-api-key, traceparent, tracestate, baggage';

/** The longest that Chromium remembers an answer. */
const maxAgeS = '7200';
