/** One request and what Rollcall's report has to say of it. */
export interface RouteCase {
  /** A column of the table: the same kind of route in every framework. */
  kind: string;
  method: string;
  /** As the caller writes it. */
  path: string;
  status: number;
  /** Canonical. */
  route: string;
  /** The caller hangs up before the answer begins, or in its middle. */
  abort?: 'waiting' | 'streaming';
}

/** What one framework's app is asked, and which of the common cases come out otherwise there. */
export interface Stack {
  name: string;
  /** The folder of its app. */
  app: string;
  /** Of the framework, where the app is tried with several: a folder of packages in the app's. */
  version?: number;
  /** The app as CommonJS; it is an ES module else. */
  isCommonJs?: boolean;
  env?: Record<string, string>;
  nodeFlags?: readonly string[];
  http2?: boolean;
  /** The oldest Node that the framework itself runs on, where that is not 20. */
  nodeMajorLeast?: number;
  cases: readonly RouteCase[];
  /** What the exported inventory lists, whole and sorted; none where a framework has no list. */
  inventory: readonly string[];
  /** Routes that a later inventory lists, with none that repeats a mount. */
  inventoryAfterCalls?: readonly string[];
  /** A request that adds a route while the app runs; `GET /…/later/:id` is expected in a later inventory. */
  later?: string;
}

/** What all stacks of a framework have in common. */
type Framework = Omit<Stack, 'name' | 'version'>;

const unmatched = '(unmatched)';
/** A call whose caller left before the answer: none was sent. */
const abortedStatus = 0;

const get = (kind: string, path: string, route: string, status = 200): RouteCase => ({
  kind,
  method: 'GET',
  path,
  status,
  route,
});

const common: readonly RouteCase[] = [
  get('static', '/health', '/health'),
  get('parameter', '/users/7?page=2', '/users/{id}'),
  { ...get('static', '/orders', '/orders', 201), method: 'POST' },
  get('router', '/api/v1/things/3', '/api/v1/things/{id}'),
  get('router', '/api/v1/things', '/api/v1/things'),
  get('router root', '/api/v1', '/api/v1'),
  get('mount parameter', '/orgs/acme/members/4', '/orgs/{org}/members/{id}'),
  get('mount parameter', '/orgs/acme/teams/9/x', '/orgs/{org}/teams/{team}/x'),
  get('wildcard', '/files/a/b.txt', '/files/{path}'),
  get('404', '/nothing/here', unmatched, 404),
  get('404', '/api/v1/nothing', unmatched, 404),
  get('own 404', '/users/none', '/users/{id}', 404),
  { ...get('405', '/health', unmatched, 404), method: 'PUT' },
  get('throw', '/boom', '/boom', 500),
  get('throw', '/boom-async', '/boom-async', 500),
  get('throw mounted', '/orgs/acme/boom', '/orgs/{org}/boom', 500),
  get('refused', '/checked/5', '/checked/{id}', 403),
  { ...get('HEAD', '/users/7', '/users/{id}'), method: 'HEAD' },
  { ...get('abort', '/slow/1', '/slow/{id}', abortedStatus), abort: 'waiting' },
  { ...get('abort', '/stream/1', '/stream/{id}'), abort: 'streaming' },
];

/** Common cases but those whose `METHOD path` is listed, which come out otherwise or are not there. */
function commonBut(changes: Record<string, Partial<RouteCase> | undefined>): RouteCase[] {
  return common.flatMap((one) => {
    const key = `${one.method} ${one.path}`;
    if (!(key in changes)) return [one];
    const change = changes[key];
    return change === undefined ? [] : [{ ...one, ...change }];
  });
}

const twice = [
  get('mounted twice', '/left/shared/1', '/left/shared/{id}'),
  get('mounted twice', '/right/shared/1', '/right/shared/{id}'),
];
const any: RouteCase[] = [
  { ...get('any method', '/any/2', '/any/{id}'), method: 'DELETE' },
  get('any method', '/any/2', '/any/{id}'),
];
const list = [
  get('list of paths', '/colour/1', '/colour/{id}'),
  get('list of paths', '/color/1', '/color/{id}'),
];
const commonRoutes = [
  ...['GET /api/v1', 'GET /api/v1/things', 'GET /boom', 'GET /boom-async', 'GET /health'],
];
const withColons = [
  ...['GET /api/v1/things/:id', 'GET /checked/:id', 'GET /orgs/:org/boom'],
  ...['GET /orgs/:org/members/:id', 'GET /orgs/:org/teams/:team/x', 'GET /slow/:id'],
  ...['GET /stream/:id', 'GET /users/:id', 'POST /orders'],
  ...commonRoutes,
];

