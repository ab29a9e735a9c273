import ipaddr from 'ipaddr.js';
import { AppError } from '../../../core/error.ts';
import { limits } from '../../../core/limits.ts';
import { privateNetworks } from '../../../core/server/trusted-networks.ts';

/**
 * Client addresses: their canonical text, and which of them are trusted proxies. The only file that imports
 * ipaddr.js.
 */

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

/**
 * The canonical text of an address: IPv6 as RFC 5952 writes it, IPv4-mapped as IPv4, without port,
 * brackets, quotes and zone. '' when the text is no address.
 */
export function canonicalAddress(text: string): string {
  return parseAddress(text)?.toString() ?? '';
}

/**
 * The network that truncated privacy stores: /24 of IPv4, /48 of IPv6. The first 48 bits of a 6to4 address hold
 * an IPv4 address, so it is truncated to /40.
 * @param address canonical
 */
export function networkOf(address: string): string {
  const parsed = parseAddress(address);
  if (parsed === undefined) return '';
  const is6to4 = parsed.kind() === 'ipv6' && matches(parsed, ...sixToFour);
  const bits = parsed.kind() === 'ipv4' ? 24 : is6to4 ? 40 : 48;
  const bytes = parsed.toByteArray().fill(0, bits / 8);
  return `${ipaddr.fromByteArray(bytes).toString()}/${bits}`;
}

/** The networks whose forwarding headers are trusted (ROLLCALL_TRUSTED_PROXIES). */
export class TrustedProxies {
  readonly #networks: Network[] = [];

  /** @param texts networks in CIDR notation, single addresses, `private`, `none`
   *  @throws AppError `invalid` that names the text that is none of these */
  constructor(texts: readonly string[]) {
    for (const text of texts) {
      if (text === 'none') continue;
      const cidrs = text === 'private' ? privateNetworks : [text];
      this.#networks.push(...cidrs.map(parseNetwork));
    }
  }

  /** No proxy is trusted: forwarding headers are ignored. */
  get isEmpty(): boolean {
    return this.#networks.length === 0;
  }

  /** @param address canonical */
  trusts(address: string): boolean {
    const parsed = parseAddress(address);
    if (parsed === undefined) return false;
    return this.#networks.some(
      ([network, bits]) => network.kind() === parsed.kind() && matches(parsed, network, bits),
    );
  }

  /**
   * The client among the hops of a forwarding header, oldest first. Each proxy appends the address that called
   * it, so the nearest hop that is not a trusted proxy is the client; hops further left are its own claims.
   * When all are trusted, the oldest.
   * @returns canonical; '' when that hop is not an address
   */
  clientOf(hops: readonly string[]): string {
    for (let i = hops.length - 1; i >= 0; i -= 1) {
      const address = canonicalAddress(hops[i]!);
      if (i === 0 || address === '' || !this.trusts(address)) return address;
    }
    return '';
  }
}

/** The hops of X-Forwarded-For, oldest first. @param values one for each header of that name */
export function forwardedForHops(values: readonly string[]): string[] {
  return lastElements(values).map((hop) => hop.trim());
}

/**
 * The elements of lists with commas that are not blank, as one list. Of a long one the last: a list is walked
 * from its end, and whoever calls can make its beginning as long as a request may be.
 */
function lastElements(values: readonly string[]): string[] {
  const elements: string[] = [];
  let bytesLeft: number = limits.forwardingBytes;
  for (let i = values.length - 1; i >= 0; i -= 1) {
    const value = values[i]!;
    for (let end = value.length; end >= 0; ) {
      const comma = end === 0 ? -1 : value.lastIndexOf(',', end - 1);
      const element = value.slice(comma + 1, end);
      bytesLeft -= end - comma;
      if (bytesLeft < 0) return elements.reverse();
      if (element.trim() !== '') elements.push(element);
      if (elements.length === limits.forwardingHops) return elements.reverse();
      end = comma;
    }
  }
  return elements.reverse();
}

/** The hops of Forwarded (RFC 7239), oldest first; an element without `for` is a hop without address. */
export function forwardedHops(values: readonly string[]): string[] {
  const hops: string[] = [];
  for (const element of lastElements(values)) {
    hops.push(/(?:^|;)\s*for\s*=\s*("[^"]*"|[^;]*)/i.exec(element)?.[1]?.trim() ?? 'unknown');
  }
  return hops;
}

/** RFC 3056: 16 bits, then an IPv4 address. */
const sixToFour: Network = [ipaddr.IPv6.parse('2002::'), 16];

/** Longer texts are not addresses: a bracketed IPv6 address with zone and port is shorter. */
const addressCharacters = 128;

function parseAddress(text: string): Address | undefined {
  if (text.length > addressCharacters) return undefined;
  let bare = text.trim().replace(/^"(.*)"$/, '$1');
  // RFC 7239, 6.3: a port may be hidden behind a name, `_x7`.
  const bracketed = /^\[([^\]]*)\](?::(?:\d*|_[\w.-]+))?$/.exec(bare);
  if (bracketed) bare = bracketed[1]!;
  else if (/^[\d.]+:(?:\d*|_[\w.-]+)$/.test(bare)) bare = bare.slice(0, bare.indexOf(':'));
  // Only four decimal parts: `127.1` and `0x7f000001` are addresses to the C library, not in a header.
  if (ipaddr.IPv4.isValidFourPartDecimal(bare)) return ipaddr.IPv4.parse(bare);
  bare = bare.replace(/%.*$/, '');
  if (!bare.includes(':') || !ipaddr.IPv6.isValid(bare)) return undefined;
  const address = ipaddr.IPv6.parse(bare);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function parseNetwork(text: string): Network {
  const [address, bits, ...rest] = text.split('/');
  const parsed = parseAddress(address!);
  const bitsMax = parsed?.kind() === 'ipv4' ? 32 : 128;
  const prefix = bits === undefined ? bitsMax : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (parsed === undefined || rest.length > 0 || prefix < 0 || prefix > bitsMax) {
    throw new AppError(
      'invalid',
      `trusted proxy ${JSON.stringify(text)} is no network in CIDR form`,
    );
  }
  return [parsed, prefix];
}

function matches(address: Address, network: Address, bits: number): boolean {
  return address.kind() === 'ipv4'
    ? (address as ipaddr.IPv4).match(network as ipaddr.IPv4, bits)
    : (address as ipaddr.IPv6).match(network as ipaddr.IPv6, bits);
}
