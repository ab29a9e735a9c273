import protobuf from 'protobufjs';

/**
 * A full, independent decoder of ExportTraceServiceRequest, to check what the generators make. The
 * fields are those of opentelemetry-proto 1.11 that they fill.
 */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message Scope { string name = 1; string version = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
    Status status = 15; fixed32 flags = 16;
  }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; Value value = 2; }
  message Value { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3;
    double double_value = 4; } }
`);

export interface DecodedSpan {
  service: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  kind: number;
  startNs: bigint;
  endNs: bigint;
  /** Numbers as decimal text. */
  attributes: Map<string, string>;
}

interface Attribute {
  key: string;
  value: { stringValue?: string; intValue?: string };
}

interface DecodedRequest {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      spans: {
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        name: string;
        kind: number;
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        attributes?: Attribute[];
      }[];
    }[];
  }[];
}

export function decodeSpans(body: Uint8Array): DecodedSpan[] {
  const type = root.lookupType('Request');
  const request = type.toObject(type.decode(body), { longs: String, bytes: String });
  return (request as DecodedRequest).resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = words(resource.attributes).get('service.name') ?? '';
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        service,
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentSpanId: hex(span.parentSpanId ?? ''),
        name: span.name,
        kind: span.kind,
        startNs: BigInt(span.startTimeUnixNano),
        endNs: BigInt(span.endTimeUnixNano),
        attributes: words(span.attributes ?? []),
      })),
    );
  });
}

function hex(base64: string): string {
  return Buffer.from(base64, 'base64').toString('hex');
}

function words(attributes: readonly Attribute[]): Map<string, string> {
  return new Map(
    attributes.map(({ key, value }) => [key, value.stringValue ?? String(value.intValue)]),
  );
}
