import { describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { Random } from '../../../core/random.ts';
import { endpointShape, endpointsOf, pairKey } from '../../../core/store/endpoint-identity.ts';
import { SideBySide } from '../../../core/store/side-by-side.ts';
import { fc } from '../../support/property.ts';

const hourMs = 3_600_000;
type Use = [spelling: number, version: string, instance: string, endMs: number];

/** Pairs found in the uses, in their order. */
function pairsOf(uses: readonly Use[]): string[] {
  const sideBySide = new SideBySide();
  const found = new Set<string>();
  for (const [spelling, version, instance, endMs] of uses) {
    const isDecided = (other: number) => found.has(pairKey(spelling, other));
    for (const other of sideBySide.note(1, spelling, { version, instance }, endMs, isDecided)) {
      found.add(pairKey(spelling, other));
    }
  }
  return [...found].sort();
}

describe('spellings are side by side', () => {
  test.each<[string, Use[], string[]]>([
    [
      'not when they follow each other',
      [
        [1, 'v', '', 1],
        [1, 'v', '', 2],
        [2, 'v', '', 3],
        [2, 'v', '', 4],
      ],
      [],
    ],
    [
      'when one version uses them in turn',
      [
        [1, 'v', '', 1],
        [2, 'v', '', 2],
        [1, 'v', '', 3],
      ],
      ['1 2'],
    ],
    [
      'not when two versions use them in turn',
      [
        [1, 'v', '', 1],
        [2, 'w', '', 2],
        [1, 'v', '', 3],
        [2, 'w', '', 4],
      ],
      [],
    ],
    [
      'when one instance uses them in turn',
      [
        [1, '', 'i', 1],
        [2, '', 'i', 2],
        [1, '', 'i', 3],
      ],
      ['1 2'],
    ],
    [
      'not when two instances of one version do',
      [
        [1, 'v', 'i', 1],
        [2, 'v', 'j', 2],
        [1, 'v', 'i', 3],
        [2, 'v', 'j', 4],
      ],
      [],
    ],
    [
      'not after a rollback to the version before',
      [
        [1, 'v', '', 1],
        [2, 'w', '', 2],
        [1, 'v', '', 3],
      ],
      [],
    ],
    [
      'not by one late call from before',
      [
        [1, 'v', '', 1],
        [2, 'v', '', 9],
        [1, 'v', '', 2],
        [2, 'v', '', 10],
      ],
      [],
    ],
  ])('%s', (_, uses, pairs) => {
    expect(pairsOf(uses)).toEqual(pairs);
  });

  test('without version and instance only after hours in which both were used', () => {
    const both = (hours: number): Use[] =>
      Array.from({ length: hours }, (_, hour) => [
        [1, '', '', hour * hourMs] as Use,
        [2, '', '', hour * hourMs + 1] as Use,
      ]).flat();
    expect(pairsOf(both(limits.sideBySideHours - 1))).toEqual([]);
    expect(pairsOf(both(limits.sideBySideHours))).toEqual(['1 2']);
  });

  test('without version and instance also when the hours arrive late, the last first', () => {
    const hours = (spelling: number, first: number): Use[] =>
      [8, 6, 4, 2, 0].map((hour) => [spelling, '', '', (first + hour) * hourMs]);
    expect(pairsOf([...hours(1, 0), ...hours(2, 1)])).toEqual(['1 2']);
  });

  test('without version and instance not by a deployment, its rollback and the next one', () => {
    const days = (spelling: number, from: number, to: number): Use[] =>
      Array.from({ length: (to - from) * 24 }, (_, hour) => [
        spelling,
        '',
        '',
        (from * 24 + hour) * hourMs,
      ]);
    const uses = [...days(1, 0, 4), ...days(2, 4, 5), ...days(1, 5, 8), ...days(2, 8, 12)];
    expect(pairsOf(uses)).toEqual([]);
  });

  test('the same in any order of arrival', () => {
    const use = fc.tuple(
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom('', 'v', 'w'),
      fc.constantFrom('', 'i'),
      fc.integer({ min: 0, max: 40 }).map((halfHours) => (halfHours * hourMs) / 2),
    );
    fc.assert(
      fc.property(fc.array(use, { maxLength: 60 }), fc.integer({ min: 1 }), (uses, seed) => {
        expect(pairsOf(new Random(seed).shuffled(uses))).toEqual(pairsOf(uses));
      }),
    );
  });

  test('memory is bounded: the oldest shape is dropped', () => {
    const sideBySide = new SideBySide();
    for (let group = 0; group < limits.sideBySideGroups + 10; group += 1) {
      sideBySide.note(group, 1, { version: 'v', instance: '' }, 1, () => false);
    }
    expect(sideBySide.size).toBe(limits.sideBySideGroups);
  });
});

describe('spellings of one shape', () => {
  const spelling = (row: number, route: string, more = {}) => ({
    row,
    route,
    display: '',
    templated: false,
    ...more,
  });

  test('have one shape whatever the names, the letter case and the order of alternatives', () => {
    expect(endpointShape('/Users/{id}/{file}.json')).toBe('/users/{}/{}.json');
    expect(endpointShape('/b/{x},/a/{y}')).toBe(endpointShape('/a/{id},/b/{id}'));
    expect(endpointShape('(unmatched)')).toBe('(unmatched)');
    expect(endpointShape('/users/me')).not.toBe(endpointShape('/users/{id}'));
  });

  test('continue the endpoint with the same names, then the same constraints, then the oldest', () => {
    const year = spelling(1, '/a/{year}', { display: 'a/<int:year>/' });
    const slug = spelling(2, '/a/{slug}', { display: 'a/<slug:slug>/' });
    const next = (route: string, display: string) =>
      endpointsOf([year, slug, spelling(3, route, { display })], new Set(['1 2'])).get(3);
    expect(next('/a/{Slug}', '')).toBe(2);
    expect(next('/a/{text}', '/a/<slug:text>')).toBe(2);
    expect(next('/a/{n}', '/a/{n:int}')).toBe(1);
    expect(next('/a/{anything}', '')).toBe(1);
  });

  test('in any set of pairs: no pair in one endpoint, every spelling in one, made-up ones never alone', () => {
    const pair = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }));
    fc.assert(
      fc.property(fc.array(pair), fc.subarray([1, 2, 3, 4, 5, 6]), (pairs, templated) => {
        const spellings = [1, 2, 3, 4, 5, 6].map((row) =>
          spelling(row, `/a/{n${row}}`, { templated: templated.includes(row) }),
        );
        const told = pairs.filter(
          ([a, b]) => a !== b && !templated.includes(a) && !templated.includes(b),
        );
        const of = endpointsOf(spellings, new Set(told.map(([a, b]) => pairKey(a, b))));
        expect([...of.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6]);
        for (const [a, b] of told) expect(of.get(a)).not.toBe(of.get(b));
        for (const [row, first] of of) expect(of.get(first)).toBe(first <= row ? first : undefined);
        const toldRows = [1, 2, 3, 4, 5, 6].filter((row) => !templated.includes(row));
        for (const row of templated) {
          const alone = toldRows.every((other) => of.get(other) !== of.get(row));
          expect(alone).toBe(toldRows.length === 0);
        }
      }),
    );
  });
});
