import { limits } from '../../../limits.ts';
import type { ConsumerTally } from '../../../usage/consumer-tally.ts';
import type { Tally } from '../../../usage/tally.ts';
import { VarintReader } from '../../../usage/varint.ts';
import { otherVersions } from '../../versions.ts';
import type { UsageEntries } from './usage-entries.ts';

/**
 * The details of an entry of a usage block: its calls by service version and by consumer. They stand beside the
 * block in a column of their own, since reports do not read them (docs/decisions/0019-consumers-and-versions.md).
 * Details are, in the order of the block's entries: `varint length`, and unless that is 0 `varint base`, versions,
 * consumers. The base is the entry's first call, in seconds after the entry's minute.
 *
 * - Versions: `1, version` when all calls of the entry have this one: the entry itself is its tally. Else `0, number of
 *   versions`, and for each, ascending, `difference to the version before, length, tally, length, base, consumers`: this
 *   base is in seconds since the epoch, so that a version's part can be copied. An earlier
 *   form, without the clients and consumers of a version: the number of versions plus 1, and for each `difference,
 *   length, tally`.
 * - Consumers: `1, consumer, last call after the base` when all calls have this one. Else 2 and a tally
 *   (core/usage/consumer-tally.ts).
 *
 * Length 0: release 0.1.0 counted the calls of the entry.
 */
export const single = 1;
export const several = 2;
/** Begins the versions of an entry that has several. */
export const severalWithConsumers = 0;

/** An encoded tally: of one version, or of a whole entry. */
export interface EncodedTally {
  bytes: Uint8Array;
  start: number;
  end: number;
  /** The version's consumers; undefined when they are not recorded. */
  consumers?: ConsumersOfVersion;
}

/** Consumers of one version: those of a whole entry, or a part of its details. */
export interface ConsumersOfVersion {
  entries: UsageEntries;
  entry: number;
  /** Undefined for those of the whole entry. */
  part?: { bytes: Uint8Array; start: number; end: number };
}

const reader = new VarintReader();

/** Seconds since the epoch; infinity without details. */
export function baseS(entries: UsageEntries, entry: number): number {
  if (!seek(entries, entry)) return Number.POSITIVE_INFINITY;
  return entries.minute[entry]! * 60 + reader.next();
}

/** Where the versions and consumers of an entry stand: behind the base. */
export function payloadOf(entries: UsageEntries, entry: number): Uint8Array {
  if (!seek(entries, entry)) return reader.bytes.subarray(0, 0);
  reader.next();
  return reader.bytes.subarray(reader.at, entries.detailsEnd[entry]!);
}

/** The version of all calls of an entry; -1 when they have several, or without details. */
export function singleVersion(entries: UsageEntries, entry: number): number {
  if (!seek(entries, entry)) return -1;
  reader.next();
  return reader.next() === single ? reader.next() : -1;
}

/** Adds an entry's encoded tally of each version to lists by version. */
export function addVersions(
  entries: UsageEntries,
  entry: number,
  byVersion: Map<number, EncodedTally[]>,
): void {
  forEachVersion(entries, entry, (version, encoded) => addTo(byVersion, version, encoded));
}

/** @param visit called with an entry's encoded tally of each version; it must not read details of other entries */
export function forEachVersion(
  entries: UsageEntries,
  entry: number,
  visit: (version: number, encoded: EncodedTally) => void,
): void {
  if (!seek(entries, entry)) return;
  reader.next();
  const head = reader.next();
  if (head === single) {
    const bytes = entries.blocks[entries.block[entry]!]!;
    const [start, end] = [entries.start[entry]!, entries.end[entry]!];
    visit(reader.next(), { bytes, start, end, consumers: { entries, entry } });
    return;
  }
  const { bytes } = reader;
  const hasConsumers = head === severalWithConsumers;
  let version = 0;
  for (let left = hasConsumers ? reader.next() : head - 1; left > 0; left--) {
    version += reader.next();
    const size = reader.next();
    const start = reader.at;
    const end = start + size;
    reader.at = end;
    if (!hasConsumers) visit(version, { bytes, start, end });
    else {
      const consumersSize = reader.next();
      const part = { bytes, start: reader.at, end: reader.at + consumersSize };
      reader.at = part.end;
      visit(version, { bytes, start, end, consumers: { entries, entry, part } });
    }
  }
}

