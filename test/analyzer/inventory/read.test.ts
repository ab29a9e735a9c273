import { describe, expect, it } from 'vitest';
import { readInventory } from '../../../analyzer/inventory/read.ts';

/** `METHOD /route` of each route that was read, in order. */
const read = (body: string): string[] =>
  readInventory(body).routes.map(({ method, route }) => `${method || 'any'} ${route}`);

describe('OpenAPI documents', () => {
  const openapi = {
    openapi: '3.1.0',
    servers: [
      { url: 'https://api.example.com/v1/' },
      { url: 'https://{region}.example.com/{base}', variables: { base: { default: 'v2' } } },
      { url: '/' },
    ],
    paths: {
      '/users/{id}': {
        parameters: [],
        summary: 'is no operation',
        get: { operationId: 'getUser', tags: ['people'] },
        delete: { deprecated: true, 'x-owner': 'team-a', 'x-sunset': '2027-01-01' },
      },
      '/shared': { $ref: '#/components/pathItems/Shared~1One' },
      'x-note': { get: {} },
      'relative/path': { get: {} },
    },
    components: { pathItems: { 'Shared/One': { post: {} } } },
  };

  it('paths, servers, marks and references inside the document are read; the rest is noted', () => {
    const found = readInventory(JSON.stringify(openapi));
    expect(found.format).toBe('openapi');
    expect(found.prefixes).toEqual(['/v1', '/v2']);
    expect(found.routes).toEqual([
      {
        method: 'GET',
        route: '/users/{id}',
        deprecated: false,
        operationId: 'getUser',
        owner: 'people',
      },
      {
        method: 'DELETE',
        route: '/users/{id}',
        deprecated: true,
        owner: 'team-a',
        sunset: '2027-01-01',
      },
      { method: 'POST', route: '/shared', deprecated: false },
    ]);
    expect(found.notes).toEqual(['path "relative/path" does not begin with "/": left out']);
  });

  it('YAML reads as JSON does, with status codes as keys and anchors', () => {
    const yaml = `
openapi: 3.0.3
servers:
  - url: /api
paths:
  /a: &a
    get:
      responses:
        200: {description: fine}
  /b: *a
`;
    expect(read(yaml)).toEqual(['GET /a', 'GET /b']);
    expect(readInventory(yaml).prefixes).toEqual(['/api']);
  });

  it('Swagger 2 has its base path as the prefix', () => {
    const found = readInventory('swagger: "2.0"\nbasePath: /v1/\npaths:\n  /a: {put: {}}\n');
    expect(found).toMatchObject({ format: 'swagger', prefixes: ['/v1'] });
    expect(found.routes).toEqual([{ method: 'PUT', route: '/a', deprecated: false }]);
  });

  it.each([
    [
      '{"openapi":"4.0.0","paths":{}}',
      /openapi is "4.0.0"; 2.x of swagger and 3.x of openapi are read/,
    ],
    ['{"openapi":"3.1.0","paths":[]}', /paths of the document is no object/],
    ['{"openapi":"3.1.0","paths":{}}', /no route was found in the openapi/],
    [
      '{"openapi":"3.1.0","paths":{"/a":{"$ref":"other.yaml#/a"}}}',
      /the reference "other.yaml#\/a" leads out of the document/,
    ],
    [
      '{"openapi":"3.1.0","paths":{"/a":{"$ref":"#/paths/~1a"}}}',
      /paths "\/a": more than 16 references in a row/,
    ],
    ['{"openapi":"3.1.0","paths":{"/a":{"$ref":"#/b"}}}', /"#\/b" is not in the document/],
    ['{"openapi":', /begins as JSON and is none/],
    ['openapi: 3.1.0\npaths: [', /the body is no YAML/],
    ['{"hello":"world"}', /no OpenAPI or Swagger document/],
    ['', /the body is empty/],
    ['hello\nworld', /line 1 is no route: write METHOD \/route/],
  ])('%s is refused with the reason', (body, message) => {
    expect(() => readInventory(body)).toThrow(message);
  });

  it('an alias bomb costs no more than its text', () => {
    let yaml = 'openapi: 3.1.0\na0: &a0 [x, x]\n';
    for (let n = 1; n < 40; n += 1) yaml += `a${n}: &a${n} [*a${n - 1}, *a${n - 1}]\n`;
    expect(read(`${yaml}paths:\n  /a: {get: {x: *a39}}\n`)).toEqual(['GET /a']);
  });

  it('names of JavaScript objects are routes like others and change nothing', () => {
    const body = '{"openapi":"3.1.0","paths":{"/a":{"$ref":"#/__proto__"},"/b":{"get":{}}}}';
    expect(() => readInventory(body)).toThrow(/"#\/__proto__" is not in the document/);
    expect(read('{"openapi":"3.1.0","paths":{"/__proto__":{"get":{}}}}')).toEqual([
      'GET /__proto__',
    ]);
  });
});

