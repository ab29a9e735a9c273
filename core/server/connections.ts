import type { RequestListener } from 'node:http';
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
 * Bounds the requests of an HTTP/1.1 connection that have no answer yet. Node reads all requests of a write before
 * it answers the first: 256 KiB of `GET /metrics` are 7,000. HTTP/2 has a setting for it.
 */
export function boundPipelining(handle: RequestListener): RequestListener {
  const unanswered = new WeakMap<Socket, number>();
  return (request, response) => {
    if (isHttp2(request)) {
      handle(request, response);
      return;
    }
    const { socket } = request;
    if (socket.destroyed) return;
    const count = (unanswered.get(socket) ?? 0) + 1;
    if (count > limits.pipelinedRequests) {
      socket.destroy();
      return;
    }
    unanswered.set(socket, count);
    response.once('close', () => unanswered.set(socket, unanswered.get(socket)! - 1));
    handle(request, response);
  };
}
