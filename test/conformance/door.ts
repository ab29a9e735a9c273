import { randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import protobuf from 'protobufjs';
import { encodeTraces, type KeyValue, type Span } from '../../collector/otlp/encode.ts';
import { startCollectorProcess, temporaryFolder } from '../process.ts';

/** A real collector and what a client can see of it: its answers, and its own counters. */
export interface Door {
  url: string;
  port: number;
  post(body: Uint8Array | string, options?: Post): Promise<Answer>;
  /** Value of a counter of /metrics: `rollcall_spans_total{outcome="stored",reason=""}`. */
  counter(name: string): Promise<number>;
  stored(): Promise<number>;
  close(): Promise<void>;
}

export interface Post {
  method?: string;
  path?: string;
  /** Content-Type is application/x-protobuf unless given here; null leaves it out. */
  type?: string | null;
  headers?: Record<string, string>;
  /** Sends the body in pieces without Content-Length. */
  chunked?: boolean;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export async function openDoor(env: Record<string, string> = {}): Promise<Door> {
  const folder = temporaryFolder();
  const collector = await startCollectorProcess(`${folder.path}/rollcall.db`, env);
  const { url } = collector;
  const counter = async (name: string) => {
    const { body } = await exchange(url, '', { method: 'GET', path: '/metrics' });
    const line = body
      .toString()
      .split('\n')
      .find((each) => each.startsWith(`${name} `));
    return line === undefined ? 0 : Number(line.slice(name.length + 1));
  };
  return {
    url,
    port: Number(new URL(url).port),
    post: (body, options) => exchange(url, body, options),
    counter,
    stored: () => counter('rollcall_spans_total{outcome="stored",reason=""}'),
    async close() {
      await collector.stop();
      folder.remove();
    },
  };
}

/** One request on a connection of its own. */
export function exchange(
  url: string,
  body: Uint8Array | string,
  options: Post = {},
): Promise<Answer> {
  const { method = 'POST', path = '/v1/traces', type = protobufType, chunked = false } = options;
  const bytes = Buffer.from(body as Uint8Array);
  const headers: Record<string, string | number> = { ...options.headers };
  if (type !== null) headers['content-type'] = type;
  if (!chunked && method !== 'GET') headers['content-length'] ??= bytes.length;
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        resolve({
          status: answer.statusCode!,
          headers: answer.headers,
          body: Buffer.concat(parts),
        });
      });
    });
    sent.on('error', reject);
    if (chunked) {
      for (let at = 0; at < bytes.length; at += 1000) sent.write(bytes.subarray(at, at + 1000));
      sent.end();
    } else {
      sent.end(bytes);
    }
  });
}

/** Sends bytes as they are, waits until the server closes, and returns what it said. */
export function rawExchange(port: number, ...pieces: (Buffer | string)[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
    for (const piece of pieces) socket.write(piece);
  });
}

export const protobufType = 'application/x-protobuf';
export const jsonType = 'application/json';

/** A SERVER span of a call that ended just now. */
export function serverSpan(more: Partial<Span> = {}): Span {
  const endNs = BigInt(Date.now()) * 1_000_000n;
  return {
    traceId: randomBytes(16),
    spanId: randomBytes(8),
    name: 'GET /users/{id}',
    kind: 2,
    startTimeUnixNano: endNs - 5_000_000n,
    endTimeUnixNano: endNs,
    attributes: callAttributes,
    ...more,
  };
}

export const callAttributes: KeyValue[] = [
  { key: 'http.request.method', value: 'GET' },
  { key: 'http.route', value: '/users/{id}' },
  { key: 'http.response.status_code', value: 200 },
];

/** A request whose every body is another, since trace ids are. */
export function traces(count: number, more: Partial<Span> = {}): Buffer {
  return encodeSpans(Array.from({ length: count }, () => serverSpan(more)));
}

export function encodeSpans(spans: Span[]): Buffer {
  const attributes = [{ key: 'service.name', value: 'shop' }];
  return encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
}

/** The same in OTLP/JSON, as the JavaScript exporter writes it. */
export function jsonTraces(count: number, more: Record<string, unknown> = {}): string {
  const spans = Array.from({ length: count }, () => ({ ...jsonSpan(), ...more }));
  const attributes = [{ key: 'service.name', value: { stringValue: 'shop' } }];
  const scopeSpans = [{ scope: { name: 'test' }, spans }];
  return JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans }] });
}

export function jsonSpan(): Record<string, unknown> {
  const { traceId, spanId, startTimeUnixNano, endTimeUnixNano } = serverSpan();
  return {
    traceId: Buffer.from(traceId).toString('hex'),
    spanId: Buffer.from(spanId).toString('hex'),
    name: 'GET /users/{id}',
    kind: 2,
    startTimeUnixNano: String(startTimeUnixNano),
    endTimeUnixNano: String(endTimeUnixNano),
    attributes: [
      { key: 'http.request.method', value: { stringValue: 'GET' } },
      { key: 'http.route', value: { stringValue: '/users/{id}' } },
      { key: 'http.response.status_code', value: { intValue: 200 } },
    ],
  };
}

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Any { string type_url = 1; bytes value = 2; }
  message BadRequest { repeated Violation field_violations = 1; }
  message Violation { string field = 1; string description = 2; }
  message ExportResponse { PartialSuccess partial_success = 1; }
  message PartialSuccess { int64 rejected = 1; string error_message = 2; }
`);

export interface Status {
  code: number;
  message: string;
}

/** google.rpc.Status of an answer in either encoding. */
export function statusOf({ headers, body }: Answer): Status {
  if (headers['content-type'] === jsonType) return JSON.parse(body.toString()) as Status;
  return decode<Status>('Status', body);
}

/** The BadRequest of an answer in protobuf; undefined without one. */
export function badRequestOf({
  body,
}: Answer): { fieldViolations: { description: string }[] } | undefined {
  const { details } = decode<{ details?: { typeUrl: string; value: string }[] }>('Status', body);
  const detail = details?.find(({ typeUrl }) => typeUrl.endsWith('google.rpc.BadRequest'));
  return detail && decode('BadRequest', Buffer.from(detail.value, 'base64'));
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
    return decode<Response>('ExportResponse', body).partialSuccess;
  }
  const { partialSuccess } = JSON.parse(body.toString()) as {
    partialSuccess?: Record<string, string>;
  };
  if (partialSuccess === undefined) return undefined;
  const { errorMessage, ...counts } = partialSuccess;
  return { rejected: Object.values(counts)[0]!, errorMessage: errorMessage! };
}

function decode<T>(name: string, body: Buffer): T {
  const type = root.lookupType(name);
  return type.toObject(type.decode(body), { longs: String, bytes: String }) as T;
}
