import { describe, expect, it } from 'vitest';
import type { ClientCounts } from '../../../core/usage/client-tally.ts';
import { ClientTally } from '../../../core/usage/client-tally.ts';
import { Tally } from '../../../core/usage/tally.ts';
import { copiesOf } from '../../../core/weight.ts';
import { fc } from '../../support/property.ts';

const call = fc.record({
  status: fc.constantFrom(0, 200, 200, 201, 401, 404, 500),
  durationNs: fc.oneof(
    fc.constant(-1),
    fc.integer({ min: 0, max: 400_000 }),
    fc.integer({ min: 0, max: 60_000 }).map((ms) => ms * 1_000_000),
  ),
  client: fc.integer({ min: 0, max: 3000 }),
  minute: fc.oneof(fc.constant(29_833_333), fc.integer({ min: 29_830_000, max: 29_840_000 })),
});
type Call = typeof call extends fc.Arbitrary<infer One> ? One : never;

function add(tally: Tally, calls: readonly Call[]): Tally {
  for (const { status, durationNs, client, minute } of calls) {
    tally.addCall(status, durationNs, client, minute);
  }
  return tally;
}

function words(tally: Tally): Uint32Array {
  const out = new Uint32Array(tally.uint32Count);
  expect(tally.putUint32s(out, 0)).toBe(out.length);
  return out;
}

function clients(tally: Tally): Map<number, ClientCounts> {
  const found = new Map<number, ClientCounts>();
  tally.clients.forEach((client) => {
    found.set(client, tally.clients.countsOf(client));
  });
  return found;
}

/** Added up plainly. */
function plainClients(calls: readonly Call[]): Map<number, ClientCounts> {
  const known = Map.groupBy(
    calls.filter(({ client }) => client !== 0),
    ({ client }) => client,
  );
  return new Map(
    [...known].map(([client, own]) => {
      const count = (test: (status: number) => boolean) =>
        own.filter(({ status }) => test(status)).length;
      const minutes = own.map(({ minute }) => minute);
      return [
        client,
        {
          calls: own.length,
          errors: count((status) => status >= 400),
          refused: count((status) => status === 401),
          missing: count((status) => status === 404),
          failed: count((status) => status === 500 || status === 0),
          unrecorded: 0,
          firstMinute: Math.min(...minutes),
          lastMinute: Math.max(...minutes),
        },
      ];
    }),
  );
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
      const truth = plainClients([...before, ...first, ...second, ...after]);
      expect(clients(merge(reused))).toEqual(truth);
      expect(clients(whole)).toEqual(truth);
      expect(clients(encoded(whole))).toEqual(truth);
      const partly = encoded(add(new Tally(), [...before, ...first]));
      const out = new Uint8Array(encoded(add(new Tally(), [...second, ...after])).encodedBytesMax);
      add(new Tally(), [...second, ...after]).encode(out, 0);
      partly.addEncoded(out, 0);
      expect(clients(partly)).toEqual(truth);
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
  weighted.addWeightedCall(200, 1000, 1, 7, 2.5, 3);
  expect(weighted.fitsUint32s).toBe(false);
  const crowded = new Tally();
  for (let client = 1; client <= 4096; client++) crowded.addCall(200, 1000, client, 7);
  expect(crowded.fitsUint32s).toBe(true);
  crowded.addCall(200, 1000, 4097, 7);
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
    const copies = copiesOf(weight, chance);
    tally.addWeightedCall(status, durationNs, client, 29_833_333, weight, copies);
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
      for (const [client, { calls: count, errors }] of clients(reused)) {
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
  let tally = add(new Tally(), [{ status: 200, durationNs: 1000, client: 0, minute: 7 }]);
  const doubled = () => {
    const bytes = new Uint8Array(tally.encodedBytesMax);
    tally.encode(bytes, 0);
    const twice = new Tally();
    twice.addEncoded(bytes, 0);
    twice.addEncoded(bytes, 0);
    return twice;
  };
  for (let n = 0; n < 31; n += 1) tally = doubled();
  tally.addCall(200, 1000, 0, 7);
  expect(tally.calls).toBe(2 ** 31 + 1);
  expect(tally.fitsUint32s).toBe(true);
  tally = doubled();
  expect(tally.calls).toBe(2 ** 32 + 2);
  expect(tally.fitsUint32s).toBe(false);
});