/** Adds up encoded tallies. */
export function addEncodedTallies(tally: Tally, encoded: readonly EncodedTally[]): void {
  for (const { bytes, start } of encoded) tally.addEncoded(bytes, start);
}

/** The same without their clients. */
export function addEncodedCallTallies(tally: Tally, encoded: readonly EncodedTally[]): void {
  for (const { bytes, start } of encoded) tally.addEncodedCalls(bytes, start);
}

/** Adds the consumers of one version. */
export function addConsumersOfVersion(
  { entries, entry, part }: ConsumersOfVersion,
  consumers: ConsumerTally,
): void {
  if (part === undefined) {
    addConsumers(entries, entry, consumers);
    return;
  }
  reader.seek(part.bytes, part.start);
  consumers.addEncoded(reader, reader.next());
}

/** Puts the oldest versions past the bound together. */
export function foldVersions<T>(byVersion: Map<number, T[]>): void {
  const named = [...byVersion.keys()].filter((version) => version !== otherVersions);
  // Versions are numbered in the order in which they were first seen.
  named.sort((a, b) => a - b);
  for (const version of named.slice(0, -limits.versionsPerEndpoint)) {
    for (const item of byVersion.get(version)!) addTo(byVersion, otherVersions, item);
    byVersion.delete(version);
  }
}

/** The consumer of all calls of an entry; -1 when they have several, or without details. */
export function singleConsumer(entries: UsageEntries, entry: number): number {
  if (!seekConsumers(entries, entry) || reader.next() !== single) return -1;
  return reader.next();
}

/** The second of the last call of an entry that has a single consumer. */
export function lastS(entries: UsageEntries, entry: number): number {
  seekConsumers(entries, entry);
  reader.next();
  reader.next();
  return baseOfEntry + reader.next();
}

/** Adds the consumers of an entry. */
export function addConsumers(entries: UsageEntries, entry: number, consumers: ConsumerTally): void {
  if (!seekConsumers(entries, entry)) return;
  if (reader.next() === several) {
    consumers.addEncoded(reader, baseOfEntry);
    return;
  }
  const consumer = reader.next();
  const lastS = baseOfEntry + reader.next();
  const bytes = entries.blocks[entries.block[entry]!]!;
  consumers.addTally(consumer, bytes, entries.start[entry]!, baseOfEntry, lastS);
}

/** Of the entry that `seekConsumers` went to. */
let baseOfEntry = 0;

function seekConsumers(entries: UsageEntries, entry: number): boolean {
  if (!seek(entries, entry)) return false;
  baseOfEntry = entries.minute[entry]! * 60 + reader.next();
  const head = reader.next();
  if (head === single) reader.next();
  else {
    const hasConsumers = head === severalWithConsumers;
    for (let left = hasConsumers ? reader.next() : head - 1; left > 0; left--) {
      reader.next();
      skipSized();
      if (hasConsumers) skipSized();
    }
  }
  return true;
}

/** Skips `length, payload`. */
function skipSized(): void {
  const size = reader.next();
  reader.at += size;
}

/** @returns false for an entry without details */
function seek(entries: UsageEntries, entry: number): boolean {
  const start = entries.detailsStart[entry];
  if (start === undefined || start === entries.detailsEnd[entry]) return false;
  reader.seek(entries.details[entries.block[entry]!]!, start);
  return true;
}

export function addTo<T>(lists: Map<number, T[]>, key: number, item: T): void {
  const own = lists.get(key);
  if (own) own.push(item);
  else lists.set(key, [item]);
}
