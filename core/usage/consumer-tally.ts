import { limits } from '../limits.ts';
import { outcomeIndexes, outcomes } from '../outcome.ts';
import { weightUnit } from '../weight.ts';
import { forEachStatus } from './tally.ts';
import { putVarint, VarintReader } from './varint.ts';

/**
 * A consumer's number is twice the number of its name, and one more for the calls of its bots. Names are numbered
 * from 1 on: these two are the consumers past the bound.
 */
export const otherPeople = 0;
export const otherBots = 1;

/** Numbers kept of one consumer: calls by outcome, errors, and the seconds of its first and last call. */
const errorsAt = outcomes.length;
const firstAt = errorsAt + 1;
const lastAt = errorsAt + 2;
const width = errorsAt + 3;

/** Calls of one consumer. Seconds since the epoch. */
export interface ConsumerCounts {
  /** In the order of `outcomes`. */
  outcomes: readonly number[];
  /** Statuses of 400 and more. */
  errors: number;
  firstS: number;
  lastS: number;
}

/**
 * Calls by consumer: outcomes, errors, first and last call. Reused for one set of calls after another. Exact up to
 * `limits.consumersPerEndpoint` in stored usage; beyond, the consumers with the most calls stay, all others share
 * one entry for people and one for bots.
 */
export class ConsumerTally {
  /** By consumer: where its numbers begin. */
  readonly #indexes = new Map<number, number>();
  readonly #numbers: number[] = [];
  /** `width` numbers for each consumer. */
  #counts = new Float64Array(width * 16);
  /** Whether some weight is not a whole number. */
  #isFractional = false;
  readonly #reader = new VarintReader();

  get size(): number {
    return this.#numbers.length;
  }

  /** @param weight core/weight.ts; a call of weight 0 shows when the consumer called, and counts nothing */
  addCall(consumer: number, status: number, weight: number, endS: number): void {
    if (!Number.isInteger(weight)) this.#isFractional = true;
    const at = this.#at(consumer);
    const counts = this.#counts;
    counts[at + outcomeIndexes[status]!]! += weight;
    if (status >= 400) counts[at + errorsAt]! += weight;
    if (endS < counts[at + firstAt]!) counts[at + firstAt] = endS;
    if (endS > counts[at + lastAt]!) counts[at + lastAt] = endS;
  }

  /** Adds the tally that `Tally.encode` wrote at `start`, whose calls are all of one consumer. */
  addTally(
    consumer: number,
    bytes: Uint8Array,
    start: number,
    firstS: number,
    lastS: number,
  ): void {
    const reader = this.#reader;
    const at = this.#at(consumer);
    const counts = this.#counts;
    const unit = forEachStatus(reader, bytes, start, (status, calls) => {
      counts[at + outcomeIndexes[status]!]! += calls;
      if (status >= 400) counts[at + errorsAt]! += calls;
    });
    if (unit !== 1) this.#isFractional = true;
    if (firstS < counts[at + firstAt]!) counts[at + firstAt] = firstS;
    if (lastS > counts[at + lastAt]!) counts[at + lastAt] = lastS;
  }

  /** Adds what `encode` wrote with this base. */
  addEncoded(reader: VarintReader, baseS: number): void {
    const head = reader.next();
    const unit = head % 2 === 1 ? weightUnit : 1;
    if (unit !== 1) this.#isFractional = true;
    let consumer = 0;
    for (let left = head >>> 1; left > 0; left--) {
      consumer += reader.next();
      const at = this.#at(consumer);
      const counts = this.#counts;
      const first = reader.next();
      if (first % 2 === 0) counts[at]! += (first / 2) * unit;
      else {
        counts[at]! += ((first - 1) / 2) * unit;
        let others = 0;
        for (let i = 1; i < outcomes.length; i++) {
          const calls = reader.next() * unit;
          counts[at + i]! += calls;
          others += calls;
        }
        counts[at + errorsAt]! += others - reader.next() * unit;
      }
      const firstS = baseS + reader.next();
      const lastS = firstS + reader.next();
      if (firstS < counts[at + firstAt]!) counts[at + firstAt] = firstS;
      if (lastS > counts[at + lastAt]!) counts[at + lastAt] = lastS;
    }
  }

