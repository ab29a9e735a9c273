import type { RequestListener, ServerResponse } from 'node:http';
import { constants, type Http2Stream } from 'node:http2';
import type { Server, Socket } from 'node:net';
import { limits } from '../limits.ts';
import { isHttp2 } from './web-server.ts';

/**
 * Bounds the connections of a listener, in all and of one address. A connection beyond a bound is closed at once:
 * exporters and browsers try again.
 */
export function boundConnections(
  server: Server,
  bounds: Pick<Record<keyof typeof limits, number>, 'connections' | 'addressConnections'> = limits,
): void {
  const byAddress = new Map<string, number>();
  let all = 0;
  server.prependListener('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    const ofAddress = (byAddress.get(remoteAddress) ?? 0) + 1;
    all += 1;
    byAddress.set(remoteAddress, ofAddress);
    socket.once('close', () => {
      all -= 1;
      const left = byAddress.get(remoteAddress)! - 1;
      if (left === 0) byAddress.delete(remoteAddress);
      else byAddress.set(remoteAddress, left);
    });
    if (all <= bounds.connections && ofAddress <= bounds.addressConnections) return;
    // The server's own listeners are still to see the socket.
    process.nextTick(() => socket.destroy());
  });
}

/**
 * Handles the requests of an HTTP/1.1 connection one after the other, and bounds those that wait. Node reads all
 * requests of a write before it answers the first: 256 KiB of `GET /metrics` are 7,000. So a client that does not read
 * holds one answer a connection in memory. HTTP/2 has a setting for it.
 */
export function boundPipelining(handle: RequestListener): RequestListener {
  /** Requests that wait behind the one in hand, by connection. */
  const turns = new WeakMap<Socket, (() => void)[]>();
  return (request, response) => {
    if (isHttp2(request)) {
      handle(request, response);
      return;
    }
    const { socket } = request;
    if (socket.destroyed) return;
    const waiting = turns.get(socket);
    // The one in hand counts too.
    if (waiting !== undefined && waiting.length + 1 >= limits.pipelinedRequests) {
      socket.destroy();
      return;
    }
    const begin = (): void => {
      response.once('close', () => {
        const next = turns.get(socket)?.shift();
        if (next === undefined || socket.destroyed) turns.delete(socket);
        else next();
      });
      handle(request, response);
    };
    if (waiting !== undefined) {
      waiting.push(begin);
      return;
    }
    turns.set(socket, []);
    begin();
  };
}

/**
 * Bounds the bytes of all answers that clients have not read yet. Beyond the bound, connections are closed of which
 * nothing was read for the longest time.
 */
export function boundUnread(
  handle: RequestListener,
  bytesMost: number = limits.unreadAnswerBytes,
): RequestListener {
  const open = new Map<ServerResponse, Unread>();
  let timer: NodeJS.Timeout | undefined;
  const check = (): void => {
    const nowMs = performance.now();
    let all = 0;
    for (const [response, unread] of open) {
      const bytes = unreadOf(response);
      if (bytes === 0 || bytes < unread.bytes) unread.sinceMs = nowMs;
      unread.bytes = bytes;
      all += bytes;
    }
    if (all <= bytesMost) return;
    const stalest = [...open].sort(([, a], [, b]) => a.sinceMs - b.sinceMs);
    for (const [response, { bytes, sinceMs }] of stalest) {
      if (all <= bytesMost) break;
      // Many who ask for one report at a time have its bytes together, and read at once.
      if (bytes === 0 || performance.now() - sinceMs < unreadGraceMs) continue;
      cut(response);
      all -= bytes;
    }
  };
  return (request, response) => {
    open.set(response, { bytes: 0, sinceMs: performance.now() });
    timer ??= setInterval(check, unreadCheckMs).unref();
    response.once('close', () => {
      open.delete(response);
      if (open.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    });
    handle(request, response);
  };
}

/** What a client had not read of an answer at the last check, and since when it read nothing. */
interface Unread {
  bytes: number;
  sinceMs: number;
}

const unreadCheckMs = 100;
/** A client that read something so lately is not cut off. */
const unreadGraceMs = 1_000;

/** The stream of an answer over HTTP/2. */
function streamOf(response: ServerResponse): Http2Stream | undefined {
  return (response as { stream?: Http2Stream }).stream;
}

function unreadOf(response: ServerResponse): number {
  return (streamOf(response) ?? response).writableLength;
}

function cut(response: ServerResponse): void {
  const stream = streamOf(response);
  if (stream === undefined) response.socket?.destroy();
  else stream.close(constants.NGHTTP2_CANCEL);
}
