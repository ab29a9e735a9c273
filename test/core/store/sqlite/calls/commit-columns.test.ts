import { expect, it } from 'vitest';
import {
  decodeCommit,
  encodeCommit,
} from '../../../../../core/store/sqlite/calls/commit-columns.ts';
import {
  packedBytesMax,
  putPacked,
  readPacked,
} from '../../../../../core/store/sqlite/calls/packed.ts';
import { StoredCalls } from '../../../../../core/store/sqlite/calls/stored-calls.ts';
import { DamagedError } from '../../../../../core/store/sqlite/sealed.ts';
import { VarintReader } from '../../../../../core/usage/varint.ts';
import { fc } from '../../../../support/property.ts';
import { madeStoredCalls, plainCalls, type StoredCall, storedCalls } from './made-stored-calls.ts';

const whole = (max: number) =>
  fc.oneof(
    fc.integer({ min: 0, max: 300 }),
    fc.maxSafeInteger().map((n) => Math.abs(n) % (max + 1)),
  );
const row = whole(2 ** 31 - 1);

const anyCall: fc.Arbitrary<StoredCall> = fc
  .record({
    endpoint: row,
    status: fc.integer({ min: 0, max: 999 }),
    endS: whole(2 ** 32 - 1),
    endNs: fc.integer({ min: 0, max: 999_999_999 }),
    durationNs: fc.oneof(fc.constant(-1), whole(Number.MAX_SAFE_INTEGER)),
    client: row,
    origin: row,
    requestBytes: fc.oneof(fc.constant(-1), whole(Number.MAX_SAFE_INTEGER)),
    responseBytes: fc.oneof(fc.constant(-1), whole(Number.MAX_SAFE_INTEGER)),
    traceId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    weight: fc.constantFrom(1, 1, 1, 0, 2.5, 2 ** 20),
    copies: fc.integer({ min: 0, max: 2 ** 20 }),
  })
  .map((call) => ({ ...call, copies: call.weight === 1 ? 1 : call.copies }));

function encoded(calls: StoredCalls): { bytes: Uint8Array; traceIds: Uint8Array } {
  const { columns, length, weights } = calls;
  const bytes = encodeCommit(columns, length, columns, weights).slice();
  return { bytes, traceIds: columns.traceId.slice(0, length * 16) };
}

it('packed numbers are read back, whatever their range, sign and unit', () => {
  const numbers = fc.array(
    fc.oneof(
      fc.integer({ min: -1, max: 300 }),
      fc.maxSafeInteger().map((n) => Math.trunc(n / 2)),
    ),
    { maxLength: 300 },
  );
  const unit = fc.constantFrom(1, 1_000, 1_000_000);
  fc.assert(
    fc.property(numbers, unit, fc.boolean(), (list, unitNs, isScaled) => {
      const values = Float64Array.from(list, (value) => Math.trunc(value / unitNs) * unitNs + 0);
      const out = new Uint8Array(7 + packedBytesMax(values.length));
      const end = putPacked(out, 7, values, 0, values.length, isScaled);
      const reader = new VarintReader();
      reader.seek(out, 7);
      const back = new Float64Array(values.length + 2);
      readPacked(reader, values.length, back, 1);
      expect(reader.at).toBe(end);
      expect(back.slice(1, -1)).toEqual(values);
    }),
  );
});

it('times in whole milliseconds take two bytes for a minute', () => {
  const values = Float64Array.from({ length: 100 }, (_, i) => i * 600 * 1_000_000);
  const out = new Uint8Array(packedBytesMax(100));
  expect(putPacked(out, 0, values, 0, 100, true)).toBe(1 + 1 + 2 * 100);
});

it('a commit is read back behind the calls that are there already', () => {
  fc.assert(
    fc.property(
      fc.array(anyCall, { maxLength: 20 }),
      fc.array(anyCall, { maxLength: 60 }),
      (before, calls) => {
        const { bytes, traceIds } = encoded(storedCalls(calls));
        const into = storedCalls(before);
        decodeCommit(bytes, traceIds, 'commit 1', into);
        expect(plainCalls(into)).toEqual([...before, ...calls]);
      },
    ),
  );
});

it('without the trace ids every other column is read', () => {
  const calls = madeStoredCalls(1, { calls: 500, endpoints: 300, clients: 100, origins: 9 });
  const into = new StoredCalls();
  decodeCommit(encoded(storedCalls(calls)).bytes, undefined, 'commit 1', into);
  const noTraceId = new Uint8Array(16);
  expect(plainCalls(into)).toEqual(calls.map((call) => ({ ...call, traceId: noTraceId })));
});

it('any flipped bit of a commit is found, and no call is added', () => {
  const calls = madeStoredCalls(2, {
    calls: 20,
    endpoints: 9,
    clients: 9,
    origins: 9,
    weighted: 0.2,
  });
  const { bytes, traceIds } = encoded(storedCalls(calls));
  const into = new StoredCalls();
  for (const damaged of [bytes, traceIds]) {
    for (let bit = 0; bit < damaged.length * 8; bit++) {
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeCommit(bytes, traceIds, 'commit 7', into)).toThrow(DamagedError);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
  expect(() => decodeCommit(bytes.subarray(0, 3), traceIds, 'commit 7', into)).toThrow(
    'commit 7 is damaged: it has 3 bytes',
  );
  expect(into.length).toBe(0);
});

it('a call of a busy service takes at most 22 bytes beside its trace id', () => {
  const calls = madeStoredCalls(3, {
    calls: 20_000,
    endpoints: 1000,
    clients: 10_000,
    origins: 50,
  });
  expect(encoded(storedCalls(calls)).bytes.length / calls.length).toBeLessThan(22);
});
