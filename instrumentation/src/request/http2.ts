import type { Http2Server, Http2ServerRequest, ServerHttp2Stream } from 'node:http2';
import type { Guard } from '../guard.ts';
import { connectionFacts, contentLength, type RecordListener } from './http1.ts';
import { type Connection, keepStream, newRecord, recordOfStream } from './request-record.ts';
import { withMeaning } from './response-headers.ts';

/**
 * Requests of an HTTP/2 server that begins to listen: a `stream` listener before the app's own. node:http2 is not
 * loaded for it (30 ms, 10 MB), and Node 20 and 22 have no channels for its streams.
 */
export function listenToHttp2(server: object, listener: RecordListener, guard: Guard): void {
  if (!/^Http2(Secure)?Server$/.test(server.constructor.name)) return;
  const http2 = server as Http2Server;
  const connections = new WeakMap<object, Connection>();
  http2.prependListener('stream', (stream, headers) => {
    guard.run('the start of an HTTP/2 request', () => {
      const request = requestOfStream(stream, headers);
      if (listener.ignores(request)) return;
      const connection = connectionOfStream(stream, connections);
      const { ':method': method = 'GET', ':path': path = '/' } = headers;
      keepStream(stream, newRecord(request, undefined, method, path, connection));
      stream.once('close', () => {
        guard.run('the end of an HTTP/2 request', () => endStream(stream, listener));
      });
    });
  });
  // Without a 'request' listener of the app, one of ours would turn the compatibility API on.
  if (http2.listenerCount('request') === 0) return;
  http2.prependListener('request', (request: Http2ServerRequest) => {
    const record = request.stream === undefined ? undefined : recordOfStream(request.stream);
    if (record !== undefined) record.request = request;
  });
}

function endStream(stream: ServerHttp2Stream, listener: RecordListener): void {
  const record = recordOfStream(stream);
  if (record === undefined || record.isOver) return;
  record.isOver = true;
  const sent = stream.sentHeaders as Record<string, unknown> | undefined;
  const status = sent?.[':status'];
  listener.ended(record, {
    status: typeof status === 'number' ? status : undefined,
    // RST_STREAM codes: NO_ERROR is 0. A client that leaves sends CANCEL or closes its connection.
    isAborted: stream.aborted || stream.rstCode !== 0 || status === undefined,
    responseBytes: contentLength(sent?.['content-length']),
    headers: sent === undefined ? undefined : withMeaning(sent),
  });
}

/** The properties of a request that are read here, for an app that uses streams and no request objects. */
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
