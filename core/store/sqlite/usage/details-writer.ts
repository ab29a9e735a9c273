import { limits } from '../../../limits.ts';
import { ConsumerTally } from '../../../usage/consumer-tally.ts';
import { Tally } from '../../../usage/tally.ts';
import { lengthBytes, putLength, putVarint } from '../../../usage/varint.ts';
import type { CallRows } from './call-rows.ts';
import {
  addConsumers,
  addConsumersOfVersion,
  addEncodedTallies,
  addTo,
  addVersions,
  baseS,
  type EncodedTally,
  foldVersions,
  lastS,
  payloadOf,
  several,
  severalWithConsumers,
  single,
  singleConsumer,
  singleVersion,
} from './details.ts';
import type { OriginNumbers } from './origin-numbers.ts';
import type { UsageEntries } from './usage-entries.ts';

/** A length prefix that grows while its payload is written takes up to this many bytes more. */
const spareBytes = 64;

/** Writes the details of one entry after another (details.ts). Minutes are those of the entries that are written. */
export class DetailsWriter {
  #out = Buffer.allocUnsafe(16 * 1024);
  #length = 0;
  readonly #consumers = new ConsumerTally();
  readonly #tally = new Tally();

  begin(): void {
    this.#length = 0;
  }

  /** @returns a copy of what was written since `begin` */
  finish(): Buffer {
    return Buffer.from(this.#out.subarray(0, this.#length));
  }

  /** The details of one entry, which goes to another minute, not a later one. */
  addCopy(entries: UsageEntries, entry: number, minute: number): void {
    const payload = payloadOf(entries, entry);
    if (payload.length === 0) {
      this.#addNone();
      return;
    }
    this.#reserve(payload.length);
    const start = this.#begin(baseS(entries, entry), minute);
    this.#out.set(payload, this.#length);
    this.#length += payload.length;
    this.#end(start);
  }

  /** The details of entries `order[from]` to `order[to - 1]` together. */
  addMerged(
    entries: UsageEntries,
    order: Uint32Array,
    from: number,
    to: number,
    minute: number,
  ): void {
    let firstS = Number.POSITIVE_INFINITY;
    for (let i = from; i < to; i++) firstS = Math.min(firstS, baseS(entries, order[i]!));
    if (firstS === Number.POSITIVE_INFINITY) {
      this.#addNone();
      return;
    }
    this.#reserve(0);
    const start = this.#begin(firstS, minute);
    this.#mergeVersions(entries, order, from, to, firstS);
    this.#mergeConsumers(entries, order, from, to, firstS);
    this.#end(start);
  }

  /** The details of calls `order[from]` to `order[to - 1]`. */
  addCalls(
    calls: CallRows,
    order: Uint32Array,
    from: number,
    to: number,
    minute: number,
    origins: OriginNumbers,
  ): void {
    let firstMs = Number.POSITIVE_INFINITY;
    let lastMs = 0;
    const firstOrigin = calls.origin[order[from]!]!;
    const version = origins.version(firstOrigin);
    const consumer = origins.consumer(firstOrigin);
    let isOneVersion = true;
    let isOneConsumer = true;
    for (let i = from; i < to; i++) {
      const call = order[i]!;
      const endMs = calls.endMs[call]!;
      if (endMs < firstMs) firstMs = endMs;
      if (endMs > lastMs) lastMs = endMs;
      const origin = calls.origin[call]!;
      if (origin === firstOrigin) continue;
      if (origins.version(origin) !== version) isOneVersion = false;
      if (origins.consumer(origin) !== consumer) isOneConsumer = false;
    }
    const firstS = Math.floor(firstMs / 1000);
    this.#reserve(0);
    const start = this.#begin(firstS, minute);
    if (isOneVersion) this.#putVersion(version);
    else this.#putVersionsOfCalls(calls, order.subarray(from, to), origins, firstS);
    if (isOneConsumer) this.#putConsumer(consumer, Math.floor(lastMs / 1000) - firstS);
    else this.#putConsumersOfCalls(calls, order.subarray(from, to), origins, firstS);
    this.#end(start);
  }

  #mergeVersions(
    entries: UsageEntries,
    order: Uint32Array,
    from: number,
    to: number,
    firstS: number,
  ): void {
    const version = singleVersion(entries, order[from]!);
    let same = from;
    while (version !== -1 && same < to && singleVersion(entries, order[same]!) === version) same++;
    if (same === to) {
      this.#putVersion(version);
      return;
    }
    const byVersion = new Map<number, EncodedTally[]>();
    for (let i = from; i < to; i++) addVersions(entries, order[i]!, byVersion);
    this.#putVersions(
      byVersion,
      firstS,
      (own, tally, consumers) => {
        addEncodedTallies(tally, own);
        for (const { consumers: ofVersion } of own) {
          if (ofVersion) addConsumersOfVersion(ofVersion, consumers);
        }
      },
      ([first, ...more]) => (more.length === 0 && first?.consumers?.part ? first : undefined),
    );
  }

  #putVersionsOfCalls(
    calls: CallRows,
    group: Uint32Array,
    origins: OriginNumbers,
    firstS: number,
  ): void {
    const byVersion = new Map<number, number[]>();
    for (const call of group) addTo(byVersion, origins.version(calls.origin[call]!), call);
    this.#putVersions(byVersion, firstS, (own, tally, consumers) => {
      for (const call of own) {
        addCall(calls, call, tally);
        addConsumerOfCall(calls, call, origins, consumers);
      }
    });
  }

  /** @param firstS the entry's first call @param copied the part of a version that needs no adding up */
  #putVersions<T>(
    byVersion: Map<number, T[]>,
    firstS: number,
    add: (own: T[], tally: Tally, consumers: ConsumerTally) => void,
    copied: (own: T[]) => EncodedTally | undefined = () => undefined,
  ): void {
    foldVersions(byVersion);
    this.#out[this.#length] = severalWithConsumers;
    this.#length = putVarint(this.#out, this.#length + 1, byVersion.size);
    let before = 0;
    const tally = this.#tally;
    const consumers = this.#consumers;
    for (const [version, own] of [...byVersion].sort(([a], [b]) => a - b)) {
      const part = copied(own);
      if (part) {
        this.#copyVersion(version - before, part);
        before = version;
        continue;
      }
      add(own, tally, consumers);
      this.#reserve(tally.encodedBytesMax + consumers.encodedBytesMax);
      const out = this.#out;
      const at = putVarint(out, this.#length, version - before);
      before = version;
      const tallyEnd = tally.encode(out, at + lengthBytes, limits.clientsPerVersion);
      const from = putLength(out, at, tallyEnd);
      const consumersStart = putVarint(out, from + lengthBytes, firstS);
      const end = consumers.encode(out, consumersStart, firstS, limits.consumersPerVersion);
      this.#length = putLength(out, from, end);
      tally.clear();
      consumers.clear();
    }
    this.#reserve(0);
  }

  #copyVersion(step: number, { bytes, start, end, consumers }: EncodedTally): void {
    const part = consumers!.part!;
    this.#reserve(part.end - start);
    const out = this.#out;
    const at = putVarint(out, this.#length, step);
    out.set(bytes.subarray(start, end), at + lengthBytes);
    const from = putLength(out, at, at + lengthBytes + end - start);
    const consumersFrom = from + lengthBytes;
    out.set(part.bytes.subarray(part.start, part.end), consumersFrom);
    this.#length = putLength(out, from, consumersFrom + part.end - part.start);
  }

  #mergeConsumers(
    entries: UsageEntries,
    order: Uint32Array,
    from: number,
    to: number,
    firstS: number,
  ): void {
    const consumer = singleConsumer(entries, order[from]!);
    let same = from;
    let latestS = firstS;
    while (consumer !== -1 && same < to && singleConsumer(entries, order[same]!) === consumer) {
      latestS = Math.max(latestS, lastS(entries, order[same]!));
      same += 1;
    }
    if (same === to) {
      this.#putConsumer(consumer, latestS - firstS);
      return;
    }
    for (let i = from; i < to; i++) addConsumers(entries, order[i]!, this.#consumers);
    this.#putConsumers(firstS);
  }

  #putConsumersOfCalls(
    calls: CallRows,
    group: Uint32Array,
    origins: OriginNumbers,
    firstS: number,
  ): void {
    for (const call of group) addConsumerOfCall(calls, call, origins, this.#consumers);
    this.#putConsumers(firstS);
  }

  #putVersion(version: number): void {
    this.#out[this.#length] = single;
    this.#length = putVarint(this.#out, this.#length + 1, version);
  }

  #putConsumer(consumer: number, seconds: number): void {
    this.#out[this.#length] = single;
    this.#length = putVarint(this.#out, this.#length + 1, consumer);
    this.#length = putVarint(this.#out, this.#length, seconds);
  }

  #putConsumers(firstS: number): void {
    const consumers = this.#consumers;
    this.#reserve(consumers.encodedBytesMax);
    this.#out[this.#length] = several;
    this.#length = consumers.encode(this.#out, this.#length + 1, firstS);
    consumers.clear();
  }

  #addNone(): void {
    this.#reserve(0);
    this.#out[this.#length++] = 0;
  }

  /** @returns where the entry's length is written when it is known */
  #begin(firstS: number, minute: number): number {
    const start = this.#length;
    this.#length = putVarint(this.#out, start + lengthBytes, firstS - minute * 60);
    return start;
  }

  #end(start: number): void {
    this.#length = putLength(this.#out, start, this.#length);
  }

  /** Makes room for a part of this many bytes, with the numbers before and after it. */
  #reserve(bytes: number): void {
    const needed = this.#length + bytes + spareBytes;
    if (needed <= this.#out.length) return;
    const next = Buffer.allocUnsafe(Math.max(this.#out.length * 2, needed));
    this.#out.copy(next, 0, 0, this.#length);
    this.#out = next;
  }
}

function addCall(calls: CallRows, call: number, tally: Tally): void {
  const status = calls.status[call]!;
  const durationNs = calls.durationNs[call]!;
  const client = calls.client[call]!;
  const minute = calls.minute[call]!;
  const weight = calls.weighted > 0 ? calls.weight![call]! : 1;
  if (weight === 1) tally.addCall(status, durationNs, client, minute);
  else tally.addWeightedCall(status, durationNs, client, minute, weight, calls.copies![call]!);
}

function addConsumerOfCall(
  calls: CallRows,
  call: number,
  origins: OriginNumbers,
  consumers: ConsumerTally,
): void {
  const weight = calls.weighted > 0 ? calls.weight![call]! : 1;
  const consumer = origins.consumer(calls.origin[call]!);
  const endS = Math.floor(calls.endMs[call]! / 1000);
  consumers.addCall(consumer, calls.status[call]!, weight, endS);
}
