import type { Socket } from 'node:net';
import { limits } from '../../core/limits.ts';

/**
 * Reads the first bytes of a connection and passes it on with them when they begin HTTP/2. A client that speaks
 * HTTP/1.1 has mixed up the ports and gets an answer in HTTP/1.1 (docs/conformance.md H10); Node's HTTP/2 would
 * only close the connection.
 */
export function whenHttp2(socket: Socket, isHttp2: () => void): void {
  let begun: Buffer = Buffer.alloc(0);
  const read = (): void => {
    for (let part = socket.read(); part !== null; part = socket.read()) {
      begun = Buffer.concat([begun, part as Buffer]);
    }
    const length = Math.min(begun.length, preface.length);
    if (!begun.subarray(0, length).equals(preface.subarray(0, length))) {
      release();
      refuse(socket, begun);
    } else if (length === preface.length) {
      release();
      socket.unshift(begun);
      isHttp2();
    }
  };
  const destroy = (): void => {
    socket.destroy();
  };
  const release = (): void => {
    socket.off('readable', read);
    socket.off('timeout', destroy);
    socket.off('end', destroy);
    socket.setTimeout(0);
  };
  socket.on('error', destroy);
  socket.on('readable', read);
  socket.on('timeout', destroy);
  socket.on('end', destroy);
  socket.setTimeout(limits.prefaceMs);
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function refuse(socket: Socket, begun: Buffer): void {
  if (!/^[A-Z]{1,32} /.test(begun.toString('latin1', 0, 33))) {
    socket.destroy();
    return;
  }
  const head = `HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: ${text.length}`;
  socket.end(`${head}\r\nconnection: close\r\n\r\n${text}`);
  // What still comes is read, for a while: closing on a client that sends could cost it the answer.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), limits.discardMs);
  socket.once('close', () => clearTimeout(timer));
}

const text =
  'this is OTLP over gRPC (HTTP/2); OTLP over HTTP/1.1 has a port of its own, usually 4318';
