import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { RawRequest } from '../frameworks/framework.ts';
import type { ResponseHeaders } from './response-headers.ts';

/** One request of a server, from its start to its end. */
export interface RequestRecord {
  request: RawRequest;
  /** undefined over HTTP/2, where the stream is used. */
  readonly response: ServerResponse | undefined;
  /** As the client sent them: middleware may change the request's own properties. */
  readonly method: string;
  readonly target: string;
  readonly connection: Connection;
  /** Milliseconds since the epoch, and of the monotonic clock. */
  readonly startEpochMs: number;
  readonly startMs: number;
  /** Set by a framework while the request is handled. */
  route: string | undefined;
  error: unknown;
  /** True when its span was made. */
  isOver: boolean;
}

/** Facts that all requests of one connection share. */
export interface Connection {
  /** undefined for a Unix domain socket. */
  readonly peerAddress: string | undefined;
  readonly scheme: 'http' | 'https';
  /** HTTP/1.1: requests that have begun and not ended, in order; several with pipelining. */
  readonly open: RequestRecord[];
}

/** How a request ended. */
export interface Ending {
  /** undefined when no response head was sent. */
  readonly status: number | undefined;
  /** True when the connection or stream closed before the response was complete. */
  readonly isAborted: boolean;
  /** Content-Length of the response; undefined without one. */
  readonly responseBytes: number | undefined;
  /** HTTP/2 only; over HTTP/1.1 the response object has its head. */
  readonly headers?: ResponseHeaders | undefined;
}

/**
 * Records by socket and by stream. A property on requests or sockets would give them another hidden class, and Node's
 * own functions, which also see the exporter's sockets, are slower with several classes.
 */
const connections = new WeakMap<object, Connection>();
const streams = new WeakMap<object, RequestRecord>();

/** HTTP/1.1. */
export function connectionOf(socket: object): Connection | undefined {
  return connections.get(socket);
}

export function keepConnection(socket: object, connection: Connection): void {
  connections.set(socket, connection);
}

export function keepStream(stream: object, record: RequestRecord): void {
  streams.set(stream, record);
}

export function newRecord(
  request: RawRequest,
  response: ServerResponse | undefined,
  method: string,
  target: string,
  connection: Connection,
): RequestRecord {
  return {
    request,
    response,
    method,
    target,
    connection,
    startEpochMs: Date.now(),
    startMs: performance.now(),
    route: undefined,
    error: undefined,
    isOver: false,
  };
}

/** The record of a request that has not ended; undefined when it has ended or is ignored. */
export function recordOf(request: RawRequest): RequestRecord | undefined {
  const { stream } = request as { stream?: object };
  // HTTP/1.1 requests have no stream, but an app may set a property of that name.
  const ofStream = stream === undefined ? undefined : streams.get(stream);
  if (ofStream !== undefined) return ofStream;
  const open = connections.get(request.socket)?.open;
  // Pipelining is rare: nearly always the only record is the one.
  if (open === undefined || open[0]?.request === request) return open?.[0];
  return open.find((record) => record.request === request);
}

/** The record of an HTTP/2 stream. */
export function recordOfStream(stream: object): RequestRecord | undefined {
  return streams.get(stream);
}
