import { afterAll, beforeAll, expect, it } from 'vitest';
import { call, dayMs, type ListenOptions, nowMs, openDoor, repeat } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

let door: ListenOptions;
beforeAll(async () => {
  const calls = [
    ...repeat(3, () => call({ route: '/users/{id}', consumer: 'carmen' })),
    call({ route: '/users/{id}', status: 404 }),
    call({ route: '/users/{user_id}', method: 'DELETE', status: 204, environment: 'staging' }),
    call({ route: '/a/{id}/b/{id}', endMs: nowMs - 60 * dayMs }),
    call({ route: '/what?#', agent: '' }),
    call({ route: '/day/{date}' }),
    call({ route: '/refused', status: 403 }),
    call({ route: '/odd', method: 'PURGE' }),
    call({ route: '(unmatched)', status: 404 }),
    call({ service: 'other', route: '/other' }),
  ];
  door = await openDoor(oracleReader(calls), nowMs);
});
afterAll(() => door.close());

it('the observed routes of a service are an OpenAPI document', async () => {
  const document = await door.get('/services/shop/openapi?window=7d');
  expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'shop', version: '1.0.0' } });
  expect(Object.keys(document.paths)).toEqual([
    '/a/{id}/b/{id2}',
    '/day/{date}',
    '/users/{id}',
    '/what%3F%23',
  ]);
  const users = document.paths['/users/{id}'];
  expect(Object.keys(users)).toEqual(['parameters', 'get', 'delete']);
  expect(users.get).toMatchObject({
    operationId: 'get_users_id',
    responses: { 200: { 'x-rollcall': { calls: 3 } }, 404: { 'x-rollcall': { calls: 1 } } },
    'x-rollcall': { calls: 4, lifetime_calls: 4, consumers: ['carmen'] },
  });
  expect(users.delete['x-rollcall'].endpoints).toMatchObject([{ environment: 'staging' }]);
  expect(document.paths['/day/{date}'].parameters[0].schema).toEqual({
    type: 'string',
    format: 'date',
  });
  expect(document.paths['/a/{id}/b/{id2}'].get.responses).toEqual({
    default: { description: 'no call in the window' },
  });
});

it('endpoints that never answered are left out by name', async () => {
  const { 'x-rollcall': about } = await door.get('/services/shop/openapi');
  expect(about.left_out.sort()).toEqual(['GET /refused', 'PURGE /odd']);
  expect(about.difference).toBeUndefined();
});

it('an environment narrows it; YAML is the same document', async () => {
  const { paths } = await door.get('/services/shop/openapi?environment=staging');
  expect(Object.keys(paths)).toEqual(['/users/{user_id}']);
  const yaml = await door.fetch('/api/v1/services/shop/openapi?format=yaml');
  expect(yaml.headers.get('content-type')).toBe('application/yaml; charset=utf-8');
  expect(await yaml.text()).toMatch(/^openapi: 3\.1\.0\ninfo:\n {2}title: shop\n/);
});

it('a service that was never heard is 404', async () => {
  expect((await door.fetch('/api/v1/services/nothing/openapi')).status).toBe(404);
});
