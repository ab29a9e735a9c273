import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { protobufType, serverSpan } from '../../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';
import { waitFor } from '../../support/wait.ts';

/** Calls whose spans name no route, by the inventory of their service, on a real collector and analyzer. */

const folder = temporaryFolder();
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(join(folder.path, 'rollcall.db'));
});
afterAll(async () => {
  await rollcall.stop();
  folder.remove();
});

/** `METHOD /path STATUS` each. */
async function send(calls: string[], consumer = 'carmen', environment = ''): Promise<void> {
  const spans = calls.map((call) => {
    const [method = '', path = '', status = ''] = call.split(' ');
    return serverSpan({
      name: method,
      attributes: [
        { key: 'http.request.method', value: method },
        { key: 'url.path', value: path },
        { key: 'http.response.status_code', value: Number(status) },
        { key: 'enduser.id', value: consumer },
      ],
    });
  });
  const attributes = [
    { key: 'service.name', value: 'shop' },
    { key: 'deployment.environment.name', value: environment },
  ];
  const body = encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
  const url = `${rollcall.addresses.otlp_http}/v1/traces`;
  const headers = { 'content-type': protobufType };
  expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
}

interface Row {
  method: string;
  route: string;
  status: string;
  marks: string[];
  total_calls: number;
  missing_count: number;
  last_callers: { consumer: string | null }[];
}

async function rows(path = '/report'): Promise<Row[]> {
  const response = await fetch(`${rollcall.addresses.analyzer}/api/v1${path}`);
  return ((await response.json()) as { endpoints: Row[] }).endpoints;
}
const names = async (path?: string) =>
  (await rows(path))
    .map(({ method, route, total_calls }) => `${method} ${route} ${total_calls}`)
    .sort();

const put = async (body: string) => {
  const url = `${rollcall.addresses.analyzer}/api/v1/services/shop/inventory`;
  expect((await fetch(url, { method: 'PUT', body })).status).toBe(200);
};

/** The collector looks for a changed inventory every few seconds: calls until one is counted as expected. */
async function known(call: string, row: string): Promise<void> {
  await waitFor(`the collector to know of ${row}`, async () => {
    await send([call]);
    return (await names()).some((name) => name.startsWith(row));
  });
}

it('without an inventory the path makes the route', async () => {
  await send(['GET /shelf/blue 200', 'GET /users/1234 200']);
  expect(await names()).toEqual(['GET /shelf/blue 1', 'GET /users/{id} 1']);
});

it('with an inventory its route takes the call, whatever the path looks like', async () => {
  await put(
    [
      'GET /shelf/:color',
      'GET /shelf/latest',
      'GET /users/:id',
      'GET /old/:name',
      'POST /gone',
    ].join('\n'),
  );
  const [blue] = await rows('/report?route=/shelf/blue');
  expect(blue).toMatchObject({ declared: true, marks: ['match_guessed'] });
  await known('GET /shelf/red 200', 'GET /shelf/{color}');
  await send(['GET /shelf/green 200', 'GET /shelf/latest 200', 'HEAD /shelf/x 200']);
  await send(['GET /elsewhere 200', 'DELETE /users/1234 200', 'GET /shelf/black 404']);
  const seen = (await names()).map((name) => name.replace(/ \d+$/, ''));
  expect(seen).toContain('GET /shelf/latest');
  expect(seen).toContain('HEAD /shelf/{color}');
  expect(seen).toContain('GET /elsewhere');
  expect(seen).toContain('DELETE /users/{id}');
  expect(seen.filter((name) => name.startsWith('GET /shelf/'))).toEqual([
    'GET /shelf/latest',
    'GET /shelf/{color}',
  ]);
  const shelf = (await rows('/report?route=/shelf/{color}&method=GET'))[0]!;
  expect(shelf).toMatchObject({ status: 'active', missing_count: 1 });
  expect(shelf.marks).toContain('matched_by_path');
});

it('a former route that is not found is counted, with its caller; other paths are not', async () => {
  await send(['GET /old/name 200', 'POST /gone 200'], 'carmen');
  await put('GET /shelf/:color\nGET /shelf/latest\nGET /users/:id\n');
  expect(await names('/report/removed')).toEqual([]);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  // Only a collector that knows the new inventory takes a 405 for a former route.
  await waitFor('the former route in the list', async () => {
    await send(['POST /gone 405'], 'otto');
    return (await names('/report/removed')).length > 0;
  });
  await send(['GET /old/again 410', 'GET /old/again 404'], 'otto');
  await send(['GET /gone 404', 'GET /wp-login.php 404'], 'otto');
  const list = await rows('/report/removed');
  expect(list.map(({ method, route }) => `${method} ${route}`).sort()).toEqual([
    'GET /old/{name}',
    'POST /gone',
  ]);
  for (const row of list) {
    expect(row).toMatchObject({
      status: 'removed',
      marks: expect.arrayContaining(['called_after_removal']),
    });
    expect(row.last_callers[0]?.consumer).toBe('otto');
    expect(row.missing_count).toBeGreaterThan(0);
  }
  expect((await names()).some((name) => name.includes('wp-login'))).toBe(false);
});

it('a brown-out of a decided removal shows who runs into it', async () => {
  await send(['GET /users/1234 200']);
  const { body: _body, ...row } = {
    body: '',
    ...(await rows('/report?route=/users/{id}&method=GET'))[0]!,
  };
  const url = `${rollcall.addresses.analyzer}/api/v1/endpoints/${(row as unknown as { id: string }).id}/decision`;
  await fetch(url, {
    method: 'PUT',
    body: JSON.stringify({ decision: 'remove', reason: 'brown-out' }),
  });
  expect((await names('/report/removed')).join()).not.toContain('/users/{id}');
  await send(['GET /users/1234 410'], 'billing');
  const found = (await rows('/report/removed')).find(({ route }) => route === '/users/{id}');
  expect(found).toMatchObject({ missing_count: 1, last_callers: [{ consumer: 'billing' }, {}] });
});
