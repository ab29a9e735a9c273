import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { callTo, protobufType, serverSpan } from '../../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';
import { checkDocumented } from '../support/documented.ts';

/** Declared and observed endpoints on a real collector and analyzer. */

const folder = temporaryFolder();
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(join(folder.path, 'rollcall.db'));
});
afterAll(async () => {
  await rollcall.stop();
  folder.remove();
});

async function send(service: string, routes: string[], environment = ''): Promise<void> {
  const spans = routes.map((line) => {
    const [method, route] = line.split(' ');
    const attributes = callTo(route!).map((attribute) =>
      attribute.key === 'http.request.method' ? { ...attribute, value: method! } : attribute,
    );
    return serverSpan({ name: line, attributes });
  });
  const attributes = [
    { key: 'service.name', value: service },
    { key: 'deployment.environment.name', value: environment },
  ];
  const body = encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
  const headers = { 'content-type': protobufType };
  const response = await fetch(`${rollcall.addresses.otlp_http}/v1/traces`, {
    method: 'POST',
    headers,
    body,
  });
  expect(response.status).toBe(200);
}

// biome-ignore lint/suspicious/noExplicitAny: the assertions check the fields
async function api(path: string, init: RequestInit = {}): Promise<{ status: number; body: any }> {
  const response = await fetch(`${rollcall.addresses.analyzer}/api/v1${path}`, init);
  const text = await response.text();
  const body = text === '' ? undefined : JSON.parse(text);
  if (text !== '') checkDocumented(init.method ?? 'GET', path, response.status, body);
  return { status: response.status, body };
}
const put = (service: string, body: string, query = '') =>
  api(`/services/${encodeURIComponent(service)}/inventory${query}`, { method: 'PUT', body });

/** Of a service `METHOD route status marks` of each row, sorted. */
async function rows(service: string): Promise<string[]> {
  const { body } = await api(`/report?service=${encodeURIComponent(service)}`);
  return body.endpoints
    .map((row: { method: string; route: string; status: string; marks: string[] }) =>
      `${row.method} ${row.route} ${row.status} ${row.marks.join(',')}`.trim(),
    )
    .sort();
}

it('declared endpoints that were never called are listed; undeclared ones are undocumented', async () => {
  await send('shop', ['GET /users/{user_id}', 'POST /orders', 'GET /secret']);
  const { status, body } = await put(
    'shop',
    'GET /users/:id\nPOST /orders\nGET /reports/{year} deprecated\n/any/{thing}\n',
    '?author=ada',
  );
  expect(status).toBe(200);
  expect(body).toMatchObject({
    service: 'shop',
    environment: null,
    version: 1,
    author: 'ada',
    format: 'routes',
    declared_routes: 4,
    called_routes: 2,
    never_called_routes: 2,
    dry_run: false,
    undocumented: [{ method: 'GET', route: '/secret' }],
  });
  expect(await rows('shop')).toEqual([
    '* /any/{thing} never_called',
    'GET /reports/{year} never_called deprecated',
    'GET /secret active undocumented',
    'GET /users/{user_id} active',
    'POST /orders active',
  ]);
  const { body: report } = await api('/report?service=shop&status=never_called');
  expect(report.summary).toMatchObject({
    total_endpoints: 5,
    active: 3,
    never_called: 2,
    undocumented: 1,
  });
  expect(report.endpoints).toHaveLength(2);
  expect(report.endpoints[0]).toMatchObject({
    declared: true,
    total_calls: 0,
    lifetime_calls: 0,
    first_called_at: null,
    last_called_at: null,
    days_since_last_call: null,
    last_callers: [],
  });
});

it('the dead list names never called endpoints', async () => {
  const { body } = await api('/report/dead?service=shop');
  expect(body.endpoints.map(({ route }: { route: string }) => route).sort()).toEqual([
    '/any/{thing}',
    '/reports/{year}',
  ]);
});

it('an endpoint keeps the id that it had before its first call', async () => {
  const { body } = await api('/report?service=shop&route=/reports/*');
  const { id } = body.endpoints[0];
  expect((await api(`/endpoints/${id}`)).body.endpoint).toMatchObject({
    status: 'never_called',
    route: '/reports/{year}',
    total_calls: 0,
  });
  await send('shop', ['GET /reports/{y}']);
  expect((await api(`/endpoints/${id}`)).body.endpoint).toMatchObject({
    status: 'active',
    marks: ['deprecated'],
    total_calls: 1,
  });
  expect((await api('/endpoints/declared-000000000000000000000000')).status).toBe(404);
});

it('the preview stores nothing', async () => {
  const { body } = await put('shop', 'GET /other\n', '?dry_run=true');
  expect(body).toMatchObject({ dry_run: true, version: 2, added_routes: 1, removed_routes: 4 });
  expect((await api('/services/shop/inventory')).body).toMatchObject({ version: 1 });
});

