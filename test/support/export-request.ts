import { randomBytes } from 'node:crypto';
import { encodeTraces, type KeyValue, type Span } from '../../collector/otlp/traces-encoder.ts';

/** Export requests as a service sends them, of calls that have just ended: every body is another. */
export const protobufType = 'application/x-protobuf';
export const jsonType = 'application/json';

/** A SERVER span of a call that ended just now. */
export function serverSpan(more: Partial<Span> = {}): Span {
  const endNs = BigInt(Date.now()) * 1_000_000n;
  return {
    traceId: randomBytes(16),
    spanId: randomBytes(8),
    name: 'GET /users/{id}',
    kind: 2,
    startTimeUnixNano: endNs - 5_000_000n,
    endTimeUnixNano: endNs,
    attributes: callAttributes,
    ...more,
  };
}

/** Spans that differ in their ids alone. */
export function copiesOf(span: Span, count: number): Span[] {
  return Array.from({ length: count }, (_, n) => {
    const spanId = Buffer.from(span.spanId);
    spanId.writeUInt32BE(n + 1);
    return { ...span, spanId };
  });
}

export function callTo(route: string): KeyValue[] {
  return [
    { key: 'http.request.method', value: 'GET' },
    { key: 'http.route', value: route },
    { key: 'http.response.status_code', value: 200 },
  ];
}

export const callAttributes = callTo('/users/{id}');

/** A request whose every body is another, since trace ids are. */
export function traces(count: number, more: Partial<Span> = {}): Buffer {
  return encodeSpans(Array.from({ length: count }, () => serverSpan(more)));
}

export function encodeSpans(spans: Span[]): Buffer {
  const attributes = [{ key: 'service.name', value: 'shop' }];
  return encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
}

/** The same in OTLP/JSON, as the JavaScript exporter writes it. */
export function jsonTraces(count: number, more: Record<string, unknown> = {}): string {
  const spans = Array.from({ length: count }, () => ({ ...jsonSpan(), ...more }));
  const attributes = [{ key: 'service.name', value: { stringValue: 'shop' } }];
  const scopeSpans = [{ scope: { name: 'test' }, spans }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans }] });
}

/** @param span with text and integers as values */
export function jsonSpan(span: Span = serverSpan()): Record<string, unknown> {
  const { traceId, spanId, name, kind, startTimeUnixNano, endTimeUnixNano, attributes } = span;
  return {
    traceId: Buffer.from(traceId).toString('hex'),
    spanId: Buffer.from(spanId).toString('hex'),
    name,
    kind,
    startTimeUnixNano: String(startTimeUnixNano),
    endTimeUnixNano: String(endTimeUnixNano),
    attributes: attributes.map(({ key, value }) => ({
      key,
      value: typeof value === 'number' ? { intValue: value } : { stringValue: value },
    })),
  };
}