const express = (wildcard: string): Framework => ({
  app: 'express',
  cases: [
    ...commonBut({}),
    ...twice,
    get('mounted twice', '/rechts/shared/1', '/rechts/shared/{id}'),
    ...any,
    ...list,
    get('regex', '/digits/123', '/digits/{id}'),
    get('regex mount', '/rx5/inner/2', '/rx{id}/inner/{id}'),
    get('regex mount', '/books/dune/page-12', '/books/{book}/page-{id}'),
    get('refused by use', '/guarded/5', '/guarded/{id}', 401),
    get('mounted app', '/admin/stats/5', '/admin/stats/{id}'),
    get('mounted app', '/admin/deep/inner/5', '/admin/deep/inner/{id}'),
    get('throw mounted', '/admin/boom', '/admin/boom', 500),
    get('hidden router', '/lazy/items/5', '/lazy/items/{id}'),
    get('restored URL', '/-/x/items/5', '/-/x/items/{id}'),
    get('restored URL', '/-/x/boom', '/-/x/boom', 500),
    get('rewritten URL', '/former/5', '/left/shared/{id}'),
    get('list that passed on', '/docs/explorer/', '/docs/explorer'),
    get('list that passed on', '/docs/swagger-ui', '/docs/swagger-ui'),
    get('list that passed on', '/lazy/explorer/', '/lazy/explorer'),
    get('added later', '/after-listen', '/after-listen'),
  ],
  inventory: [
    ...withColons,
    ...['* /any/:id', 'GET /colour/:id', 'GET /color/:id', `GET ${wildcard}`],
    ...['GET /left/shared/:id', 'GET /right/shared/:id', 'GET /rechts/shared/:id'],
    ...['GET /^\\/digits\\/(\\d+)$/', 'GET /^\\/rx(\\d+)\\/inner\\/(?<id>[^\\/]+)/'],
    'GET /^\\/books\\/(?<book>[^\\/]+)\\/page-(\\d+)$/',
    ...['GET /admin/stats/:id', 'GET /admin/boom', 'GET /admin/deep/inner/:id'],
    ...['GET /after-listen', 'POST /add-later'],
    ...['GET /docs/swagger-ui', 'GET /docs/explorer'],
    // As the tree has them, until a call shows that their mount restores the URL.
    ...['GET /-/x/-/x/items/:id', 'GET /-/x/-/x/boom'],
  ].sort(),
  inventoryAfterCalls: ['GET /-/x/items/:id', 'GET /-/x/boom'],
  later: '/add-later',
});

const fastify: Framework = {
  app: 'fastify',
  cases: [
    ...commonBut({}),
    ...twice,
    ...any,
    get('regex', '/digits/123', '/digits/{n}'),
    get('refused', '/valid/none', '/valid/{n}', 400),
    get('404', '/digits/none', unmatched, 404),
  ],
  inventory: [
    ...withColons,
    ...['* /any/:id', 'GET /digits/:n(^\\d+$)', 'GET /files/*', 'GET /valid/:n'],
    ...['GET /left/shared/:id', 'GET /right/shared/:id'],
  ].sort(),
};

const koa: Framework = {
  app: 'koa',
  cases: [
    ...commonBut({ 'PUT /health': { status: 405 } }),
    ...twice,
    ...any,
    ...list,
    get('regex', '/digits/123', '/digits/{id}'),
    get('refused by use', '/guarded/5', '/guarded/{id}', 401),
    get('prefix', '/prefixed/eu/items/5', '/prefixed/{zone}/items/{id}'),
    get('mounted app', '/admin/stats/5', '/admin/stats/{id}'),
    get('mounted app', '/admin/deep/inner/5', '/admin/deep/inner/{id}'),
    get('throw mounted', '/admin/boom', '/admin/boom', 500),
  ],
  inventory: [
    ...withColons,
    ...['* /any/:id', 'GET /colour/:id', 'GET /color/:id', 'GET /files/*path'],
    ...['GET /left/shared/:id', 'GET /right/shared/:id', 'GET /guarded/:id'],
    ...['GET /^\\/digits\\/(\\d+)$/', 'GET /prefixed/:zone/items/:id', 'POST /add-later'],
  ].sort(),
  later: '/add-later',
};

