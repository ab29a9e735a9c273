import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';

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

/** What stands for Rollcall where a test wants to see the spans, or to answer badly. */
export interface Sink {
  url: string;
  port: number;
  spans: SeenSpan[];
  /** Headers of the last request. */
  headers: Record<string, unknown>;
  /** Requests so far. */
  requests: number;
  /** Waits for so many SERVER spans. @throws Error that says what there is after ten seconds */
  servers(count: number): Promise<SeenSpan[]>;
  close(): Promise<void>;
}

export async function startSink(): Promise<Sink> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const raw = Buffer.concat(parts);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    sink.headers = request.headers;
    sink.requests += 1;
    const isJson = request.headers['content-type'] === 'application/json';
    sink.spans.push(...spansOf(isJson ? JSON.parse(body.toString()) : decoded(body)));
    response.setHeader('content-type', request.headers['content-type']!);
    response.end(isJson ? '{}' : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sink: Sink = {
    url: `http://127.0.0.1:${port}`,
    port,
    spans: [],
    headers: {},
    requests: 0,
    servers: async (count) => {
      const until = performance.now() + 10_000;
      for (;;) {
        const servers = sink.spans.filter(({ kind }) => kind === 2);
        if (servers.length >= count) return servers;
        if (performance.now() > until) {
          throw new Error(`${servers.length} of ${count} spans: ${JSON.stringify(servers)}`);
        }
        await pause(20);
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return sink;
}

/** The fields of opentelemetry-proto 1.7's trace.proto that a span of ours can have. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message Scope { string name = 1; string version = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4;
    string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; Status status = 15; fixed32 flags = 16;
  }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; Value value = 2; }
  message List { repeated Value values = 1; }
  message Value { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3;
    double double_value = 4; List array_value = 5; } }
`);
const requestType = root.lookupType('Request');

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
  const message = requestType.decode(bytes);
  const object = requestType.toObject(message, { longs: String, bytes: Array }) as OtlpRequest;
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

function spansOf(request: OtlpRequest): SeenSpan[] {
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
