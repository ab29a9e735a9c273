import type { ServerResponse } from 'node:http';
import type { RawRequest } from './framework.ts';

/** One call that a server answers, from its start to its end. Lives on its request, under a symbol. */
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
  /** Calls that began and are not over: more than one with pipelining. */
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
}

const callKey = Symbol('rollcall.call');

interface Carrier {
  [callKey]?: Call;
  stream?: Carrier | undefined;
}

/** Begins a call and leaves it on `carrier`: a request, or a stream of HTTP/2. */
export function beginCall(
  carrier: object,
  request: RawRequest,
  response: ServerResponse | undefined,
  method: string,
  target: string,
  connection: Connection,
): Call {
  const call: Call = {
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
  (carrier as Carrier)[callKey] = call;
  return call;
}

/** The call of a request, or of the stream under it; undefined when it is not counted. */
export function callOf(carrier: object): Call | undefined {
  return (carrier as Carrier)[callKey] ?? (carrier as Carrier).stream?.[callKey];
}
