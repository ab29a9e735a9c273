import type { ServerResponse } from 'node:http';

/** Response headers that are recorded, each for one purpose: an event stream, the end of an endpoint. */
export const responseHeaderNames = ['content-type', 'deprecation', 'sunset', 'link'] as const;
export type ResponseHeaders = Partial<Record<(typeof responseHeaderNames)[number], string>>;

/** Content types of responses that last as long as the connection. */
const stream = /^(?:text\/event-stream|multipart\/x-mixed-replace|application\/x-ndjson)\b/i;
/** RFC 9745 and RFC 8594. Other links stay out: those of pages have queries, which may hold secrets. */
const ending = /\brel="?[^";]*\b(?:deprecation|sunset|successor-version)\b/i;
const headerLine = /\r\n(content-type|deprecation|sunset|link): ([^\r]*)/gi;

/**
 * Reads the head as it was sent: Node keeps no headers that are given to `writeHead`.
 * @param isRead of a head that is not chunked, and so no stream
 */
export function responseHeadersOf(
  response: ServerResponse,
  isRead: boolean,
): ResponseHeaders | undefined {
  const { _header: head, chunkedEncoding } = response as {
    _header?: unknown;
    chunkedEncoding?: boolean;
  };
  if (typeof head !== 'string' || !(isRead || chunkedEncoding === true)) return undefined;
  let headers: ResponseHeaders | undefined;
  for (const [, name, value] of head.matchAll(headerLine)) {
    headers = { ...headers, [name!.toLowerCase()]: value };
  }
  return headers === undefined ? undefined : withMeaning(headers);
}

/** @param sent of HTTP/2 */
export function withMeaning(sent: ResponseHeaders): ResponseHeaders | undefined {
  const { 'content-type': type, deprecation, sunset, link } = sent;
  const isStream = typeof type === 'string' && stream.test(type);
  const isEnding = typeof link === 'string' && ending.test(link);
  if (!isStream && !isEnding && deprecation === undefined && sunset === undefined) return undefined;
  return {
    ...(isStream ? { 'content-type': type } : {}),
    ...(deprecation === undefined ? {} : { deprecation: String(deprecation) }),
    ...(sunset === undefined ? {} : { sunset: String(sunset) }),
    ...(isEnding ? { link } : {}),
  };
}

const firstRead = 8;
const readEach = 32;
const routesMost = 2_000;

/**
 * Whether the head of an answer is read: of the first answers of a route, and then of one in 32. The headers belong
 * to the route, and reading a head costs 0.3 µs.
 */
export class HeadSampling {
  readonly #answers = new Map<string, Map<string, number>>();

  isRead(method: string, route = ''): boolean {
    let routes = this.#answers.get(method);
    if (routes === undefined) {
      routes = new Map();
      if (this.#answers.size < routesMost) this.#answers.set(method, routes);
    }
    const answers = routes.get(route) ?? 0;
    if (answers > 0 || routes.size < routesMost) routes.set(route, answers + 1);
    return answers < firstRead || answers % readEach === 0;
  }
}
