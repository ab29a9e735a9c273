import { connect, type Socket } from 'node:net';
import { protobufType } from '../../support/export-request.ts';
import { type GrpcConnection, openGrpc } from '../load/grpc-call.ts';

/** Senders that announce a body of 64 MiB and send little of it, over HTTP and over gRPC. */
const mib = 2 ** 20;

/** @param sent bytes of the body that each sends @param headers lines of the head, such as a key */
export function announceOverHttp(
  url: string,
  senders: number,
  sent: number,
  headers = '',
): Socket[] {
  const { hostname, port } = new URL(url);
  const head = `POST /v1/traces HTTP/1.1\r\nhost: x\r\n${headers}content-type: ${protobufType}\r\ncontent-length: ${64 * mib}\r\n\r\n`;
  return Array.from({ length: senders }, () => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {}).resume();
    socket.write(head);
    if (sent > 0) socket.write(Buffer.alloc(sent));
    return socket;
  });
}

/** On four connections. */
export async function announceOverGrpc(
  url: string,
  senders: number,
  sent: number,
  headers: Record<string, string> = {},
): Promise<GrpcConnection[]> {
  const announced = Buffer.from([0, 4, 0, 0, 0]);
  const opened = await Promise.all(Array.from({ length: 4 }, () => openGrpc(url)));
  for (let n = 0; n < senders; n += 1) {
    const stream = opened[n % opened.length]!.begin({ headers });
    stream.on('error', () => {});
    stream.write(announced);
    if (sent > 0) stream.write(Buffer.alloc(sent));
  }
  return opened;
}
