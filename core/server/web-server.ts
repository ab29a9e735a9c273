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
 * A server of HTTP/1.1 in the clear or, with certificates, of HTTP/2 and HTTP/1.1 over TLS, as the client
 * chooses (ALPN). One handler serves all three: requests and responses of HTTP/2 behave like Node's own of
 * HTTP/1.1, except that a `connection` header is dropped and a body that was cut short may end as if it
 * were whole: see `cutShort`.
 */
export interface WebServer {
  /** In truth an Http2SecureServer when the scheme is https. */
  server: Server;
  scheme: 'http' | 'https';
  /** Cuts every connection, whatever it is doing. */
  closeAllConnections(): void;
}

export interface WebServerOptions {
  /** Node's own for HTTP/1.1 where absent. */
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

/** Whether HTTP/2 brought the request. `httpVersion` is no proof: in HTTP/1.1 the client writes it. */
export function isHttp2(request: IncomingMessage): boolean {
  return (request as object) instanceof Http2ServerRequest;
}

/** The connection that brought the request: its socket, or its session of HTTP/2, whose sockets are made anew. */
export function connectionOf(request: IncomingMessage & { stream?: Http2Stream }): object {
  return request.stream?.session ?? request.socket;
}

/** The client took the body back, and what came of it is no body. HTTP/1.1 never ends such a body. */
export function cutShort(request: { stream?: Http2Stream }): boolean {
  const { stream } = request;
  return stream !== undefined && (stream.closed || stream.aborted);
}

/** Ends a stream of HTTP/2 whose request nobody reads on; nothing to do for HTTP/1.1. */
export function stopSender(request: { stream?: Http2Stream }): void {
  request.stream?.close(constants.NGHTTP2_NO_ERROR);
}

/** HTTP/2's default of 64 KiB lets a sender wait for every 64 KiB to be acknowledged. */
const streamWindowBytes = 1024 * 1024;
const connectionWindowBytes = 4 * 1024 * 1024;
/** Requests at once on one connection; OTLP.md G10 asks for 100 of gRPC. */
const streamsMost = 256;

/** What Node watches over for HTTP/1.1 only: silent and endless requests, idle connections. */
function boundTime(server: Http2SecureServer, timeouts: ServerTimeouts): void {
  server.setTimeout(timeouts.silentSocketMs);
  server.on('session', (session) => {
    session.setLocalWindowSize(connectionWindowBytes);
    // An idle connection is kept as long as one of HTTP/1.1; after that Node ends it.
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
