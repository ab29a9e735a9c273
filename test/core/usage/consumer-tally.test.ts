import { describe, expect, it } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { Random } from '../../../core/random.ts';
import { type ConsumerCounts, ConsumerTally } from '../../../core/usage/consumer-tally.ts';
import { VarintReader } from '../../../core/usage/varint.ts';
import { roundedWeight } from '../../../core/weight.ts';

interface Call {
  consumer: number;
  status: number;
  weight: number;
  endS: number;
}

const baseS = 1_790_000_000;

function randomCalls(seed: number, count: number, weights: readonly number[]): Call[] {
  const random = new Random(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]!;
  return Array.from({ length: count }, () => ({
    consumer: 2 + Math.floor(random.next() * 60),
    status: pick([200, 200, 201, 304, 401, 404, 422, 500, 0]),
    weight: pick(weights),
    endS: baseS + Math.floor(random.next() * 5_000_000),
  }));
}

function filled(calls: readonly Call[]): ConsumerTally {
  const tally = new ConsumerTally();
  for (const { consumer, status, weight, endS } of calls) {
    tally.addCall(consumer, status, weight, endS);
  }
  return tally;
}

function encoded(tally: ConsumerTally): Uint8Array {
  const out = new Uint8Array(tally.encodedBytesMax);
  return out.subarray(0, tally.encode(out, 0, baseS));
}

function countsOf(tally: ConsumerTally): Map<number, ConsumerCounts> {
  const counts = new Map<number, ConsumerCounts>();
  tally.forEach((consumer, own) => {
    counts.set(consumer, own);
  });
  return counts;
}

describe('calls by consumer', () => {
  it.each([
    ['without weights', [1]],
    ['with whole weights', [1, 2, 0, 2 ** 20]],
    ['with fractions', [1, roundedWeight(1 / 0.3), 0, 8]],
  ])('%s are the same whether they come singly or merged in any grouping', (_, weights) => {
    const calls = randomCalls(5, 3_000, weights);
    const whole = countsOf(filled(calls));
    const merged = new ConsumerTally();
    const reader = new VarintReader();
    for (const [from, to] of [
      [1_000, 3_000],
      [0, 1],
      [1, 1_000],
    ] as const) {
      reader.seek(encoded(filled(calls.slice(from, to))), 0);
      merged.addEncoded(reader, baseS);
    }
    reader.seek(encoded(merged), 0);
    const again = new ConsumerTally();
    again.addEncoded(reader, baseS);
    expect(countsOf(again)).toEqual(whole);
    const own = calls.filter(({ consumer }) => consumer === 7);
    const sum = (is: (call: Call) => boolean) =>
      own.filter(is).reduce((all, { weight }) => all + weight, 0);
    expect(whole.get(7)).toEqual({
      outcomes: [
        sum(({ status }) => status >= 200 && status < 400),
        sum(({ status }) => status === 401),
        sum(({ status }) => status === 404),
        sum(({ status }) => [422, 500, 0].includes(status)),
      ],
      errors: sum(({ status }) => status >= 400),
      firstS: Math.min(...own.map(({ endS }) => endS)),
      lastS: Math.max(...own.map(({ endS }) => endS)),
    });
    again.clear();
    expect(countsOf(again)).toEqual(new Map());
  });

  it('past the bound keep the half with the most calls, and add up the rest for people and bots', () => {
    const tally = new ConsumerTally();
    const many = limits.consumersPerEndpoint + 100;
    for (let n = 0; n < many; n++) tally.addCall(2 + n, n % 3 === 0 ? 500 : 200, 1 + n, baseS + n);
    const again = new ConsumerTally();
    const reader = new VarintReader();
    reader.seek(encoded(tally), 0);
    again.addEncoded(reader, baseS);
    const counts = countsOf(again);
    const kept = limits.consumersPerEndpoint / 2;
    expect(counts.size).toBe(kept + 2);
    const folded = Array.from({ length: many - kept }, (_, n) => n);
    for (const bot of [0, 1]) {
      const own = folded.filter((n) => n % 2 === bot);
      const calls = own.reduce((sum, n) => sum + 1 + n, 0);
      const errors = own.filter((n) => n % 3 === 0).reduce((sum, n) => sum + 1 + n, 0);
      expect(counts.get(bot)).toEqual({
        outcomes: [calls - errors, 0, 0, errors],
        errors,
        firstS: baseS + own[0]!,
        lastS: baseS + own.at(-1)!,
      });
    }
  });
});
