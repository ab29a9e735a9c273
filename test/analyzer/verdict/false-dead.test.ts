import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../../core/limits.ts';
import { type JudgedRow, openWorld, type ToldCall } from '../support/observed-world.ts';

/** Ways in which a route that is called could be taken for dead, each through extraction, store and REST API. */

let world: Awaited<ReturnType<typeof openWorld>>;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(async () => {
  await world.close();
});

const days = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, n) => from + n);
/** The service is heard, so that silence counts. */
const pulse = (day: number): ToldCall => ({ at: day + 0.52, route: '/pulse' });
const daily = (day: number, route: string, told: Partial<ToldCall> = {}): ToldCall => ({
  at: day + 0.5,
  route,
  ...told,
});
const shown = async (): Promise<string[]> => {
  const rows = await world.rows();
  return rows
    .filter(({ route }) => route !== '/pulse')
    .map(({ method, route_display: route, status }) => `${method} ${route} ${status}`)
    .sort();
};
const rowOf = async (route: string, environment = ''): Promise<JudgedRow> => {
  const rows = await world.rows();
  const of = (row: JudgedRow) => row.route === route && row.environment === environment;
  return rows.find(of)!;
};

describe('two spellings, and processes that nothing tells apart', () => {
  test('a rolling deployment of twelve hours that renames a parameter leaves no dead route', async () => {
    for (const day of days(0, 30)) await world.send([{}, [daily(day, '/users/:id'), pulse(day)]]);
    for (let hour = 0; hour < 12; hour++) {
      await world.send([{}, [{ at: 30.01 + hour / 24, route: '/users/:id' }]]);
      await world.send([{}, [{ at: 30.02 + hour / 24, route: '/users/:userId' }]]);
    }
    for (const day of days(31, 75)) {
      await world.send([{}, [daily(day, '/users/:userId'), pulse(day)]]);
    }
    expect(await shown()).toEqual(['GET /users/:id unknown', 'GET /users/:userId active']);
    const old = await rowOf('/users/{id}');
    expect(old.reasons).toMatchObject([{ code: 'continued' }]);
    expect(old.marks).toContain('renamed');
    await world.compact();
    expect(await shown()).toEqual(['GET /users/:id unknown', 'GET /users/:userId active']);
  });

  test('nor one whose spans a Collector puts together, nor one of a version that never changes', async () => {
    const resource = { version: '1.0.0' };
    for (const day of days(0, 30)) {
      await world.send([resource, [daily(day, '/users/:id'), pulse(day)]]);
    }
    const both = [daily(30, '/users/:id'), daily(30, '/users/:userId', { at: 30.501 })];
    await world.send([resource, both]);
    for (const day of days(31, 75)) {
      await world.send([resource, [daily(day, '/users/:userId'), pulse(day)]]);
    }
    expect(await shown()).toEqual(['GET /users/:id unknown', 'GET /users/:userId active']);
  });

  test('when the new spelling falls silent too, both are dead', async () => {
    for (const day of days(0, 30)) await world.send([{}, [daily(day, '/users/:id'), pulse(day)]]);
    await world.send([{}, [daily(30, '/users/:id'), daily(30, '/users/:userId', { at: 30.501 })]]);
    for (const day of days(31, 40)) {
      await world.send([{}, [daily(day, '/users/:userId'), pulse(day)]]);
    }
    for (const day of days(40, 75)) await world.send([{}, [pulse(day)]]);
    expect(await shown()).toEqual(['GET /users/:id dead', 'GET /users/:userId dead']);
  });

  test('a new spelling beside two handlers may be either: neither is dead', async () => {
    const [year, slug] = ['/articles/{year}', '/articles/{slug}'];
    for (const day of days(0, 30)) {
      const both = [daily(day, year), daily(day, slug, { at: day + 0.501 })];
      await world.send([{ version: '1' }, [...both, pulse(day)]]);
    }
    for (const day of days(31, 75)) {
      await world.send([{ version: '2' }, [daily(day, '/articles/{name}'), pulse(day)]]);
    }
    expect(await shown()).toEqual(['GET /articles/{name} active', 'GET /articles/{slug} unknown']);
  });

  test('a spelling that resembles one handler is that one, and the other is dead', async () => {
    const [year, slug] = ['articles/<int:year>/', 'articles/<slug:slug>/'];
    for (const day of days(0, 30)) {
      const both = [daily(day, year), daily(day, slug, { at: day + 0.501 })];
      await world.send([{ version: '1' }, [...both, pulse(day)]]);
    }
    for (const day of days(31, 75)) {
      await world.send([{ version: '2' }, [daily(day, 'articles/<int:y>/'), pulse(day)]]);
    }
    expect(await shown()).toEqual([
      'GET articles/<int:y>/ active',
      'GET articles/<slug:slug>/ dead',
    ]);
  });

  test.each([
    ['without a version', {}],
    ['of one version', { version: '1.0.0' }],
    ['of one process', { version: '1.0.0', instance: 'a' }],
  ])('two handlers %s that began together stay two, and a silent one is dead', async (_, told) => {
    const [year, slug] = ['articles/<int:year>/', 'articles/<slug:slug>/'];
    await world.send([told, [daily(0, year), daily(0, slug, { at: 0.501 }), pulse(0)]]);
    for (const day of days(1, 45)) await world.send([told, [daily(day, slug), pulse(day)]]);
    expect(await shown()).toEqual([
      'GET articles/<int:year>/ dead',
      'GET articles/<slug:slug>/ active',
    ]);
  });

  test('a handler that came later and was used beside it for three weeks is another one', async () => {
    const [year, slug] = ['articles/<int:year>/', 'articles/<slug:slug>/'];
    for (const day of days(0, 30)) await world.send([{}, [daily(day, year), pulse(day)]]);
    for (const day of days(30, 51)) {
      await world.send([{}, [daily(day, year), daily(day, slug, { at: day + 0.501 })]]);
    }
    for (const day of days(51, 95)) await world.send([{}, [daily(day, slug), pulse(day)]]);
    expect(await shown()).toEqual([
      'GET articles/<int:year>/ dead',
      'GET articles/<slug:slug>/ active',
    ]);
  });
});

