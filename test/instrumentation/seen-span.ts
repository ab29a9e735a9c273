import { traceRequest } from '../support/trace-schema.ts';

/** A span as a test reads it: attributes by name, ids in hexadecimal. */
export interface SeenSpan {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  traceState: string;
  flags: number;
  durationMs: number;
  isError: boolean;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
}

interface Value {
  stringValue?: string;
  intValue?: string | number;
  boolValue?: boolean;
  arrayValue?: { values?: Value[] };
}

interface Attribute {
  key: string;
  value: Value;
}

interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  name: string;
  kind: number;
  flags?: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: Attribute[];
  status?: { code?: number };
}

export interface OtlpRequest {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { scope: { name: string; version: string }; spans: OtlpSpan[] }[];
  }[];
}

/** A request of protobuf as it would stand in JSON. @throws Error when it is none */
export function decoded(bytes: Uint8Array): OtlpRequest {
  const message = traceRequest.decode(bytes);
  const object = traceRequest.toObject(message, { longs: String, bytes: Array }) as OtlpRequest;
  for (const { scopeSpans } of object.resourceSpans) {
    for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
      span.traceId = hex(span.traceId);
      span.spanId = hex(span.spanId);
      // An empty message says what none says.
      if (Object.keys(span.status ?? {}).length === 0) delete span.status;
      if (span.parentSpanId !== undefined) span.parentSpanId = hex(span.parentSpanId);
    }
  }
  return object;
}

function hex(bytes: unknown): string {
  return Buffer.from(bytes as number[]).toString('hex');
}

/** The spans of a request, wherever they stand in it. */
export function spansOf(request: OtlpRequest): SeenSpan[] {
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans
      .flatMap(({ spans }) => spans)
      .map((span) => ({
        name: span.name,
        kind: span.kind,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        traceState: span.traceState ?? '',
        flags: span.flags ?? 0,
        durationMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
        isError: span.status?.code === 2,
        attributes: valuesOf(span.attributes ?? []),
        resource: valuesOf(resource.attributes),
      })),
  );
}

function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue({ stringValue, intValue, boolValue, arrayValue }: Value): unknown {
  if (arrayValue !== undefined) return (arrayValue.values ?? []).map(plainValue);
  if (intValue !== undefined) return Number(intValue);
  return stringValue ?? boolValue;
}
