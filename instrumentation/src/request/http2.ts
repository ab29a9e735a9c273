import type { Http2Server, Http2ServerRequest, ServerHttp2Stream } from 'node:http2';
import type { Guard } from '../guard.ts';
import { type CallListener, connectionFacts, contentLength } from './http1.ts';
import { beginCall, type Connection, callOfStream, keepStream } from './request-record.ts';
import { withMeaning } from './response-headers.ts';

/**
 * The calls of an HTTP/2 server, for one that begins to listen: a listener of its streams, ahead of the app's.
 * node:http2 itself is not loaded for it (30 ms and 10 MB), and its channels are not in Node 20 and 22.
 */
export function listenToHttp2(server: object, listener: CallListener, guard: Guard): void {
  if (!/^Http2(Secure)?Server$/.test(server.constructor.name)) return;
  const http2 = server as Http2Server;
  const connections = new WeakMap<object, Connection>();
  http2.prependListener('stream', (stream, headers) => {
    guard.run('the start of an HTTP/2 call', () => {
      const request = requestOfStream(stream, headers);
      if (listener.ignores(request)) return;
      const connection = connectionOfStream(stream, connections);
      const { ':method': method = 'GET', ':path': path = '/' } = headers;
      keepStream(stream, beginCall(request, undefined, method, path, connection));
      stream.once('close', () => {
        guard.run('the end of an HTTP/2 call', () => endStream(stream, listener));
      });
    });
  });
  // A listener of 'request' where the app has none would make it one of the compatibility API.
  if (http2.listenerCount('request') === 0) return;
  http2.prependListener('request', (request: Http2ServerRequest) => {
    const call = request.stream === undefined ? undefined : callOfStream(request.stream);
    if (call !== undefined) call.request = request;
  });
}

function endStream(stream: ServerHttp2Stream, listener: CallListener): void {
  const call = callOfStream(stream);
  if (call === undefined || call.isOver) return;
  call.isOver = true;
  const sent = stream.sentHeaders as Record<string, unknown> | undefined;
  const status = sent?.[':status'];
  listener.ended(call, {
    status: typeof status === 'number' ? status : undefined,
    // NO_ERROR is 0; a client that goes away cancels, or takes its connection with it.
    isAborted: stream.aborted || stream.rstCode !== 0 || status === undefined,
    responseBytes: contentLength(sent?.['content-length']),
    headers: sent === undefined ? undefined : withMeaning(sent),
  });
}

/** What stands for the request where the app speaks to streams: the parts that are read of it. */
function requestOfStream(stream: ServerHttp2Stream, headers: object): Http2ServerRequest {
  return { headers, httpVersion: '2.0', httpVersionMajor: 2, stream } as Http2ServerRequest;
}

function connectionOfStream(
  stream: ServerHttp2Stream,
  connections: WeakMap<object, Connection>,
): Connection {
  const { session } = stream;
  if (session === undefined) return connectionFacts(undefined);
  let connection = connections.get(session);
  if (connection === undefined) {
    connection = connectionFacts(session.socket);
    connections.set(session, connection);
  }
  return connection;
}
