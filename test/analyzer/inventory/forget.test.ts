import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { Database } from '../../../core/store/sqlite/database.ts';
import { callTo, protobufType, serverSpan } from '../../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';
import { checkDocumented } from '../support/documented.ts';

const folder = temporaryFolder();
const path = join(folder.path, 'rollcall.db');
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(path);
});
afterAll(async () => {
  await rollcall.stop();
  folder.remove();
});

async function send(service: string, environment: string, routes: string[]): Promise<void> {
  const inventory = {
    ...serverSpan({ name: 'rollcall.inventory' }),
    kind: 1,
    attributes: [{ key: 'rollcall.routes', value: { array: routes.map((one) => `GET ${one}`) } }],
  };
  const spans = [inventory, ...routes.map((route) => serverSpan({ attributes: callTo(route) }))];
  const attributes = [
    { key: 'service.name', value: service },
    { key: 'deployment.environment.name', value: environment },
  ];
  const body = encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
  const url = `${rollcall.addresses.otlp_http}/v1/traces`;
  const headers = { 'content-type': protobufType };
  expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
}

// biome-ignore lint/suspicious/noExplicitAny: the assertions check the fields
type Answer = { status: number; body: any };

async function api(method: string, at: string, body?: object): Promise<Answer> {
  const response = await fetch(`${rollcall.addresses.analyzer}/api/v1${at}`, {
    method,
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = text === '' ? undefined : JSON.parse(text);
  if (answer) checkDocumented(method, at, response.status, answer);
  return { status: response.status, body: answer };
}

/** Tables with a row that names the service, in plain text or compressed. What arrived in the last days is written late. */
function tablesNaming(service: string): string[] {
  const db = new Database(path, { readOnly: true });
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .pluck()
    .all() as string[];
  const lasting = tables.filter((table) => table !== 'arrival');
  const found = lasting.filter((table) =>
    (db.prepare(`SELECT * FROM "${table}"`).raw().all() as unknown[][]).some((row) =>
      row.some((value) => textOf(value).includes(service)),
    ),
  );
  db.close();
  return found.sort();
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (!(value instanceof Uint8Array) || value[0] !== 0x1f || value[1] !== 0x8b) return '';
  return gunzipSync(value).toString();
}

async function tellAll(service: string): Promise<void> {
  await send(service, 'prod', ['/a', '/b']);
  await send(service, 'test', ['/a']);
  const routes = [
    { method: 'GET', route: '/a' },
    { method: 'GET', route: `/${service}/never` },
  ];
  expect((await api('PUT', `/services/${service}/inventory`, { routes })).status).toBe(200);
  const { body } = await api('GET', `/report?service=${service}&environment=prod&sort=route`);
  for (const { id } of body.endpoints) {
    expect((await api('GET', `/endpoints/${id}/evidence`)).status).toBe(200);
  }
  const decision = { decision: 'keep', reason: 'needed', by: 'ada' };
  await api('PUT', `/endpoints/${body.endpoints[0].id}/decision`, decision);
  const event = { kind: 'incident', title: 'down', at: new Date().toISOString(), service };
  expect((await api('POST', '/events', event)).status).toBeLessThan(300);
}

it('a service is forgotten with all that was told of it, and other services are not', async () => {
  await tellAll('secretshop');
  await tellAll('othershop');
  const before = tablesNaming('othershop');
  expect(tablesNaming('secretshop')).toEqual(before);
  for (const table of [
    'decision',
    'evidence',
    'inventory',
    'otlp_inventory',
    'declaration',
    'told_event',
    'service',
  ]) {
    expect(before).toContain(table);
  }
  const forgotten = await api('DELETE', '/services/secretshop');
  expect(forgotten).toEqual({
    status: 200,
    body: { service: 'secretshop', forgotten_endpoints: 3 },
  });
  // One empty row in the place of each inventory, which tells collectors that it is gone.
  expect(tablesNaming('secretshop')).toEqual(['inventory', 'otlp_inventory']);
  expect(tablesNaming('othershop')).toEqual(before);
  expect((await api('GET', '/services/secretshop/inventory')).status).toBe(404);
  expect((await api('GET', '/report?service=secretshop')).body.endpoints).toEqual([]);
  expect((await api('GET', '/report?service=othershop')).body.summary.never_called).toBe(2);
  expect((await api('GET', '/decisions')).body.decisions).toHaveLength(1);
  expect((await api('DELETE', '/services/secretshop')).status).toBe(404);
});

it('what is told afterwards is new, and can be forgotten again', async () => {
  await tellAll('secretshop');
  const { body } = await api('GET', '/services/secretshop/inventory');
  expect(body).toMatchObject({ version: 1, former_routes: [] });
  expect(body.versions).toHaveLength(1);
  expect((await api('GET', '/decisions')).body.decisions).toHaveLength(2);
  expect((await api('DELETE', '/services/secretshop')).status).toBe(200);
  expect(tablesNaming('secretshop')).toEqual(['inventory', 'otlp_inventory']);
});

it('one environment is forgotten with what was told of it alone', async () => {
  const routes = [{ method: 'GET', route: '/only-prod' }];
  await api('PUT', '/services/othershop/inventory?environment=prod', { routes });
  const forgotten = await api('DELETE', '/services/othershop?environment=prod');
  expect(forgotten.body.forgotten_endpoints).toBe(2);
  expect((await api('GET', '/services/othershop/inventory?environment=prod')).status).toBe(404);
  expect((await api('GET', '/services/othershop/inventory')).body.declared_routes).toBe(2);
  const { endpoints } = (await api('GET', '/report?service=othershop')).body;
  expect(new Set(endpoints.map(({ environment }: { environment: string }) => environment))).toEqual(
    new Set(['test']),
  );
});

it('a service that was only declared is forgotten too', async () => {
  await api('PUT', '/services/declared/inventory', { routes: [{ method: 'GET', route: '/a' }] });
  const { body } = await api('GET', '/report?service=declared');
  const { id } = body.endpoints[0];
  const { link } = (await api('GET', `/endpoints/${id}/evidence`)).body;
  expect((await api('DELETE', '/services/declared')).body.forgotten_endpoints).toBe(0);
  expect((await api('GET', link)).status).toBe(404);
});
