import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RawRequest } from '../frameworks/framework.ts';
import type { Guard } from '../guard.ts';
import {
  type Connection,
  connectionOf,
  type Ending,
  keepConnection,
  newRecord,
  type RequestRecord,
  recordOf,
} from './request-record.ts';

/** Gets every request when it ends. */
export interface RecordListener {
  /** Called when a request begins. True: the request gets no record and no span. */
  ignores(request: RawRequest): boolean;
  ended(record: RequestRecord, ending: Ending): void;
}

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  socket: Socket;
}

/**
 * Requests of node:http and node:https, from Node's diagnostics channels: nothing is patched. An aborted request has
 * no `finish` event, so one `close` listener on each connection ends its open records. Node publishes nothing for an
 * upgrade (WebSocket): it has no span.
 */
export function listenToHttp1(listener: RecordListener, guard: Guard): void {
  subscribe('http.server.request.start', (message) => {
    try {
      const { request, response, socket } = message as Exchange;
      if (listener.ignores(request)) return;
      const connection = connectionOf(socket) ?? opened(socket, listener, guard);
      const { method = 'GET', url = '/' } = request;
      connection.open.push(newRecord(request, response, method, url, connection));
    } catch (error) {
      guard.report('the start of a request', error);
    }
  });
  subscribe('http.server.response.finish', (message) => {
    try {
      const { request, response } = message as Exchange;
      const record = recordOf(request);
      if (record === undefined || record.isOver) return;
      const { open } = record.connection;
      // Without pipelining a connection has one open record.
      if (open.at(-1) === record) open.pop();
      else open.splice(open.indexOf(record), 1);
      record.isOver = true;
      const responseBytes = contentLength(response.getHeader('content-length'));
      listener.ended(record, { status: response.statusCode, isAborted: false, responseBytes });
    } catch (error) {
      guard.report('the end of a request', error);
    }
  });
}

/** Content-Length in bytes; undefined when the value is no whole number from 0 on. */
export function contentLength(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const length = Number(value);
  return Number.isSafeInteger(length) && length >= 0 ? length : undefined;
}

interface SocketFacts {
  remoteAddress?: string | undefined;
  encrypted?: boolean;
}

/** Reads peer and scheme while the socket is open: a closed socket has no peer address. */
export function connectionFacts(socket: SocketFacts | undefined): Connection {
  const peerAddress = socket?.remoteAddress;
  return { peerAddress, scheme: socket?.encrypted === true ? 'https' : 'http', open: [] };
}

function opened(socket: Socket, listener: RecordListener, guard: Guard): Connection {
  const connection = connectionFacts(socket);
  keepConnection(socket, connection);
  socket.once('close', () => {
    for (const record of connection.open.splice(0)) {
      guard.run('the end of an aborted request', () => abort(record, listener));
    }
  });
  return connection;
}

function abort(record: RequestRecord, listener: RecordListener): void {
  const { response } = record;
  record.isOver = true;
  listener.ended(record, {
    status: response?.headersSent === true ? response.statusCode : undefined,
    isAborted: true,
    responseBytes: undefined,
  });
}
