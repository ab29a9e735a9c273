import protobuf from 'protobufjs';

/** The full decoder that the selective walk is compared with: generated from the schema, by protobufjs. */
const schema = `
edition = "2023";
option features.utf8_validation = NONE; // replaced, as OTLP.md P8 wants it
option features.field_presence = IMPLICIT;
message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
message Scope { string name = 1; string version = 2; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4;
  string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
  repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10;
  repeated Event events = 11; Status status = 15; fixed32 flags = 16;
}
message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
message Status { string message = 2; int32 code = 3; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue {
  oneof value {
    string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
  }
}
message ArrayValue { repeated AnyValue values = 1; }
message KeyValueList { repeated KeyValue values = 1; }
`;

const request = protobuf.parse(schema).root.lookupType('ExportTraceServiceRequest');

export interface DecodedRequest {
  resourceSpans: {
    resource?: { attributes: DecodedKeyValue[] } | null;
    scopeSpans: { spans: DecodedSpan[] }[];
  }[];
}

export interface DecodedSpan {
  traceId: Uint8Array;
  spanId: Uint8Array;
  traceState: string;
  name: string;
  kind: number;
  /** Decimal. */
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: DecodedKeyValue[];
  events: { name: string; attributes: DecodedKeyValue[] }[];
  status: { code: number } | null;
}

export interface DecodedKeyValue {
  key: string;
  value: DecodedValue | null;
}

/** `value` names the member that is set; integers are decimal text. */
export interface DecodedValue {
  value?: string;
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: number;
  arrayValue?: { values: DecodedValue[] };
}

export function decodeRequest(message: Buffer): DecodedRequest {
  return request.toObject(request.decode(message), {
    longs: String,
    defaults: true,
    oneofs: true,
  }) as DecodedRequest;
}

/** OTLP/JSON as protobuf bytes: ids are hex there, base64 everywhere else in protobuf's JSON. */
export function encodeJson(body: Buffer): Buffer {
  const json = JSON.parse(body.toString('utf8'), (key, value) =>
    /^(traceId|spanId|parentSpanId)$/.test(key)
      ? Buffer.from(value, 'hex').toString('base64')
      : value,
  );
  return Buffer.from(request.encode(request.fromObject(json)).finish());
}
