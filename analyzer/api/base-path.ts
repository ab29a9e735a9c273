import type { IncomingMessage } from 'node:http';
import { isPathPrefix } from '../../core/config/values.ts';
import { trustedPeers } from '../../core/server/trusted-networks.ts';

/**
 * The path prefix under which a proxy serves the analyzer. A proxy may strip the prefix (then it may say so with
 * X-Forwarded-Prefix) or pass it on (then ROLLCALL_BASE_PATH, or the same header, says what to strip here).
 */
export interface BasePath {
  /** Strips the prefix from the request's target, once, before a router reads it. */
  strip(request: IncomingMessage): Stripped;
}

export interface Stripped {
  /** The target as it came, without its query, was the prefix alone: its relative references would lead nowhere. */
  isBare: boolean;
}

/** The prefix that the browser sees, by request; absent when none is known. */
const knownPrefixes = new WeakMap<IncomingMessage, string>();

/** @param trustedProxies networks whose X-Forwarded-Prefix is believed */
export function openBasePath(basePath: string, trustedProxies: readonly string[]): BasePath {
  const isTrusted = trustedPeers(trustedProxies);
  return {
    strip(request) {
      const forwarded = isTrusted(request.socket.remoteAddress) ? forwardedPrefix(request) : '';
      const stripped = [basePath, forwarded].find((prefix) => hasPrefix(request, prefix));
      if (stripped === undefined) {
        if (forwarded !== '') knownPrefixes.set(request, forwarded);
        return { isBare: false };
      }
      // A proxy that passes the prefix on may repeat it in the header, or name one it stripped before.
      const isRepeated = forwarded.endsWith(stripped);
      knownPrefixes.set(request, isRepeated ? forwarded : `${forwarded}${stripped}`);
      const rest = request.url!.slice(stripped.length);
      request.url = rest.startsWith('/') ? rest : `/${rest}`;
      return { isBare: !rest.startsWith('/') };
    },
  };
}

/** `/rollcall`; undefined when no proxy told and none is configured: then references must be relative. */
export function knownPrefix(request: IncomingMessage): string | undefined {
  return knownPrefixes.get(request);
}

/**
 * Reference to `/` from the request's own address: from `/endpoints/7` it is `../`. It is relative unless the
 * prefix is known, so it holds below a prefix that a proxy strips without saying so.
 */
export function rootReference(request: IncomingMessage): string {
  const prefix = knownPrefix(request);
  if (prefix !== undefined) return `${prefix}/`;
  const path = (request.url ?? '/').split('?', 1)[0]!;
  const depth = path.split('/').length - 2;
  return depth <= 0 ? './' : '../'.repeat(depth);
}

function hasPrefix({ url = '' }: IncomingMessage, prefix: string): boolean {
  if (prefix === '' || !url.startsWith(prefix)) return false;
  return [undefined, '/', '?'].includes(url[prefix.length]);
}

/** Proxies behind each other add theirs to the list, the outermost first. '' for none, and for one that is no path. */
function forwardedPrefix({ headers }: IncomingMessage): string {
  const prefixes = String(headers['x-forwarded-prefix'] ?? '').split(',');
  const joined = prefixes.map((prefix) => prefix.trim().replace(/\/+$/, '')).join('');
  return isPathPrefix(joined) ? joined : '';
}
