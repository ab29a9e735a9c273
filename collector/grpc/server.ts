import {
  createServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { AppError, asAppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Log } from '../../core/log.ts';
import type { Certificates } from '../../core/server/certificates.ts';
import { boundConnections } from '../../core/server/connections.ts';
import { addressOf, listen, waitAtMost } from '../../core/server/listen.ts';
import { exportResponse, type Signal } from '../otlp/responses.ts';
import { Gone } from '../request/body.ts';
import type { ExportContext } from '../request/request.ts';
import { refuseRpc, refuseText, reply } from './answer.ts';
import { Deadline } from './deadline.ts';
import { Health } from './health.ts';
import { whenHttp2 } from './preface.ts';
import { exportMethods, type Rpc, takeRpc } from './rpc.ts';
import { grpcCode, RpcError, rpcCodeOf } from './status.ts';

/** OTLP over gRPC, with gRPC's health service. Straight on HTTP/2: docs/decisions/0003-grpc-server.md. */
export interface GrpcServer {
  /** The real address: `http://127.0.0.1:4317`. */
  url: string;
  /**
   * Stops accepting connections and sends GOAWAY on open ones. Calls that have begun are answered. Resolves
   * when all have ended; closes the rest after `graceMs`.
   */
  close(graceMs: number): Promise<void>;
}

export interface GrpcOptions extends ExportContext {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Absent: in the clear. They remain the caller's to close. */
  certificates?: Certificates | undefined;
  /** Approximate age at which a connection gets GOAWAY; undefined: never. */
  connectionAgeS?: number | undefined;
  log: Log;
}

/** @throws AppError `conflict` when the port is in use or the address is not ours */
export async function openGrpcServer(options: GrpcOptions): Promise<GrpcServer> {
  const rpcs = new Rpcs(options);
  const connections = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const http2 = createHttp2Server({
    maxSessionMemory: limits.grpcConnectionMemoryMib,
    settings: {
      enablePush: false,
      maxConcurrentStreams: limits.grpcStreams,
      initialWindowSize: limits.grpcStreamWindowBytes,
      maxHeaderListSize: limits.headerBytes,
    },
  });
  http2.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.setLocalWindowSize(limits.grpcConnectionWindowBytes);
    if (options.connectionAgeS !== undefined) retireAtAge(session, options.connectionAgeS);
  });
  http2.on('sessionError', ignore);
  http2.on('stream', (stream, headers) => rpcs.serve(stream, headers));
  const listener = openListener(options.certificates, (socket) => {
    whenHttp2(socket, () => http2.emit('connection', socket));
  });
  boundConnections(listener);
  // Also those whose TLS is not there yet: a listener is not closed before the last of them.
  listener.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  await listen(listener, {
    host: options.host,
    port: options.port,
    serves: 'OTLP over gRPC',
    variable: 'ROLLCALL_OTLP_GRPC_PORT',
  });
  const close = async (graceMs: number): Promise<void> => {
    const closed = new Promise<void>((resolve) => {
      listener.close(() => resolve());
    });
    rpcs.close();
    for (const session of sessions) retire(session);
    await waitAtMost(graceMs, rpcs.done());
    const ends = [...sessions].map((session) => ended(session));
    await waitAtMost(lastBytesMs, Promise.all(ends));
    for (const socket of connections) socket.destroy();
    await closed;
  };
  const scheme = options.certificates === undefined ? 'http' : 'https';
  return { url: `${scheme}://${addressOf(listener)}`, close };
}

/** Serves calls and knows how many it is serving. */
class Rpcs {
  readonly #options: GrpcOptions;
  readonly #health: Health;
  #serving = 0;
  #idle: (() => void) | undefined;

  constructor(options: GrpcOptions) {
    this.#options = options;
    const services = [...exportMethods.keys()].map((path) => path.split('/')[1]!);
    this.#health = new Health(options.ingest, options.pool, services);
  }

