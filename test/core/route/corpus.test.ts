import { readFileSync } from 'node:fs';
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

it.each([
  ['tuned on', false],
  ['held out', true],
] as const)('docs/routes.md has the figures of the paths %s', (name, heldOut) => {
  const score = evaluate(heldOut);
  const share = (part: number): string => `${(part * 100).toFixed(2)} %`;
  const { apis, routes, templates, whole, mixed } = score;
  const counts = [apis, routes, templates, whole, mixed].join(' | ');
  const shares = [score.precision, score.recall, score.exact].map(share).join(' | ');
  const page = readFileSync(new URL('../../../docs/routes.md', import.meta.url), 'utf8');
  expect(page).toContain(`| ${name} | ${counts} | ${shares} |`);
});
