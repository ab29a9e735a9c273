import { expect, test } from 'vitest';
import {
  aliveProbability,
  fit,
  type History,
  logGamma,
  logLikelihood,
  prior,
} from '../../../analyzer/verdict/bgnbd.ts';
import { Random } from '../../../core/random.ts';

/** Table 2 of Fader, Hardie and Lee 2005: the CDNOW customers, weeks. Their log-likelihood there is -9582.4. */
const cdnow = { r: 0.243, alpha: 4.414, a: 0.793, b: 2.426 };

test.each([
  // Probabilities by the package lifetimes 0.11.3 (PyPI) with these parameters.
  [{ x: 2, tx: 30.43, t: 38.86 }, 0.726578570080673],
  [{ x: 0, tx: 0, t: 38.86 }, 1],
  [{ x: 1, tx: 1.71, t: 38.71 }, 0.2128231591072625],
  [{ x: 26, tx: 30.86, t: 31 }, 0.968915649717525],
  [{ x: 7, tx: 29.43, t: 38.86 }, 0.6417563459461072],
  [{ x: 10, tx: 5, t: 200 }, 2.927046690731694e-13],
])('P(alive) of %o is what lifetimes computes', (history, expected) => {
  const found = aliveProbability(cdnow, history);
  expect(Math.abs(found / expected - 1)).toBeLessThan(1e-9);
});

test.each([
  [{ x: 2, tx: 30.43, t: 38.86 }, -9.45860630706627],
  [{ x: 0, tx: 0, t: 38.86 }, -0.5547132764381585],
  [{ x: 26, tx: 30.86, t: 31 }, -37.72657947339441],
])('the log-likelihood of %o is what lifetimes computes', (history, expected) => {
  expect(logLikelihood(cdnow, history)).toBeCloseTo(expected, 9);
});

test('ln Γ has its known values', () => {
  expect(logGamma(1)).toBeCloseTo(0, 12);
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 12);
  expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 11);
});

test('a fit without endpoints is the prior, and with many it is near the truth', () => {
  expect(fit([])).toEqual(prior);
  const random = new Random(7);
  const exponential = (rate: number) => -Math.log(1 - random.next()) / rate;
  const histories = Array.from({ length: 400 }, (): History => {
    const rate = 0.05 + 0.3 * random.next();
    const t = 200 + 200 * random.next();
    let at = 0;
    let x = 0;
    let tx = 0;
    // Each use is the last one with a probability of 5 %.
    for (; random.next() > 0.05; x++, tx = at) {
      at += exponential(rate);
      if (at > t) break;
    }
    return { x, tx, t };
  });
  const { r, alpha, a, b } = fit(histories);
  expect(a / (a + b)).toBeGreaterThan(0.035);
  expect(a / (a + b)).toBeLessThan(0.07);
  expect(r / alpha).toBeGreaterThan(0.12);
  expect(r / alpha).toBeLessThan(0.3);
  expect(fit(histories)).toEqual({ r, alpha, a, b });
});
