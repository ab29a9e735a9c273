import { describe, expect, test } from 'vitest';
import { decodeSpans } from '../labs/load/decoded-span.ts';
import { BodySource, type PayloadName, payloads } from '../labs/load/payload.ts';

const nowNs = 1_795_323_705_518_000_123n;
const serverKind = 2;

describe.each(Object.keys(payloads) as PayloadName[])('payload %s', (name) => {
  test('decodes to the spans it claims, with new ids and times in every body', () => {
    const source = new BodySource(name, 7, 2);
    const traces = new Set<string>();
    const spanIds = new Set<string>();
    let spans = 0;
    for (let n = 0; n < 6; n += 1) {
      const { bytes, template } = source.next(n % 2, nowNs + BigInt(n) * 1_000_000_000n);
      const decoded = decodeSpans(bytes);
      expect(decoded).toHaveLength(template.spans);
      expect(decoded.filter(({ kind }) => kind === serverKind)).toHaveLength(template.servers);
      for (const span of decoded) {
        traces.add(span.traceId);
        spanIds.add(span.spanId);
        const age = nowNs + BigInt(n) * 1_000_000_000n - span.endNs;
        expect(age >= 0n && age < 1_000_000_000n).toBe(true);
        const durationNs = span.endNs - span.startNs;
        expect(durationNs >= 50_000n && durationNs <= 4_000_000_000n).toBe(true);
      }
      spans += template.spans;
    }
    expect(spanIds.size).toBe(spans);
    const tracesEach = name === 'mixed' ? 86 : 1000;
    expect(traces.size).toBe(6 * tracesEach);
  });
});

test('the mixed payload is shaped like an SDK batch: six spans a trace below one SERVER span', () => {
  const { bytes, template } = new BodySource('mixed', 1).next(0, nowNs);
  expect([template.spans, template.servers]).toEqual([512, 85]);
  expect(bytes.length / template.spans).toBeCloseTo(280, -1);
  const spans = decodeSpans(bytes);
  const servers = new Map(
    spans.filter(({ kind }) => kind === serverKind).map((span) => [span.traceId, span]),
  );
  const children = spans.filter(({ kind }) => kind !== serverKind);
  expect(children.filter(({ traceId }) => servers.has(traceId))).toHaveLength(85 * 5);
  for (const child of children) {
    const server = servers.get(child.traceId);
    if (server !== undefined) expect(child.parentSpanId).toBe(server.spanId);
  }
});

test('the server payload is 1,000 SERVER spans of 24 routes and 300 clients at 486 bytes', () => {
  const { bytes, template } = new BodySource('server', 1).next(0, nowNs);
  expect([template.spans, template.servers]).toEqual([1000, 1000]);
  expect(bytes.length / 1000).toBeCloseTo(486, -1);
  const spans = decodeSpans(bytes);
  expect(new Set(spans.map(({ name }) => name)).size).toBe(24);
  expect(
    new Set(spans.map(({ attributes }) => attributes.get('client.address'))).size,
  ).toBeGreaterThan(250);
});

test('the wide payload covers 10,000 endpoints and far more clients, path and route in step', () => {
  const source = new BodySource('wide', 3, 1);
  const endpoints = new Set<string>();
  const clients = new Set<string>();
  for (let n = 0; n < 60; n += 1) {
    for (const { service, name, attributes } of decodeSpans(source.next(0, nowNs).bytes)) {
      const route = attributes.get('http.route')!;
      expect(name).toBe(`GET ${route}`);
      expect(attributes.get('url.path')).toBe(route.replace(':id', '12345'));
      expect(attributes.get('client.address')).toMatch(/^10\d\.1\d\d\.1\d\d\.200$/);
      expect(attributes.get('network.peer.address')).toBe(attributes.get('client.address'));
      endpoints.add(`${service} ${route}`);
      clients.add(attributes.get('client.address')!);
    }
  }
  expect(endpoints.size).toBeGreaterThan(9_900);
  expect(endpoints.size).toBeLessThanOrEqual(10_000);
  expect(clients.size).toBeGreaterThan(40_000);
});
