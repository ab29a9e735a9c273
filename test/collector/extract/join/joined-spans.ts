import {
  type AnyValue,
  encodeTraces,
  type Span,
} from '../../../../collector/otlp/traces-encoder.ts';
import { extracting, nowNs, span } from '../../support/extracting.ts';

/** Spans of one trace, and what is counted of them: for the tests of joins. */
export const local = 0x101;
export const remote = 0x301;
export const ms = 1_000_000n;

const id = (number: number) => Buffer.from(number.toString(16).padStart(16, '0'), 'hex');
export const trace = (number: number) => Buffer.from(number.toString(16).padStart(32, 'a'), 'hex');

export const get = {
  'http.request.method': 'GET',
  'url.path': '/users/7',
  'http.response.status_code': 200,
};
export const routed = { ...get, 'http.route': '/users/:id' };

/** A span of trace 1 that lasted from one millisecond to another, a minute ago. */
export function at(
  own: number,
  parent: number | undefined,
  flags: number,
  [from, to]: [number, number],
  attributes: Record<string, AnyValue>,
  change: Partial<Omit<Span, 'attributes'>> = {},
): Span {
  const start = nowNs - 60_000n * ms;
  return span(attributes, {
    traceId: trace(1),
    spanId: id(own),
    ...(parent !== undefined && { parentSpanId: id(parent) }),
    flags,
    startTimeUnixNano: start + BigInt(from) * ms,
    endTimeUnixNano: start + BigInt(to) * ms,
    ...change,
  });
}

export const internal = { kind: 1, name: 'middleware' };

/** What was counted of requests that come one after another, as `method route status duration`. */
export function counted(...requests: Buffer[]) {
  const { extract, called } = extracting();
  const extracted = requests.map((request) => extract(request));
  const calls = called().map(
    ({ method, route, status, durationNs }) => `${method} ${route} ${status} ${durationNs / 1e6}`,
  );
  return { calls, extracted };
}

/** One request in which spans stand in scopes of their own. */
export function scopes(resource: Record<string, AnyValue>, ...each: [string, Span[]][]): Buffer {
  const attributes = Object.entries(resource).map(([key, value]) => ({ key, value }));
  return encodeTraces([{ attributes, scopes: each.map(([name, spans]) => ({ name, spans })) }]);
}
