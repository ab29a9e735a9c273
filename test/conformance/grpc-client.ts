import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import { exportPath } from '../labs/load/grpc-call.ts';
import { Difference, inTime } from './check.ts';
import { decodeAnswer } from './export-answer.ts';

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
        const fail = (why: string) => reject(new Difference(`no HTTP/2: ${why}`));
        session.once('remoteSettings', () => resolve());
        session.once('error', ({ message }) => fail(message));
        session.once('close', () => fail('the connection was closed'));
        // Over TLS 1.3 a certificate is refused after the client's handshake, and the session does not tell.
        session.once('connect', (_, socket) => {
          socket.once('error', ({ message }) => fail(message));
        });
      }),
      'HTTP/2 settings',
    );
    session.on('error', () => {});
    return new GrpcConnection(session);
  }

  /** Opens a stream without sending anything on it. */
  begin({ path = exportPath, type = 'application/grpc', headers = {} }: CallOptions = {}) {
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

  /** One call with these bytes as its whole stream of DATA; see `framed`. */
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

export const metricsExport = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
export const logsExport = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';

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
  type Response = { partialSuccess?: { rejected?: string; errorMessage?: string } };
  const { partialSuccess } = decodeAnswer<Response>('ExportResponse', messageOf(replied));
  if (partialSuccess === undefined) return undefined;
  return {
    rejected: Number(partialSuccess.rejected ?? 0),
    errorMessage: partialSuccess.errorMessage ?? '',
  };
}
