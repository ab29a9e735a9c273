import type { OutgoingHttpHeaders } from 'node:http2';
import { AppError, asAppError, type ErrorCode } from '../../core/error.ts';
import {
  badRequestDetail,
  boundedText,
  detail,
  retryAfterS,
  rpcStatus,
} from '../otlp/responses.ts';

/**
 * The gRPC status of a failed call: `grpc-status` and `grpc-message`, a google.rpc.Status in
 * `grpc-status-details-bin`, and RetryInfo alone for Python's exporter (docs/conformance.md G4).
 */
export const grpcCode = {
  ok: 0,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** A fault of the call itself, as opposed to its message. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly headers: OutgoingHttpHeaders;

  constructor(code: number, message: string, headers: OutgoingHttpHeaders = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** grpc-status of a failure. */
export function rpcCodeOf(error: Error): number {
  return error instanceof RpcError ? error.code : codes[asAppError(error).code];
}

/**
 * Trailers of a failure. UNAVAILABLE alone carries RetryInfo: it is what every exporter repeats, while
 * RESOURCE_EXHAUSTED without it means that the same request will never do.
 */
export function failureTrailers(error: Error): OutgoingHttpHeaders {
  const code = rpcCodeOf(error);
  const hidden = !(error instanceof RpcError) && asAppError(error).code === 'internal';
  const text = boundedText(hidden ? 'internal error' : error.message);
  const retryInfo = code === grpcCode.unavailable ? retryInfoOf(error) : undefined;
  const details: Buffer[] = [];
  if (retryInfo !== undefined) details.push(detail('google.rpc.RetryInfo', retryInfo));
  if (error instanceof AppError && error.code === 'invalid') {
    details.push(badRequestDetail(error.field, text));
  }
  return {
    'grpc-status': String(code),
    'grpc-message': percentEncoded(text),
    'grpc-status-details-bin': unpadded(rpcStatus(code, text, details)),
    ...(retryInfo !== undefined ? { 'google.rpc.retryinfo-bin': unpadded(retryInfo) } : {}),
    ...(error instanceof RpcError ? error.headers : {}),
  };
}

/**
 * Differs from the codes in HTTP bodies: after RESOURCE_EXHAUSTED some exporters drop the data and others do
 * not (G5, G6).
 */
const codes: Record<ErrorCode, number> = {
  invalid: 3,
  unauthenticated: 16,
  forbidden: 7,
  not_found: grpcCode.unimplemented,
  too_large: grpcCode.resourceExhausted,
  unsupported: grpcCode.unimplemented,
  overloaded: grpcCode.unavailable,
  conflict: grpcCode.internal,
  internal: grpcCode.internal,
  throttled: grpcCode.unavailable,
  unavailable: grpcCode.unavailable,
};

/** google.rpc.RetryInfo { retry_delay { seconds } }; a delay below 128 is one byte of varint. */
function retryInfoOf(error: Error): Buffer {
  const told = error instanceof AppError ? error.retryAfterS : undefined;
  return Buffer.from([0x0a, 0x02, 0x08, Math.min(told ?? Number(retryAfterS), 127)]);
}

/** The gRPC specification's Percent-Encoded: all but printable ASCII, and the percent sign. */
function percentEncoded(text: Buffer): string {
  let encoded = '';
  for (const byte of text) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
