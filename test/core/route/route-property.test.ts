import { describe, expect, it } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { displayRoute } from '../../../core/route/display.ts';
import {
  canonicalRoute,
  endpointRoute,
  routePattern,
  routeShape,
} from '../../../core/route/route.ts';
import { templatePath } from '../../../core/route/template.ts';
import { fc } from '../../support/property.ts';

const runs = { numRuns: 3000 };

/** Pieces of every framework's syntax, encodings and nonsense, put together at random. */
const syntax = fc
  .array(
    fc.constantFrom(
      ...['/', '/', '/', 'a', 'v', 'users', ':id', ':', '::', '*', '**', '{', '}', '{id}', '{*r}'],
      ...['<', '>', '<int:id>', '(', ')', '[', ']', '[id]', '\\', '\\d', '\\/', '.', '+', '?', '$'],
      ...['^', '|', ',', '%', '%s', '%41', '%2F', '%20', '%25', '%C3%BC', 'ü', 'Ã¼', 'Ã\u0083Â¼'],
      ...[
        ' ',
        '-',
        '~',
        '@',
        '=',
        '#',
        '&',
        ';',
        '{$}',
        '...',
        '(?:',
        '(?P<x>',
        '[^/]+',
        '.*',
        '.+',
      ],
      ...[
        '7',
        'Ab',
        '\n',
        'GET ',
        'http://',
        '😀',
        '\ud800',
        "'",
        '({id})',
        '{date}',
        '(.:format)',
      ],
    ),
    { maxLength: 14 },
  )
  .map((pieces) => pieces.join(''));
const text = fc.oneof(syntax, fc.string({ unit: 'binary', maxLength: 60 }), fc.webPath());

describe('any text', () => {
  it('has one canonical spelling, which is its own', () => {
    fc.assert(
      fc.property(text, (raw) => {
        const canonical = canonicalRoute(raw);
        expect(canonicalRoute(canonical)).toBe(canonical);
        expect(canonical).toMatch(/^\//);
        expect(canonical).not.toMatch(/\/\//);
      }),
      runs,
    );
  });

  it('has a display form of one line within the bound', () => {
    fc.assert(
      fc.property(text, (raw) => {
        const shown = displayRoute(raw);
        expect(shown).toBe(shown.trim());
        expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(limits.routeBytes);
      }),
      runs,
    );
  });

  it('gives a template that is its own', () => {
    fc.assert(
      fc.property(text, (path) => {
        const template = templatePath(path);
        expect(templatePath(template)).toBe(template);
        expect(template).toMatch(/^\//);
      }),
      runs,
    );
  });

  it('is evidence for a bounded route', () => {
    const evidence = fc.record({
      httpRoute: fc.oneof(fc.constant(''), text),
      spanName: fc.oneof(
        fc.constant('GET'),
        text,
        text.map((name) => `GET ${name}`),
      ),
      path: fc.oneof(fc.constant(''), text),
      method: fc.constantFrom('GET', 'POST', '_OTHER'),
      status: fc.constantFrom(0, 200, 302, 404, 405, 500),
    });
    fc.assert(
      fc.property(evidence, (told) => {
        const { route } = endpointRoute(told);
        expect(route).toMatch(/^(\/|\(unmatched\)$|\(unknown\)$)/);
        expect(Buffer.byteLength(route)).toBeLessThanOrEqual(limits.routeBytes);
        expect(endpointRoute(told).route).toBe(route);
        if (told.status === 405) expect(route).toBe('(unmatched)');
      }),
      runs,
    );
  });
});

describe('a path made from a route', () => {
  const word = fc.stringMatching(/^[a-z]{1,8}$/);
  const name = fc.stringMatching(/^[a-z]\w{0,6}$/);
  const value = fc
    .oneof(
      fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }),
      fc.uuid(),
      fc.nat().map(String),
    )
    .filter((filled) => filled.isWellFormed() && !/^\.{1,2}$/.test(filled));
  const spell: Record<string, (name: string) => string> = {
    express: (param) => `:${param}`,
    spring: (param) => `{${param}}`,
    flask: (param) => `<int:${param}>`,
    chi: (param) => `{${param}:[0-9]+}`,
    django: (param) => `(?P<${param}>[^/.]+)`,
    play: (param) => `$${param}<[^/]+>`,
  };
  const segment = fc.oneof(fc.record({ word }), fc.record({ name, value })) as fc.Arbitrary<{
    word?: string;
    name?: string;
    value?: string;
  }>;

  it('resolves to that route, whatever the framework', () => {
    const parts = fc.array(segment, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        parts,
        fc.constantFrom(...Object.keys(spell)),
        fc.boolean(),
        (made, kind, own) => {
          const raw = `/${made.map((part) => part.word ?? spell[kind]!(part.name!)).join('/')}`;
          const path = `/${made.map((part) => part.word ?? encodeURIComponent(part.value!)).join('/')}`;
          const expected = `/${made.map((part) => part.word ?? `{${part.name}}`).join('/')}`;
          const httpRoute = kind === 'django' ? `^${raw.slice(1)}/$` : raw;
          expect(canonicalRoute(httpRoute)).toBe(expected);
          const evidence = {
            httpRoute,
            spanName: 'GET',
            path,
            method: 'GET',
            status: own ? 404 : 200,
          };
          const { route } = endpointRoute(evidence);
          expect(routeShape(route)).toBe(routeShape(expected));
          const { canonical, segments } = routePattern(httpRoute);
          if (segments !== -1)
            expect({ canonical, segments }).toEqual({ canonical: route, segments: made.length });
        },
      ),
      runs,
    );
  });
});

describe('hostile texts end', () => {
  // Not timed: what is not linear or bounded does not come back within the test's time limit.
  const units = [
    ...[
      '(',
      '[',
      '{',
      '<',
      ':a',
      '*',
      '\\',
      '/',
      '?',
      '.',
      '.*',
      'a',
      'aB',
      'A1',
      '%',
      '%C3',
      'ü',
      ' ',
    ],
    ...['-', '_', 'a-', '1.', '(/', '({', '[^', '{a:', ',/', '{*', '(?:', '(/[', '<a:', '$a<', '~'],
    ...[
      '/a',
      '/*',
      '/:a?',
      '{/',
      '(/:a)',
      './',
      '\\/',
      '?a=',
      'GET ',
      ':a(',
      '(((a)))',
      '/%',
      '@[^',
    ],
  ];

  it.each([500, 2000, 100_000])('of %d characters', (length) => {
    for (const unit of units) {
      for (const end of ['', '/', ')', '}', '!', '/x']) {
        const hostile = `/${unit.repeat(Math.ceil(length / unit.length)).slice(0, length - 2)}${end}`;
        for (const status of [200, 404]) {
          const evidence = { spanName: `GET ${hostile}`, method: 'GET', status };
          const own = endpointRoute({ ...evidence, httpRoute: hostile, path: hostile });
          const path = '/a'.repeat(length / 2);
          const other = endpointRoute({ ...evidence, httpRoute: hostile.slice(0, 500), path });
          for (const { route } of [own, other])
            expect(Buffer.byteLength(route)).toBeLessThanOrEqual(limits.routeBytes);
        }
        expect(Buffer.byteLength(canonicalRoute(hostile))).toBeLessThanOrEqual(limits.routeBytes);
        expect(Buffer.byteLength(templatePath(hostile))).toBeLessThanOrEqual(limits.routeBytes);
      }
    }
  });
});
