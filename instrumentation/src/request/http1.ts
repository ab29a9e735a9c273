import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RawRequest } from '../frameworks/framework.ts';
import type { Guard } from '../guard.ts';
import {
  beginCall,
  type Call,
  type Connection,
  callOf,
  connectionOf,
  type Ending,
  keepConnection,
} from './request-record.ts';

/** Who wants to know of calls. */
export interface CallListener {
  /** Asked first: such a request costs nothing more. */
  ignores(request: RawRequest): boolean;
  ended(call: Call, ending: Ending): void;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  socket: Socket;
}

/**
 * The calls of node:http and node:https, from Node's own channels: nothing is patched. An aborted call has
 * no `finish`; one listener per connection, not per request, learns of it. Upgrades (WebSocket) are no calls:
 * Node publishes nothing for them.
 */
export function listenToHttp1(listener: CallListener, guard: Guard): void {
  subscribe('http.server.request.start', (message) => {
    try {
      const { request, response, socket } = message as Exchange;
      if (listener.ignores(request)) return;
      const connection = connectionOf(socket) ?? opened(socket, listener, guard);
      const { method = 'GET', url = '/' } = request;
      connection.open.push(beginCall(request, response, method, url, connection));
    } catch (error) {
      guard.tell('the start of a call', error);
    }
  });
  subscribe('http.server.response.finish', (message) => {
    try {
      const { request, response } = message as Exchange;
      const call = callOf(request);
      if (call === undefined || call.isOver) return;
      const { open } = call.connection;
      // Nearly always there is no other.
      if (open.at(-1) === call) open.pop();
      else open.splice(open.indexOf(call), 1);
      call.isOver = true;
      const responseBytes = contentLength(response.getHeader('content-length'));
      listener.ended(call, { status: response.statusCode, isAborted: false, responseBytes });
    } catch (error) {
      guard.tell('the end of a call', error);
    }
  });
}

/** A length that a header says; undefined when it says none. */
export function contentLength(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const length = Number(value);
  return Number.isSafeInteger(length) && length >= 0 ? length : undefined;
}

interface SocketFacts {
  remoteAddress?: string | undefined;
  encrypted?: boolean;
}

/** The facts of a connection, read while it stands: a closed socket knows its peer no more. */
export function connectionFacts(socket: SocketFacts | undefined): Connection {
  const peerAddress = socket?.remoteAddress;
  return { peerAddress, scheme: socket?.encrypted === true ? 'https' : 'http', open: [] };
}

function opened(socket: Socket, listener: CallListener, guard: Guard): Connection {
  const connection = connectionFacts(socket);
  keepConnection(socket, connection);
  socket.once('close', () => {
    for (const call of connection.open.splice(0)) {
      guard.run('the end of an aborted call', () => abort(call, listener));
    }
  });
  return connection;
}

function abort(call: Call, listener: CallListener): void {
  const { response } = call;
  call.isOver = true;
  listener.ended(call, {
    status: response?.headersSent === true ? response.statusCode : undefined,
    isAborted: true,
    responseBytes: undefined,
  });
}
