import { expect, test } from 'vitest';
import {
  durationDifference,
  errorDifference,
  loadOf,
  noLoad,
  pOf,
  type Sample,
} from '../../../../analyzer/reports/compare/change.ts';
import {
  adjustedP,
  fisherP,
  normalP,
  studentP,
} from '../../../../analyzer/reports/compare/statistics.ts';

/** Figures of SciPy 1.16: stats.norm, t, fisher_exact, false_discovery_control, mannwhitneyu, chi2_contingency. */
function expectClose(found: number, expected: number): void {
  expect(Math.abs(found / expected - 1), `${found} for ${expected}`).toBeLessThan(1e-6);
}

test('tails of the normal and of Student’s distribution are SciPy’s', () => {
  expectClose(normalP(0.3), 0.7641771556220948);
  expectClose(normalP(-4.5), 6.795346249460107e-6);
  expectClose(normalP(8), 1.244192114854348e-15);
  expectClose(studentP(2, 1), 0.2951672353008665);
  expectClose(studentP(0.7, 3), 0.5343269983047636);
  expectClose(studentP(-5.2, 46), 4.479668421777927e-6);
  expectClose(studentP(12, 10), 2.921408824769984e-7);
});

test('Fisher’s exact test is SciPy’s', () => {
  expectClose(fisherP(3, 10, 0, 10_000), 7.180595011259644e-10);
  expectClose(fisherP(8, 10, 1, 6), 0.034965034965034975);
  expectClose(fisherP(12, 1_000, 3, 1_000), 0.03449142539805221);
  expect(fisherP(0, 500, 0, 600)).toBe(1);
});

test('the adjustment of Benjamini and Hochberg is SciPy’s', () => {
  const adjusted = adjustedP([0.01, 0.02, 0.03, 0.04, 0.05, 0.0001, 0.9, 0.5]);
  const expected = [
    4.0e-2, 5.33333333333e-2, 6.0e-2, 6.4e-2, 6.66666666667e-2, 8.0e-4, 0.9, 5.71428571429e-1,
  ];
  adjusted.forEach((p, n) => {
    expectClose(p, expected[n]!);
  });
  expect(adjustedP([])).toEqual([]);
});

/** Intervals that are all alike: then the variance is that of independent calls. */
function alike(counts: [us: number, calls: number][], errors: number): Sample[] {
  const durations = counts.map(([us, calls]) => ({ us, calls }));
  const calls = durations.reduce((sum, one) => sum + one.calls, 0);
  return Array.from({ length: 10 }, () => ({ calls, errors, durations }));
}

test('the rank test on histograms is SciPy’s test of Mann and Whitney with ties', () => {
  const before = alike(
    [
      [10, 3],
      [11, 5],
      [12, 9],
      [15, 2],
      [20, 1],
    ],
    0,
  );
  const after = alike(
    [
      [10, 1],
      [11, 3],
      [12, 8],
      [15, 7],
      [20, 4],
      [30, 2],
    ],
    0,
  );
  // The counts of ten intervals: mannwhitneyu([10]*30 + …, [10]*10 + …, use_continuity=False).
  const slower = durationDifference({ before, after, isPaired: true, weighting: 1 })!;
  expectClose(pOf(slower, noLoad), 2.4382338440796517e-17);
  expect(slower.delta).toBeGreaterThan(0);
  const faster = durationDifference({
    before: after,
    after: before,
    isPaired: false,
    weighting: 1,
  })!;
  expectClose(pOf(faster, noLoad), 2.4382338440796517e-17);
  expect(faster.delta).toBeLessThan(0);
});

test('the test of two proportions is SciPy’s without continuity correction', () => {
  const before = alike([[10, 100]], 3);
  const after = alike([[10, 120]], 6);
  expectClose(errorP(before, after), 0.01836679383921397);
});

const errorP = (before: Sample[], after: Sample[], isPaired = true): number =>
  pOf(errorDifference({ before, after, isPaired, weighting: 1 })!, noLoad);

const samples = (errors: number[]): Sample[] =>
  errors.map((n) => ({ calls: 1_000, errors: n, durations: [] }));

test('intervals that differ among themselves make a difference less sure', () => {
  const none = samples([1, 1, 1, 1, 1, 1, 1, 1]);
  expect(errorP(none, samples([20, 20, 20, 20, 20, 20, 20, 20]))).toBeLessThan(1e-20);
  expect(errorP(none, samples([0, 0, 150, 0, 0, 10, 0, 0]))).toBeGreaterThan(0.1);
});

test('intervals at the same time of day are paired: a cycle is no variance', () => {
  const day = [5, 10, 40, 80, 90, 80, 40, 10];
  const more = day.map((errors) => errors + 15);
  expect(errorP(samples(day), samples(more), true)).toBeLessThan(1e-4);
  expect(errorP(samples(day), samples(more), false)).toBeGreaterThan(0.1);
});

test('intervals that are like their neighbours make a difference less sure', () => {
  const difference = (deviations: number[], delta = 3) => ({
    delta,
    independent: 1,
    deviations,
    means: 1 as const,
    calls: 100,
    leastP: 0,
  });
  const waves = Array.from({ length: 40 }, (_, n) => Math.sin(n / 2));
  const turns = Array.from({ length: 40 }, (_, n) => (n % 2 === 0 ? 1 : -1));
  expect(loadOf([difference(waves)]).memory).toBe(0.9);
  expect(loadOf([difference(turns)]).memory).toBe(0);
  expect(loadOf([difference(turns.map((n) => n / 10))])).toEqual(noLoad);
  const p = (memory: number) => pOf(difference(waves), { memory, excessPerCall: 0 });
  expect(p(0.5)).toBeGreaterThan(p(0));
  // An endpoint whose own intervals show nothing gets the excess that the others lead to expect.
  const quiet = (excessPerCall: number) =>
    pOf(difference([0, 0, 0, 0, 0, 0, 0]), { memory: 0, excessPerCall });
  expect(quiet(0.02)).toBeGreaterThan(quiet(0));
});
