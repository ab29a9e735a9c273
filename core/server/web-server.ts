import { createServer, type IncomingMessage, type Server } from 'node:http';
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  Http2ServerRequest,
  type Http2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { limits } from '../limits.ts';
import type { Certificates, TlsClients } from './certificates.ts';

/**
 * A server for HTTP/1.1 without TLS or, with certificates, for HTTP/2 and HTTP/1.1 over TLS, by ALPN. One handler
 * serves all three. HTTP/2 requests behave like HTTP/1.1 ones with two exceptions: a `connection` header is
 * dropped, and a truncated body may end like a complete one (see `cutShort`).
 */
export interface WebServer {
  /** At run time an Http2SecureServer when the scheme is https. */
  server: Server;
  scheme: 'http' | 'https';
  /** Closes every connection at once, busy or not. */
  closeAllConnections(): void;
}

export interface WebServerOptions {
  /** Default: Node's own for HTTP/1.1. */
  timeouts?: ServerTimeouts;
  tls?: { certificates: Certificates; clients: TlsClients } | undefined;
}

/** See limits.ts. */
export type ServerTimeouts = Record<
  'keepAliveMs' | 'headersMs' | 'requestMs' | 'silentSocketMs' | 'timeoutCheckMs',
  number
>;

export function createWebServer({ timeouts, tls }: WebServerOptions): WebServer {
  const http1 = {
    maxHeaderSize: limits.headerBytes,
    ...(timeouts && {
      keepAliveTimeout: timeouts.keepAliveMs,
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      connectionsCheckingInterval: timeouts.timeoutCheckMs,
    }),
  };
  if (tls === undefined) {
    const server = createServer(http1);
    if (timeouts) server.timeout = timeouts.silentSocketMs;
    return { server, scheme: 'http', closeAllConnections: () => server.closeAllConnections() };
  }
  const { certificates, clients } = tls;
  const server = createSecureServer({
    ...certificates.options(clients),
    ...http1,
    allowHTTP1: true,
    handshakeTimeout: (timeouts ?? limits).silentSocketMs,
    settings: {
      initialWindowSize: streamWindowBytes,
      maxHeaderListSize: limits.headerBytes,
      maxConcurrentStreams: streamsMost,
      enablePush: false,
    },
  });
  certificates.follow(server, clients);
  boundTime(server, timeouts ?? limits);
  return {
    server: server as unknown as Server,
    scheme: 'https',
    closeAllConnections: connectionCutter(server),
  };
}

/** Whether the request came over HTTP/2. `httpVersion` does not prove it: an HTTP/1.1 client can write any. */
export function isHttp2(request: IncomingMessage): boolean {
  return (request as object) instanceof Http2ServerRequest;
}

/** The connection of a request: its socket, or its HTTP/2 session (each access to a stream's socket makes a new proxy). */
export function connectionOf(request: IncomingMessage & { stream?: Http2Stream }): object {
  return request.stream?.session ?? request.socket;
}

/** Whether the client reset the stream, so that the body is incomplete. In HTTP/1.1 such a body never ends. */
export function cutShort(request: { stream?: Http2Stream }): boolean {
  const { stream } = request;
  return stream !== undefined && (stream.closed || stream.aborted);
}

/** Ends an HTTP/2 stream whose body is no longer read. Does nothing for HTTP/1.1. */
export function stopSender(request: { stream?: Http2Stream }): void {
  request.stream?.close(constants.NGHTTP2_NO_ERROR);
}

/** With HTTP/2's default of 64 KiB a sender waits for a round trip every 64 KiB. */
const streamWindowBytes = 1024 * 1024;
const connectionWindowBytes = 4 * 1024 * 1024;
/** Concurrent requests on one connection; docs/conformance.md G10 requires 100 for gRPC. */
const streamsMost = 256;

/** Deadlines for silent and endless requests and idle connections, which Node applies to HTTP/1.1 only. */
function boundTime(server: Http2SecureServer, timeouts: ServerTimeouts): void {
  server.setTimeout(timeouts.silentSocketMs);
  server.on('session', (session) => {
    session.setLocalWindowSize(connectionWindowBytes);
    // An idle connection is kept as long as an HTTP/1.1 one.
    session.setTimeout(timeouts.keepAliveMs);
  });
  server.on('stream', (stream) => {
    const cancel = () => stream.close(constants.NGHTTP2_CANCEL);
    stream.setTimeout(timeouts.silentSocketMs, cancel);
    const timer = setTimeout(cancel, timeouts.requestMs);
    stream.once('end', () => clearTimeout(timer));
    stream.once('close', () => clearTimeout(timer));
  });
}

function connectionCutter(server: Http2SecureServer): () => void {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}