  /** The most bytes `encode` can write now. */
  get encodedBytesMax(): number {
    return 8 + this.size * (width + 1) * 8;
  }

  /**
   * `varint 2 * consumers + (counts are fractions)`, then by ascending number: the difference to the number before,
   * `2 * answered calls + (there are others)`, the others by outcome and how many of them are no errors, and the
   * first call after the base and the last after the first, in seconds.
   * @param baseS not after the first call @param most consumers that are counted one by one
   */
  encode(
    out: Uint8Array,
    at: number,
    baseS: number,
    most: number = limits.consumersPerEndpoint,
  ): number {
    if (this.size > most) this.#foldRarest(most / 2);
    const isFractional = this.#isFractional;
    const scale = isFractional ? 1 / weightUnit : 1;
    at = putVarint(out, at, this.size * 2 + (isFractional ? 1 : 0));
    let before = 0;
    if (this.size > 1) this.#numbers.sort(ascending);
    for (const consumer of this.#numbers) {
      const from = this.#indexes.get(consumer)!;
      const counts = this.#counts;
      at = putVarint(out, at, consumer - before);
      before = consumer;
      const errors = counts[from + errorsAt]!;
      let others = 0;
      for (let i = 1; i < outcomes.length; i++) others += counts[from + i]!;
      at = putVarint(out, at, counts[from]! * scale * 2 + (others > 0 ? 1 : 0));
      if (others > 0) {
        for (let i = 1; i < outcomes.length; i++)
          at = putVarint(out, at, counts[from + i]! * scale);
        at = putVarint(out, at, (others - errors) * scale);
      }
      at = putVarint(out, at, counts[from + firstAt]! - baseS);
      at = putVarint(out, at, counts[from + lastAt]! - counts[from + firstAt]!);
    }
    return at;
  }

  forEach(visit: (consumer: number, counts: ConsumerCounts) => void): void {
    for (const consumer of this.#numbers) visit(consumer, this.#read(consumer));
  }

  clear(): void {
    this.#indexes.clear();
    this.#numbers.length = 0;
    this.#isFractional = false;
  }

  #read(consumer: number): ConsumerCounts {
    const at = this.#indexes.get(consumer)!;
    const counts = this.#counts;
    return {
      outcomes: outcomes.map((_, i) => counts[at + i]!),
      errors: counts[at + errorsAt]!,
      firstS: counts[at + firstAt]!,
      lastS: counts[at + lastAt]!,
    };
  }

  /** Where a consumer's numbers begin. */
  #at(consumer: number): number {
    const known = this.#indexes.get(consumer);
    if (known !== undefined) return known;
    const at = this.size * width;
    if (at + width > this.#counts.length) {
      const counts = new Float64Array(this.#counts.length * 2);
      counts.set(this.#counts);
      this.#counts = counts;
    }
    this.#counts.fill(0, at, at + width);
    this.#counts[at + firstAt] = Number.POSITIVE_INFINITY;
    this.#indexes.set(consumer, at);
    this.#numbers.push(consumer);
    return at;
  }

  /** Keeps the consumers with the most calls. */
  #foldRarest(kept: number): void {
    const all = this.#numbers.map((consumer) => ({ consumer, ...this.#read(consumer) }));
    const callsOf = (of: ConsumerCounts) => of.outcomes.reduce((sum, n) => sum + n, 0);
    all.sort((a, b) => callsOf(b) - callsOf(a) || a.consumer - b.consumer);
    this.#indexes.clear();
    this.#numbers.length = 0;
    for (const [i, { consumer, ...counts }] of all.entries()) {
      const isKept = i < kept;
      this.#addCounts(isKept ? consumer : consumer & 1 ? otherBots : otherPeople, counts);
    }
  }

  #addCounts(consumer: number, more: ConsumerCounts): void {
    const at = this.#at(consumer);
    const counts = this.#counts;
    more.outcomes.forEach((calls, i) => {
      counts[at + i]! += calls;
    });
    counts[at + errorsAt]! += more.errors;
    counts[at + firstAt] = Math.min(counts[at + firstAt]!, more.firstS);
    counts[at + lastAt] = Math.max(counts[at + lastAt]!, more.lastS);
  }
}

const ascending = (a: number, b: number): number => a - b;
