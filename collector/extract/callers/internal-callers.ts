import { randomFillSync } from 'node:crypto';
import { isIP } from 'node:net';
import type { CallBatch, CallDictionary } from '../../../core/call.ts';
import { grown } from '../../../core/column.ts';
import { limits, specialRoutes } from '../../../core/limits.ts';
import type { InternalCallLink } from '../../../core/store/callers/internal-callers.ts';
import { hourS } from '../../../core/window.ts';
import { finish } from '../../intern/hash.ts';
import { TripleTable } from '../../intern/triple-table.ts';
import { truncateUtf8 } from '../../intern/truncate.ts';
import { isNoted, type TracesReader } from '../../otlp/traces-reader.ts';
import type { CallContextCache } from '../call-context.ts';
import { isLocal } from '../join/call-groups.ts';
import { type Resource, textHash } from '../resource.ts';
import { mark, slot } from '../span-attributes.ts';
import { entriesPerBucket, entryInts, SpanOwners } from './span-owners.ts';

/** Calls of a request, or calls of earlier ones whose parent the request brought. */
export interface LinkedCalls {
  /** The same object for all calls of one caller, endpoint and hour, for as long as it is remembered. */
  link: InternalCallLink;
  /** Sums of weights. */
  calls: number;
  errors: number;
  /** Of `calls`, those whose consumer has the caller's name. */
  named: number;
  /** Spans of these calls, without weights. */
  seen: number;
}

/**
 * Finds the service that called (docs/decisions/0023-internal-callers.md): a SERVER span's parent is a CLIENT or SERVER
 * span of it. Spans of a request are noted while it is walked, and looked up when it is extracted: `settle`.
 *
 * Of more than `limits.linkedSpansPerS` spans a second, only those of every second, fourth, … trace are noted, and their
 * calls count for the others: what it costs has a bound, and what is remembered lasts.
 */
export class InternalCallers {
  readonly #dictionary: CallDictionary;
  readonly #contexts: CallContextCache;
  #owners: SpanOwners | undefined;

  // Services that may call, by their number: from 1 on.
  readonly #callers: Caller[] = [{ service: '', environment: '', hash: 0 }];
  readonly #numbers = new Map<string, number>();
  /** By number of a `Resource`: its number as a caller; 0 when it is not known yet. */
  #ofResource = new Int32Array(64);
  readonly #projects = new Map<string, number>();

  // The request in hand.
  #project = 0;
  /** The number of the resource in hand as a caller; 0 when it is not known yet. */
  #ownNumber = 0;
  /** Of each CLIENT span: the hash of its ids, two numbers, and its caller. */
  #clients = new Int32Array(256 * clientInts);
  #clientCount = 0;
  /** Of each call that is noted: hashes of its span's and of its parent's ids, two numbers each; its own service; its
   *  peer; how many calls of the request came before. */
  #calls = new Int32Array(256 * callInts);
  #callCount = 0;
  /** Traces whose bits of this mask are 0 are noted: one of 2^shift. */
  #mask = 0;
  #shift = 0;
  /** Spans of the second in hand, noted or not. */
  #second = 0;
  #spans = 0;
  #traceHigh = 0;
  #traceLow = 0;

  // Links by number, from 1 on.
  readonly #linkNumbers = new TripleTable();
  #links: (InternalCallLink | undefined)[] = [undefined];
  #sums: LinkedCalls[] = [];
  /** By link: its place in `#sums`, from 1 on; 0 when the request has no call of it. */
  #places = new Int32Array(64);
  readonly #touched: number[] = [];
  /** Weights of waiting calls that are not 1, by the entry of the call; also of calls that were replaced. */
  readonly #weights = new Map<number, number>();

  constructor(dictionary: CallDictionary, contexts: CallContextCache) {
    this.#dictionary = dictionary;
    this.#contexts = contexts;
  }

  /** Begins a request. @param nowS seconds since the epoch @param walk is told which CLIENT spans to show */
  begin(project: string, nowS: number, walk: TracesReader): void {
    if (nowS !== this.#second) {
      this.#shift = shiftOf(this.#spans);
      this.#second = nowS;
      this.#spans = 0;
    } else this.#shift = Math.max(this.#shift, shiftOf(this.#spans));
    this.#mask = (1 << this.#shift) - 1;
    walk.clientMask = this.#mask;
    let number = this.#projects.get(project);
    if (number === undefined) {
      number = this.#projects.size + 1;
      this.#projects.set(project, number);
    }
    this.#project = number;
    this.#clientCount = 0;
    this.#callCount = 0;
    this.#ownNumber = 0;
  }

  /** Begins the second walk over a request: its calls are noted anew. */
  beginAgain(): void {
    this.#callCount = 0;
  }

