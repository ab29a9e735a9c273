import { expect, it } from 'vitest';
import { Tally } from '../../../core/usage/tally.ts';
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
