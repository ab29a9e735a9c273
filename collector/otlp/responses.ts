import type { AppError, ErrorCode } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';

/**
 * What an OTLP server answers, in the request's own encoding: export responses with their partial success,
 * and google.rpc.Status for failures. OTLP specification 1.11, "OTLP/HTTP Response".
 */
export type Encoding = 'protobuf' | 'json';
export type Signal = 'traces' | 'metrics' | 'logs' | 'profiles';

/**
 * Exact, without parameters: Go's exporter compares the text and ignores a partial success with any other type.
 */
export const contentTypes: Record<Encoding, string> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

/** HTTP status and google.rpc.Code of every error. Clients repeat a request only on 429 and 503. */
export const answers: Record<ErrorCode, { httpStatus: number; rpcCode: number }> = {
  invalid: { httpStatus: 400, rpcCode: 3 },
  unauthenticated: { httpStatus: 401, rpcCode: 16 },
  forbidden: { httpStatus: 403, rpcCode: 7 },
  not_found: { httpStatus: 404, rpcCode: 12 },
  too_large: { httpStatus: 413, rpcCode: 2 },
  unsupported: { httpStatus: 415, rpcCode: 2 },
  overloaded: { httpStatus: 429, rpcCode: 8 },
  throttled: { httpStatus: 429, rpcCode: 8 },
  conflict: { httpStatus: 500, rpcCode: 2 },
  internal: { httpStatus: 500, rpcCode: 2 },
  unavailable: { httpStatus: 503, rpcCode: 14 },
};

/** What of a request was not taken, and why. `rejected` 0 with a message is a warning. */
export interface PartialSuccess {
  rejected: number;
  message: string;
}

/** The export response's body. Nothing at all (JSON: `{}`) when everything was taken. */
export function exportResponse(
  encoding: Encoding,
  signal: Signal,
  partial?: PartialSuccess,
): Buffer {
  if (encoding === 'json') return partial ? jsonPartial(signal, partial) : emptyJson;
  if (!partial) return emptyProtobuf;
  const message = boundedText(partial.message);
  return field(1, Buffer.concat([varintField(1, partial.rejected), field(2, message)]));
}

/** google.rpc.Status, with a BadRequest detail when the sender's data is at fault. */
export function statusResponse(encoding: Encoding, error: AppError): Buffer {
  const code = answers[error.code].rpcCode;
  const text = boundedText(error.code === 'internal' ? 'internal error' : error.message);
  const detailed = error.code === 'invalid';
  if (encoding === 'json') {
    const message = text.toString();
    const violation = { field: error.field ?? '', description: message };
    const details = [{ '@type': badRequestType, fieldViolations: [violation] }];
    return Buffer.from(JSON.stringify(detailed ? { code, message, details } : { code, message }));
  }
  return rpcStatus(code, text, detailed ? [badRequestDetail(error.field, text)] : []);
}

/** google.rpc.Status. @param text of `boundedText` @param details of `detail` */
export function rpcStatus(code: number, text: Buffer, details: readonly Buffer[]): Buffer {
  return Buffer.concat([
    varintField(1, code),
    field(2, text),
    ...details.map((each) => field(3, each)),
  ]);
}

/** google.protobuf.Any of a message. @param type its full name */
export function detail(type: string, message: Buffer): Buffer {
  return Buffer.concat([field(1, Buffer.from(`type.googleapis.com/${type}`)), field(2, message)]);
}

export function badRequestDetail(fieldName: string | undefined, text: Buffer): Buffer {
  const violation = [field(1, Buffer.from(fieldName ?? '')), field(2, text)];
  return detail('google.rpc.BadRequest', field(1, Buffer.concat(violation)));
}

const emptyProtobuf = Buffer.alloc(0);
const emptyJson = Buffer.from('{}');
const badRequestType = 'type.googleapis.com/google.rpc.BadRequest';

const rejectedName: Record<Signal, string> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
  profiles: 'rejectedProfiles',
};

/** int64 is a string in OTLP/JSON. */
function jsonPartial(signal: Signal, { rejected, message }: PartialSuccess): Buffer {
  const errorMessage = boundedText(message).toString();
  const partialSuccess = { [rejectedName[signal]]: String(rejected), errorMessage };
  return Buffer.from(JSON.stringify({ partialSuccess }));
}

/** UTF-8 of the text, cut before the character that would cross the bound. */
export function boundedText(text: string): Buffer {
  const bytes = Buffer.from(text);
  let end = limits.errorMessageBytes;
  if (bytes.length <= end) return bytes;
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
}

function varintField(number: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([varint(number << 3), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** Shorter than any exporter's deadline; JavaScript's takes 0 for "at once" (R7). */
export const retryAfterS = '1';
