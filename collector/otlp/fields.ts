/**
 * Tags of opentelemetry-proto 1.11, collector/trace/v1 and trace/v1/trace.proto: the field number shifted
 * left by 3, and the wire type.
 */
export const requestTag = { resourceSpans: 0x0a } as const;
export const resourceSpansTag = { resource: 0x0a, scopeSpans: 0x12 } as const;
export const scopeSpansTag = { scope: 0x0a, spans: 0x12 } as const;
export const scopeTag = { name: 0x0a } as const;
export const resourceTag = { attributes: 0x0a } as const;
export const spanTag = {
  traceId: 0x0a,
  spanId: 0x12,
  traceState: 0x1a,
  parentSpanId: 0x22,
  name: 0x2a,
  kind: 0x30,
  startTime: 0x39,
  endTime: 0x41,
  attributes: 0x4a,
  events: 0x5a,
  status: 0x7a,
  flags: 0x85,
} as const;
/** common/v1/common.proto: KeyValue and AnyValue. */
export const keyValueTag = { key: 0x0a, value: 0x12 } as const;
export const valueTag = { string: 0x0a, int: 0x18, array: 0x2a } as const;
export const eventTag = { name: 0x12, attributes: 0x1a } as const;
export const statusTag = { code: 0x18 } as const;
