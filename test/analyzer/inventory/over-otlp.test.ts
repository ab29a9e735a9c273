import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AnyValue, encodeTraces, type Span } from '../../../collector/otlp/traces-encoder.ts';
import { callTo, jsonType, protobufType, serverSpan } from '../../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';

/** Services that declare their routes in spans, on a real collector and analyzer. */

const folder = temporaryFolder();
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(join(folder.path, 'rollcall.db'));
});
afterAll(async () => {
  await rollcall.stop();
  folder.remove();
});

interface Declared {
  routes: string[];
  deprecated?: string[];
  part?: number;
  parts?: number;
  traceId?: Buffer;
}

function inventorySpan({ routes, deprecated, part, parts, traceId }: Declared): Span {
  const attribute = (key: string, value: AnyValue | undefined) =>
    value === undefined ? [] : [{ key, value }];
  return serverSpan({
    name: 'rollcall.inventory',
    kind: 1,
    ...(traceId && { traceId }),
    attributes: [
      ...attribute('rollcall.routes', { array: routes }),
      ...attribute('rollcall.deprecated', deprecated && { array: deprecated }),
      ...attribute('rollcall.inventory.part', part),
      ...attribute('rollcall.inventory.parts', parts),
    ],
  });
}

async function post(body: Uint8Array | string, type = protobufType): Promise<Response> {
  const url = `${rollcall.addresses.otlp_http}/v1/traces`;
  return fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
}

async function send(service: string, spans: Span[], version = '1'): Promise<void> {
  const attributes = [
    { key: 'service.name', value: service },
    { key: 'service.version', value: version },
    { key: 'service.instance.id', value: `${service}-${version}` },
    { key: 'deployment.environment.name', value: 'prod' },
  ];
  const body = encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
  expect((await post(body)).status).toBe(200);
}

async function rows(service: string): Promise<string[]> {
  const url = `${rollcall.addresses.analyzer}/api/v1/report?service=${service}`;
  const { endpoints } = (await (await fetch(url)).json()) as {
    endpoints: { method: string; route: string; status: string; marks: string[] }[];
  };
  return endpoints
    .map(({ method, route, status, marks }) =>
      `${method} ${route} ${status} ${marks.join()}`.trim(),
    )
    .sort();
}

it('a request that only declares routes is acknowledged, and its routes are never called', async () => {
  await send('only', [inventorySpan({ routes: ['GET /a', 'POST /b'], deprecated: ['POST /b'] })]);
  expect(await rows('only')).toEqual(['GET /a never_called', 'POST /b never_called deprecated']);
});

it('declared routes meet the calls of the same request', async () => {
  const call = serverSpan({ name: 'GET /users/{id}', attributes: callTo('/users/{id}') });
  const other = serverSpan({ name: 'GET /x', attributes: callTo('/x') });
  const declared = inventorySpan({ routes: ['GET /users/:id', 'GET /silent'] });
  await send('both', [call, declared, other]);
  expect(await rows('both')).toEqual([
    'GET /silent never_called',
    'GET /users/{id} active',
    'GET /x active undocumented',
  ]);
});

it('parts of one declaration in several requests make one inventory', async () => {
  const traceId = randomBytes(16);
  const part = (number: number, routes: string[]) =>
    inventorySpan({ routes, part: number, parts: 2, traceId });
  await send('parts', [part(2, ['GET /b'])]);
  expect(await rows('parts')).toEqual([]);
  await send('parts', [part(1, ['GET /a'])]);
  expect(await rows('parts')).toEqual(['GET /a never_called', 'GET /b never_called']);
});

it('the instances of a rolling deployment do not make routes flap', async () => {
  for (let n = 0; n < 3; n += 1) {
    await send('rolling', [inventorySpan({ routes: ['GET /a', 'GET /old'] })], '1');
    await send('rolling', [inventorySpan({ routes: ['GET /a', 'GET /new'] })], '2');
    const listed = (await rows('rolling')).map((row) => row.split(' ')[1]);
    expect(listed).toEqual(['/a', '/new', '/old']);
  }
});

it('JSON is read as protobuf is', async () => {
  const value = { arrayValue: { values: [{ stringValue: 'GET /json' }] } };
  const span = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    name: 'rollcall.inventory',
    kind: 1,
    startTimeUnixNano: String(Date.now() * 1e6),
    endTimeUnixNano: String(Date.now() * 1e6),
    attributes: [{ key: 'rollcall.routes', value }],
  };
  const attributes = [{ key: 'service.name', value: { stringValue: 'json' } }];
  const request = {
    resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }],
  };
  expect((await post(JSON.stringify(request), jsonType)).status).toBe(200);
  expect(await rows('json')).toEqual(['GET /json never_called']);
});

it('wrong declarations are ignored, and nothing else of their request is lost', async () => {
  const call = serverSpan({ name: 'GET /x', attributes: callTo('/x') });
  const wrong: Span[] = [
    inventorySpan({ routes: [] }),
    inventorySpan({ routes: ['hello', 'GET', ''] }),
    inventorySpan({ routes: ['GET /a'], part: 3, parts: 2 }),
    inventorySpan({ routes: ['GET /a'], part: 0, parts: 2 }),
    inventorySpan({ routes: ['GET /a'], part: 1, parts: 1_000_000 }),
    inventorySpan({ routes: [`GET /${'x'.repeat(600)}`] }),
    { ...inventorySpan({ routes: ['GET /a'] }), name: 'rollcall.inventorx' },
    { ...inventorySpan({ routes: ['GET /a'] }), kind: 2, name: 'GET /y' },
    serverSpan({
      name: 'rollcall.inventory',
      kind: 1,
      attributes: [{ key: 'rollcall.routes', value: 'GET /a' }],
    }),
  ];
  await send('wrong', [...wrong, call]);
  expect(await rows('wrong')).toEqual(['GET /x active']);
});

it('an uploaded inventory comes before what the service declares', async () => {
  await send('chosen', [inventorySpan({ routes: ['GET /declared'] })]);
  const url = `${rollcall.addresses.analyzer}/api/v1/services/chosen/inventory`;
  expect((await (await fetch(url)).json()) as object).toMatchObject({
    environment: 'prod',
    format: 'otlp',
    routes: [{ method: 'GET', route: '/declared' }],
  });
  await fetch(url, { method: 'PUT', body: 'GET /uploaded' });
  // An inventory of all environments is for those in which the service was heard.
  await send('chosen', [serverSpan({ attributes: callTo('/uploaded') })]);
  expect(await rows('chosen')).toEqual(['GET /uploaded active']);
  await fetch(url, { method: 'DELETE' });
  expect(await rows('chosen')).toEqual([
    'GET /declared never_called',
    'GET /uploaded active undocumented',
  ]);
});
