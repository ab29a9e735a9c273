import { expect, it } from 'vitest';
import { evaluate } from '../../labs/corpus/evaluate.ts';

// The corpus and its chance are fixed. What is missed are values that are words: logins, projects, titles.
it('templates of the paths that the rules were tuned on', () => {
  const score = evaluate(false);
  expect([score.apis, score.routes]).toEqual([42, 325]);
  expect(score.precision).toBeGreaterThan(0.999);
  expect(score.recall).toBeGreaterThan(0.94);
});

it('templates of the paths that were held out', () => {
  const score = evaluate(true);
  expect([score.apis, score.routes]).toEqual([29, 227]);
  expect(score.precision).toBeGreaterThan(0.985);
  expect(score.recall).toBeGreaterThan(0.89);
  expect(score.templates).toBeLessThan(1000);
});
