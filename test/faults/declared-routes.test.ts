import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeTraces } from '../../collector/otlp/traces-encoder.ts';
import { protobufType, serverSpan } from '../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';

/** Inventories that are meant to fill reports, or to hold up the thread that commits. */
const folder = temporaryFolder();
let running: Running & { addresses: Record<string, string> };
beforeAll(async () => {
  running = await startRollcall(`${folder.path}/rollcall.db`, { ROLLCALL_MEMORY_MIB: '768' });
});
afterAll(async () => {
  await running.stop();
  folder.remove();
});

function declaration(service: string, routes: number) {
  const array = Array.from({ length: routes }, (_, n) => `GET /${service}/${n}`);
  const attributes = [{ key: 'rollcall.routes', value: { array } }];
  return {
    attributes: [{ key: 'service.name', value: service }],
    scopes: [
      { name: 'test', spans: [serverSpan({ name: 'rollcall.inventory', kind: 1, attributes })] },
    ],
  };
}

async function send(prefix: string, services: number, routes: number): Promise<number> {
  const resources = Array.from({ length: services }, (_, n) =>
    declaration(`${prefix}${n}`, routes),
  );
  const answer = await fetch(`${running.addresses.otlp_http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': protobufType },
    body: encodeTraces(resources) as Uint8Array<ArrayBuffer>,
  });
  return answer.status;
}

async function endpoints(query = ''): Promise<number> {
  const answer = await fetch(`${running.addresses.analyzer}/api/v1/report?limit=1${query}`);
  expect(answer.status).toBe(200);
  const { summary } = (await answer.json()) as { summary: { total_endpoints: number } };
  return summary.total_endpoints;
}

test('of 250,000 routes that one request declares, 30,000 are rows, the bound of the project', async () => {
  expect(await send('a', 50, 5_000)).toBe(200);
  expect(await endpoints()).toBe(30_000);
  expect(await endpoints('&service=a0')).toBe(5_000);
  expect(await endpoints('&service=a49')).toBe(0);
  expect(await send('b', 4, 5_000)).toBe(200);
  expect(await endpoints()).toBe(30_000);
});

test('uploads that declare more than 30,000 routes of a project are 409, naming the bound', async () => {
  const upload = (service: string) =>
    fetch(`${running.addresses.analyzer}/api/v1/services/${service}/inventory`, {
      method: 'PUT',
      headers: { 'content-type': 'text/plain' },
      body: Array.from({ length: 20_000 }, (_, n) => `GET /${n}`).join('\n'),
    });
  expect((await upload('a')).status).toBe(200);
  const second = await upload('b');
  expect(second.status).toBe(409);
  expect(await second.text()).toContain('would declare 40000 routes; the bound is 30000');
  // The same again, and fewer of the same service, are no more.
  expect((await upload('a')).status).toBe(200);
});
