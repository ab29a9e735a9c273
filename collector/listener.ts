import type { AddressInfo, Server } from 'node:net';
import { AppError } from '../core/error.ts';

/** What both doors do with the server that listens for them. */

/** @param what is served there, for the message. @throws AppError `conflict` when the port is in use or the address is not ours */
export function listen(server: Server, host: string, port: number, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is in use' : error.message;
      reject(new AppError('conflict', `cannot listen on ${host}:${port} for ${what}: ${why}`));
    });
    server.listen(port, host, resolve);
  });
}

/** Host and port that were really taken, as they stand in a URL. */
export function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Waits for the work, but not for ever. */
export async function waitAtMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
