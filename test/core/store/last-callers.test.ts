import { expect, it } from 'vitest';
import { limits } from '../../../core/limits.ts';
import {
  callerNumbers,
  lastCallersOf,
  noteCaller,
  noteCallers,
} from '../../../core/store/last-callers.ts';
import { fc } from '../../support/property.ts';

/** Contexts 1 and 2 are of one consumer and agent, as two versions of a service make them. */
const read = (client: number, context: number) => ({
  client: `client ${client}`,
  consumer: `consumer ${(context + 1) >> 1}`,
  agent: 'curl',
});

it('the last callers are the distinct ones that called last, each with its last call, in any order of arrival', () => {
  const call = fc.record({
    client: fc.integer({ min: 0, max: 3 }),
    context: fc.integer({ min: 1, max: 2 }),
    atMs: fc.integer({ min: 1, max: 1_000_000 }),
  });
  const distinctTimes = fc.uniqueArray(call, { selector: ({ atMs }) => atMs, maxLength: 60 });
  fc.assert(
    fc.property(distinctTimes, fc.nat(60), (calls, cut) => {
      const [first, second]: [number[], number[]] = [[], []];
      calls.slice(0, cut).forEach((c) => {
        noteCaller(first, c.client, c.context, c.atMs);
      });
      calls.slice(cut).forEach((c) => {
        noteCaller(second, c.client, c.context, c.atMs);
      });
      noteCallers(first, second);
      const lastMs = new Map<string, number>();
      for (const { client, context, atMs } of calls) {
        const key = JSON.stringify(read(client, context));
        lastMs.set(key, Math.max(lastMs.get(key) ?? 0, atMs));
      }
      const expected = [...lastMs]
        .map(([key, atMs]) => ({ ...JSON.parse(key), atMs }))
        .sort((a, b) => b.atMs - a.atMs);
      expect(lastCallersOf(first, read)).toEqual(expected.slice(0, limits.lastCallers));
    }),
  );
});

it('no more entries are kept than two for each caller that is answered', () => {
  const callers: number[] = [];
  for (let atMs = 1; atMs <= 100; atMs++) noteCaller(callers, atMs, 1, atMs);
  expect(callers.length).toBe(10 * callerNumbers);
  expect(lastCallersOf(callers, read).map(({ atMs }) => atMs)).toEqual([100, 99, 98, 97, 96]);
});

it('the caller whose last call is the oldest makes room for a new one, in whatever order they were noted', () => {
  const callers: number[] = [];
  // Ten are kept; the second one noted called first.
  noteCaller(callers, 1, 1, 1_000);
  noteCaller(callers, 2, 1, 10);
  for (let client = 3; client <= 10; client += 1) noteCaller(callers, client, 1, 1_000 + client);
  noteCaller(callers, 11, 1, 2_000);
  const clients = callers.filter((_, i) => i % callerNumbers === 0);
  expect(clients).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 1]);
  expect(callers.filter((_, i) => i % callerNumbers === 2)).toEqual([
    2_000, 1_010, 1_009, 1_008, 1_007, 1_006, 1_005, 1_004, 1_003, 1_000,
  ]);
});
