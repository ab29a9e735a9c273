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

/** In place of a client's number: the span has a client attribute, and none of its texts is an address. */
export const invalidClient = -1;

/**
 * The client of a span (docs/extraction.md 2.1, X21). An instrumentation puts the first hop of X-Forwarded-For
 * into `client.address`, and any caller may write that hop. So a captured header is walked from its nearest
 * hop. Without one, a peer that differs must be a trusted proxy, or the peer is the client. Each distinct
 * text is parsed once.
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

  /** Cached texts, as a share of `limits.internedStrings`. */
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
    if ((attributes.marks & mark.forwarding) !== 0 && !this.#proxies.isEmpty) {
      return this.#behindProxies(walk, claimed, peer);
    }
    return this.#byAttributes(walk, claimed, peer);
  }

  /**
   * By `client.address` and the peer. A name in `client.address` (a workload's, `unknown`, `localhost`) is no
   * address: the peer is the client then.
   * @param claimed @param peer slots, or -1
   */
  #byAttributes(walk: TracesReader, claimed: number, peer: number): number {
    if (claimed < 0) return peer < 0 ? 0 : this.#number(walk, peer);
    const client = this.#number(walk, claimed);
    if (peer < 0 || sameText(walk, claimed, peer)) return client;
    const peerClient = this.#number(walk, peer);
    if (client === invalidClient) return peerClient;
    // A peer that is no address is a socket in the file system: a proxy of the same machine.
    if (peerClient === client || peerClient === invalidClient) return client;
    return this.#isTrusted(walk, peer) ? client : peerClient;
  }

  /**
   * With a forwarding header, which counts when the peer is trusted, no address, or not told. The header says
   * more than `client.address`, where instrumentations put its first hop: whatever the caller wrote.
   */
  #behindProxies(walk: TracesReader, claimed: number, peer: number): number {
    const hops = forwardingHops(walk.attributes);
    // Without a peer, a `client.address` that no hop is can only be the peer itself.
    const nearest = peer < 0 && !isAmong(hops, walk.attributes, claimed) ? claimed : peer;
    if (nearest >= 0) {
      const peerClient = this.#number(walk, nearest);
      if (peerClient !== invalidClient && !this.#isTrusted(walk, nearest)) return peerClient;
    }
    if (hops.length === 0) return this.#byAttributes(walk, claimed, peer);
    const address = this.#proxies.clientOf(hops);
    if (address !== '') return this.#dictionary.client(address);
    return claimed < 0 ? invalidClient : this.#byAttributes(walk, claimed, peer);
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

  /** Some instrumentations put the whole X-Forwarded-For header into an address attribute. */
  #parse(text: string): number {
    const address = text.includes(',')
      ? this.#proxies.clientOf(forwardedForHops([text]))
      : canonicalAddress(text);
    return address === '' ? invalidClient : this.#dictionary.client(address);
  }
}

/** Whether `client.address` was taken from the header. */
function isAmong(hops: readonly string[], attributes: AttributeSlots, claimed: number): boolean {
  if (claimed < 0) return false;
  const address = canonicalAddress(attributes.text(claimed));
  return hops.some((hop) => canonicalAddress(hop) === address);
}

function sameText({ attributes, cursor: { view } }: TracesReader, a: number, b: number): boolean {
  const [aStart, bStart] = [attributes.start(a), attributes.start(b)];
  const length = attributes.end(a) - aStart;
  return attributes.end(b) - bStart === length && sameBytes(view, aStart, view, bStart, length);
}

/** Added to a cached number, so that 0 (no client) and -1 (invalid) differ from an empty slot. */
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
