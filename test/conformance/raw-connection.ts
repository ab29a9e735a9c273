import { connect, type Socket } from 'node:net';
import { protobufType } from '../support/export-request.ts';
import { inTime, waitFor } from './check.ts';

/** A connection on which bytes go out as they are, and what came back on it. */
export interface RawConnection {
  socket: Socket;
  /** All that came back so far, as Latin-1. */
  said(): string;
  /** Resolves with the same when an answer's head is complete. */
  answered(): Promise<string>;
  /** Resolves with the same when the server has closed. */
  closed(): Promise<string>;
}

/** @param address `http://127.0.0.1:4318` or `127.0.0.1:4317` */
export function rawConnection(address: string, ...pieces: (string | Buffer)[]): RawConnection {
  const { hostname, port } = new URL(address.includes('://') ? address : `http://${address}`);
  const socket = connect({ port: Number(port), host: hostname, noDelay: true });
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part));
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const said = () => Buffer.concat(parts).toString('latin1');
  for (const piece of pieces) socket.write(piece);
  return {
    socket,
    said,
    async answered() {
      await waitFor('the head of an answer', () => said().includes('\r\n\r\n'));
      return said();
    },
    async closed() {
      await inTime(closed, 'the end of the connection');
      return said();
    },
  };
}

/** The head of an export request of so many bytes, as text. @param more header lines, each with its end */
export function requestHead(length: number, more = '', target = '/v1/traces'): string {
  return `POST ${target} HTTP/1.1\r\nhost: x\r\ncontent-type: ${protobufType}\r\ncontent-length: ${length}\r\n${more}\r\n`;
}
