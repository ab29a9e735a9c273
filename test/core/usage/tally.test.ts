import { expect, it } from 'vitest';
import { Tally } from '../../../core/usage/tally.ts';
import { copiesOf } from '../../../core/weight.ts';
import { fc } from '../../support/property.ts';

const call = fc.record({
  status: fc.constantFrom(0, 200, 201, 404, 500),
  durationNs: fc.oneof(
    fc.constant(-1),
    fc.integer({ min: 0, max: 400_000 }),
    fc.integer({ min: 0, max: 60_000 }).map((ms) => ms * 1_000_000),
  ),
  client: fc.integer({ min: 0, max: 3000 }),
});
type Call = typeof call extends fc.Arbitrary<infer One> ? One : never;

function add(tally: Tally, calls: readonly Call[]): Tally {
  for (const { status, durationNs, client } of calls) tally.addCall(status, durationNs, client);
  return tally;
}

function words(tally: Tally): Uint32Array {
  const out = new Uint32Array(tally.uint32Count);
  expect(tally.putUint32s(out, 0)).toBe(out.length);
  return out;
}

function clients(tally: Tally): number[][] {
  const list: number[][] = [];
  tally.clients.forEach((...client) => {
    list.push(client);
  });
  return list.sort(([a], [b]) => a! - b!);
}

function encoded(tally: Tally): Tally {
  const out = new Uint8Array(tally.encodedBytesMax);
  tally.encode(out, 0);
  const copy = new Tally();
  copy.addEncoded(out, 0);
  return copy;
}

const some = fc.array(call, { maxLength: 40 });
const many = fc.array(call, { maxLength: 600, size: 'max' });

it('tells the same of words as of single calls, whatever is added before and after them', () => {
  const reused = new Tally();
  fc.assert(
    fc.property(some, many, some, many, (before, first, second, after) => {
      const whole = add(new Tally(), [...before, ...first, ...second, ...after]);
      const parts = [words(add(new Tally(), first)), words(add(new Tally(), second))];
      const merge = (tally: Tally): Tally => {
        tally.clear();
        add(tally, before);
        for (const part of parts) tally.addUint32s(part, 0);
        return add(tally, after);
      };
      expect(merge(reused).usage()).toEqual(whole.usage());
      // Asked again, and for something else, it still tells the same.
      expect(reused.usage()).toEqual(whole.usage());
      expect(clients(merge(reused))).toEqual(clients(whole));
      expect(encoded(merge(reused)).usage()).toEqual(whole.usage());
      const again = new Tally();
      again.addUint32s(words(merge(reused)), 0);
      expect(again.usage()).toEqual(whole.usage());
    }),
    { numRuns: 200 },
  );
});

it('does not put into words what they cannot tell', () => {
  const weighted = new Tally();
  weighted.addWeightedCall(200, 1000, 1, 2.5, 3);
  expect(weighted.fitsUint32s).toBe(false);
  const crowded = new Tally();
  for (let client = 1; client <= 4096; client++) crowded.addCall(200, 1000, client);
  expect(crowded.fitsUint32s).toBe(true);
  crowded.addCall(200, 1000, 4097);
  expect(crowded.fitsUint32s).toBe(false);
});

const weighted = fc.record({
  status: fc.constantFrom(0, 200, 404, 500),
  durationNs: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 60_000_000 })),
  client: fc.integer({ min: 0, max: 3 }),
  weight: fc.constantFrom(0, 1, 2, 2.5, 7.25, 100),
  chance: fc.double({ min: 0, max: 0.99, noNaN: true }),
});
type Weighted = typeof weighted extends fc.Arbitrary<infer One> ? One : never;

function addWeighted(tally: Tally, calls: readonly Weighted[]): Tally {
  for (const { status, durationNs, client, weight, chance } of calls) {
    tally.addWeightedCall(status, durationNs, client, weight, copiesOf(weight, chance));
  }
  return tally;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

it('counts calls with weights as their sum, and tells how many were seen and how much it may vary', () => {
  const reused = new Tally();
  fc.assert(
    fc.property(fc.array(weighted, { minLength: 1, maxLength: 30 }), (calls) => {
      reused.clear();
      addWeighted(reused, calls);
      const usage = reused.usage();
      const weights = calls.map(({ weight }) => weight);
      const of = (isCounted: (call: Weighted) => boolean) =>
        sum(calls.filter(isCounted).map(({ weight }) => weight));
      const timed = calls.filter(({ weight, durationNs }) => weight > 0 && durationNs >= 0);
      const durations = timed.map(({ durationNs }) => durationNs);
      expect(usage.calls).toBe(sum(weights));
      expect(usage.sampling).toEqual({
        seen: calls.length,
        variance: sum(weights.map((weight) => weight * weight - weight)),
      });
      expect(usage.untimed ?? 0).toBe(of(({ durationNs }) => durationNs < 0));
      expect(usage.errors4xx).toBe(of(({ status }) => status === 404));
      expect(usage.errors5xx).toBe(of(({ status }) => status === 500));
      expect(reused.errors).toBe(usage.errors4xx + usage.errors5xx);
      expect(usage.sumNs).toBe(sum(timed.map(({ durationNs, weight }) => durationNs * weight)));
      expect([usage.minNs, usage.maxNs]).toEqual(
        timed.length === 0 ? [0, 0] : [Math.min(...durations), Math.max(...durations)],
      );
      expect(sum(reused.durations().map((bucket) => bucket.calls))).toBe(
        sum(timed.map(({ weight, chance }) => copiesOf(weight, chance))),
      );
      for (const [client, count, errors] of clients(reused)) {
        expect(count).toBe(of((one) => one.client === client));
        expect(errors).toBe(of((one) => one.client === client && one.status >= 400));
      }
    }),
    { numRuns: 300 },
  );
});

it('holds the same with weights encoded, added to calls without, and used again', () => {
  const reused = new Tally();
  // An empty tally is never encoded.
  const list = fc.array(weighted, { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(some, list, list, (plain, first, second) => {
      const whole = addWeighted(addWeighted(add(new Tally(), plain), first), second);
      reused.clear();
      add(reused, plain);
      const part = (calls: readonly Weighted[]) => {
        const tally = addWeighted(new Tally(), calls);
        const bytes = new Uint8Array(tally.encodedBytesMax);
        tally.encode(bytes, 0);
        return bytes;
      };
      reused.addEncoded(part(first), 0);
      reused.addEncoded(part(second), 0);
      expect(reused.usage()).toEqual(whole.usage());
      expect(clients(reused)).toEqual(clients(whole));
      expect(encoded(reused).usage()).toEqual(reused.usage());
      // A tally that held weights holds none of them afterwards.
      reused.clear();
      expect(add(reused, plain).usage()).toEqual(add(new Tally(), plain).usage());
    }),
    { numRuns: 200 },
  );
});

it('does not put more than 32 bits of calls into words', () => {
  let tally = add(new Tally(), [{ status: 200, durationNs: 1000, client: 0 }]);
  const doubled = () => {
    const bytes = new Uint8Array(tally.encodedBytesMax);
    tally.encode(bytes, 0);
    const twice = new Tally();
    twice.addEncoded(bytes, 0);
    twice.addEncoded(bytes, 0);
    return twice;
  };
  for (let n = 0; n < 31; n += 1) tally = doubled();
  tally.addCall(200, 1000, 0);
  expect(tally.calls).toBe(2 ** 31 + 1);
  expect(tally.fitsUint32s).toBe(true);
  tally = doubled();
  expect(tally.calls).toBe(2 ** 32 + 2);
  expect(tally.fitsUint32s).toBe(false);
});
