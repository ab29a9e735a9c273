import { expect, test } from 'vitest';
import { globMatcher } from '../../core/glob.ts';
import { fc } from '../support/property.ts';

test.each([
  ['/orders', '/orders', true],
  ['/orders', '/orders/', false],
  ['/orders*', '/orders', true],
  ['/orders*', '/orders/{id}/items', true],
  ['*/metrics', '/a/b/metrics', true],
  ['*/metrics', '/metrics/a', false],
  ['/a*b*c', '/a-b-b-c', true],
  ['/a*b*c', '/a-c-b', false],
  ['/health?', '/healthz', true],
  ['/health?', '/health', false],
  ['/health?', '/healthzz', false],
  ['*', '', true],
  ['**', '/anything\nat all', true],
  ['', '', true],
  ['', 'a', false],
  ['?', '', false],
  ['/a.b', '/axb', false],
  ['/[ab]', '/a', false],
  ['/Users', '/users', false],
  ['/files/*', '/files/*', true],
  [`/${'x'.repeat(511)}`, `/${'x'.repeat(511)}`, true],
  [`/${'x'.repeat(511)}`, `/${'x'.repeat(510)}y`, false],
  // The 32nd and 33rd state are in two integers.
  [`${'a'.repeat(31)}?*b`, `${'a'.repeat(31)}xyzb`, true],
  [`${'a'.repeat(31)}?*b`, `${'a'.repeat(31)}b`, false],
  [`${'a'.repeat(32)}*`, 'a'.repeat(31), false],
])('the glob %j on %j: %j', (pattern, text, matches) => {
  expect(globMatcher(pattern)(text)).toBe(matches);
});

test('random globs match what the definition says', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '?', '*'), maxLength: 12 });
  const long = fc.string({ unit: fc.constantFrom('a', 'b', '?', '*'), maxLength: 80 });
  fc.assert(
    fc.property(text, text, (pattern, tried) => {
      expect(globMatcher(pattern)(tried)).toBe(slowMatches(pattern, tried));
    }),
    { numRuns: 20_000 },
  );
  fc.assert(
    fc.property(long, long, (pattern, tried) => {
      expect(globMatcher(pattern)(tried)).toBe(slowMatches(pattern, tried));
      // A text made of the pattern: most random texts match nothing.
      const made = pattern.replaceAll('?', 'x').replaceAll('*', 'ab');
      expect(globMatcher(pattern)(made)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

/** The definition, as a table of pattern prefixes × text prefixes. */
function slowMatches(pattern: string, text: string): boolean {
  let row = Array.from({ length: text.length + 1 }, (_, n) => n === 0);
  for (const character of pattern) {
    const next = row.map(() => false);
    for (let n = 0; n <= text.length; n++) {
      if (character === '*') next[n] = row[n]! || (n > 0 && next[n - 1]!);
      else if (n > 0) next[n] = row[n - 1]! && (character === '?' || character === text[n - 1]);
    }
    row = next;
  }
  return row[text.length]!;
}

test('patterns that make a backtracking matcher slow cost what any other costs', () => {
  const route = 'a'.repeat(120);
  const hostile = ['*a*a*a*a*b', `${'*a'.repeat(60)}*b`, `*${'a'.repeat(60)}b`, '*?a*?a*?a*?b'];
  const startedUs = process.cpuUsage().user;
  for (const pattern of hostile) {
    const matches = globMatcher(pattern);
    for (let n = 0; n < 1_000; n++) expect(matches(route)).toBe(false);
  }
  // 4,000 matches: some 20 ms. One of them took 1.5 s as a regular expression.
  expect(process.cpuUsage().user - startedUs).toBeLessThan(1_000_000);
});