describe('route lists', () => {
  it('lines with and without a method, comments and the word deprecated', () => {
    const found = readInventory(
      '# ours\nGET /users/{id}\nPOST,PUT /users  # two\n/any\nGET /old deprecated\n',
    );
    expect(found.routes).toEqual([
      { method: 'GET', route: '/users/{id}', deprecated: false },
      { method: 'POST', route: '/users', deprecated: false },
      { method: 'PUT', route: '/users', deprecated: false },
      { method: '', route: '/any', deprecated: false },
      { method: 'GET', route: '/old', deprecated: true },
    ]);
  });

  it('a line that is no route is left out and noted by its number', () => {
    const found = readInventory('GET /a\nhello world again\n');
    expect(found.routes).toHaveLength(1);
    expect(found.notes).toEqual(['line 2 is no route and was left out: "hello world again"']);
  });

  it('JSON of our own and a bare array', () => {
    const rows = [
      { method: 'get', route: '/a', deprecated: true, owner: 'team-a' },
      { path: '/b', methods: ['POST', 'HEAD'] },
      'DELETE /c',
    ];
    expect(read(JSON.stringify({ routes: rows }))).toEqual([
      'GET /a',
      'POST /b',
      'HEAD /b',
      'DELETE /c',
    ]);
    expect(read(JSON.stringify(rows.slice(0, 1)))).toEqual(['GET /a']);
  });

  it('the same method and route counts once, and a route beyond 512 bytes is noted', () => {
    const found = readInventory(`GET /a\nGET /a\nGET /${'x'.repeat(512)}\n`);
    expect(found.routes).toHaveLength(1);
    expect(found.notes[0]).toMatch(/^a route longer than 512 bytes was left out/);
  });

  it('more than 20,000 routes are refused', () => {
    const lines = Array.from({ length: 20_001 }, (_, n) => `GET /r${n}`).join('\n');
    expect(() => readInventory(lines)).toThrow(
      /20001 routes are declared; a service has at most 20000/,
    );
  });
});

