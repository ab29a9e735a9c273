/**
 * Tests of significance. Each gives a two-sided p-value: how often chance alone makes a difference as large as the
 * one that was seen. The tests of this file hold the figures of SciPy (test/analyzer/reports/statistics.test.ts).
 */

/** P(|Z| >= |z|) of a standard normal deviate. */
export function normalP(z: number): number {
  return erfc(Math.abs(z) / Math.SQRT2);
}

/** P(|T| >= |t|) of Student's distribution. */
export function studentP(t: number, degreesOfFreedom: number): number {
  const x = degreesOfFreedom / (degreesOfFreedom + t * t);
  return incompleteBeta(x, degreesOfFreedom / 2, 0.5);
}

/**
 * Fisher's exact test of two proportions, a of m and b of n: the sum of the probabilities of all tables with the same
 * margins that are no more likely than the one seen.
 */
export function fisherP(a: number, m: number, b: number, n: number): number {
  const hits = a + b;
  const least = Math.max(0, hits - n);
  const most = Math.min(hits, m);
  const logAll = logChoose(m + n, hits);
  const logOf = (k: number) => logChoose(m, k) + logChoose(n, hits - k) - logAll;
  const logSeen = logOf(a);
  let sum = 0;
  for (let k = least; k <= most; k++) {
    const log = logOf(k);
    // Equal probabilities differ by rounding.
    if (log <= logSeen + 1e-7) sum += Math.exp(log);
  }
  return Math.min(1, sum);
}

/**
 * Benjamini and Hochberg: of the hypotheses whose adjusted p-value is at most q, no more than a share of q is expected
 * to be false alarms; where nothing changed at all, any alarm comes up with a probability of q.
 * @returns adjusted p-values, in the order given
 */
export function adjustedP(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => values[b]! - values[a]!);
  const adjusted = Array<number>(values.length);
  let least = 1;
  order.forEach((index, n) => {
    const rank = values.length - n;
    least = Math.min(least, (values[index]! * values.length) / rank);
    adjusted[index] = least;
  });
  return adjusted;
}

/** Complementary error function: Numerical Recipes' Chebyshev fit, relative error below 1.2e-7 everywhere. */
function erfc(x: number): number {
  const t = 1 / (1 + x / 2);
  const polynomial = erfcCoefficients.reduceRight((sum, coefficient) => coefficient + t * sum, 0);
  return t * Math.exp(-x * x + polynomial);
}

const erfcCoefficients = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
];

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}

/** Lanczos' approximation, g = 7: 15 digits for x > 0. */
function logGamma(x: number): number {
  let sum = lanczos[0]!;
  for (let i = 1; i < lanczos.length; i++) sum += lanczos[i]! / (x - 1 + i);
  const t = x + 6.5;
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
];

/** Regularized incomplete beta function, by its continued fraction (Lentz's method). */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast below this point; above it the symmetric function is taken.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const logFront =
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x);
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 300; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d);
    c = nonZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d);
    c = nonZero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-14) break;
  }
  return (Math.exp(logFront) * fraction) / a;
}

const nonZero = (x: number): number => (Math.abs(x) < 1e-300 ? 1e-300 : x);
