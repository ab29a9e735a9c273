import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { callTo, protobufType, serverSpan } from '../../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';
import { checkDocumented } from '../support/documented.ts';

/** Decisions on endpoints of a real collector and analyzer. */

const folder = temporaryFolder();
const dayMs = 86_400_000;
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(join(folder.path, 'rollcall.db'));
  // The shop is heard every day; /old and /older were called 40 days ago alone.
  for (let day = 40; day >= 0; day -= 1) await send(['GET /heard'], 'carmen', day);
  await send(['GET /old/{id}', 'GET /older', 'GET /oldest'], 'carmen', 40);
});
afterAll(async () => {
  await rollcall.stop();
  folder.remove();
});

async function send(names: string[], consumer: string, daysAgo = 0, status = 200): Promise<void> {
  const endNs = BigInt(Date.now() - daysAgo * dayMs) * 1_000_000n;
  const spans = names.map((name) => {
    const attributes = callTo(name.split(' ')[1]!).map((one) =>
      one.key === 'http.response.status_code' ? { ...one, value: status } : one,
    );
    const times = { startTimeUnixNano: endNs - 5_000_000n, endTimeUnixNano: endNs };
    return serverSpan({
      name,
      attributes: [...attributes, { key: 'enduser.id', value: consumer }],
      ...times,
    });
  });
  const attributes = [{ key: 'service.name', value: 'shop' }];
  const body = encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
  const url = `${rollcall.addresses.otlp_http}/v1/traces`;
  const headers = { 'content-type': protobufType };
  expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
}

// biome-ignore lint/suspicious/noExplicitAny: the assertions check the fields
async function api(path: string, init: RequestInit = {}): Promise<{ status: number; body: any }> {
  const response = await fetch(`${rollcall.addresses.analyzer}/api/v1${path}`, init);
  const text = await response.text();
  const body = text === '' ? undefined : JSON.parse(text);
  if (text !== '') checkDocumented(init.method ?? 'GET', path, response.status, body);
  return { status: response.status, body };
}

async function idOf(route: string): Promise<string> {
  const { body } = await api('/report?fields=id,route');
  return body.endpoints.find((row: { route: string }) => row.route === route).id;
}

const decide = async (route: string, decision: object) =>
  api(`/endpoints/${await idOf(route)}/decision`, {
    method: 'PUT',
    body: JSON.stringify(decision),
  });

/** `route decision returned` of each row of a list, in its order. */
async function listed(path: string): Promise<string[]> {
  const { body } = await api(path);
  return body.endpoints.map(
    (row: { route: string; decision: string; decision_returned: string }) =>
      `${row.route} ${row.decision} ${row.decision_returned}`,
  );
}

const importFile = (body: string, query = '') => api(`/decisions${query}`, { method: 'PUT', body });

it('a decision takes an endpoint off the dead list and is in its row', async () => {
  expect(await listed('/report/dead')).toHaveLength(3);
  const until = new Date(Date.now() + 90 * dayMs).toISOString();
  const kept = { decision: 'keep', reason: 'yearly audit', until, by: 'ada' };
  const { status, body } = await decide('/old/{id}', kept);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    service: 'shop',
    method: 'GET',
    route: '/old/{id}',
    decision: { decision: 'keep', reason: 'yearly audit', by: 'ada', known_callers: ['carmen'] },
    returned: null,
    history: [{ decision: 'keep', reason: 'yearly audit', by: 'ada', known_callers: 1 }],
  });
  expect(await listed('/report/dead')).toEqual(['/older null null', '/oldest null null']);
  expect(await listed('/report/dead?decision=keep')).toEqual(['/old/{id} keep null']);
  const row = (await api(`/report?decision=keep`)).body.endpoints[0];
  expect(row).toMatchObject({ decision_reason: 'yearly audit', decision_by: 'ada' });
  expect(row.decision_until).toMatch(/^20/);
});

it('a kept endpoint returns when a consumer calls it that it had not, not before', async () => {
  await send(['GET /old/{id}'], 'carmen');
  expect((await api(`/endpoints/${await idOf('/old/{id}')}/decision`)).body.returned).toBeNull();
  await send(['GET /old/{id}'], 'scanner', 0, 401);
  expect((await api(`/endpoints/${await idOf('/old/{id}')}/decision`)).body.returned).toBeNull();
  await send(['GET /old/{id}'], 'otto');
  expect((await api(`/endpoints/${await idOf('/old/{id}')}/decision`)).body.returned).toBe(
    'new_consumer',
  );
  expect(await listed('/report/dead')).toContain('/old/{id} keep new_consumer');
});

it('deciding again ends the return, and knows the new consumer', async () => {
  const { body } = await decide('/old/{id}', { decision: 'keep', reason: 'otto too' });
  expect(body.returned).toBeNull();
  expect(body.decision.known_callers.sort()).toEqual(['carmen', 'otto']);
  expect(body.history).toHaveLength(2);
  await send(['GET /old/{id}'], 'otto');
  expect(await listed('/report?decision=returned')).toEqual([]);
});

