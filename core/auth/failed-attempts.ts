import { isIPv6 } from 'node:net';
import { AppError } from '../error.ts';
import { limits } from '../limits.ts';

/**
 * Bounds the wrong keys of one address to `limits.failedKeys` within a period that begins with the first. A valid
 * key is looked up before this check, so senders that share the address (NAT, a proxy) are never locked out
 * (docs/decisions/0004-keys.md).
 */
export class FailedAttempts {
  readonly #now: () => number;
  /** In insertion order: the oldest period is first. */
  readonly #windows = new Map<string, { failures: number; untilMs: number }>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether the address has used up its attempts. */
  isSpent(address: string): boolean {
    return (this.#window(peerOf(address))?.failures ?? 0) >= limits.failedKeys;
  }

  /** @throws AppError `throttled` when the address has used up its attempts */
  check(address: string): void {
    const peer = peerOf(address);
    const window = this.#window(peer);
    if (window === undefined || window.failures < limits.failedKeys) return;
    const retryAfterS = Math.max(1, Math.ceil((window.untilMs - this.#now()) / 1000));
    const message = `${window.failures} wrong keys came from ${peer} within ${limits.failedKeysS} s; try again in ${retryAfterS} s`;
    throw new AppError('throttled', message, { retryAfterS });
  }

  /** Counts a wrong key. */
  add(address: string): void {
    const peer = peerOf(address);
    const window = this.#window(peer);
    if (window !== undefined) {
      window.failures += 1;
      return;
    }
    if (this.#windows.size >= limits.failedKeyAddresses) {
      this.#windows.delete(this.#windows.keys().next().value!);
    }
    const untilMs = this.#now() + limits.failedKeysS * 1000;
    this.#windows.set(peer, { failures: 1, untilMs });
  }

  /** The current period of a peer; an expired one is removed. */
  #window(peer: string) {
    const window = this.#windows.get(peer);
    if (window === undefined) return undefined;
    const leftMs = window.untilMs - this.#now();
    // After the clock was set back, a period would last too long: it ends now.
    if (leftMs > 0 && leftMs <= limits.failedKeysS * 1000) return window;
    this.#windows.delete(peer);
    return undefined;
  }
}

/** An IPv6 host can choose any address of its /64: all count as one peer. */
function peerOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  if (tail === undefined) return `${left.slice(0, 4).join(':')}::/64`;
  const right = tail === '' ? 0 : tail.split(':').length;
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right) }, () => '0');
  return `${[...left, ...zeros, ...tail.split(':')].slice(0, 4).join(':')}::/64`;
}
