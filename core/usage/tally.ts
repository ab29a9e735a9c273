import { limits } from '../limits.ts';
import { outcomeIndexes } from '../outcome.ts';
import { varianceOf, weightUnit } from '../weight.ts';
import { ClientTally, type KnownOutcomes } from './client-tally.ts';
import { HistogramCounts } from './histogram.ts';
import { type DurationBucket, percentiles, type Usage } from './usage.ts';
import { lengthBytes, putLength, putVarint, VarintReader } from './varint.ts';

/** A status has at most three digits; the collector stores any other as 0. */
const statusSlots = 1000;

const doubleValue = new Float64Array(1);
const doubleBytes = new Uint8Array(doubleValue.buffer);
const doubleUint32s = new Uint32Array(doubleValue.buffer);

function readDouble(reader: VarintReader): number {
  const { bytes } = reader;
  for (let i = 0; i < 8; i++) doubleBytes[i] = bytes[reader.at++]!;
  return doubleValue[0]!;
}

function putDouble(out: Uint8Array, at: number, value: number): number {
  doubleValue[0] = value;
  out.set(doubleBytes, at);
  return at + 8;
}

function readDoubleUint32s(words: Uint32Array, at: number): number {
  doubleUint32s[0] = words[at]!;
  doubleUint32s[1] = words[at + 1]!;
  return doubleValue[0]!;
}

function putDoubleUint32s(out: Uint32Array, at: number, value: number): number {
  doubleValue[0] = value;
  out.set(doubleUint32s, at);
  return at + 2;
}

/** The first number of an encoded tally with weights. Without weights the first is the number of statuses, never 0. */
const weightedMark = 0;

/** Added to the number of statuses when clients have outcomes and times: those that release 0.1.0 wrote have none. */
const withOutcomes = 1024;

/**
 * Reads the statuses of the tally that `encode` wrote at `start`.
 * @param visit called with each status and its calls
 * @returns the unit of the calls
 */
export function forEachStatus(
  reader: VarintReader,
  bytes: Uint8Array,
  start: number,
  visit: (status: number, calls: number) => void,
): number {
  const unit = seekStatuses(reader, bytes, start);
  for (let left = reader.next() % withOutcomes; left > 0; left--) {
    const status = reader.next();
    visit(status, reader.next() * unit);
  }
  return unit;
}

/** Goes to the number of statuses. @returns the unit of their calls */
function seekStatuses(reader: VarintReader, bytes: Uint8Array, start: number): number {
  reader.seek(bytes, start);
  if (bytes[start] !== weightedMark) return 1;
  reader.next();
  const unit = reader.next() === 1 ? weightUnit : 1;
  reader.next();
  reader.next();
  reader.at += 16;
  return unit;
}

/**
 * Adds up a set of calls: counts by status, durations (sum, extremes, histogram), clients. Accepts single calls and
 * encoded tallies in any order, and is reused from set to set.
 *
 * A call with a weight (core/weight.ts) counts that many times, in the histogram as its copies, a whole number. A
 * call of weight 0 is seen and not counted. A call with a negative duration counts, except among the durations:
 * it is no latency (docs/extraction.md X7).
 */
export class Tally {
  /** Σ weight. */
  calls = 0;
  sumNs = 0;
  minNs = 0;
  maxNs = 0;
  readonly clients = new ClientTally();
  readonly #histogram = new HistogramCounts();
  readonly #reader = new VarintReader();
  readonly #statusCalls = new Float64Array(statusSlots);
  readonly #statuses = new Uint16Array(statusSlots);
  #statusCount = 0;
  /** Whether the clients of the encoded tally that was read last have outcomes, and what its statuses say if not. */
  #hasOutcomes = true;
  readonly #known: KnownOutcomes = { errors: 0, areOthersAnswered: true };
  #hasDurations = false;
  #isWeighted = false;
  /** Whether some weight is not a whole number. */
  #isFractional = false;
  /** Σ (weight − 1): the estimated number of calls that were sampled out. */
  #unseen = 0;
  /** Σ (copies − weight). */
  #roundedUp = 0;
  /** The part of `#roundedUp` that comes from calls without a latency. */
  #untimedRoundedUp = 0;
  #variance = 0;

  /** @param client its number, 0 when unknown @param minute in which the call ended, since the epoch */
  addCall(status: number, durationNs: number, client: number, minute: number): void {
    this.calls += 1;
    this.#addStatus(status, 1);
    if (durationNs >= 0) {
      this.#addDurations(durationNs, durationNs, durationNs);
      this.#histogram.addUs(Math.floor(durationNs / 1000 + 0.5));
    }
    if (client !== 0) this.clients.addCall(client, status, 1, minute);
  }