  /** Call where a resource ends. */
  resourceEnd(): void {
    this.#ownNumber = 0;
  }

  /**
   * Notes a CLIENT span that the walk shows.
   * @param start of its bytes, laid out as all encoders do
   * @param resourceOf the resource in hand; called for the first such span of a resource
   */
  client(walk: TracesReader, start: number, resourceOf: () => Resource): void {
    const { view } = walk.cursor;
    if (this.#ownNumber === 0) this.#ownNumber = this.#numberOf(resourceOf());
    const at = this.#clientCount * clientInts;
    if (at === this.#clients.length) this.#clients = grown(this.#clients, 2 * at);
    this.#clientCount += 1;
    this.#hashTrace(view, start + 2);
    this.#putHash(this.#clients, at, view, start + 20);
    this.#clients[at + 2] = this.#ownNumber;
  }

  /** The number of the caller that a SERVER span names; 0 when it names none. */
  #peerOf(walk: TracesReader): number {
    const { attributes } = walk;
    const name = attributes.text(slot.peerService) || attributes.text(slot.oldPeerService);
    // An address names no service, and privacy settings may forbid to store it.
    if (name === '' || isIP(name) !== 0) return 0;
    return this.#number(truncateUtf8(name, limits.serviceNameBytes), '');
  }

  /**
   * Notes the span of a call.
   * @param call how many calls of the request came before
   */
  note(call: number, walk: TracesReader, resource: Resource): void {
    if (walk.traceIdLength !== 16 || walk.spanIdLength !== 8) return;
    const { view } = walk.cursor;
    if (!isNoted(walk.cursor.bytes, walk.traceIdStart, this.#mask)) return;
    const at = this.#callCount * callInts;
    if (at === this.#calls.length) this.#calls = grown(this.#calls, 2 * at);
    this.#callCount += 1;
    const calls = this.#calls;
    calls[at + 3] = 0;
    calls[at + 4] = this.#numberOf(resource);
    calls[at + 5] = (walk.attributes.marks & mark.peer) === 0 ? 0 : this.#peerOf(walk);
    calls[at + 6] = call;
    this.#hashTrace(view, walk.traceIdStart);
    this.#putHash(calls, at, view, walk.spanIdStart);
    if (walk.parentIdLength !== 8 || isLocal(walk.flags)) return;
    this.#putHash(calls, at + 2, view, walk.parentIdStart);
  }

  /**
   * Looks up the spans of the request, which was walked.
   * @param batch holds its calls, from `first` on
   * @param clientSpans of the request, shown or not
   * @param repeated calls of the request that were taken out of the batch: places in the batch before that, ascending
   * @returns the calls whose caller is known from now on; undefined for none
   */
  settle(
    batch: CallBatch,
    first: number,
    clientSpans: number,
    repeated: readonly number[] = [],
  ): LinkedCalls[] | undefined {
    this.#spans += clientSpans + batch.length - first + repeated.length;
    if (this.#callCount === 0 && this.#clientCount === 0) return undefined;
    this.#owners ??= new SpanOwners();
    this.#takeClients(this.#owners);
    if (this.#callCount > 0) {
      this.#takeOwnSpans(this.#owners);
      this.#takeParents(this.#owners, batch, first, repeated);
    }
    if (this.#sums.length === 0) return undefined;
    const sums = this.#sums;
    for (const link of this.#touched) this.#places[link] = 0;
    this.#touched.length = 0;
    this.#sums = [];
    if (this.#links.length > limits.internalCallLinks) this.#forgetLinks();
    return sums;
  }

  /**
   * Forgets all spans: those of a batch that was not committed come again, and the numbers of endpoints are void after
   * `CallDictionary.reset`.
   */
  clear(): void {
    this.#owners?.clear();
    this.#weights.clear();
    this.#forgetLinks();
  }

  /** Call with `clear` when resources get new numbers. */
  forgetResources(): void {
    this.#ofResource.fill(0);
    this.#numbers.clear();
    this.#callers.length = 1;
  }

  #forgetLinks(): void {
    this.#linkNumbers.clear();
    this.#links = [undefined];
  }

  #takeClients(owners: SpanOwners): void {
    const clients = this.#clients;
    const end = this.#clientCount * clientInts;
    for (let at = 0; at < end; at += clientInts) {
      if (at % (clientInts * keysAhead) === 0) {
        owners.load(clients, at, Math.min(at + clientInts * keysAhead, end), clientInts);
      }
      this.#owner(owners, clients[at]!, clients[at + 1]!, clients[at + 2]!, info.client);
    }
  }

  #takeOwnSpans(owners: SpanOwners): void {
    const calls = this.#calls;
    const end = this.#callCount * callInts;
    for (let at = 0; at < end; at += callInts) {
      if (at % (callInts * keysAhead) === 0) {
        owners.load(calls, at, Math.min(at + callInts * keysAhead, end), callInts);
      }
      this.#owner(owners, calls[at]!, calls[at + 1]!, calls[at + 4]!, info.server);
    }
  }

  /** A span that may be a parent: finds the calls that wait for it. */
  #owner(owners: SpanOwners, high: number, low: number, caller: number, of: number): void {
    const kind = of | this.#chance();
    const { entries } = owners;
    const bucket = owners.bucket(high);
    let own = -1;
    for (let i = 0, at = bucket; i < entriesPerBucket; i += 1, at += entryInts) {
      if (entries[at] !== low) continue;
      const found = entries[at + 1]!;
      if ((found & info.waits) !== 0) {
        const weight = (found & info.weighted) === 0 ? 1 : (this.#weights.get(at) ?? 1);
        const facts = chanceOfBoth(found, kind);
        this.#link(facts, entries[at + 2]!, entries[at + 3]!, caller, weight);
        if ((found & info.weighted) !== 0) this.#weights.delete(at);
      } else if (own >= 0) continue;
      if (own < 0) own = at;
      else entries[at] = 0;
    }
    if (own >= 0) owners.set(own, low, kind, caller, 0);
    else owners.put(bucket, low, kind, caller, 0);
  }

  #takeParents(
    owners: SpanOwners,
    batch: CallBatch,
    first: number,
    repeated: readonly number[],
  ): void {
    const calls = this.#calls;
    const { endpoint, origin, status, endS } = batch.columns;
    const end = this.#callCount * callInts;
    let skipped = 0;
    const { weights } = batch;
    let weighted = weights.length;
    while (weighted > 0 && weights.call[weighted - 1]! >= first) weighted -= 1;
    for (let at = 0; at < end; at += callInts) {
      if (at % (callInts * keysAhead) === 0) {
        owners.load(calls, at + 2, Math.min(at + callInts * keysAhead, end), callInts);
      }
      const place = first + calls[at + 6]!;
      while (skipped < repeated.length && repeated[skipped]! < place) skipped += 1;
      if (repeated[skipped] === place) continue;
      const row = place - skipped;
      while (weighted < weights.length && weights.call[weighted]! < row) weighted += 1;
      const isWeighted = weighted < weights.length && weights.call[weighted] === row;
      const weight = isWeighted ? weights.weight[weighted]! : 1;
      const peer = calls[at + 5]!;
      const low = calls[at + 3]!;
      if (low === 0 && peer === 0) continue;
      const error = status[row]! >= 400 ? info.error : 0;
      const facts = (Math.floor(endS[row]! / hourS) << info.hourShift) | error | this.#chance();
      const consumer = this.#contexts.consumerHash(origin[row]!);
      const bucket = owners.bucket(calls[at + 2]!);
      const found = low === 0 ? -1 : ownerOf(owners.entries, bucket, low);
      if (found >= 0) {
        const kind = owners.entries[found + 1]!;
        this.#link(
          chanceOfBoth(facts, kind),
          endpoint[row]!,
          consumer,
          owners.entries[found + 2]!,
          weight,
        );
      } else if (peer !== 0) {
        this.#link(facts | info.peer, endpoint[row]!, consumer, peer, weight);
      } else {
        const waiting = facts | info.waits | (weight === 1 ? 0 : info.weighted);
        const entry = owners.put(bucket, low, waiting, endpoint[row]!, consumer);
        if (weight !== 1) this.#weights.set(entry, weight);
      }
    }
  }

  #link(facts: number, endpoint: number, consumer: number, caller: number, weight: number): void {
    const isPeer = (facts & info.peer) !== 0;
    const evidence = isPeer ? info.peer : facts & (info.client | info.server);
    const hour = facts >>> info.hourShift;
    const key = (hour << info.hourShift) | evidence;
    let number = this.#linkNumbers.get(endpoint, caller, key);
    if (number === 0) {
      number = this.#links.push(this.#newLink(endpoint, caller, hour, evidence)) - 1;
      this.#linkNumbers.set(endpoint, caller, key, number);
      if (number >= this.#places.length) this.#places = grown(this.#places, 2 * number);
    }
    const link = this.#links[number];
    if (link === undefined) return;
    let place = this.#places[number]!;
    if (place === 0) {
      place = this.#sums.push({ link, calls: 0, errors: 0, named: 0, seen: 0 });
      this.#places[number] = place;
      this.#touched.push(number);
    }
    const sum = this.#sums[place - 1]!;
    const calls = weight * 2 ** ((facts >> info.chanceShift) & info.chanceMask);
    sum.seen += 1;
    sum.calls += calls;
    if ((facts & info.error) !== 0) sum.errors += calls;
    if (consumer === this.#callers[caller]!.hash) sum.named += calls;
  }

  /** @returns undefined when it is no call between services: a span that its own service's SERVER span is parent of */
  #newLink(
    endpoint: number,
    caller: number,
    hour: number,
    evidence: number,
  ): InternalCallLink | undefined {
    const name = this.#dictionary.endpointName(endpoint);
    const { service, environment } = this.#callers[caller]!;
    const isOwn = service === name.service && environment === name.environment;
    if (isOwn && evidence === info.server) return undefined;
    const knownBy = evidence === info.peer ? 'peer' : 'trace';
    return { ...name, caller: service, callerEnvironment: environment, hour, knownBy };
  }

  #numberOf(resource: Resource): number {
    const { number, service, environment } = resource;
    if (number >= this.#ofResource.length) this.#ofResource = grown(this.#ofResource, 2 * number);
    let caller = this.#ofResource[number]!;
    if (caller === 0) {
      caller = this.#number(service, environment);
      this.#ofResource[number] = caller;
    }
    return caller;
  }

  #number(service: string, environment: string): number {
    const key = `${service}\0${environment}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.#numbers.size >= limits.internalCallers && service !== specialRoutes.other) {
      return this.#number(specialRoutes.other, '');
    }
    const number = this.#callers.push({ service, environment, hash: textHash(service) }) - 1;
    this.#numbers.set(key, number);
    return number;
  }

  /** The share of traces that is noted, as flags of an entry. */
  #chance(): number {
    return this.#shift << info.chanceShift;
  }

  #hashTrace(view: DataView, trace: number): void {
    const t0 = view.getInt32(trace);
    const t1 = view.getInt32(trace + 4);
    const t2 = view.getInt32(trace + 8);
    const t3 = view.getInt32(trace + 12);
    const project = this.#project;
    this.#traceHigh =
      Math.imul(t0, k0) + Math.imul(t1, k1) + Math.imul(t2, k2) + Math.imul(t3, k3) + project;
    this.#traceLow =
      Math.imul(t0, k6) + Math.imul(t1, k7) + Math.imul(t2, k8) + Math.imul(t3, k9) + project;
  }

  /** The hash of the trace and a span's id, two numbers. The second is not 0. */
  #putHash(to: Int32Array, at: number, view: DataView, id: number): void {
    const s0 = view.getInt32(id);
    const s1 = view.getInt32(id + 4);
    to[at] = finish(this.#traceHigh + Math.imul(s0, k4) + Math.imul(s1, k5));
    to[at + 1] = finish(this.#traceLow + Math.imul(s0, k10) + Math.imul(s1, k11)) | 1;
  }
}

interface Caller {
  service: string;
  environment: string;
  /** As `CallContextCache.consumerHash`. */
  hash: number;
}

/** The span that may be a parent, of the bucket and hash; -1 for none. */
function ownerOf(entries: Int32Array, bucket: number, low: number): number {
  for (let i = 0, at = bucket; i < entriesPerBucket; i += 1, at += entryInts) {
    if (entries[at] === low && (entries[at + 1]! & info.waits) === 0) return at;
  }
  return -1;
}

/** The flags of both; a pair is found only when both were noted. */
function chanceOfBoth(a: number, b: number): number {
  const chance = info.chanceMask << info.chanceShift;
  return ((a | b) & ~chance) | Math.max(a & chance, b & chance);
}

/** One of 2^shift traces is noted of so many spans a second. */
function shiftOf(spans: number): number {
  let shift = 0;
  while (spans >> shift > limits.linkedSpansPerS && shift < info.chanceMask) shift += 1;
  return shift;
}

/** Flags of an entry. Those of a waiting call have its hour above them: hours since 1970 need 19 bits until 2029,
 *  20 until 2089. */
const info = {
  client: 1,
  server: 2,
  peer: 4,
  waits: 8,
  error: 16,
  weighted: 32,
  /** The binary logarithm of the number of traces that the noted one stands for: up to 2^15. */
  chanceShift: 6,
  chanceMask: 15,
  hourShift: 10,
} as const;

const clientInts = 3;
const callInts = 7;
/** Keys whose buckets are loaded at once. */
const keysAhead = 16;

/** Secret factors: a sender cannot choose ids whose hashes are equal. Odd, so that every bit counts. */
const secret = (): number => randomFillSync(new Int32Array(1))[0]! | 1;
const [k0, k1, k2, k3, k4, k5] = [secret(), secret(), secret(), secret(), secret(), secret()];
const [k6, k7, k8, k9, k10, k11] = [secret(), secret(), secret(), secret(), secret(), secret()];
