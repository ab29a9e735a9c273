import type { IncomingHttpHeaders } from 'node:http';
import protobuf from 'protobufjs';
import { jsonType } from '../support/export-request.ts';
import type { Answer } from './exchange.ts';

export interface Status {
  code: number;
  message: string;
}

/** google.rpc.Status of an answer in either encoding. */
export function statusOf({ headers, body }: Answer): Status {
  if (headers['content-type'] === jsonType) return JSON.parse(body.toString()) as Status;
  return decodeAnswer<Status>('Status', body);
}

/** The BadRequest of an answer in protobuf; undefined without one. */
export function badRequestOf({
  body,
}: Answer): { fieldViolations: { description: string }[] } | undefined {
  const { details } = decodeAnswer<StatusDetails>('Status', body);
  const detail = details?.find(({ typeUrl }) => typeUrl.endsWith('google.rpc.BadRequest'));
  return detail && decodeAnswer('BadRequest', Buffer.from(detail.value, 'base64'));
}

/** Rejected spans of an answer: `'0'` without a partial success, or with an empty one, which says the same. */
export function rejectedOf(answer: Answer): string {
  return partialOf(answer)?.rejected ?? '0';
}

/** The partial success of an answer in either encoding; undefined when it is not set. */
export function partialOf({
  headers,
  body,
}: Answer): { rejected: string; errorMessage: string } | undefined {
  if (headers['content-type'] !== jsonType) {
    type Response = { partialSuccess?: { rejected: string; errorMessage: string } };
    return decodeAnswer<Response>('ExportResponse', body).partialSuccess;
  }
  const { partialSuccess } = JSON.parse(body.toString()) as {
    partialSuccess?: Record<string, string>;
  };
  if (partialSuccess === undefined) return undefined;
  const { errorMessage, ...counts } = partialSuccess;
  return { rejected: Object.values(counts)[0]!, errorMessage: errorMessage! };
}

interface StatusDetails extends Status {
  /** Values in base64. */
  details?: { typeUrl: string; value: string }[];
}

/** grpc-status-details-bin of an answer's last headers; undefined without one. */
export function detailsOf(trailers: IncomingHttpHeaders): StatusDetails | undefined {
  const base64 = trailers['grpc-status-details-bin'];
  if (typeof base64 !== 'string') return undefined;
  return decodeAnswer('Status', Buffer.from(base64, 'base64'));
}

/** Seconds of RetryInfo, from the details and from the trailer that Python reads. */
export function retrySecondsOf(trailers: IncomingHttpHeaders): {
  details: number | undefined;
  trailer: number | undefined;
} {
  const detail = detailsOf(trailers)?.details?.find(({ typeUrl }) => /RetryInfo$/.test(typeUrl));
  const trailer = trailers['google.rpc.retryinfo-bin'];
  return {
    details: detail && seconds(detail.value),
    trailer: typeof trailer === 'string' ? seconds(trailer) : undefined,
  };
}

function seconds(base64: string): number {
  const { retryDelay } = decodeAnswer<{ retryDelay?: { seconds?: string; nanos?: number } }>(
    'RetryInfo',
    Buffer.from(base64, 'base64'),
  );
  return Number(retryDelay?.seconds ?? 0) + (retryDelay?.nanos ?? 0) / 1e9;
}

/** What a collector answers in protobuf, of OTLP and of google.rpc. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Any { string type_url = 1; bytes value = 2; }
  message BadRequest { repeated Violation field_violations = 1; }
  message Violation { string field = 1; string description = 2; }
  message RetryInfo { Duration retry_delay = 1; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message ExportResponse { PartialSuccess partial_success = 1; }
  message PartialSuccess { int64 rejected = 1; string error_message = 2; }
`);

/** @returns the fields that were set; 64-bit integers as decimal text, bytes as base64 */
export function decodeAnswer<T>(name: string, body: Uint8Array): T {
  const type = root.lookupType(name);
  return type.toObject(type.decode(body), { longs: String, bytes: String }) as T;
}
