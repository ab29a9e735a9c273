import { describe, expect, it } from 'vitest';
import { coverage } from '../../../core/route/match.ts';
import { parseRoute } from '../../../core/route/parse.ts';
import { pathSegments } from '../../../core/route/path.ts';
import { PathMatcher } from '../../../core/route/path-matcher.ts';
import { fc } from '../../support/property.ts';

/** The route that takes a call, of `METHOD /route` lines. */
function taken(lines: readonly string[], call: string): string | undefined {
  const routes = lines.map((line) => {
    const [method, route] = line.split(' ');
    return { method: method === '*' ? '' : method!, route: route! };
  });
  const [method, path] = call.split(' ');
  return lines[new PathMatcher(routes).match(method!, path!)];
}

describe('PathMatcher', () => {
  it.each([
    ['a literal comes before a parameter', 'GET /users/me', 'GET /users/me'],
    ['a parameter takes any other text', 'GET /users/42', 'GET /users/:id'],
    ['letter case and a trailing slash are ignored', 'GET /Users/ME/', 'GET /users/me'],
    ['percent-encoding is decoded', 'GET /users/m%65', 'GET /users/me'],
    ['HEAD is a GET', 'HEAD /users/42', 'GET /users/:id'],
    ['a declared HEAD is its own', 'HEAD /files/a', 'HEAD /files/{name}'],
    ['another method is none', 'DELETE /users/42', undefined],
    ['a route without a method takes every one', 'PURGE /any', '* /any'],
    ['mixed text comes before a parameter', 'GET /files/a.json', 'GET /files/{name}.json'],
    [
      'the literal branch is left when it leads nowhere',
      'GET /users/me/orders',
      'GET /users/:id/orders',
    ],
    ['a wildcard takes the rest', 'GET /static/a/b/c.js', 'GET /static/*'],
    ['a wildcard takes no text too', 'GET /static', 'GET /static/*'],
    ['an optional segment may be there', 'GET /list/2', 'GET /list/:page?'],
    ['an optional segment may be absent', 'GET /list', 'GET /list/:page?'],
    ['a longer path is none', 'GET /users/42/x/y', undefined],
    ['the root', 'GET /', 'GET /'],
  ])('%s: %s', (_what, call, expected) => {
    const lines = [
      'GET /',
      'GET /users/:id',
      'GET /users/me',
      'GET /users/:id/orders',
      'HEAD /files/{name}',
      'GET /files/{name}',
      'GET /files/{name}.json',
      '* /any',
      'GET /static/*',
      'GET /list/:page?',
    ];
    expect(taken(lines, call)).toBe(expected);
  });

  it('finds a route exactly when some route takes the whole path', () => {
    const part = fc.constantFrom('a', 'b', '{x}', 'v{n}', '{y}.json', '{z?}');
    const last = fc.constantFrom('', '/*');
    const route = fc
      .tuple(fc.array(part, { maxLength: 4 }), last)
      .map(([parts, end]) => `/${parts.join('/')}${end}`);
    const path = fc
      .array(fc.constantFrom('a', 'b', 'v1', 'c.json', 'A'), { maxLength: 5 })
      .map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(fc.array(route, { maxLength: 8 }), path, (routes, asked) => {
        const matcher = new PathMatcher(routes.map((one) => ({ method: 'GET', route: one })));
        const takes = (one: string) =>
          parseRoute(one).some((read) => coverage(read, pathSegments(asked)).kind === 'whole');
        const found = matcher.match('GET', asked);
        expect(found !== -1).toBe(routes.some(takes));
        if (found !== -1) expect(takes(routes[found]!)).toBe(true);
      }),
    );
  });

  it('a look-up in a hostile inventory ends', () => {
    const routes = Array.from({ length: 12 }, (_, n) =>
      Array.from({ length: 2 ** Math.min(n, 10) }, (_value, bits) => ({
        method: 'GET',
        route: `/${Array.from({ length: n }, (_at, i) => ((bits >> i) & 1 ? 'a' : '{x}')).join('/')}/z`,
      })),
    ).flat();
    const matcher = new PathMatcher(routes);
    const started = process.cpuUsage();
    for (let n = 0; n < 100; n += 1) expect(matcher.match('GET', `/${'a/'.repeat(11)}q`)).toBe(-1);
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(1_000);
  });
});
