import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { limits } from '../../../core/limits.ts';
import {
  canonicalRoute,
  endpointRoute,
  routePattern,
  routeShape,
} from '../../../core/route/route.ts';
import { pathSpellings, spellings } from './spellings.ts';

describe('every framework has one canonical spelling', () => {
  it.each(spellings)('%s: %s is %s', (_framework, raw, canonical, path, shown = raw) => {
    expect(canonicalRoute(raw)).toBe(canonical);
    expect(canonicalRoute(canonical)).toBe(canonical);
    const evidence = { httpRoute: raw, spanName: 'GET', path, method: 'GET', status: 200 };
    const { display, mount: _, ...found } = endpointRoute(evidence);
    expect(found).toEqual({ route: canonical, templated: false });
    expect(display ?? canonical).toBe(shown);
    const { canonical: told, segments } = routePattern(raw);
    expect(told).toBe(canonical);
    const isWhole = endpointRoute(evidence).mount === undefined;
    if (segments !== -1 && isWhole) expect(path.split('/').filter(Boolean)).toHaveLength(segments);
  });

  it.each(['', '*', '/*', '/**', '**', '@fallback', '~ ^/v\\d+', '~* \\.php$', '(.*)', '/.*'])(
    '%j is no route',
    (raw) => {
      expect(routePattern(raw)).toEqual({ canonical: '', segments: -1 });
      const found = {
        httpRoute: raw,
        spanName: 'GET',
        path: '/users/7',
        method: 'GET',
        status: 200,
      };
      expect(endpointRoute(found)).toEqual({ route: '/users/{id}', templated: true });
    },
  );

  it.each(pathSpellings)('%s: %s on %s is %s', (_framework, httpRoute, path, route, shown) => {
    const evidence = { httpRoute, spanName: 'GET', path, method: 'GET', status: 200 };
    const found = endpointRoute(evidence);
    expect(found).toMatchObject({ route, templated: true });
    expect(found.display ?? found.route).toBe(shown);
  });

  it('an array of paths is the alternative that was called', () => {
    const evidence = { httpRoute: '/a,/b/:id', spanName: '', path: '', method: 'GET', status: 200 };
    expect(endpointRoute({ ...evidence, path: '/b/3' }).route).toBe('/b/{id}');
    expect(endpointRoute({ ...evidence, path: '/a' }).route).toBe('/a');
    expect(endpointRoute(evidence)).toMatchObject({ route: '/a,/b/{id}', display: '/a,/b/:id' });
    expect(endpointRoute({ ...evidence, path: '/b/3' }).display).toBeUndefined();
    expect(routePattern('/a,/b/:id').segments).toBe(-1);
  });

  it('says how many segments a path has, or that only the path tells', () => {
    expect(routePattern('/')).toEqual({ canonical: '/', segments: 0 });
    expect(routePattern('/users/:id')).toEqual({ canonical: '/users/{id}', segments: 2 });
    expect(routePattern('/files/*').segments).toBe(-1);
    expect(routePattern('/v1/:f?').segments).toBe(-1);
    expect(routePattern('/error').segments).toBe(-1);
    expect(routePattern('app_user_show').segments).toBe(-1);
    expect(routePattern('/users/7').segments).toBe(-1);
  });

  it('a shape does not depend on the names of parameters', () => {
    expect(routeShape('/users/{id}')).toBe(routeShape('/users/{user_id}'));
    expect(routeShape('/users/{id}.json')).toBe('/users/{}.json');
    expect(routeShape('/users/{id}')).not.toBe(routeShape('/users/me'));
    expect(routeShape('(unmatched)')).toBe('(unmatched)');
    expect(routeShape('{other}')).toBe('{other}');
  });

  it('a literal has one spelling, encoded or not', () => {
    expect(canonicalRoute('/caf%C3%A9/{x}')).toBe('/café/{x}');
    expect(canonicalRoute('/cafÃ©/{x}')).toBe('/café/{x}');
    expect(canonicalRoute('/a%20b')).toBe('/a%20b');
    expect(canonicalRoute('/a b')).toBe('/a%20b');
  });

  it('stays within the bound of a route', () => {
    const long = canonicalRoute(`/users/${'a/*/'.repeat(600)}`);
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(limits.routeBytes);
    expect(long.endsWith('/{path}')).toBe(true);
    expect(canonicalRoute(long)).toBe(long);
    expect(canonicalRoute(`/${'ü'.repeat(600)}`)).toBe('/{path}');
    expect(routePattern(`/${'a'.repeat(2000)}`)).toEqual({ canonical: '', segments: -1 });
    const cut = `/users/{${'i'.repeat(600)}}`.slice(0, limits.routeBytes);
    expect(routePattern(cut)).toEqual({ canonical: '', segments: -1 });
  });
});

describe('docs/routes.md', () => {
  const page = readFileSync(new URL('../../../docs/routes.md', import.meta.url), 'utf8');
  const row = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (at === 0 ? cell : code(cell))).join(' | ')} |`;
  const code = (text: string) => {
    const fence = text.includes('`') ? '``' : '`';
    return `${fence}${text.replaceAll('|', '\\|')}${fence}`;
  };

  it('shows every spelling, canonical and as people see it', () => {
    for (const [framework, raw, canonical, , shown = raw] of spellings)
      expect(page).toContain(`${row([framework, raw, canonical, shown])}\n`);
    for (const [framework, raw, path, route, shown] of pathSpellings)
      expect(page).toContain(`${row([framework, raw, path, route, shown])}\n`);
  });
});
