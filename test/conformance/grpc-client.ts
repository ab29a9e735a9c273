import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import protobuf from 'protobufjs';
import { Difference, inTime } from './check.ts';

/**
 * gRPC with nothing between the test and the wire: what a gRPC library would hide (frames, where trailers
 * stand, what is no gRPC at all) is what the checklist asks about.
 */
export class GrpcConnection {
  readonly session: ClientHttp2Session;

  constructor(session: ClientHttp2Session) {
    this.session = session;
  }

  /** @param address `127.0.0.1:4317` @throws Difference when no HTTP/2 connection comes about */
  static async open(
    address: string,
    tls: SecureClientSessionOptions | undefined = undefined,
  ): Promise<GrpcConnection> {
    const session = connect(`${tls === undefined ? 'http' : 'https'}://${address}`, {
      ...tls,
      maxSessionMemory,
    });
    await inTime(
      new Promise<void>((resolve, reject) => {
        session.once('remoteSettings', () => resolve());
        session.once('error', (error) => reject(new Difference(`no HTTP/2: ${error.message}`)));
        session.once('close', () => reject(new Difference('no HTTP/2: the connection was closed')));
      }),
      'HTTP/2 settings',
    );
    session.on('error', () => {});
    return new GrpcConnection(session);
  }

  /** Opens a stream without sending anything on it. */
  begin({ path = tracesExport, type = 'application/grpc', headers = {} }: CallOptions = {}) {
    return this.session.request(
      {
        ':method': 'POST',
        ':path': path,
        te: 'trailers',
        ...(type === null ? {} : { 'content-type': type }),
        ...headers,
      },
      { endStream: false },
    );
  }

  /** One call with these bytes as its whole stream of DATA; see `frame`. */
  call(bytes: Uint8Array, options: CallOptions = {}): Promise<Reply> {
    const stream = this.begin(options);
    const replied = reply(stream);
    if (options.pieceBytes === undefined) stream.end(bytes);
    else {
      for (let at = 0; at < bytes.length; at += options.pieceBytes) {
        stream.write(bytes.subarray(at, at + options.pieceBytes));
      }
      stream.end();
    }
    return replied;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.session.destroyed) resolve();
      else {
        this.session.once('close', () => resolve());
        this.session.destroy();
      }
    });
  }
}

/** MiB; with less, Node's client resets a stream on which more than that waits when the answer comes. */
const maxSessionMemory = 1000;

export interface CallOptions {
  path?: string;
  /** Content-Type; null leaves it out. */
  type?: string | null;
  headers?: Record<string, string>;
  /** Sends the bytes in pieces of this size, each in a DATA frame of its own. */
  pieceBytes?: number;
}

export interface Reply {
  httpStatus: number;
  headers: IncomingHttpHeaders;
  /** The bytes of all DATA frames. */
  data: Buffer;
  /** Of the trailers, or of the headers when there is nothing else. */
  trailers: IncomingHttpHeaders;
  /** The headers ended the stream. */
  trailersOnly: boolean;
  /** grpc-status, wherever it stood; undefined without one. */
  status: number | undefined;
  /** grpc-message, decoded. */
  message: string;
}

export const tracesExport = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
export const metricsExport = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
export const logsExport = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';

/** A gRPC message: flag, length and bytes. */
export function frame(message: Uint8Array, flag = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Waits for the end of a stream. @throws Difference when it is reset, or never ends */
export function reply(stream: ClientHttp2Stream): Promise<Reply> {
  const parts: Buffer[] = [];
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders | undefined;
  const ended = new Promise<Reply>((resolve, reject) => {
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', (error) => reject(new Difference(`the stream failed: ${error.message}`)));
    stream.on('close', () => {
      reject(new Difference(`expected an answer, got a reset stream (code ${stream.rstCode})`));
    });
    // An error may be answered before all was sent: the rest then waits for a window that never opens.
    stream.on('end', () => {
      if (headers[':status'] === undefined) return;
      stream.close();
      const last = trailers ?? headers;
      resolve({
        httpStatus: Number(headers[':status']),
        headers,
        data: Buffer.concat(parts),
        trailers: last,
        trailersOnly: trailers === undefined,
        status: last['grpc-status'] === undefined ? undefined : Number(last['grpc-status']),
        message: decodeURIComponent(String(last['grpc-message'] ?? '')),
      });
    });
  });
  return inTime(ended, 'a gRPC answer', 60_000);
}

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Any { string type_url = 1; bytes value = 2; }
  message RetryInfo { Duration retry_delay = 1; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message ExportResponse { PartialSuccess partial_success = 1; }
  message PartialSuccess { int64 rejected = 1; string error_message = 2; }
`);

function decode<T>(name: string, bytes: Uint8Array): T {
  const type = root.lookupType(name);
  return type.toObject(type.decode(bytes), { longs: Number }) as T;
}

export interface StatusDetails {
  code: number;
  message: string;
  details?: { typeUrl: string; value: Buffer }[];
}

/** grpc-status-details-bin; undefined without one. */
export function detailsOf({ trailers }: Reply): StatusDetails | undefined {
  const text = trailers['grpc-status-details-bin'];
  if (typeof text !== 'string') return undefined;
  return decode('Status', Buffer.from(text, 'base64'));
}

/** Seconds of RetryInfo, from the details and from the trailer that Python reads. */
export function retrySecondsOf(replied: Reply): {
  details: number | undefined;
  trailer: number | undefined;
} {
  const detail = detailsOf(replied)?.details?.find(({ typeUrl }) => /RetryInfo$/.test(typeUrl));
  const trailer = replied.trailers['google.rpc.retryinfo-bin'];
  return {
    details: detail && seconds(detail.value),
    trailer: typeof trailer === 'string' ? seconds(Buffer.from(trailer, 'base64')) : undefined,
  };
}

function seconds(bytes: Uint8Array): number {
  const { retryDelay } = decode<{ retryDelay?: { seconds?: number; nanos?: number } }>(
    'RetryInfo',
    bytes,
  );
  return (retryDelay?.seconds ?? 0) + (retryDelay?.nanos ?? 0) / 1e9;
}

/** The one message of an OK reply. @throws Difference when there is none or more */
export function messageOf({ data }: Reply): Buffer {
  if (data.length < 5 || data.readUInt32BE(1) !== data.length - 5) {
    throw new Difference(`expected one message, got ${data.length} bytes ${data.toString('hex')}`);
  }
  return data.subarray(5);
}

/** The partial success of an OK reply; undefined when it is not set. */
export function partialSuccessOf(
  replied: Reply,
): { rejected: number; errorMessage: string } | undefined {
  type Response = { partialSuccess?: { rejected?: number; errorMessage?: string } };
  const { partialSuccess } = decode<Response>('ExportResponse', messageOf(replied));
  if (partialSuccess === undefined) return undefined;
  return {
    rejected: partialSuccess.rejected ?? 0,
    errorMessage: partialSuccess.errorMessage ?? '',
  };
}
