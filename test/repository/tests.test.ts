import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { longestFiles } from '../support/longest-files.ts';

/** Helpers that every test shares exist once, so that each wait has a deadline and each random test a seed. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const files = globSync('test/**/*.ts', { cwd: root }).filter(
  (file) => !/node_modules|fixtures|^test\/repository\/tests\.test\.ts$/.test(file),
);

function having(pattern: RegExp, allowed: readonly string[] = []): string[] {
  return files.filter((file) => {
    return !allowed.includes(file) && pattern.test(readFileSync(`${root}/${file}`, 'utf8'));
  });
}

it('property tests take fast-check from test/support/property.ts, with the seed of the run', () => {
  expect(files.length).toBeGreaterThan(200);
  expect(having(/from 'fast-check'/, ['test/support/property.ts'])).toEqual([]);
});

it('no test draws numbers that no seed repeats', () => {
  expect(having(/\bMath\.random\(/)).toEqual([]);
});

it('no test has a wait of its own without a deadline', () => {
  // A lab that goes on after its deadline, with what it has, names the deadline in the condition.
  expect(having(/^\s*while \((?!.*Date\.now).*\) await (turn|pause|delay|sleep|fetch)\(/m)).toEqual(
    [],
  );
  expect(
    having(/function (until|eventually|waitUntil|poll)\b/, ['test/labs/compose/main.ts']),
  ).toEqual([]);
});

it('the files that start first exist', () => {
  expect(longestFiles.filter((file) => !files.includes(file))).toEqual([]);
});