it('an endpoint that is to be removed returns when it is answered again, not when it is refused', async () => {
  await decide('/older', { decision: 'remove', reason: 'nobody calls it' });
  expect(await listed('/report/dead')).toEqual(['/oldest null null']);
  await send(['GET /older'], 'carmen', 0, 404);
  await send(['GET /older'], 'carmen', 0, 401);
  expect(await listed('/report?decision=returned')).toEqual([]);
  await send(['GET /older'], 'carmen');
  expect(await listed('/report/dead')).toContain('/older remove called');
});

it('a decision returns when its date has come', async () => {
  await decide('/oldest', { decision: 'deprecate', until: '2020-01-01' });
  expect(await listed('/report/dead')).toContain('/oldest deprecate until_passed');
});

it('a withdrawn decision is gone and stays in the history', async () => {
  const path = `/endpoints/${await idOf('/oldest')}/decision`;
  expect((await api(`${path}?by=bob`, { method: 'DELETE' })).status).toBe(204);
  expect((await api(`${path}?by=bob`, { method: 'DELETE' })).status).toBe(404);
  const { body } = await api(path);
  expect(body.decision).toBeNull();
  expect(body.history).toMatchObject([{ decision: null, by: 'bob' }, { decision: 'deprecate' }]);
});

it('a declared endpoint keeps its decision through its first call', async () => {
  await api('/services/shop/inventory', { method: 'PUT', body: 'GET /planned/:id\nGET /heard\n' });
  await decide('/planned/{id}', { decision: 'keep', reason: 'not out yet' });
  await send(['GET /planned/{planned_id}'], 'carmen');
  const { body } = await api(`/endpoints/${await idOf('/planned/{planned_id}')}/decision`);
  expect(body).toMatchObject({ decision: { decision: 'keep' }, returned: 'new_consumer' });
});

it('an exported file changes nothing when it is imported again', async () => {
  const { body } = await api('/decisions');
  const rows = body.decisions.map((row: Record<string, unknown>) => {
    const { decided_at: _at, known_callers: _callers, ...entry } = row;
    return entry;
  });
  expect(rows).toHaveLength(3);
  const again = await importFile(JSON.stringify({ decisions: rows }), '?prune=true');
  expect(again.body).toEqual({
    decided: 0,
    unchanged: 3,
    withdrawn: 0,
    unknown: [],
    dry_run: false,
  });
});

it('an import adds, changes and, when told, withdraws; a dry run only says so', async () => {
  const file = `decisions:
  - {service: shop, method: GET, route: '/older', decision: remove, reason: soon, until: 2030-01-01}
  - {service: shop, method: GET, route: '/not/there', decision: keep}
`;
  const expected = { decided: 2, unchanged: 0, withdrawn: 3, unknown: ['shop: GET /not/there'] };
  expect((await importFile(file, '?prune=true&dry_run=true')).body).toEqual({
    ...expected,
    dry_run: true,
  });
  expect((await api('/decisions')).body.decisions).toHaveLength(3);
  expect((await importFile(file, '?prune=true')).body).toEqual({ ...expected, dry_run: false });
  expect((await api('/decisions')).body.decisions).toMatchObject([
    { environment: null, route: '/not/there', decision: 'keep', until: null },
    { environment: null, route: '/older', decision: 'remove', until: '2030-01-01T00:00:00.000Z' },
  ]);
  // It is for every environment: the endpoint has it too.
  expect(await listed('/report?decision=remove')).toEqual(['/older remove null']);
});

it.each([
  ['decisions: [{service: shop}]', /decision 1: .* is missing or not allowed/],
  [
    'decisions: [{service: s, method: GET, route: /a, decision: destroy}]',
    /one of keep, deprecate, remove/,
  ],
  [
    'decisions: [{service: s, method: GET, route: /a, decision: keep, whom: x}]',
    /unknown field "whom"/,
  ],
  [
    'decisions: [{service: s, method: GET, route: "/{a}", decision: keep}, {service: s, method: get, route: "/{b}", decision: remove}]',
    /decisions 1 and 2 are on one endpoint/,
  ],
  ['decisions: {}', /decisions is missing or not allowed; give a list/],
  ['decisions: [', /the file is no YAML/],
  ['', /the file is no YAML: .*empty/],
  ['- 1', /must be a JSON object with decisions/],
])('%s is refused', async (file, message) => {
  const { status, body } = await importFile(file);
  expect(status).toBe(400);
  expect(body.error.message).toMatch(message);
});

it('wrong decisions are refused by the field', async () => {
  for (const [field, wrong] of Object.entries({
    decision: { decision: 'perhaps' },
    until: { decision: 'keep', until: 'tomorrow' },
    reason: { decision: 'keep', reason: 'x'.repeat(2001) },
    why: { decision: 'keep', why: 'so' },
  })) {
    const { status, body } = await decide('/heard', wrong);
    expect(status).toBe(400);
    expect(body.error.field).toBe(field);
  }
  const missing = await api('/endpoints/nothing/decision');
  expect(missing.status).toBe(404);
});