it('a check answers the report that the document would make, and stores nothing', async () => {
  const before = await rows('shop');
  const { status, body } = await api('/services/shop/check?window=7d', {
    method: 'POST',
    body: 'GET /users/:id deprecated\nGET /secret\nGET /planned\n',
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({ format: 'routes', declared_routes: 3, left_out: [] });
  const seen = body.endpoints.map(
    (row: {
      method: string;
      route: string;
      status: string;
      marks: string[];
      total_calls: number;
    }) => `${row.method} ${row.route} ${row.status} ${row.marks.join(',')} ${row.total_calls}`,
  );
  expect(seen.sort()).toEqual([
    'GET /planned never_called new 0',
    'GET /reports/{y} removed  1',
    'GET /secret active  1',
    'GET /users/{user_id} active deprecated 1',
    'POST /orders removed  1',
  ]);
  expect(await rows('shop')).toEqual(before);
});

it('the same inventory again changes no answer', async () => {
  const before = await rows('shop');
  const again = 'GET /users/:id\nPOST /orders\nGET /reports/{year} deprecated\n/any/{thing}\n';
  expect((await put('shop', again)).body).toMatchObject({ version: 1 });
  expect(await rows('shop')).toEqual(before);
});

it('a route that the newest version no longer declares is removed, and marked when it is still called', async () => {
  await put('shop', 'GET /users/:id\nGET /new\n');
  expect(await rows('shop')).toEqual([
    'GET /new never_called new',
    'GET /reports/{y} removed',
    'GET /secret active undocumented',
    'GET /users/{user_id} active',
    'POST /orders removed',
  ]);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await send('shop', ['POST /orders']);
  expect(await rows('shop')).toContain('POST /orders removed called_after_removal');
  const { body } = await api('/services/shop/inventory');
  expect(body.former_routes.map(({ route }: { route: string }) => route).sort()).toEqual([
    '/any/{thing}',
    '/orders',
    '/reports/{year}',
  ]);
  expect(body.versions.map(({ version }: { version: number }) => version)).toEqual([2, 1]);
});

it('an environment may have an inventory of its own', async () => {
  await send('pay', ['GET /a'], 'prod');
  await send('pay', ['GET /a'], 'staging');
  await put('pay', 'GET /a\nGET /b\n');
  await put('pay', 'GET /c\n', '?environment=staging');
  const { body } = await api('/report?service=pay');
  const seen = body.endpoints.map(
    (row: { environment: string; route: string; status: string; declared: boolean }) =>
      `${row.environment} ${row.route} ${row.status} ${row.declared}`,
  );
  expect(seen.sort()).toEqual([
    'prod /a active true',
    'prod /b never_called true',
    'staging /a active false',
    'staging /c never_called true',
  ]);
  expect((await api('/report?service=pay&environment=prod')).body.endpoints).toHaveLength(2);
  // The service was never heard in the unnamed environment, whatever a filter says.
  await api('/services/pay/inventory?environment=staging', { method: 'DELETE' });
  expect((await api('/report?service=pay&environment=')).body.endpoints).toEqual([]);
});

it('every operation of a service that was never heard is never called, below its server prefix', async () => {
  const document = {
    openapi: '3.1.0',
    servers: [{ url: 'https://api.example.com/v1' }],
    paths: { '/a/{id}': { get: { operationId: 'getA', tags: ['team-a'] } }, '/b': { post: {} } },
  };
  expect((await put('silent', JSON.stringify(document))).status).toBe(200);
  expect(await rows('silent')).toEqual(['GET /v1/a/{id} never_called', 'POST /v1/b never_called']);
  await send('silent', ['GET /v1/a/{a_id}']);
  expect(await rows('silent')).toEqual(['GET /v1/a/{a_id} active', 'POST /v1/b never_called']);
  const { body } = await api('/report?service=silent&status=active');
  expect(body.endpoints[0]).toMatchObject({ owner: 'team-a', operation_id: 'getA' });
});

it('an endpoint whose sunset has come is marked, called or not', async () => {
  await send('ending', ['GET /past', 'GET /future', 'GET /odd']);
  const sunset = {
    past: '2020-01-01',
    future: '2999-01-01',
    odd: 'soon',
    silent: '2020-01-01T00:00:00Z',
  };
  const routes = Object.entries(sunset).map(([name, at]) => ({
    method: 'GET',
    route: `/${name}`,
    deprecated: true,
    sunset: at,
  }));
  expect((await put('ending', JSON.stringify({ routes }))).status).toBe(200);
  expect(await rows('ending')).toEqual([
    'GET /future active deprecated',
    'GET /odd active deprecated',
    'GET /past active deprecated,sunset_passed',
    'GET /silent never_called deprecated,sunset_passed',
  ]);
});

it('a removed inventory leaves what was observed', async () => {
  expect((await api('/services/silent/inventory', { method: 'DELETE' })).status).toBe(204);
  expect(await rows('silent')).toEqual(['GET /v1/a/{a_id} active']);
  expect((await api('/services/silent/inventory')).status).toBe(404);
  expect((await api('/services/silent/inventory', { method: 'DELETE' })).status).toBe(404);
});

it.each([
  ['/services/shop/inventory', 'hello', 'body', /line 1 is no route/],
  ['/services/shop/inventory?dry_run=perhaps', 'GET /a', 'dry_run', /true or false/],
  ['/services/shop/inventory?prefix=v1', 'GET /a', 'prefix', /such as \/v1/],
  ['/services/shop/inventory?nothing=1', 'GET /a', 'nothing', /unknown parameter/],
  [`/services/${'x'.repeat(256)}/inventory`, 'GET /a', 'service', /256 bytes; it has 1 to 255/],
])('%s with %s is refused: the field %s', async (path, body, field, message) => {
  const answer = await api(path, { method: 'PUT', body });
  expect(answer.status).toBe(400);
  expect(answer.body.error.field).toBe(field);
  expect(answer.body.error.message).toMatch(message);
});

it('a large document is read on a thread; a larger body than 32 MiB is refused', async () => {
  const lines = Array.from({ length: 20_000 }, (_, n) => `GET /large/route-number-${n}/{id}`);
  expect((await put('large', lines.join('\n'))).body).toMatchObject({ declared_routes: 20_000 });
  expect((await put('large', `${lines.join('\n')}\nGET /one-more`)).status).toBe(413);
  const { status, body } = await put('large', 'x'.repeat(32 * 1024 * 1024 + 1));
  expect(status).toBe(413);
  expect(body.error.message).toContain(`${32 * 1024 * 1024} bytes`);
});
