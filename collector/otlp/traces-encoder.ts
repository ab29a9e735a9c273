import { ProtobufWriter } from './protobuf-writer.ts';

/**
 * Encodes an ExportTraceServiceRequest as protobuf, from plain objects. JSON bodies are converted to protobuf,
 * so that one decoder and one extractor serve both encodings; the demo and tests send its output. Field
 * numbers: opentelemetry-proto 1.11, trace/v1/trace.proto and common/v1/common.proto.
 */

/** int64 as bigint, double and int as the named forms; a plain number is an int when it is whole. */
export type AnyValue =
  | string
  | boolean
  | number
  | bigint
  | { double: number }
  | { bytes: Uint8Array }
  | { array: AnyValue[] }
  | { kvlist: KeyValue[] }
  | { empty: true };

export interface KeyValue {
  key: string;
  value: AnyValue;
}

export interface SpanEvent {
  timeUnixNano: bigint;
  name: string;
  attributes: KeyValue[];
}

export interface Span {
  traceId: Uint8Array;
  spanId: Uint8Array;
  traceState?: string;
  parentSpanId?: Uint8Array;
  flags?: number;
  name: string;
  /** SpanKind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  startTimeUnixNano: bigint;
  endTimeUnixNano: bigint;
  attributes: KeyValue[];
  events?: SpanEvent[];
  /** Status code: 0 unset, 1 ok, 2 error. */
  status?: { code: number; message?: string };
}

export interface ResourceSpans {
  attributes: KeyValue[];
  scopes: { name: string; version?: string; spans: Span[] }[];
}

export function encodeTraces(resources: readonly ResourceSpans[]): Buffer {
  const out = new ProtobufWriter();
  for (const resource of resources) {
    out.message(1, () => {
      out.message(1, () => attributes(out, 1, resource.attributes));
      for (const scope of resource.scopes) {
        out.message(2, () => {
          out.message(1, () => {
            out.string(1, scope.name);
            if (scope.version) out.string(2, scope.version);
          });
          for (const span of scope.spans) out.message(2, () => encodeSpan(out, span));
        });
      }
    });
  }
  return out.finish();
}

function encodeSpan(out: ProtobufWriter, span: Span): void {
  out.bytes(1, span.traceId);
  out.bytes(2, span.spanId);
  if (span.traceState) out.string(3, span.traceState);
  if (span.parentSpanId?.length) out.bytes(4, span.parentSpanId);
  out.string(5, span.name);
  out.varint(6, span.kind);
  out.fixed64(7, span.startTimeUnixNano);
  out.fixed64(8, span.endTimeUnixNano);
  attributes(out, 9, span.attributes);
  for (const event of span.events ?? []) {
    out.message(11, () => {
      out.fixed64(1, event.timeUnixNano);
      out.string(2, event.name);
      attributes(out, 3, event.attributes);
    });
  }
  const { status } = span;
  if (status) {
    out.message(15, () => {
      if (status.message) out.string(2, status.message);
      out.varint(3, status.code);
    });
  }
  if (span.flags) out.fixed32(16, span.flags);
}

function attributes(out: ProtobufWriter, field: number, list: readonly KeyValue[]): void {
  for (const { key, value } of list) {
    out.message(field, () => {
      out.string(1, key);
      out.message(2, () => encodeValue(out, value));
    });
  }
}

function encodeValue(out: ProtobufWriter, value: AnyValue): void {
  if (typeof value === 'string') out.string(1, value);
  else if (typeof value === 'boolean') out.varint(2, value ? 1 : 0);
  else if (typeof value === 'bigint') out.varint64(3, value);
  else if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) out.varint64(3, BigInt(value));
    else out.double(4, value);
  } else if ('double' in value) out.double(4, value.double);
  else if ('array' in value) {
    out.message(5, () => {
      for (const item of value.array) out.message(1, () => encodeValue(out, item));
    });
  } else if ('kvlist' in value) out.message(6, () => attributes(out, 1, value.kvlist));
  else if ('bytes' in value) out.bytes(7, value.bytes);
}