describe('another method, another form', () => {
  test('HEAD keeps the handler of GET alive, unless HEAD is declared by itself', async () => {
    await world.send([{}, [daily(0, '/files/:id'), pulse(0)]]);
    for (const day of days(1, 60)) {
      await world.send([{}, [daily(day, '/files/:id', { method: 'HEAD' }), pulse(day)]]);
    }
    expect(await shown()).toEqual(['GET /files/:id active', 'HEAD /files/:id active']);
    await world.declare('GET /files/:id\nHEAD /files/:id\nGET /pulse');
    expect(await shown()).toEqual(['GET /files/:id dead', 'HEAD /files/:id active']);
  });

  test('an inventory without the path of its mount: routes below it are no undocumented ones', async () => {
    await world.declare('GET /users/:id\nGET /orders\nPOST /orders');
    for (const day of days(0, 60)) {
      const calls = [daily(day, '/api/v1/users/:id'), daily(day, '/api/v1/orders'), pulse(day)];
      await world.send([{}, calls]);
    }
    expect(await shown()).toEqual([
      'GET /api/v1/orders active',
      'GET /api/v1/users/:id active',
      'POST /api/v1/orders never_called',
    ]);
    expect((await rowOf('/api/v1/orders')).marks).toEqual(['match_guessed']);
    const { routes, undocumented } = await world.door.get('/services/shop/inventory');
    expect(undocumented).toMatchObject([{ route: '/pulse' }]);
    const found = routes.map(({ endpoints }: { endpoints: unknown[] }) => endpoints.length);
    expect(found).toEqual([1, 1, 0]);
  });

  test('one route that fits below a prefix by chance shows no mount', async () => {
    await world.declare('GET /health\nGET /pulse');
    await world.send([{}, [daily(0, '/internal/health'), pulse(0)]]);
    expect(await shown()).toEqual(['GET /health never_called', 'GET /internal/health active']);
    expect((await rowOf('/internal/health')).marks).toContain('undocumented');
  });

  test('paths that came before the inventory are calls of its wildcard', async () => {
    await world.send([{}, [{ at: 0.5, path: '/files/a/b' }, pulse(0)]]);
    await world.declare('GET /files/*\nGET /pulse');
    expect(await shown()).toEqual(['GET /files/a/b active']);
  });

  test('an optional segment that the service writes out is one declaration', async () => {
    await world.declare('GET /posts/:id?\nGET /photos{/:size}\nGET /pulse');
    await world.send([{}, [daily(0, '/posts'), daily(0, '/photos'), pulse(0)]]);
    expect(await shown()).toEqual(['GET /photos active', 'GET /posts active']);
  });
});

