import { expect, test } from 'vitest';
import { KnownRoutes } from '../../../../collector/extract/endpoint/known-routes.ts';
import type { Resource } from '../../../../collector/extract/resource.ts';
import type { ChangedInventory } from '../../../../core/store/inventory.ts';

const resource = { project: 'default', service: 'shop', environment: 'prod' } as Resource;

function inventory(routes: string[], former: string[] = [], environment: string | null = null) {
  const declared = routes.map((route) => ({ method: 'GET', route, deprecated: false }));
  return {
    project: 'default',
    source: 'upload',
    inventory: {
      ...{ service: 'shop', environment, version: 1, createdMs: 0, author: '', format: 'routes' },
      ...{ declaredRoutes: routes.length, addedRoutes: 0, removedRoutes: 0, prefixes: ['/v1'] },
      routes: declared,
      former: former.map((route) => ({ method: 'GET', route, removedMs: 0 })),
    },
  } satisfies ChangedInventory;
}

const declaredRoute = (routes: KnownRoutes, path: string) =>
  routes.declared(resource, 'GET', path, false)?.route;

test('a large inventory is compiled in pieces, and the one before holds until it is ready', async () => {
  const routes = new KnownRoutes();
  routes.learn([inventory(['/old/:id'])]);
  const many = Array.from({ length: 5_000 }, (_, n) => `/r${n}/:id`);
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns += 1;
    expect(declaredRoute(routes, '/old/7')).toBe('/old/{id}');
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await routes.learnInPieces([inventory(many)]).then(() => {
    isDone = true;
    expect(declaredRoute(routes, '/old/7')).toBeUndefined();
    // So that the last turn finds nothing wrong.
    routes.learn([inventory(['/old/:id'])]);
  });
  // 5,000 routes with and without a prefix, 100 in a piece.
  expect(turns).toBeGreaterThanOrEqual(90);
});

test('routes learned in pieces are those learned at once', async () => {
  const change = inventory(['/a/:id', '/a/new'], ['/gone/:id']);
  const [slow, fast] = [new KnownRoutes(), new KnownRoutes()];
  await slow.learnInPieces([change]);
  fast.learn([change]);
  for (const path of ['/a/1', '/a/new', '/v1/a/1', '/b', '/gone/2']) {
    expect(declaredRoute(slow, path)).toBe(declaredRoute(fast, path));
    expect(slow.former(resource, 'GET', path)).toEqual(fast.former(resource, 'GET', path));
  }
  expect(slow.former(resource, 'GET', '/v1/gone/2')?.route).toBe('/v1/gone/{id}');
});

test('former routes of the environment come before those of all environments', () => {
  const routes = new KnownRoutes();
  routes.learn([inventory(['/a'], ['/old/:any']), inventory(['/b'], ['/old/:own'], 'prod')]);
  expect(routes.former(resource, 'GET', '/old/1')?.route).toBe('/old/{own}');
});
