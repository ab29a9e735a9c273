import { traceRequest } from '../../support/trace-schema.ts';

/** A span as an independent decoder reads it, to check what the generators make. */
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
  const request = traceRequest.toObject(traceRequest.decode(body), {
    longs: String,
    bytes: String,
  });
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