  /** Resolves when no call is being served. */
  done(): Promise<void> {
    if (this.#serving === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = resolve;
    });
  }

  close(): void {
    this.#health.close();
  }

  serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const deadline = new Deadline(headers['grpc-timeout']);
    this.#serving += 1;
    // A reset stream has an error, which is followed by close; without a listener it would end the process.
    stream.on('error', ignore);
    stream.once('close', () => {
      deadline.end();
      this.#serving -= 1;
      if (this.#serving === 0) this.#idle?.();
    });
    const rpc = { stream, headers, deadline };
    const path = headers[':path'] ?? '';
    const signal = exportMethods.get(path);
    if (headers[':method'] !== 'POST') {
      refuseText(stream, 405, '405 method not allowed, supported: [POST]');
    } else if (!isGrpc(headers['content-type'])) {
      if (signal !== undefined) this.#options.metrics.request('grpc', 415);
      refuseText(stream, 415, '415 unsupported media type, supported: [application/grpc]');
    } else if (signal !== undefined) {
      this.#export(rpc, signal);
    } else if (path === '/grpc.health.v1.Health/Check') {
      this.#operate(rpc, this.#health.check(rpc));
    } else if (path === '/grpc.health.v1.Health/Watch') {
      this.#operate(rpc, this.#health.watch(rpc));
    } else {
      refuseRpc(stream, new RpcError(grpcCode.unimplemented, `${path} is not served here`));
    }
  }

  async #export(rpc: Rpc, signal: Signal): Promise<void> {
    const { metrics, log } = this.#options;
    const { stream, deadline } = rpc;
    try {
      const partial = await takeRpc(this.#options, rpc, signal);
      metrics.request('grpc', grpcCode.ok);
      reply(stream, exportResponse('protobuf', signal, partial));
    } catch (thrown) {
      if (thrown instanceof Gone) {
        metrics.request('grpc', 'aborted');
        return;
      }
      const error = thrown instanceof RpcError ? thrown : asAppError(thrown);
      if (error instanceof AppError && error.code === 'internal') {
        log.error({ err: error }, 'an export call failed');
      }
      metrics.request('grpc', rpcCodeOf(error));
      refuseRpc(stream, error);
    }
    deadline.answered(() => stream.destroy());
  }

  async #operate({ stream }: Rpc, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof Gone)) {
        refuseRpc(stream, error instanceof RpcError ? error : asAppError(error));
      }
    }
  }
}

function ignore(): void {}

/** `application/grpc` or `application/grpc+proto`, with any parameters; not gRPC-Web and not its JSON. */
function isGrpc(contentType: string | undefined): boolean {
  if (contentType === 'application/grpc') return true;
  const type = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
  return type === 'application/grpc' || type === 'application/grpc+proto';
}

/** Connections in the clear, or through TLS, as they come; which protocol they speak is not known yet. */
function openListener(
  certificates: Certificates | undefined,
  connected: (socket: Socket) => void,
): Server {
  const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: limits.probeIdleMs };
  if (certificates === undefined) return createServer(options, connected);
  const tls = certificates.options('certified');
  const server = createTlsServer({
    ...tls,
    ...options,
    handshakeTimeout: limits.prefaceMs,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  certificates.follow(server, 'certified');
  server.on('secureConnection', connected);
  // A handshake that failed is its client's matter; without a listener Node hangs up as well.
  server.on('tlsClientError', ignore);
  return server;
}

/**
 * GOAWAY in two steps, as RFC 9113, 6.8 has it: what the peer sent before it heard of the first is still
 * served, and nothing is lost between. The connection closes when its calls are done.
 */
function retire(session: ServerHttp2Session): void {
  if (session.closed || session.destroyed) return;
  session.goaway(0, 2 ** 31 - 1);
  session.ping(() => {
    if (!session.destroyed) session.close();
  });
}

/** Not all at once: connections that began together would come again together. */
function retireAtAge(session: ServerHttp2Session, ageS: number): void {
  const ms = ageS * 1000 * (0.9 + 0.2 * Math.random());
  const timer = setTimeout(() => retire(session), ms);
  session.once('close', () => clearTimeout(timer));
}

function ended(session: ServerHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    session.once('close', resolve);
    if (session.destroyed) resolve();
    else session.close();
  });
}

/** Answers are with the kernel by then, or their reader does not read. */
const lastBytesMs = 500;
