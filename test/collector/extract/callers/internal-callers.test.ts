import { describe, expect, test } from 'vitest';
import type { LinkedCalls } from '../../../../collector/extract/callers/internal-callers.ts';
import { Extractor } from '../../../../collector/extract/extractor.ts';
import type { AnyValue, Span } from '../../../../collector/otlp/traces-encoder.ts';
import { CallBatch, CallDictionary } from '../../../../core/call.ts';
import { readConfig } from '../../../../core/config/config.ts';
import { limits } from '../../../../core/limits.ts';
import { extracting, message, nowMs, ownSpanId, span } from '../../support/extracting.ts';

const get = { 'http.request.method': 'GET', 'http.response.status_code': 200 };
const hour = Math.floor((nowMs - 1000) / 3_600_000);

/** A call of GET /orders, and the CLIENT span that made it. */
function pair(attributes: Record<string, AnyValue> = {}, trace = Buffer.alloc(16, 0x31)) {
  const spanId = ownSpanId();
  const client = span({}, { kind: 3, traceId: trace, spanId });
  const change = { traceId: trace, parentSpanId: spanId };
  const server = span({ ...get, 'http.route': '/orders', ...attributes }, change);
  return { client, server };
}

const of = (service: string, spans: readonly Span[], environment = ''): Buffer =>
  message(spans, {
    'service.name': service,
    ...(environment && { 'deployment.environment.name': environment }),
  });

const shown = (linked: readonly LinkedCalls[] | undefined) =>
  (linked ?? []).map(
    ({ link: { caller, service, route, knownBy }, calls, errors }) =>
      `${caller} -> ${service} ${route} by ${knownBy}: ${calls} calls, ${errors} errors`,
  );

describe('the caller of a call is the service of its parent span', () => {
  const known = ['web -> orders /orders by trace: 1 calls, 0 errors'];

  test('when the CLIENT span arrived before', () => {
    const { extract } = extracting();
    const { client, server } = pair();
    expect(extract(of('web', [client])).linked).toBeUndefined();
    const [linked] = extract(of('orders', [server], 'prod')).linked!;
    expect(shown([linked!])).toEqual(known);
    expect(linked).toMatchObject({
      link: { project: 'p', environment: 'prod', method: 'GET', callerEnvironment: '', hour },
      named: 0,
      seen: 1,
    });
  });

  test('when it arrives after the call was committed', () => {
    const { extract, extractor, batch } = extracting();
    const { client, server } = pair();
    expect(extract(of('orders', [server])).linked).toBeUndefined();
    extractor.committed(batch);
    expect(shown(extract(of('web', [client])).linked)).toEqual(known);
    // Once more: an exporter tries again.
    expect(extract(of('web', [client])).linked).toBeUndefined();
  });

  test('when both come in one request, in either order', () => {
    for (const turned of [false, true]) {
      const { extract } = extracting();
      const { client, server } = pair();
      const parts = [of('web', [client]), of('orders', [server])];
      const body = Buffer.concat(turned ? parts.reverse() : parts);
      expect(shown(extract(body).linked)).toEqual(known);
    }
  });

  test('of every call that has this parent: a try, and the next', () => {
    const { extract } = extracting();
    const { client, server } = pair();
    const again = { ...server, spanId: ownSpanId() };
    const failed = span(
      { ...get, 'http.response.status_code': 503, 'http.route': '/orders' },
      { traceId: server.traceId!, parentSpanId: client.spanId! },
    );
    extract(of('orders', [server, failed]));
    const linked = extract(of('web', [client])).linked;
    expect(shown(linked)).toEqual(['web -> orders /orders by trace: 2 calls, 1 errors']);
    expect(shown(extract(of('orders', [again])).linked)).toEqual(known);
  });

  test('when the parent is a SERVER span: a service whose client makes no span', () => {
    const { extract } = extracting();
    const { server } = pair();
    const gateway = span(
      { ...get, 'http.route': '/shop' },
      { traceId: server.traceId!, spanId: server.parentSpanId! },
    );
    extract(of('orders', [server]));
    expect(shown(extract(of('web', [gateway])).linked)).toEqual(known);
  });

  test('a service that calls itself is its own caller, but not below its own SERVER span', () => {
    const { extract } = extracting();
    const { client, server } = pair();
    extract(of('orders', [client]));
    expect(shown(extract(of('orders', [server])).linked)).toEqual([
      'orders -> orders /orders by trace: 1 calls, 0 errors',
    ]);
    const other = pair();
    const outer = span(
      { ...get, 'http.route': '/all' },
      { traceId: other.server.traceId!, spanId: other.server.parentSpanId! },
    );
    extract(of('orders', [outer]));
    expect(extract(of('orders', [other.server])).linked).toBeUndefined();
  });
});

