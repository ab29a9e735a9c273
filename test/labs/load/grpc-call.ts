import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';

/**
 * One connection of an OTLP exporter over gRPC, straight on HTTP/2: a load that costs its own process
 * little, and a test that sees every frame's meaning.
 */
export interface GrpcConnection {
  session: ClientHttp2Session;
  /** Sends the bytes as they are: `framed` makes a message of them. Rejected when the stream is reset. */
  call(bytes: Uint8Array, options?: CallOptions): Promise<GrpcAnswer>;
  /** Opens a call without sending anything. */
  begin(options?: CallOptions): ClientHttp2Stream;
  close(): Promise<void>;
}

export interface CallOptions {
  path?: string;
  headers?: Record<string, string>;
}

export interface GrpcAnswer {
  /** grpc-status; undefined when there was none. */
  code: number | undefined;
  /** grpc-message, decoded. */
  message: string;
  httpStatus: number;
  headers: IncomingHttpHeaders;
  /** Undefined when the headers were all there was. */
  trailers: IncomingHttpHeaders | undefined;
  /** All DATA as it came. */
  data: Buffer;
}

export const exportPath = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

/** @param url `http://127.0.0.1:4317` */
export async function openGrpc(
  url: string,
  options: SecureClientSessionOptions = {},
): Promise<GrpcConnection> {
  // Node's client counts what it has still to send, and refuses answers beyond 10 MB of it.
  const session = connect(url, { maxSessionMemory: 2048, ...options });
  await new Promise<void>((resolve, reject) => {
    session.once('error', reject);
    session.once('close', () => reject(new Error(`${url} was closed before it spoke HTTP/2`)));
    session.once('remoteSettings', () => {
      session.off('error', reject);
      resolve();
    });
  });
  session.on('error', () => {});
  const begin = ({ path = exportPath, headers = {} }: CallOptions = {}) =>
    session.request({ ':method': 'POST', ':path': path, ...grpcHeaders, ...headers });
  return {
    session,
    begin,
    call(bytes, callOptions) {
      const stream = begin(callOptions);
      const answered = answerOf(stream);
      stream.end(bytes);
      return answered;
    },
    close: () =>
      new Promise((resolve) => {
        if (session.destroyed) resolve();
        else session.close(resolve);
      }),
  };
}

/** One export, of a message that is copied nowhere; its bytes must stay as they are until the answer came. */
export function sendGrpc(
  connection: GrpcConnection,
  message: Uint8Array,
  headers: Record<string, string> = {},
): Promise<GrpcAnswer> {
  const stream = connection.begin({ headers });
  const answered = answerOf(stream);
  stream.cork();
  stream.write(prefixOf(message, 0));
  stream.end(message);
  stream.uncork();
  return answered;
}

const grpcHeaders = { 'content-type': 'application/grpc', te: 'trailers' };

/** Rejected when the stream ended without an answer. */
export function answerOf(stream: ClientHttp2Stream): Promise<GrpcAnswer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let headers: IncomingHttpHeaders | undefined;
    let trailers: IncomingHttpHeaders | undefined;
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', reject);
    stream.on('close', () => {
      if (headers === undefined) {
        reject(new Error(`the stream was closed with code ${stream.rstCode} and no answer`));
        return;
      }
      const { 'grpc-status': code, 'grpc-message': message } = trailers ?? headers;
      resolve({
        code: code === undefined ? undefined : Number(code),
        message: decodeURIComponent(String(message ?? '')),
        httpStatus: Number(headers[':status']),
        headers,
        trailers,
        data: Buffer.concat(parts),
      });
    });
  });
}

/** A message with its flag (1: compressed) and length in front. */
export function framed(message: Uint8Array, flag = 0): Buffer {
  return Buffer.concat([prefixOf(message, flag), message]);
}

function prefixOf(message: Uint8Array, flag: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return prefix;
}