describe('route printers', () => {
  it('rails routes, also expanded', () => {
    const printed = `
                  Prefix Verb   URI Pattern                   Controller#Action
                   users GET    /users(.:format)              users#index
                         POST   /users(.:format)              users#create
                    user GET    /users/:id(.:format)          users#show
                         PATCH  /users/:id(.:format)          users#update
                  health        /health(.:format)             health#show
`;
    expect(read(printed)).toEqual([
      'GET /users',
      'POST /users',
      'GET /users/:id',
      'PATCH /users/:id',
      'any /health',
    ]);
    const expanded = `--[ Route 1 ]---------------
Prefix            | users
Verb              | GET
URI               | /users(.:format)
Controller#Action | users#index
--[ Route 2 ]---------------
Prefix            |
Verb              | POST
URI               | /users(.:format)
Controller#Action | users#create
`;
    expect(read(expanded)).toEqual(['GET /users', 'POST /users']);
  });

  it('artisan route:list --json', () => {
    const rows = [
      {
        domain: null,
        method: 'GET|HEAD',
        uri: '/',
        name: null,
        action: 'Closure',
        middleware: ['web'],
      },
      {
        domain: null,
        method: 'PUT|PATCH',
        uri: 'api/users/{user}',
        name: 'u',
        action: 'U@update',
        middleware: [],
      },
    ];
    expect(read(JSON.stringify(rows))).toEqual([
      'GET /',
      'PUT /api/users/{user}',
      'PATCH /api/users/{user}',
    ]);
  });

  it('debug:router --format=json', () => {
    const routes = {
      app_user: {
        path: '/users/{id}',
        pathRegex: '{^/users/([^/]++)$}sDu',
        host: 'ANY',
        scheme: 'ANY',
        method: 'GET|POST',
        class: 'R',
        defaults: {},
        requirements: 'NO CUSTOM',
        options: {},
      },
      app_any: {
        path: '/any',
        pathRegex: '',
        host: 'ANY',
        scheme: 'ANY',
        method: 'ANY',
        class: 'R',
        defaults: {},
        requirements: {},
        options: {},
      },
    };
    expect(read(JSON.stringify(routes))).toEqual([
      'GET /users/{id}',
      'POST /users/{id}',
      'any /any',
    ]);
  });

  it('flask routes', () => {
    const printed = `Endpoint     Methods    Rule
-----------  ---------  -----------------------
create_item  POST       /items
get_item     GET, PUT   /items/<int:item_id>
static       GET        /static/<path:filename>
`;
    expect(read(printed)).toEqual([
      'POST /items',
      'GET /items/<int:item_id>',
      'PUT /items/<int:item_id>',
      'GET /static/<path:filename>',
    ]);
  });

  it('show_urls of django-extensions, as text and as JSON', () => {
    const printed =
      '/admin/\tdjango.contrib.admin.sites.index\tadmin:index\n/users/<int:pk>/\tapp.views.UserView\tuser\n';
    expect(read(printed)).toEqual(['any /admin/', 'any /users/<int:pk>/']);
    const rows = [
      { url: '/users/<int:pk>/', module: 'app.views.UserView', name: 'user', decorators: '' },
    ];
    expect(read(JSON.stringify(rows))).toEqual(['any /users/<int:pk>/']);
  });

  it('Spring Boot /actuator/mappings, servlet and reactive', () => {
    const details = (methods: string[], patterns: string[]) => ({
      handler: 'h',
      predicate: 'p',
      details: { requestMappingConditions: { consumes: [], methods, patterns } },
    });
    const files = { handler: 'ResourceHttpRequestHandler', predicate: '/**', details: null };
    const mappings = {
      contexts: {
        application: {
          mappings: {
            dispatcherServlets: { dispatcherServlet: [details(['GET'], ['/orders/{id}']), files] },
            dispatcherHandlers: { webHandler: [details([], ['/a', '/b'])] },
            servletFilters: [],
          },
        },
      },
    };
    expect(read(JSON.stringify(mappings))).toEqual(['GET /orders/{id}', 'any /a', 'any /b']);
  });

  it('express-list-endpoints, express-list-routes and the log of Nest', () => {
    const rows = [{ path: '/users/:id', methods: ['GET', 'HEAD'], middlewares: ['anonymous'] }];
    expect(read(JSON.stringify(rows))).toEqual(['GET /users/:id']);
    expect(read('GET     /users/:id\nPOST    /users\n')).toEqual(['GET /users/:id', 'POST /users']);
    const log =
      '[Nest] 1  - 11/27/2026, 9:00:00 AM     LOG [RouterExplorer] Mapped {/users/:id, GET} route +1ms\n[Nest] 1 - LOG [RoutesResolver] UsersController {/users}: +1ms\n';
    expect(read(log)).toEqual(['GET /users/:id']);
  });

  it('printRoutes of Fastify, with and without common prefixes', () => {
    const printed = `└── /
    ├── users (GET, HEAD)
    │   └── /
    │       └── :id (GET)
    │           ├── /orders (POST)
    │           └── (DELETE)
    └── health (GET)
`;
    expect(read(printed)).toEqual([
      'GET /users',
      'GET /users/:id',
      'POST /users/:id/orders',
      'DELETE /users/:id',
      'GET /health',
    ]);
  });
});
