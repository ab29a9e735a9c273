import { HistogramCounts, putVarint } from '../histogram.ts';
import { ClientTally } from './client-tally.ts';
import { percentiles, type Usage } from './store.ts';

/** Statuses are at most three digits; what is not (nobody sends it) was made 0 at the door. */
const statusSlots = 1000;

const doubleValue = new Float64Array(1);
const doubleBytes = new Uint8Array(doubleValue.buffer);

/** Where a read of varints stands; module-level, so that reading one allocates nothing. */
let position = 0;

function readVarint(bytes: Uint8Array): number {
  let byte = bytes[position++]!;
  let value = byte & 127;
  for (let scale = 128; byte > 127; scale *= 128) {
    byte = bytes[position++]!;
    value += (byte & 127) * scale;
  }
  return value;
}

/**
 * What is known of a set of calls: counts by status, duration (sum, extremes, histogram), clients. It takes
 * single calls and what another tally encoded, in any mixture, and is reused from set to set.
 */
export class Tally {
  calls = 0;
  sumNs = 0;
  minNs = 0;
  maxNs = 0;
  readonly clients = new ClientTally();
  readonly #histogram = new HistogramCounts();
  readonly #statusCalls = new Float64Array(statusSlots);
  readonly #statuses = new Uint16Array(statusSlots);
  #statusCount = 0;

  /** @param client its number, 0 when unknown */
  addCall(status: number, durationNs: number, client: number): void {
    this.#addDurations(1, durationNs, durationNs, durationNs);
    this.#addStatus(status, 1);
    this.#histogram.addUs(Math.floor(durationNs / 1000 + 0.5));
    if (client !== 0) this.clients.add(client, 1, status >= 400 ? 1 : 0);
  }

  /** Adds what `encode` wrote at `start`. */
  addEncoded(bytes: Uint8Array, start: number, withClients = true): void {
    position = start;
    let calls = 0;
    for (let i = readVarint(bytes); i > 0; i--) {
      const status = readVarint(bytes);
      const count = readVarint(bytes);
      this.#addStatus(status, count);
      calls += count;
    }
    for (let i = 0; i < 8; i++) doubleBytes[i] = bytes[position + i]!;
    position += 8;
    const sumNs = doubleValue[0]!;
    const minNs = readVarint(bytes);
    this.#addDurations(calls, sumNs, minNs, minNs + readVarint(bytes));
    const histogramBytes = readVarint(bytes);
    this.#histogram.addEncoded(bytes, position, position + histogramBytes);
    if (withClients) this.clients.addEncoded(bytes, position + histogramBytes);
  }

  /** The most bytes `encode` can write now. */
  get encodedBytesMax(): number {
    return (
      64 + this.#statusCount * 12 + Math.min(this.calls, 4608) * 12 + this.clients.encodedBytesMax
    );
  }

  encode(out: Uint8Array, at: number): number {
    at = putVarint(out, at, this.#statusCount);
    for (let i = 0; i < this.#statusCount; i++) {
      const status = this.#statuses[i]!;
      at = putVarint(out, at, status);
      at = putVarint(out, at, this.#statusCalls[status]!);
    }
    doubleValue[0] = this.sumNs;
    out.set(doubleBytes, at);
    at = putVarint(out, at + 8, this.minNs);
    at = putVarint(out, at, this.maxNs - this.minNs);
    // The histogram's length stands before it and is mostly two bytes: written after, moved when not.
    const start = at + 2;
    let end = this.#histogram.encode(out, start);
    const size = end - start;
    if (size < 128) {
      out[at] = size | 128;
      out[at + 1] = 0;
    } else if (size < 16_384) {
      putVarint(out, at, size);
    } else {
      out.copyWithin(start + 1, start, end);
      putVarint(out, at, size);
      end += 1;
    }
    return this.clients.encode(out, end);
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
    return {
      calls,
      errors4xx,
      errors5xx,
      statuses,
      sumNs: this.sumNs,
      minNs,
      maxNs,
      percentilesNs:
        calls === 0
          ? percentiles.map(() => 0)
          : this.#histogram.percentilesNs(percentiles, calls, minNs, maxNs),
      uniqueClients: this.clients.unique(),
      uniqueClientsEstimated: this.clients.estimated,
    };
  }

  clear(): void {
    this.calls = 0;
    this.sumNs = 0;
    this.minNs = 0;
    this.maxNs = 0;
    for (let i = 0; i < this.#statusCount; i++) this.#statusCalls[this.#statuses[i]!] = 0;
    this.#statusCount = 0;
    this.#histogram.clear();
    this.clients.clear();
  }

  #addDurations(calls: number, sumNs: number, minNs: number, maxNs: number): void {
    if (this.calls === 0 || minNs < this.minNs) this.minNs = minNs;
    if (maxNs > this.maxNs) this.maxNs = maxNs;
    this.calls += calls;
    this.sumNs += sumNs;
  }

  #addStatus(status: number, count: number): void {
    if (this.#statusCalls[status] === 0) this.#statuses[this.#statusCount++] = status;
    this.#statusCalls[status]! += count;
  }
}
