import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';

/** A Rollcall that answers badly, to every connection in the same way. */
export interface BadRollcall {
  url: string;
  /** Requests that came. */
  requests(): number;
  close(): Promise<void>;
}

export const badAnswers = {
  '429': 'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n',
  '500': 'HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops',
  garbage: '\x00\x01 this is not HTTP \xff\xfe\r\n\r\n',
  hangs: undefined,
} as const;

export type BadAnswer = keyof typeof badAnswers;

export async function startBadRollcall(kind: BadAnswer): Promise<BadRollcall> {
  const answer = badAnswers[kind];
  let requests = 0;
  const sockets = new Set<{ destroy(): void }>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let head = '';
    let bodyBytes = 0;
    socket.on('data', (bytes) => {
      // One request at a time, of a length that its head says.
      if (bodyBytes === 0) {
        head += bytes.toString('latin1');
        const headBytes = head.indexOf('\r\n\r\n') + 4;
        if (headBytes < 4) return;
        bodyBytes = Number(/^content-length: (\d+)/im.exec(head)![1]) - (head.length - headBytes);
        head = '';
      } else {
        bodyBytes -= bytes.length;
      }
      if (bodyBytes > 0) return;
      requests += 1;
      if (answer !== undefined) socket.write(answer, 'latin1');
      if (kind === 'garbage') socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
