import { describe, expect, test } from 'vitest';
import { type ComparedSide, compared } from '../../../../analyzer/reports/compare/comparison.ts';
import { versionGroup } from '../../../../analyzer/reports/compare/version-pairs.ts';
import { windowGroup } from '../../../../analyzer/reports/compare/window-pair.ts';
import { emptyUsage } from '../../../../analyzer/reports/figures.ts';
import type { Coverage, EndpointRecord } from '../../../../core/store/store.ts';
import type { CallUsage } from '../../../../core/usage/usage.ts';
import { call, repeat } from '../../support/door.ts';
import { oracleReader } from '../../support/oracle.ts';

const hourS = 3_600;
const dayS = 24 * hourS;
const startS = Date.UTC(2026, 2, 1) / 1000;

/** Ten intervals that are all alike. */
interface Side {
  /** Of each interval. */
  calls: number;
  errors?: number;
  durationMs: number;
  /** Of the sum of weights; absent without sampling. */
  variance?: number;
}

function sideOf({ calls, errors = 0, durationMs, variance }: Side): ComparedSide {
  const ns = durationMs * 1e6;
  const usage: CallUsage = {
    ...emptyUsage,
    calls: 10 * calls,
    errors5xx: 10 * errors,
    minNs: ns,
    maxNs: ns,
    percentilesNs: [ns, ns, ns, ns, ns, ns],
    ...(variance !== undefined && { sampling: { seen: 10, variance } }),
  };
  const interval = { calls, errors, durations: [{ us: durationMs * 1000, calls }] };
  return {
    usages: new Map([['1', usage]]),
    intervals: Array.from({ length: 10 }, () => new Map([['1', interval]])),
  };
}

/** Verdicts on the duration and on the errors. */
function verdicts(before: Side, after: Side): string[] {
  const [one] = compared([
    {
      endpoints: [{ id: '1' } as EndpointRecord],
      before: sideOf(before),
      after: sideOf(after),
      isPaired: true,
    },
  ]);
  return [one!.duration.verdict, one!.errors.verdict];
}

describe('a difference that is sure', () => {
  test.each([
    [100, 105, 'worse'],
    [100, 104.9, 'same'],
    [100, 95, 'better'],
    [100, 95.1, 'same'],
  ])('of a median from %d to %d ms is called %s', (was, is, verdict) => {
    const calls = 1_000;
    expect(verdicts({ calls, durationMs: was }, { calls, durationMs: is })[0]).toBe(verdict);
  });

  test.each([
    [1_000, 1_100, 'worse'],
    [1_000, 1_099, 'same'],
    [1_000, 900, 'better'],
    [1_000, 901, 'same'],
  ])('of errors from %d to %d of 10,000 is called %s', (was, is, verdict) => {
    const side = { calls: 10_000, durationMs: 10 };
    expect(verdicts({ ...side, errors: was }, { ...side, errors: is })[1]).toBe(verdict);
  });
});

test('counts that stand for sampled calls make a difference less sure', () => {
  const before = { calls: 100, errors: 30, durationMs: 10 };
  const after = { ...before, errors: 40 };
  expect(verdicts(before, after)[1]).toBe('worse');
  // 1,000 calls by weights of 10: Σ(w² − w) is 9 a call.
  expect(verdicts(before, { ...after, variance: 9_000 })[1]).toBe('same');
  expect(verdicts({ ...before, variance: 9_000 }, after)[1]).toBe('same');
});

test.each([
  [6, 100, 'worse'],
  [5, 100, 'too_little_data'],
])('with calls in %i intervals of one side, %i each, it is %s', (filled, calls, verdict) => {
  const group = (side: Side, intervals: number) => {
    const made = sideOf(side);
    return {
      ...made,
      intervals: made.intervals.map((one, n) => (n < intervals ? one : new Map())),
    };
  };
  const endpoints = [{ id: '1' } as EndpointRecord];
  const slow = { calls, durationMs: 20 };
  const fast = { calls, durationMs: 10 };
  for (const isPaired of [true, false]) {
    const [one] = compared([
      { endpoints, before: group(fast, 10), after: group(slow, filled), isPaired },
    ]);
    const [other] = compared([
      { endpoints, before: group(fast, filled), after: group(slow, 10), isPaired },
    ]);
    expect([one!.duration.verdict, other!.duration.verdict]).toEqual([verdict, verdict]);
  }
});

test('windows that lie whole days apart are compared at the same times of day, others are not', async () => {
  const reader = oracleReader([call({ endMs: startS * 1000 })]);
  const coverage = (fromS: number): Coverage => ({
    window: { fromS, toS: fromS + 2 * dayS },
    resolution: 'minute',
    incomplete: false,
  });
  const isPaired = (apartS: number) =>
    reader.snapshot('default', async (snapshot) => {
      const pair = { before: coverage(startS - apartS), after: coverage(startS) };
      return (await windowGroup(snapshot, {}, pair)).isPaired;
    });
  expect(await isPaired(2 * dayS)).toBe(true);
  expect(await isPaired(7 * dayS)).toBe(true);
  expect(await isPaired(2 * dayS + hourS)).toBe(false);
  expect(await isPaired(36 * hourS)).toBe(false);
});

test('the calls of a version are in its intervals, from the first to the last one', async () => {
  const every = (version: string, count: number, fromS: number) =>
    repeat(count, (n) => call({ version, endMs: (fromS + n * 90) * 1000 + 500 }));
  const reader = oracleReader([...every('1', 100, startS + 59), ...every('2', 50, startS + dayS)]);
  const window = { fromS: startS, toS: startS + 2 * dayS };
  const group = await reader.snapshot('default', (snapshot) =>
    versionGroup(
      snapshot,
      { service: 'shop' },
      { service: 'shop', environment: 'production', before: '1', after: '2' },
      window,
    ),
  );
  const calls = ({ intervals }: ComparedSide) =>
    intervals.flatMap((one) => [...one.values()]).reduce((sum, one) => sum + one.calls, 0);
  expect([calls(group.before), calls(group.after)]).toEqual([100, 50]);
  expect(group.isPaired).toBe(false);
});