describe('the caller is not known', () => {
  test('of a call in another project, or without a parent, or with another one', () => {
    const { extract } = extracting();
    const { client, server } = pair();
    extract(of('web', [client]), 'p');
    expect(extract(of('orders', [server]), 'q').linked).toBeUndefined();
    const root = span({ ...get, 'http.route': '/orders' }, { traceId: client.traceId! });
    expect(extract(of('orders', [root])).linked).toBeUndefined();
    const elsewhere = pair({}, Buffer.alloc(16, 0x32)).server;
    expect(
      extract(of('orders', [{ ...elsewhere, parentSpanId: client.spanId! }])).linked,
    ).toBeUndefined();
  });

  test('of a parent that is said to be of the same process', () => {
    const { extract } = extracting();
    const { client, server } = pair();
    extract(of('web', [client]));
    expect(extract(of('orders', [{ ...server, flags: 0x100 }])).linked).toBeUndefined();
    expect(shown(extract(of('orders', [{ ...server, flags: 0x300 }])).linked)).toHaveLength(0);
  });

  test('of a span that was counted before, or whose request cannot be decoded', () => {
    const { extract } = extracting();
    const { client, server } = pair();
    extract(of('web', [client]));
    expect(extract(of('orders', [server])).linked).toHaveLength(1);
    const repeated = extract(of('orders', [server, pair().server]));
    expect([repeated.stored, repeated.linked]).toEqual([1, undefined]);
    const late = pair();
    const broken = of('web', [late.client]);
    expect(() => extract(broken.subarray(0, broken.length - 1))).toThrow('runs past its message');
    expect(extract(of('orders', [late.server])).linked).toBeUndefined();
  });
});

test('after a commit that failed a call counts once, when its span comes again', () => {
  const { extractor } = extracting();
  const { client, server } = pair();
  const failed = new CallBatch();
  extractor.extract('p', of('orders', [server]), failed);
  extractor.forget(failed);
  const second = new CallBatch();
  expect(extractor.extract('p', of('web', [client]), second).linked).toBeUndefined();
  expect(shown(extractor.extract('p', of('orders', [server]), second).linked)).toHaveLength(1);
});

describe('a span that names its caller', () => {
  test('is believed where its parent was not seen', () => {
    const { extract } = extracting();
    const old = pair({ 'peer.service': 'billing' });
    const both = pair({ 'peer.service': 'old', 'service.peer.name': 'billing' });
    expect(shown(extract(of('orders', [old.server, both.server])).linked)).toEqual([
      'billing -> orders /orders by peer: 2 calls, 0 errors',
    ]);
    // It is known already: the parent that comes later changes nothing.
    expect(extract(of('web', [old.client])).linked).toBeUndefined();
  });

  test('and whose parent was seen is a call of its parent', () => {
    const { extract } = extracting();
    const { client, server } = pair({ 'peer.service': 'billing' });
    extract(of('web', [client]));
    expect(shown(extract(of('orders', [server])).linked)).toEqual([
      'web -> orders /orders by trace: 1 calls, 0 errors',
    ]);
  });

  test('by an address names nobody', () => {
    const { extract } = extracting();
    const peers = ['203.0.113.7', '2001:db8::7'].map(
      (name) => pair({ 'peer.service': name }).server,
    );
    expect(extract(of('orders', peers)).linked).toBeUndefined();
  });
});

test('a sampled call counts with its weight, whichever span comes first', () => {
  const { extract } = extracting();
  const first = pair({ SampleRate: 10 });
  const second = pair({ SampleRate: 4, 'http.response.status_code': 500 });
  extract(of('orders', [first.server]));
  extract(of('web', [second.client]));
  const found = [extract(of('web', [first.client])), extract(of('orders', [second.server]))];
  expect(found.flatMap(({ linked }) => shown(linked))).toEqual([
    'web -> orders /orders by trace: 10 calls, 0 errors',
    'web -> orders /orders by trace: 4 calls, 4 errors',
  ]);
});

test('calls whose consumer has the name of the caller are told apart: they are counted by name too', () => {
  const { extract } = extracting();
  const named = pair({ 'user_agent.original': 'web/1.0' });
  const other = pair({ 'user_agent.original': 'node' });
  extract(of('web', [named.client, other.client]));
  const [linked] = extract(of('orders', [named.server, other.server])).linked!;
  expect([linked!.calls, linked!.named]).toEqual([2, 1]);
});

test('of more spans than are looked at, every second or fourth trace stands for the others', () => {
  const now = { ms: nowMs };
  const dictionary = new CallDictionary();
  const extractor = new Extractor({ dictionary, config: readConfig({}), now: () => now.ms });
  expect(limits.linkedSpansPerS).toBe(8_192);
  const calls = 32_000;
  const traceOf = (n: number) => {
    const trace = Buffer.alloc(16, 0x41);
    trace.writeUInt32BE(n, 12);
    return trace;
  };
  const counted: LinkedCalls[] = [];
  const second = (from: number): void => {
    const batch = new CallBatch();
    for (let n = from; n < from + calls; n += 1000) {
      const pairs = Array.from({ length: 1000 }, (_, i) => pair({}, traceOf(n + i)));
      const servers = of(
        'orders',
        pairs.map(({ server }) => server),
      );
      counted.push(...(extractor.extract('p', servers, batch).linked ?? []));
      const clients = of(
        'web',
        pairs.map(({ client }) => client),
      );
      counted.push(...(extractor.extract('p', clients, batch).linked ?? []));
    }
    extractor.committed(batch);
  };
  second(0);
  counted.length = 0;
  now.ms += 1000;
  second(100_000);
  const sum = counted.reduce((sums, { calls: n }) => sums + n, 0);
  const seen = counted.reduce((sums, one) => sums + one.seen, 0);
  // 64,000 spans of calls and their parents are nearly eight times the bound: one trace of eight.
  expect(seen).toBeGreaterThan(0.9 * (calls / 8));
  expect(seen).toBeLessThan(1.1 * (calls / 8));
  expect(sum).toBe(8 * seen);
});
