import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { RawRequest } from '../frameworks/framework.ts';
import type { ResponseHeaders } from './response-headers.ts';

/** One call that a server answers, from its start to its end. */
export interface Call {
  request: RawRequest;
  /** Of HTTP/1.1; a call of HTTP/2 has its stream. */
  readonly response: ServerResponse | undefined;
  /** As they came: middleware may rewrite them. */
  readonly method: string;
  readonly target: string;
  readonly connection: Connection;
  /** Milliseconds since the epoch, and of the monotonic clock. */
  readonly startEpochMs: number;
  readonly startMs: number;
  /** What frameworks noted. */
  route: string | undefined;
  error: unknown;
  /** Its span was made. */
  isOver: boolean;
}

/** What does not change between the calls of one connection. */
export interface Connection {
  /** undefined for a socket of the file system. */
  readonly peerAddress: string | undefined;
  readonly scheme: 'http' | 'https';
  /** Of HTTP/1.1: calls that began and are not over, more than one with pipelining. */
  readonly open: Call[];
}

/** How a call ended. */
export interface Ending {
  /** undefined when no head of an answer was sent. */
  readonly status: number | undefined;
  /** The connection or stream was gone before the answer was whole. */
  readonly isAborted: boolean;
  /** Content-Length of the answer, if it has one and a body. */
  readonly responseBytes: number | undefined;
  /** Of HTTP/2; an answer over HTTP/1.1 has its head. */
  readonly headers?: ResponseHeaders | undefined;
}

/**
 * Where calls are found again: not on requests and sockets, which a property gives another shape. Node's own
 * functions see those of the exporter's client as well, and are slower at many shapes.
 */
const connections = new WeakMap<object, Connection>();
const streams = new WeakMap<object, Call>();

/** Of HTTP/1.1. */
export function connectionOf(socket: object): Connection | undefined {
  return connections.get(socket);
}

export function keepConnection(socket: object, connection: Connection): void {
  connections.set(socket, connection);
}

export function keepStream(stream: object, call: Call): void {
  streams.set(stream, call);
}

export function beginCall(
  request: RawRequest,
  response: ServerResponse | undefined,
  method: string,
  target: string,
  connection: Connection,
): Call {
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

/** The call of a request that is not over; undefined when it is, or is not counted. */
export function callOf(request: RawRequest): Call | undefined {
  const { stream } = request as { stream?: object };
  // An app may keep something of its own there.
  const ofStream = stream === undefined ? undefined : streams.get(stream);
  if (ofStream !== undefined) return ofStream;
  const open = connections.get(request.socket)?.open;
  // Pipelined requests are rare.
  if (open === undefined || open[0]?.request === request) return open?.[0];
  return open.find((call) => call.request === request);
}

/** @param stream of HTTP/2 */
export function callOfStream(stream: object): Call | undefined {
  return streams.get(stream);
}
