import { lenientTraceRequest } from '../../support/trace-schema.ts';

/** The full decoder that the selective walk is compared with: generated from the schema, by protobufjs. */
export interface DecodedRequest {
  resourceSpans: {
    resource?: { attributes: DecodedKeyValue[] } | null;
    scopeSpans: { scope: { name: string } | null; spans: DecodedSpan[] }[];
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
  return lenientTraceRequest.toObject(lenientTraceRequest.decode(message), {
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
  return Buffer.from(lenientTraceRequest.encode(lenientTraceRequest.fromObject(json)).finish());
}