const hapi: Framework = {
  app: 'hapi',
  cases: [
    ...commonBut({}),
    ...twice,
    ...any,
    { ...get('list of methods', '/both/1', '/both/{id}'), method: 'PATCH' },
    get('refused by use', '/guarded/5', '/guarded/{id}', 401),
  ],
  inventory: [
    ...withColons.map((route) => route.replace(/:(\w+)/g, '{$1}')),
    ...['* /any/{id}', 'GET /files/{path*}', 'GET /guarded/{id}', 'PATCH /both/{id}'],
    ...['PUT /both/{id}', 'GET /left/shared/{id}', 'GET /right/shared/{id}', 'POST /add-later'],
  ].sort(),
  later: '/add-later',
};

const hono: Framework = {
  app: 'hono',
  cases: [
    ...commonBut({}),
    ...twice,
    ...any,
    ...list,
    get('regex', '/digits/123', '/digits/{n}'),
    get('refused by use', '/guarded/5', '/guarded/{id}', 401),
    get('prefix', '/based/eu/items/5', '/based/{zone}/items/{id}'),
  ],
  inventory: [
    ...withColons,
    ...['* /any/:id', 'GET /colour/:id', 'GET /color/:id', 'GET /files/*', 'GET /users/*'],
    ...['GET /left/shared/:id', 'GET /right/shared/:id', 'GET /guarded/:id'],
    ...['GET /digits/:n{[0-9]+}', 'GET /based/:zone/items/:id'],
  ].sort(),
};

/** Nest's global prefix is `shop`. */
const nest = (wildcard: string): Framework => ({
  app: 'nest',
  nodeMajorLeast: 22,
  cases: commonBut({})
    .filter(({ path }) => !path.startsWith('/nothing'))
    .map((one) => ({
      ...one,
      path: `/shop${one.path.replace('/api', '')}`,
      route: one.route === unmatched ? unmatched : `/shop${one.route.replace('/api', '')}`,
    }))
    .concat(get('404', '/nothing/here', unmatched, 404)),
  inventory: [
    ...withColons.map((route) => route.replace(' /', ' /shop/').replace('/api', '')),
    `GET /shop/files/${wildcard}`,
  ].sort(),
});

/** No routes: Rollcall makes them up from the path, and a 404 or 405 has none. */
const http: Framework = {
  app: 'http',
  cases: [
    get('static', '/health', '/health'),
    get('parameter', '/users/7?page=2', '/users/{id}'),
    { ...get('static', '/orders', '/orders', 201), method: 'POST' },
    get('404', '/nothing/here', unmatched, 404),
    get('own 404', '/users/none', unmatched, 404),
    { ...get('405', '/health', unmatched, 405), method: 'PUT' },
    get('throw', '/boom', '/boom', 500),
    { ...get('HEAD', '/users/7', '/users/{id}'), method: 'HEAD' },
    { ...get('abort', '/slow/1', '/slow/{id}', abortedStatus), abort: 'waiting' },
    { ...get('abort', '/stream/1', '/stream/{id}'), abort: 'streaming' },
  ],
  inventory: [],
};

export const stacks: readonly Stack[] = [
  { ...express('/files/*'), name: 'express4', version: 4 },
  { ...express('/files/*path'), name: 'express5', version: 5 },
  { ...express('/files/*path'), name: 'express5-cjs', version: 5, isCommonJs: true },
  { ...fastify, name: 'fastify4', version: 4 },
  { ...fastify, name: 'fastify5', version: 5 },
  { ...fastify, name: 'fastify5-h2', version: 5, http2: true },
  { ...koa, name: 'koa' },
  { ...koa, name: 'koa-cjs', isCommonJs: true },
  { ...koa, name: 'koa-h2', http2: true },
  { ...hapi, name: 'hapi' },
  { ...hapi, name: 'hapi-h2', http2: true },
  { ...hono, name: 'hono' },
  { ...hono, name: 'hono-cjs', isCommonJs: true },
  { ...hono, name: 'hono-h2', http2: true },
  { ...hono, name: 'hono-fetch', env: { WRAPPED_FETCH: '1' } },
  // As under a loader whose `require` has no ES modules.
  { ...hono, name: 'hono-import', nodeFlags: ['--no-experimental-require-module'] },
  { ...nest('*path'), name: 'nest-express' },
  { ...nest('*'), name: 'nest-fastify', env: { ADAPTER: 'fastify' } },
  { ...nest('*'), name: 'nest-fastify-h2', env: { ADAPTER: 'fastify' }, http2: true },
  { ...http, name: 'http' },
  { ...http, name: 'http-h2', http2: true },
];
