import type { AddressInfo, Server } from 'node:net';
import { AppError } from '../error.ts';

/** How a server listens. */

export interface ListenOptions {
  host: string;
  port: number;
  /** For the error: what the port serves, and the variable that sets it. */
  serves: string;
  variable: string;
}

/** @throws AppError `conflict` when the port is in use or this machine does not have the address */
export function listen(
  server: Server,
  { host, port, serves, variable }: ListenOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'the port is in use' : cause.message;
      const message = `cannot listen on ${host}:${port} for ${serves}: ${why} (${variable}, ROLLCALL_HOST)`;
      reject(new AppError('conflict', message, { cause, field: variable }));
    });
    server.listen(port, host, resolve);
  });
}

/** The actual host and port, in URL syntax. */
export function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Waits for the work, at most this long. */
export async function waitAtMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
