import type { CallDictionary } from '../../../core/call.ts';
import { grown } from '../../../core/column.ts';
import { sameBytes } from '../../intern/hash.ts';
import { Interner } from '../../intern/interner.ts';
import type { AttributeSlots } from '../../otlp/attributes.ts';
import type { TracesReader } from '../../otlp/traces-reader.ts';
import { mark, slot } from '../span-attributes.ts';
import {
  canonicalAddress,
  forwardedForHops,
  forwardedHops,
  type TrustedProxies,
} from './address.ts';

/** What a span said of its client is no address. */
export const invalidClient = -1;

/**
 * Who called: OTLP.md 2.1 and X21. An instrumentation puts the first hop of X-Forwarded-For into
 * `client.address` whoever sent it, so where the peer is known and another one, it must be a trusted
 * proxy, or the peer itself is the client. Each distinct text is parsed once.
 */
export class ClientCache {
  readonly #dictionary: CallDictionary;
  readonly #proxies: TrustedProxies;
  readonly #texts = new Interner();
  // By number of the text: the client's number plus `known`, and whether it is a trusted proxy.
  #clients = new Int32Array(256);
  #trusted = new Int32Array(256);

  constructor(dictionary: CallDictionary, proxies: TrustedProxies) {
    this.#dictionary = dictionary;
    this.#proxies = proxies;
  }

  /** What is remembered, as a share of `limits.internedStrings`. */
  get weight(): number {
    return this.#texts.weight;
  }

  clear(): void {
    this.#texts.clear();
    this.#clients = new Int32Array(256);
    this.#trusted = new Int32Array(256);
  }

  /** The dictionary's number of the span's client; 0 when the span names none, or `invalidClient`. */
  clientOf(walk: TracesReader): number {
    const { attributes } = walk;
    const claimed = attributes.firstString(claimedSlots);
    const peer = attributes.firstString(peerSlots);
    if (claimed < 0 && (attributes.marks & mark.forwarding) !== 0) {
      return this.#forwarded(walk, peer);
    }
    if (claimed < 0) return peer < 0 ? 0 : this.#number(walk, peer);
    const client = this.#number(walk, claimed);
    if (peer < 0 || sameText(walk, claimed, peer)) return client;
    const peerClient = this.#number(walk, peer);
    // A peer that is no address is a socket in the file system: a proxy of the same machine.
    if (peerClient === client || peerClient === invalidClient) return client;
    return this.#isTrusted(walk, peer) ? client : peerClient;
  }

  /** From the forwarding headers, which count when the peer is trusted or, while anybody is, not known. */
  #forwarded(walk: TracesReader, peer: number): number {
    const { attributes } = walk;
    if (peer >= 0) {
      const peerClient = this.#number(walk, peer);
      if (peerClient !== invalidClient && !this.#isTrusted(walk, peer)) return peerClient;
    }
    if (this.#proxies.isEmpty) return peer < 0 ? 0 : this.#number(walk, peer);
    const hops = forwardingHops(attributes);
    if (hops.length === 0) return peer < 0 ? 0 : this.#number(walk, peer);
    const address = this.#proxies.clientOf(hops);
    return address === '' ? invalidClient : this.#dictionary.client(address);
  }

  #number(walk: TracesReader, place: number): number {
    const { attributes, cursor } = walk;
    const start = attributes.start(place);
    const length = attributes.end(place) - start;
    if (length > textBytesMax) return this.#parse(attributes.text(place));
    const text = this.#texts.intern(cursor.bytes, cursor.view, start, length);
    if (text >= this.#clients.length) {
      this.#clients = grown(this.#clients, 2 * this.#clients.length);
      this.#trusted = grown(this.#trusted, 2 * this.#trusted.length);
    }
    const found = this.#clients[text]!;
    if (found !== 0) return found - known;
    const client = this.#parse(this.#texts.text(text));
    this.#clients[text] = client + known;
    return client;
  }

  #isTrusted(walk: TracesReader, place: number): boolean {
    const { attributes, cursor } = walk;
    const start = attributes.start(place);
    const length = attributes.end(place) - start;
    if (length > textBytesMax) return false;
    const text = this.#texts.intern(cursor.bytes, cursor.view, start, length);
    if (this.#trusted[text] === 0) {
      const address = canonicalAddress(this.#texts.text(text));
      this.#trusted[text] = this.#proxies.trusts(address) ? 1 : -1;
    }
    return this.#trusted[text] === 1;
  }

  /** Some put the whole X-Forwarded-For where one address belongs. */
  #parse(text: string): number {
    const address = text.includes(',')
      ? this.#proxies.clientOf(forwardedForHops([text]))
      : canonicalAddress(text);
    return address === '' ? invalidClient : this.#dictionary.client(address);
  }
}

function sameText({ attributes, cursor: { view } }: TracesReader, a: number, b: number): boolean {
  const [aStart, bStart] = [attributes.start(a), attributes.start(b)];
  const length = attributes.end(a) - aStart;
  return attributes.end(b) - bStart === length && sameBytes(view, aStart, view, bStart, length);
}

/** Tells nobody (0) and `invalidClient` (-1) from what was not looked at yet. */
const known = 2;

const claimedSlots = [slot.client, slot.oldClient, slot.rustClient];
const peerSlots = [slot.peer, slot.oldSocketPeer, slot.oldPeer, slot.otherPeer];
const forwardedForSlots = [slot.forwardedFor, slot.oldForwardedFor];
const singleHopSlots = [slot.realIp, slot.oldRealIp, slot.cfConnectingIp, slot.oldCfConnectingIp];

/** Longer texts are lists of hops: parsed each time, not kept. */
const textBytesMax = 128;

/** The hops of the first forwarding header that is there. */
function forwardingHops(attributes: AttributeSlots): string[] {
  for (const place of forwardedForSlots) {
    const hops = forwardedForHops(attributes.texts(place));
    if (hops.length > 0) return hops;
  }
  const hops = forwardedHops(attributes.texts(slot.forwarded));
  if (hops.length > 0) return hops;
  for (const place of singleHopSlots) {
    // One address each; where a sender and a proxy both set it, they are two, the proxy's last.
    const single = forwardedForHops(attributes.texts(place));
    if (single.length > 0) return single;
  }
  return [];
}
