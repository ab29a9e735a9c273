import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AppError } from '../../../core/error.ts';
import type { CallReader } from '../../../core/store/store.ts';
import { call, type ListenOptions, nowMs, openDoor } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

const reader = oracleReader([call()]);
let door: ListenOptions;
beforeAll(async () => {
  door = await openDoor(reader, nowMs);
});
afterAll(() => door.close());

test('unknown paths are 404 in JSON', async () => {
  for (const path of ['/api/v1/nothing', '/api/v2/report', '/nothing', '/api/v1/report/x/y']) {
    const response = await door.fetch(path);
    expect(response.status, path).toBe(404);
    expect(await response.json()).toEqual({
      error: { code: 'not_found', message: expect.stringContaining(path), field: null },
    });
  }
});

test('a path that cannot be decoded is 400', async () => {
  const response = await door.fetch('/api/v1/endpoints/%zz');
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { code: 'invalid' } });
});

test('other methods are 405 and name what is allowed', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const response = await door.fetch('/api/v1/report', { method });
    expect(response.status, method).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect(await response.json()).toMatchObject({
      error: { code: 'method_not_allowed', message: expect.stringContaining(method) },
    });
  }
});

test('HEAD answers as GET without a body', async () => {
  const response = await door.fetch('/api/v1/report', { method: 'HEAD' });
  expect(response.status).toBe(200);
  expect(Number(response.headers.get('content-length'))).toBeGreaterThan(100);
  expect(await response.text()).toBe('');
});

test('metrics count requests by code and time reports', async () => {
  await door.get('/report');
  await door.fetch('/api/v1/report?window=x');
  const text = await (await door.fetch('/metrics')).text();
  expect(text).toMatch(/rollcall_requests_total\{transport="rest",code="200"\} [1-9]/);
  expect(text).toMatch(/rollcall_requests_total\{transport="rest",code="400"\} [1-9]/);
  expect(text).toMatch(/rollcall_report_seconds_count\{report="report"\} [1-9]/);
  expect(text).toContain('process_cpu_seconds_total');
});

test('the front page links to everything', async () => {
  const response = await door.fetch('/');
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const html = await response.text();
  for (const [, link] of html.matchAll(/href="([^"]+)"/g)) {
    expect((await fetch(new URL(link!, response.url))).status, link).toBe(200);
  }
  expect(html).toContain('href="./api/v1/report"');
  expect(html).toContain('curl ');
});

test('the OpenAPI document knows every path and parameter', async () => {
  const document = await door.get('/openapi.json');
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths)).toEqual([
    '/services',
    '/report',
    '/report/top',
    '/report/dead',
    '/summary',
    '/timeseries',
    '/latency',
    '/slice',
    '/endpoints/{id}',
    '/clients',
    '/decisions',
    '/calls',
    '/consumers',
    '/consumers/internal',
    '/compare',
    '/events',
    '/services/{service}/openapi',
    '/report/removed',
    '/report/deprecated',
    '/projects',
    '/keys',
    '/keys/{id}',
    '/keys/{id}/rotate',
    '/services/{service}/inventory',
    '/services/{service}/check',
    '/endpoints/{id}/decision',
    '/doctor',
    '/endpoints/{id}/evidence',
    '/endpoints/{id}/verdicts',
    '/report/dead/history',
    '/consumers/{name}',
    '/events/{id}',
    '/services/{service}',
  ]);
  const { parameters } = document.paths['/report'].get;
  const named = Object.fromEntries(parameters.map((one: { name: string }) => [one.name, one]));
  expect(Object.keys(named).join()).toBe(
    'service,environment,window,from,to,status,decision,owner,method,route,q,sort,order,fields,spark,limit,cursor,format,bom',
  );
  expect(named.limit).toMatchObject({
    in: 'query',
    required: false,
    description: expect.stringContaining('1 to 10000'),
    schema: { type: 'integer', minimum: 1, maximum: 10_000, default: 10_000 },
  });
  expect(named.format.schema.enum).toEqual(['json', 'csv', 'md', 'ndjson', 'pdf']);
  const answer = document.paths['/report'].get.responses['200'].content['application/json'].schema;
  expect(answer).toEqual({ $ref: '#/components/schemas/EndpointListAnswer' });
  const { EndpointListAnswer, EndpointList, EndpointRow } = document.components.schemas;
  expect(EndpointListAnswer.anyOf).toEqual([
    { $ref: '#/components/schemas/EndpointList' },
    { $ref: '#/components/schemas/EndpointPartList' },
  ]);
  expect(EndpointList.properties.endpoints.items).toEqual({
    $ref: '#/components/schemas/EndpointRow',
  });
  expect(Object.keys(EndpointRow.properties)).toContain('p95_duration_ms');
  expect(EndpointRow.required).toContain('p95_duration_ms');
  expect(EndpointRow.required).not.toContain('estimated');
});

describe('a store that cannot be read', () => {
  let broken: ListenOptions;
  let thrown: unknown;
  const failing: CallReader = {
    snapshot: () => Promise.reject(thrown),
    check: () => Promise.reject(thrown),
    close: async () => undefined,
  };
  beforeAll(async () => {
    broken = await openDoor(failing, nowMs);
  });
  afterAll(() => broken.close());

  test('is 503 with Retry-After, and the process is alive but not ready', async () => {
    thrown = new AppError('unavailable', 'the store is locked');
    for (const path of ['/api/v1/report', '/api/v1/summary', '/readyz']) {
      const response = await broken.fetch(path);
      expect(response.status, path).toBe(503);
      expect(response.headers.get('retry-after')).toBe('1');
      expect(await response.json()).toEqual({
        error: { code: 'unavailable', message: 'the store is locked', field: null },
      });
    }
    expect((await broken.fetch('/healthz')).status).toBe(200);
  });

  test('a mistake of ours is 500 and keeps its details to the log', async () => {
    thrown = new TypeError('secret of the house');
    const response = await broken.fetch('/api/v1/report');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
  });
});

test('alive and ready', async () => {
  expect(await (await door.fetch('/healthz')).json()).toEqual({ status: 'ok' });
  expect(await (await door.fetch('/readyz')).json()).toEqual({ status: 'ready' });
});
