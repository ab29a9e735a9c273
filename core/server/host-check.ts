import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Config } from '../config/config.ts';
import { isLoopback } from '../config/values.ts';
import { AppError } from '../error.ts';

/**
 * Refuses requests that a web page sends to its own name after it let that name resolve to a loopback address (DNS
 * rebinding): then a browser takes the service on this machine for the page's own server. A browser writes the page's
 * name in `Host`. An address there belongs to a page of that address, which cannot be rebound.
 */
export type HostCheck = (request: IncomingMessage) => void;

/** @returns undefined where requests need a key, or come from other machines anyway: then any name is served */
export function openHostCheck({
  auth,
  host,
  allowedHosts,
}: Pick<Config, 'auth' | 'host' | 'allowedHosts'>): HostCheck | undefined {
  if (auth !== 'off' || !isLoopback(host)) return undefined;
  const allowed = new Set(['', ...allowedHosts]);
  return ({ headers }) => {
    const name = nameOf(String(headers[':authority'] ?? headers.host ?? ''));
    if (allowed.has(name) || isOwnName(name)) return;
    const message = `the request is to the host ${JSON.stringify(name.slice(0, 100))}; without keys only localhost, addresses and the names of ROLLCALL_ALLOWED_HOSTS are served`;
    throw new AppError('forbidden', message);
  };
}

/** Of `name:port`, in lower case, without the dot of the root. */
function nameOf(host: string): string {
  return host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
}

function isOwnName(name: string): boolean {
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0;
}