describe('clients that release 0.1.0 counted', () => {
  /** Its form of a tally of one call a status of client 5: calls by status, durations, then clients. */
  const oldForm = (statuses: readonly number[], clients: readonly number[]): Tally => {
    const bytes = [
      statuses.length,
      ...statuses.flatMap((status) => [(status & 127) | 128, status >> 7, 1]),
    ];
    const tally = new Tally();
    tally.addEncoded(Uint8Array.from([...bytes, ...new Array(8).fill(0), 0, 0, 0, ...clients]), 0);
    return tally;
  };
  const one = 2;
  const client = 10;

  it('were all answered when every call was', () => {
    expect(oldForm([200, 201], [one, client, 4]).clients.countsOf(5)).toEqual({
      ...{ calls: 2, errors: 0, refused: 0, missing: 0, failed: 0, unrecorded: 0 },
      ...{ firstMinute: 0, lastMinute: 0 },
    });
  });

  it('have the one outcome that errors of the entry had', () => {
    const found = oldForm([200, 404, 410], [one, client, 7, 2]).clients.countsOf(5);
    expect(found).toMatchObject({ calls: 3, errors: 2, missing: 2, failed: 0, unrecorded: 0 });
  });

  it('have unrecorded outcomes when errors of the entry had several', () => {
    const found = oldForm([200, 404, 500], [one, client, 7, 2]).clients.countsOf(5);
    expect(found).toMatchObject({ calls: 3, errors: 2, missing: 0, failed: 0, unrecorded: 2 });
  });

  it('have an unknown first minute for good, and the last of those that are known', () => {
    const tally = oldForm([200], [one, client, 2]);
    tally.addCall(200, 1000, 5, 29_833_333);
    const again = encoded(tally);
    expect(again.clients.countsOf(5)).toMatchObject({
      calls: 2,
      firstMinute: 0,
      lastMinute: 29_833_333,
    });
  });
});

it('keeps the clients past the bound as one, with outcomes and times', () => {
  const tally = new Tally();
  for (let n = 1; n <= 20; n++) {
    for (let calls = 0; calls < 40 - n; calls++)
      tally.addCall(n === 20 ? 404 : 200, 1000, n, 29_000_000 + n);
  }
  const out = new Uint8Array(tally.encodedBytesMax + 5000);
  tally.encode(out, 0, 10);
  const copy = new Tally();
  copy.addEncoded(out, 0);
  expect(clients(copy).size).toBe(5);
  expect(copy.clients.other).toEqual({
    ...{ calls: 405, errors: 20, refused: 0, missing: 20, failed: 0, unrecorded: 0 },
    ...{ firstMinute: 29_000_006, lastMinute: 29_000_020 },
  });
});

describe('a tally that keeps only the distinct clients', () => {
  const part = fc.record({
    calls: fc.array(call, { maxLength: 40 }),
    form: fc.constantFrom('calls', 'bytes', 'uint32s'),
  });

  it('knows how many they are, however they were added, and all calls', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const tally = new Tally();
        tally.clients.countsCalls = false;
        for (const { calls, form } of parts) {
          if (form === 'calls') add(tally, calls);
          else if (form === 'uint32s') tally.addUint32s(words(add(new Tally(), calls)), 0);
          else {
            const own = add(new Tally(), calls);
            const out = new Uint8Array(own.encodedBytesMax);
            own.encode(out, 0);
            tally.addEncoded(out, 0);
          }
        }
        const calls = parts.flatMap((one) => one.calls);
        const distinct = [...new Set(calls.map(({ client }) => client))].filter((n) => n !== 0);
        expect(tally.clients.unique()).toBe(distinct.length);
        expect(tally.calls).toBe(calls.length);
        const counted = tally.clients.countDistinct(new Int32Array(16));
        expect([...counted.entries()].filter(([, n]) => n !== 0)).toEqual(
          distinct.sort((a, b) => a - b).map((client) => [client, 1]),
        );
      }),
    );
  });

  it('answers no question about their calls', () => {
    const tally = new Tally();
    tally.clients.countsCalls = false;
    tally.addCall(200, 1000, 5, 29_833_333);
    expect(() => tally.clients.countsOf(5)).toThrow(/distinct clients/);
    expect(() => tally.clients.find(5)).toThrow(/distinct clients/);
    expect(() => tally.clients.forEach(() => {})).toThrow(/distinct clients/);
    expect(() => tally.encode(new Uint8Array(1000), 0)).toThrow(/distinct clients/);
    expect(() => tally.putUint32s(new Uint32Array(100), 0)).toThrow(/distinct clients/);
  });

  it('reads those that release 0.1.0 counted, with errors and without', () => {
    // Calls by status; durations; then clients 5, 300 (3 calls, 1 error) and 299 of a tally of 5 calls.
    const statuses = [2, 200, 1, 4, 244, 3, 1];
    const ofClients = [3 * 2, 10, 2, 206, 4, 7, 1, 1, 2];
    const bytes = Uint8Array.from([...statuses, ...new Array(8).fill(0), 0, 0, 0, ...ofClients]);
    for (const countsCalls of [true, false]) {
      const tally = new Tally();
      tally.clients.countsCalls = countsCalls;
      tally.addEncoded(bytes, 0);
      tally.addEncoded(bytes, 0);
      const counted = tally.clients.countDistinct(new Int32Array(0));
      const numbers = [...counted.keys()].filter((client) => counted[client] !== 0);
      expect(numbers, `countsCalls=${countsCalls}`).toEqual([5, 299, 300]);
      expect(tally.clients.unique()).toBe(3);
    }
  });
});

it('a client has an error from status 400 on', () => {
  const clients = new ClientTally();
  for (const status of [200, 399, 400, 499, 500, 0]) clients.addCall(3, status, 1, 60);
  expect(clients.countsOf(3)).toMatchObject({
    calls: 6,
    errors: 3,
    firstMinute: 60,
    lastMinute: 60,
  });
});
