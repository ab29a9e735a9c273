import { describe, expect, test } from 'vitest';
import {
  type AnyValue,
  encodeTraces,
  type Span,
} from '../../../../collector/otlp/traces-encoder.ts';
import { Random } from '../../../../core/random.ts';
import { extracting, nowNs, span } from '../../support/extracting.ts';

/**
 * Calls that a client makes at once under one parent span (docs/extraction.md X16): a browser's page load. The
 * number of calls is the true one, whatever the spans say of the connection, and wherever batches are cut.
 */
const pages = 200;
const callsOfPage = 6;

/** What the spans say of their connections, by protocol. */
const connections: Record<string, (random: Random, call: number) => Record<string, AnyValue>> = {
  'HTTP/1.1, a port for each call': (_, call) => ({
    'network.protocol.version': '1.1',
    'network.peer.port': 40_000 + call,
  }),
  'HTTP/2, one port': () => ({
    'network.protocol.version': '2',
    'network.peer.port': 40_000,
  }),
  'no protocol, one port': () => ({ 'network.peer.port': 40_000 }),
  // As ASP.NET and Kestrel say it.
  'no ports': () => ({ 'network.protocol.version': '1.1' }),
  'some with a port': (random, call) =>
    random.below(2) === 0 ? {} : { 'network.peer.port': 40_000 + call },
};

interface Scoped {
  scope: string;
  span: Span;
}

describe.each(Object.keys(connections))('1,200 calls of 200 page loads, %s', (name) => {
  test.each([1, 2, 3, 4, 5])('of one instrumentation (seed %i)', (seed) => {
    const random = new Random(seed);
    const spans = pageLoads(random, connections[name]!, ['server']);
    expect(countCut(random, spans)).toBe(pages * callsOfPage);
  });

  test.each([1, 2, 3, 4, 5])('of a server and its framework (seed %i)', (seed) => {
    const random = new Random(seed);
    const spans = pageLoads(random, connections[name]!, ['server', 'framework']);
    expect(countCut(random, spans)).toBe(pages * callsOfPage);
  });
});

/** Spans in the order of their ends, as a batch processor exports them. */
function pageLoads(
  random: Random,
  connection: (random: Random, call: number) => Record<string, AnyValue>,
  scopes: readonly string[],
): Scoped[] {
  const spans: Scoped[] = [];
  let ids = 0;
  const id = (length: number) => {
    ids += 1;
    const bytes = Buffer.alloc(length, 3);
    bytes.writeUInt32BE(ids, length - 4);
    return bytes;
  };
  for (let page = 0; page < pages; page += 1) {
    const [traceId, parentSpanId] = [id(16), id(8)];
    const pageNs = nowNs - 600_000_000_000n + BigInt(page * 200_000_000);
    for (let call = 0; call < callsOfPage; call += 1) {
      let startNs = pageNs + BigInt(random.below(3) * random.below(10_000_000));
      let endNs = startNs + BigInt(1_000_000 + random.below(100_000_000));
      const said = connection(random, call);
      for (const scope of scopes) {
        const attributes = {
          'http.request.method': 'POST',
          'url.path': '/graphql',
          'http.route': 'graphql',
          'http.response.status_code': 200,
          ...said,
        };
        const ids = { traceId, parentSpanId, spanId: id(8) };
        const times = { startTimeUnixNano: startNs, endTimeUnixNano: endNs };
        spans.push({ scope, span: span(attributes, { ...ids, ...times, flags: 0x301 }) });
        // The framework's span lies within the server's.
        startNs += BigInt(random.below(300_000));
        endNs -= BigInt(random.below(300_000));
      }
    }
  }
  return spans.toSorted((a, b) => Number(a.span.endTimeUnixNano - b.span.endTimeUnixNano));
}

/** Cuts the spans into requests at random places and extracts them. @returns the calls that are stored */
function countCut(random: Random, spans: readonly Scoped[]): number {
  const { extract, batch } = extracting();
  for (let at = 0; at < spans.length; ) {
    const most = random.pick([2, 10, 64, 512]);
    const request = spans.slice(at, at + 1 + random.below(most));
    extract(encode(request));
    at += request.length;
  }
  return batch.length;
}

function encode(spans: readonly Scoped[]): Buffer {
  const names = [...new Set(spans.map(({ scope }) => scope))];
  return encodeTraces([
    {
      attributes: [{ key: 'service.name', value: 'shop' }],
      scopes: names.map((name) => ({
        name,
        spans: spans.filter(({ scope }) => scope === name).map((one) => one.span),
      })),
    },
  ]);
}

/**
 * Stacks in which one call has two sibling spans: each instrumentation reads the incoming header by itself. What
 * tells them from parallel calls is a scope of their own, or one connection of HTTP/1.
 */
describe('one call whose instrumentations start siblings', () => {
  const http = {
    'http.request.method': 'GET',
    'url.path': '/users/7',
    'http.response.status_code': 200,
  };
  const peer = { 'network.peer.port': 51_000, 'network.protocol.version': '1.1' };
  const url = { 'http.request.method': 'GET', 'url.full': 'http://localhost/users/7' };
  const stacks: [string, [string, Record<string, AnyValue>], [string, Record<string, AnyValue>]][] =
    [
      // opentelemetry-go-contrib, otelgin: extracts the remote context although otelhttp has a span open.
      ['otelhttp around otelgin', ['otelhttp', { ...http, ...peer }], ['otelgin', http]],
      // @hono/otel 1.1 below @opentelemetry/instrumentation-http, as in npm run interop.
      ['instrumentation-http and @hono/otel', ['http', { ...http, ...peer }], ['@hono/otel', url]],
      // huang-julien/nitro-applicationinsights#296: two versions of one instrumentation are registered.
      [
        'instrumentation-http twice',
        ['@opentelemetry/instrumentation-http', { ...http, ...peer }],
        ['@opentelemetry/instrumentation-http', { ...http, ...peer }],
      ],
      // open-telemetry/opentelemetry-go-contrib, otelhttp.NewHandler around a mux and around its handlers.
      ['otelhttp around otelhttp', ['otelhttp', { ...http, ...peer }], ['otelhttp', http]],
    ];

  test.each(stacks.slice(0, 3))('%s: one call, in one request and in two', (_, outer, inner) => {
    for (const isCut of [false, true]) {
      const { extract, batch } = extracting();
      const spans = siblingsOf(outer, inner);
      if (isCut) for (const one of spans) extract(encode([one]));
      else extract(encode(spans));
      expect(batch.length).toBe(1);
    }
  });

  test('one scope, and the inner span does not say its port: two calls, as nothing joins them', () => {
    const [, outer, inner] = stacks[3]!;
    const { extract, batch } = extracting();
    extract(encode(siblingsOf(outer, inner)));
    expect(batch.length).toBe(2);
  });

  function siblingsOf(
    [outerScope, outer]: [string, Record<string, AnyValue>],
    [innerScope, inner]: [string, Record<string, AnyValue>],
  ): Scoped[] {
    const ids = { traceId: Buffer.alloc(16, 1), parentSpanId: Buffer.alloc(8, 2), flags: 0x301 };
    const outerSpan = span(outer, { ...ids, spanId: Buffer.alloc(8, 3) });
    const innerSpan = span(inner, {
      ...ids,
      spanId: Buffer.alloc(8, 4),
      startTimeUnixNano: outerSpan.startTimeUnixNano + 200_000n,
      endTimeUnixNano: outerSpan.endTimeUnixNano - 100_000n,
    });
    return [
      { scope: innerScope, span: innerSpan },
      { scope: outerScope, span: outerSpan },
    ];
  }
});