describe('what is not seen is no silence', () => {
  test('a declared route whose calls are past the bound of endpoints is unknown, not never called', async () => {
    await world.declare('GET /late\nPOST /late\nGET /pulse');
    const many = Array.from({ length: limits.endpointsPerService + 10 }, (_, n) => n);
    for (let from = 0; from < many.length; from += 2_000) {
      const calls = many.slice(from, from + 2_000).map((n) => ({ at: 0.5, route: `/r${n}/x` }));
      await world.send([{}, calls]);
    }
    for (const day of days(1, 40)) await world.send([{}, [daily(day, '/late'), pulse(day)]]);
    const rows = await world.rows('&route=/late');
    expect(rows.map(({ method, status }) => `${method} ${status}`).sort()).toEqual([
      'GET unknown',
      'POST never_called',
    ]);
    const unknown = rows.find(({ method }) => method === 'GET')!;
    expect(unknown.reasons).toMatchObject([{ code: 'hidden' }]);
    expect(unknown.confidence).toBeNull();
  });

  test('sampling that begins: a daily call is not missed within 40 days of 1 %', async () => {
    const traceState = 'ot=th:fd70a3d70a3d71;rv:ffffffffffffff';
    for (const day of days(0, 60)) await world.send([{}, [daily(day, '/rare'), pulse(day)]]);
    for (const day of days(60, 100)) await world.send([{}, [{ ...pulse(day), traceState }]]);
    const row = await rowOf('/rare');
    expect(row.status).toBe('cold');
    expect(row.confidence).toBeLessThan(0.1);
  });

  test('an environment that moves: dead here is not safe to remove while the other is used', async () => {
    for (const day of days(0, 60)) {
      await world.send([{ environment: 'prod' }, [daily(day, '/a'), daily(day, '/b'), pulse(day)]]);
    }
    for (const day of days(60, 300)) {
      await world.send([{ environment: 'prod' }, [pulse(day)]]);
      await world.send([{ environment: 'production' }, [daily(day, '/a')]]);
    }
    const plan = await (await world.door.fetch('/api/v1/report/dead?format=md')).text();
    const steps = plan.split('\n').filter((line) => /^(\*\*|- )/.test(line));
    expect(steps).toHaveLength(4);
    expect(steps[0]).toBe('**Keep: not dead in another environment** (1)');
    expect(steps[1]).toMatch(/^- GET \/a: active over all environments of its service; here/);
    expect(steps[2]).toBe('**Deprecate first, and talk to the last callers** (1)');
    expect(steps[3]).toMatch(/^- GET \/b: /);
  });

  test('a collector that restarts between two spellings, and forgets what it saw, shows no dead route', async () => {
    for (const day of days(0, 10)) await world.send([{}, [daily(day, '/users/:id'), pulse(day)]]);
    await world.restart();
    for (const day of days(10, 60)) {
      await world.send([{}, [daily(day, '/users/:userId'), pulse(day)]]);
    }
    expect(await shown()).toEqual(['GET /users/:userId active']);
  });

  test('a service whose spans lose their routes keeps them alive by their paths', async () => {
    for (const day of days(0, 30)) {
      const told = [daily(day, '/docs/:name', { path: '/docs/intro' }), pulse(day)];
      await world.send([{ version: '1' }, told]);
    }
    for (const day of days(30, 70)) {
      await world.send([{ version: '2' }, [{ at: day + 0.5, path: '/docs/intro' }, pulse(day)]]);
    }
    expect(await shown()).toEqual(['GET /docs/:name active']);
  });

  test('an inventory that is deleted, or lacks a route by mistake, makes no dead route', async () => {
    await world.declare('GET /shops/:city\nGET /pulse');
    for (const day of days(0, 30)) {
      await world.send([{}, [{ at: day + 0.5, path: '/shops/berlin' }, pulse(day)]]);
    }
    await world.declare('GET /pulse');
    for (const day of days(30, 70)) {
      await world.send([{}, [{ at: day + 0.5, path: '/shops/berlin' }, pulse(day)]]);
    }
    const row = await rowOf('/shops/{city}');
    expect(row).toMatchObject({ status: 'removed', lifetime_calls: 70 });
    expect(row.marks).toContain('called_after_removal');
    await world.undeclare();
    expect(await shown()).toEqual(['GET /shops/:city active']);
  });
});