  /** As addCall. @param weight 0, or at least 1 @param copies `copiesOf` the weight */
  addWeightedCall(
    status: number,
    durationNs: number,
    client: number,
    minute: number,
    weight: number,
    copies: number,
  ): void {
    this.#isWeighted = true;
    this.#unseen += weight - 1;
    if (weight === 0) return;
    if (!Number.isInteger(weight)) this.#isFractional = true;
    this.#variance += varianceOf(weight);
    this.calls += weight;
    this.#roundedUp += copies - weight;
    this.#addStatus(status, weight);
    if (durationNs >= 0) {
      this.#addDurations(durationNs * weight, durationNs, durationNs);
      this.#histogram.addCopiesUs(Math.floor(durationNs / 1000 + 0.5), copies);
    } else this.#untimedRoundedUp += copies - weight;
    if (client !== 0) this.clients.addCall(client, status, weight, minute);
  }

  /** Adds the tally that `encode` wrote at `start`. */
  addEncoded(bytes: Uint8Array, start: number): void {
    const unit = this.addEncodedCalls(bytes, start);
    if (this.#hasOutcomes) this.clients.addEncoded(this.#reader, 1 / unit);
    else this.clients.addEncodedWithoutOutcomes(this.#reader, 1 / unit, this.#known);
  }

  /** As addEncoded, without the clients. @returns the unit of its counts */
  addEncodedCalls(bytes: Uint8Array, start: number): number {
    const reader = this.#reader;
    reader.seek(bytes, start);
    const first = reader.next();
    if (first === weightedMark) return this.#addWeighted(reader);
    this.calls += this.#addEncodedStatuses(reader, first, 1);
    this.#addEncodedDurations(reader);
    return 1;
  }

  /** The most bytes `encode` can write now. */
  get encodedBytesMax(): number {
    return (
      112 + this.#statusCount * 12 + Math.min(this.calls, 4608) * 12 + this.clients.encodedBytesMax
    );
  }

  /** @param mostClients that are counted one by one */
  encode(out: Uint8Array, at: number, mostClients: number = limits.clientsPerEndpoint): number {
    const scale = this.#isFractional ? 1 / weightUnit : 1;
    if (this.#isWeighted) at = this.#encodeSampling(out, at);
    at = putVarint(out, at, this.#statusCount + withOutcomes);
    for (let i = 0; i < this.#statusCount; i++) {
      const status = this.#statuses[i]!;
      at = putVarint(out, at, status);
      at = putVarint(out, at, this.#statusCalls[status]! * scale);
    }
    at = putDouble(out, at, this.sumNs);
    at = putVarint(out, at, this.minNs);
    at = putVarint(out, at, this.maxNs - this.minNs);
    const end = putLength(out, at, this.#histogram.encode(out, at + lengthBytes));
    return this.clients.encode(out, end, scale, mostClients);
  }

  /** Whether `putUint32s` can represent this tally: no count exceeds 32 bits, no weights, every client counted. */
  get fitsUint32s(): boolean {
    return !this.#isWeighted && this.calls < 2 ** 32 && this.clients.fitsUint32s;
  }

  /** The number of integers that `putUint32s` writes now. */
  get uint32Count(): number {
    return 1 + this.#statusCount * 2 + 6 + this.#histogram.uint32Count + this.clients.uint32Count;
  }

  /** Writes 32-bit integers, which `addUint32s` adds several times as fast as `addEncoded` adds bytes. */
  putUint32s(out: Uint32Array, at: number): number {
    out[at++] = this.#statusCount;
    for (let i = 0; i < this.#statusCount; i++) {
      const status = this.#statuses[i]!;
      out[at++] = status;
      out[at++] = this.#statusCalls[status]!;
    }
    at = putDoubleUint32s(out, at, this.sumNs);
    at = putDoubleUint32s(out, at, this.minNs);
    at = putDoubleUint32s(out, at, this.maxNs);
    at = this.#histogram.putUint32s(out, at);
    return this.clients.putUint32s(out, at);
  }

  /** Adds the tally that `putUint32s` wrote at `start`. */
  addUint32s(words: Uint32Array, start: number): void {
    let at = start + 1;
    for (let i = words[start]!; i > 0; i--, at += 2) {
      const calls = words[at + 1]!;
      this.#addStatus(words[at]!, calls);
      this.calls += calls;
    }
    const histogram = at + 6;
    // Without a histogram no call had a duration.
    if (words[histogram] !== 0) {
      this.#addDurations(
        readDoubleUint32s(words, at),
        readDoubleUint32s(words, at + 2),
        readDoubleUint32s(words, at + 4),
      );
    }
    this.clients.addUint32s(words, this.#histogram.addUint32s(words, histogram));
  }

  usage(): Usage {
    const statuses = new Map<number, number>();
    let errors4xx = 0;
    let errors5xx = 0;
    for (const status of this.#statuses.slice(0, this.#statusCount).sort()) {
      const count = this.#statusCalls[status]!;
      statuses.set(status, count);
      if (status >= 500) errors5xx += count;
      else if (status >= 400) errors4xx += count;
    }
    const { calls, minNs, maxNs } = this;
    const copies = this.#histogram.total;
    const untimed = calls + this.#roundedUp - copies - this.#untimedRoundedUp;
    return {
      calls,
      errors4xx,
      errors5xx,
      statuses,
      sumNs: this.sumNs,
      minNs,
      maxNs,
      percentilesNs:
        copies === 0
          ? percentiles.map(() => 0)
          : this.#histogram.percentilesNs(percentiles, copies, minNs, maxNs),
      uniqueClients: this.clients.unique(),
      uniqueClientsEstimated: this.clients.estimated,
      ...(untimed > 0 && { untimed }),
      ...(this.#isWeighted && {
        sampling: { seen: calls - this.#unseen, variance: this.#variance },
      }),
    };
  }

  /** Σ weight of the calls whose status is 400 or more. */
  get errors(): number {
    let errors = 0;
    for (const status of this.#statuses.subarray(0, this.#statusCount)) {
      if (status >= 400) errors += this.#statusCalls[status]!;
    }
    return errors;
  }

  /** Of the calls that have a latency. */
  durations(): DurationBucket[] {
    return this.#histogram.buckets();
  }

  clear(): void {
    this.calls = 0;
    this.sumNs = 0;
    this.minNs = 0;
    this.maxNs = 0;
    this.#hasDurations = false;
    for (let i = 0; i < this.#statusCount; i++) this.#statusCalls[this.#statuses[i]!] = 0;
    this.#statusCount = 0;
    this.#histogram.clear();
    this.clients.clear();
    if (!this.#isWeighted) return;
    this.#isWeighted = false;
    this.#isFractional = false;
    this.#unseen = 0;
    this.#roundedUp = 0;
    this.#untimedRoundedUp = 0;
    this.#variance = 0;
  }

  get isWeighted(): boolean {
    return this.#isWeighted;
  }

  /** `0, fractional or not, varint seen, varint copies, f64 variance, f64 untimed rounded up`; an ordinary
   *  tally follows, its counts in units of a weight when they are fractional. */
  #encodeSampling(out: Uint8Array, at: number): number {
    out[at] = weightedMark;
    out[at + 1] = this.#isFractional ? 1 : 0;
    at = putVarint(out, at + 2, this.calls - this.#unseen);
    at = putVarint(out, at, this.calls + this.#roundedUp);
    at = putDouble(out, at, this.#variance);
    return putDouble(out, at, this.#untimedRoundedUp);
  }

  /** Adds a tally with weights, which begins after `weightedMark`, without the clients. @returns the unit of its counts */
  #addWeighted(reader: VarintReader): number {
    const isFractional = reader.next() === 1;
    const unit = isFractional ? weightUnit : 1;
    const seen = reader.next();
    const copies = reader.next();
    this.#isWeighted = true;
    this.#isFractional ||= isFractional;
    this.#variance += readDouble(reader);
    this.#untimedRoundedUp += readDouble(reader);
    const calls = this.#addEncodedStatuses(reader, reader.next(), unit);
    this.#unseen += calls - seen;
    this.#roundedUp += copies - calls;
    this.calls += calls;
    this.#addEncodedDurations(reader);
    return unit;
  }

  /** @param first the number of statuses, as it is encoded @returns the sum of the counts */
  #addEncodedStatuses(reader: VarintReader, first: number, unit: number): number {
    let calls = 0;
    let errors = 0;
    let areErrorsAlike = true;
    let areOthersAnswered = true;
    this.#hasOutcomes = first >= withOutcomes;
    for (let left = this.#hasOutcomes ? first - withOutcomes : first; left > 0; left--) {
      const status = reader.next();
      const count = reader.next() * unit;
      this.#addStatus(status, count);
      calls += count;
      if (status >= 400) {
        const outcome = outcomeIndexes[status]!;
        if (errors !== 0 && errors !== outcome) areErrorsAlike = false;
        errors = outcome;
      } else if (status < 100) areOthersAnswered = false;
    }
    this.#known.errors = areErrorsAlike ? errors : 0;
    this.#known.areOthersAnswered = areOthersAnswered;
    return calls;
  }

  /** Sum, extremes and histogram. */
  #addEncodedDurations(reader: VarintReader): void {
    const sumNs = readDouble(reader);
    const minNs = reader.next();
    const maxNs = minNs + reader.next();
    const histogramBytes = reader.next();
    // Without a histogram no call had a duration, or none counted.
    if (histogramBytes === 0) return;
    this.#addDurations(sumNs, minNs, maxNs);
    const start = reader.at;
    reader.at += histogramBytes;
    this.#histogram.addEncoded(reader.bytes, start, reader.at);
  }

  #addDurations(sumNs: number, minNs: number, maxNs: number): void {
    if (!this.#hasDurations || minNs < this.minNs) this.minNs = minNs;
    if (maxNs > this.maxNs) this.maxNs = maxNs;
    this.#hasDurations = true;
    this.sumNs += sumNs;
  }

  #addStatus(status: number, count: number): void {
    if (this.#statusCalls[status] === 0) this.#statuses[this.#statusCount++] = status;
    this.#statusCalls[status]! += count;
  }
}
