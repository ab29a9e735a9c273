import { createRequire } from 'node:module';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { expect, it } from 'vitest';
import { fc } from '../support/property.ts';
import { decoded } from './seen-span.ts';

/**
 * Lean mode writes OTLP itself. The oracle: what OpenTelemetry's SDK and serializer make of the same spans,
 * both read by an independent decoder. The package is the one that was built.
 */
type ReadableSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];

const built = new URL('../../instrumentation/dist/span/span-writer.js', import.meta.url);
const require = createRequire(built);
const { resourceFromAttributes } = require('@opentelemetry/resources') as {
  resourceFromAttributes(attributes: object): ReadableSpan['resource'];
};
const ours = require('./span-writer.js') as {
  AttributeKey: new (name: string) => object;
  SpanWriter: new (limits: {
    attributes: number;
    characters: number;
  }) => {
    spans: number;
    begin(head: object): void;
    end(): void;
    discard(): void;
    repeated(key: object, value: string): void;
    text(key: object, value: string): void;
    integer(key: object, value: number): void;
    list(key: object, values: string[]): void;
    take(): Buffer;
  };
  traceRequest(resource: Buffer, scope: Buffer, spans: Buffer): Buffer;
  encodedResource(attributes: object): Buffer;
  encodedScope(name: string, version: string): Buffer;
};

const hex = (bytes: number) =>
  fc
    .uint8Array({ minLength: bytes, maxLength: bytes })
    .filter((id) => id.some((byte) => byte > 0))
    .map((id) => Buffer.from(id).toString('hex'));
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.integer({ min: 100, max: 20_000 }).map((length) => 'x'.repeat(length)),
);
const span = fc.record({
  name: text.filter((name) => name !== ''),
  parent: fc.option(fc.record({ traceId: hex(16), spanId: hex(8) }), { nil: undefined }),
  traceId: hex(16),
  spanId: hex(8),
  startEpochMs: fc.integer({ min: 1, max: 2 ** 42 }),
  durationNs: fc.oneof(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 0, max: 2 ** 46 })),
  isError: fc.boolean(),
  repeated: text,
  text,
  integer: fc.oneof(fc.nat(), fc.nat(300), fc.maxSafeNat()),
  list: fc.array(fc.string({ maxLength: 20 }), { maxLength: 4 }),
});
type Made = typeof span extends fc.Arbitrary<infer T> ? T : never;

const keys = {
  repeated: new ours.AttributeKey('a.repeated'),
  text: new ours.AttributeKey('a.text'),
  integer: new ours.AttributeKey('a.integer'),
  list: new ours.AttributeKey('a.list'),
};
const resource = { 'service.name': 'größe', 'process.pid': 70_000, flag: true, many: ['a', 'b'] };

/** One of each: the serializer groups by identity. */
const sdkResource = resourceFromAttributes(resource);
const scope = { name: 'scope', version: '1.2.3' };

it('spans are what the SDK and its serializer make of them', () => {
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 5 }), (spans) => {
      expect(decoded(written(spans))).toEqual(decoded(serialized(spans)));
    }),
    { numRuns: 300, endOnFailure: true },
  );
});

it('a span that is taken back leaves the others as they are', () => {
  const [one, other] = fc.sample(span, { numRuns: 2, seed: 5 }) as [Made, Made];
  expect(decoded(written([one, other], 1))).toEqual(decoded(serialized([other])));
});

it('limits of attributes: their count, and the characters of their values', () => {
  const writer = new ours.SpanWriter({ attributes: 3, characters: 4 });
  const [made] = fc.sample(span, { numRuns: 1, seed: 7 }) as [Made];
  writeSpan(writer, { ...made, repeated: 'äbcdefg', text: '12345678', integer: 7 });
  const { scopeSpans } = decoded(request(writer.take())).resourceSpans[0]!;
  expect(scopeSpans[0]!.spans[0]!.attributes!.map(({ value }) => value)).toEqual([
    { stringValue: 'äbcd' },
    { stringValue: '1234' },
    { intValue: '7' },
  ]);
});

function written(spans: readonly Made[], discarded = 0): Buffer {
  const limits = { attributes: Number.POSITIVE_INFINITY, characters: Number.POSITIVE_INFINITY };
  const writer = new ours.SpanWriter(limits);
  for (const [place, made] of spans.entries()) writeSpan(writer, made, place < discarded);
  expect(writer.spans).toBe(spans.length - discarded);
  return request(writer.take());
}

function request(spans: Buffer): Buffer {
  const { name, version } = scope;
  const encoded = ours.encodedScope(name, version);
  return ours.traceRequest(ours.encodedResource(resource), encoded, spans);
}

type Writer = InstanceType<typeof ours.SpanWriter>;

function writeSpan(writer: Writer, made: Made, isDiscarded = false): void {
  writer.begin({
    ...made,
    kind: 2,
    traceState: made.parent === undefined ? undefined : 'ot=th:0,b=1',
    ids: { bytes: Buffer.from(`00${made.traceId}${made.spanId}`, 'hex'), at: 1 },
  });
  writer.repeated(keys.repeated, made.repeated);
  writer.text(keys.text, made.text);
  writer.integer(keys.integer, made.integer);
  writer.list(keys.list, made.list);
  if (isDiscarded) writer.discard();
  else writer.end();
}

function serialized(spans: readonly Made[]): Uint8Array {
  return ProtobufTraceSerializer.serializeRequest(spans.map(readable))!;
}

function readable(made: Made): ReadableSpan {
  const { parent } = made;
  const traceState = { serialize: () => 'ot=th:0,b=1' };
  const startNs = BigInt(made.startEpochMs) * 1_000_000n;
  const endNs = startNs + BigInt(made.durationNs);
  return {
    name: made.name,
    kind: 1,
    spanContext: () => ({
      traceId: parent?.traceId ?? made.traceId,
      spanId: made.spanId,
      traceFlags: 1,
      ...(parent === undefined ? {} : { traceState }),
    }),
    ...(parent === undefined
      ? {}
      : { parentSpanContext: { ...parent, traceFlags: 1, isRemote: true } }),
    startTime: timeOf(startNs),
    endTime: timeOf(endNs),
    duration: timeOf(endNs - startNs),
    status: { code: made.isError ? 2 : 0 },
    attributes: {
      'a.repeated': made.repeated,
      'a.text': made.text,
      'a.integer': made.integer,
      'a.list': made.list,
    },
    links: [],
    events: [],
    ended: true,
    resource: sdkResource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  } as unknown as ReadableSpan;
}

function timeOf(ns: bigint): [number, number] {
  return [Number(ns / 1_000_000_000n), Number(ns % 1_000_000_000n)];
}
