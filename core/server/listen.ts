import type { AddressInfo, Server } from 'node:net';
import { AppError } from '../error.ts';

/** What every door does with the server that listens for it. */

export interface ListenOptions {
  host: string;
  port: number;
  /** What is served there, and the variable that says the port: for the message. */
  serves: string;
  variable: string;
}

/** @throws AppError `conflict` when the port is in use or the address is not ours */
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
