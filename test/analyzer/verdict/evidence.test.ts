import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CallBatch, CallDictionary } from '../../../core/call.ts';
import { defaultRetention } from '../../../core/config/retention.ts';
import { openSqliteInventories } from '../../../core/store/sqlite/inventory/inventories.ts';
import { openSqliteReader } from '../../../core/store/sqlite/reader/reader.ts';
import { openSqliteVerdicts } from '../../../core/store/sqlite/verdicts.ts';
import {
  openSqliteWriter,
  type SqliteCallWriter,
} from '../../../core/store/sqlite/writer/writer.ts';
import { temporaryFolder } from '../../support/process.ts';
import {
  call,
  dayMs,
  hourMs,
  type ListenOptions,
  nowMs,
  openDoor,
  repeat,
} from '../support/door.ts';
import type { PlainCall } from '../support/oracle.ts';

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
let writer: SqliteCallWriter;
let dictionary: CallDictionary;
let closeAll: (() => Promise<void>)[];

beforeEach(async () => {
  folder = temporaryFolder();
  path = join(folder.path, 'rollcall.db');
  dictionary = new CallDictionary();
  writer = await openSqliteWriter({
    path,
    retention: defaultRetention,
    now: () => nowMs,
    ignoreConsumers: ['synthetic-*'],
  });
  closeAll = [];
});
afterEach(async () => {
  for (const close of closeAll.reverse()) await close();
  await writer.close();
  folder.remove();
});

/** An analyzer on the store; its clock stands at `atMs`. */
async function analyzer(atMs = nowMs): Promise<ListenOptions> {
  const reader = await openSqliteReader(path);
  const verdicts = await openSqliteVerdicts(path);
  const inventories = await openSqliteInventories(path);
  const door = await openDoor(reader, atMs, undefined, undefined, { verdicts, inventories });
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    await door.close();
    await reader.close();
    await verdicts.close();
    await inventories.close();
  };
  closeAll.push(close);
  return { ...door, close };
}

async function append(calls: readonly PlainCall[]): Promise<void> {
  const batch = new CallBatch();
  for (const one of calls) {
    const i = batch.push();
    const { service, environment, method, route, version, consumer, agent, bot = false } = one;
    const { columns } = batch;
    columns.endpoint[i] = dictionary.endpoint({
      ...{ project: 'default', service, environment, method, route },
      templated: false,
    });
    columns.origin[i] = dictionary.origin({
      ...{ serviceVersion: version, consumer, agent, bot },
      errorType: '',
    });
    columns.client[i] = dictionary.client(one.client);
    columns.endS[i] = Math.floor(one.endMs / 1000);
    columns.endNs[i] = (one.endMs % 1000) * 1_000_000;
    columns.status[i] = one.status;
    columns.durationNs[i] = one.durationNs;
    columns.requestBytes[i] = -1;
    columns.responseBytes[i] = -1;
  }
  const digest = createHash('md5').update(JSON.stringify(calls)).digest();
  batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: calls.length });
  await writer.append(batch, dictionary.takeNew());
}

const days = (from: number, to: number) =>
  repeat(from - to + 1, () => call()).map((_, n) => from - n);

/** `/old` is used daily until 60 days ago; an outage of two days lies 20 days back. */
const history: PlainCall[] = [
  ...repeat(400 * 24, (hour) => call({ route: '/pulse', endMs: nowMs - hour * hourMs })).filter(
    (_, hour) => hour < 20 * 24 || hour >= 22 * 24,
  ),
  ...days(390, 60).map((day) =>
    call({
      route: '/old/{id}',
      endMs: nowMs - day * dayMs,
      consumer: 'billing',
      version: day > 200 ? '1.0.0' : '1.1.0',
    }),
  ),
  ...days(50, 41).map((day) =>
    call({ route: '/old/{id}', status: 403, version: '1.1.0', endMs: nowMs - day * dayMs }),
  ),
  call({ route: '/old/{id}', environment: 'staging', endMs: nowMs - dayMs }),
];

test('an evidence holds what a deletion is decided by, as JSON and as text', async () => {
  await append(history);
  const door = await analyzer();
  const { endpoints } = await door.get('/report/dead?min_confidence=0.9');
  expect(endpoints.map(({ route }: { route: string }) => route)).toEqual(['/old/{id}']);
  const { confidence } = endpoints[0];
  expect((await door.get(`/report/dead?min_confidence=${confidence}`)).endpoints).toEqual(
    endpoints,
  );
  expect(endpoints[0]).toMatchObject({ service_status: 'active', service_confidence: null });
  const evidence = await door.get(`/endpoints/${endpoints[0].id}/evidence`);
  expect(evidence).toMatchObject({
    as_of: '2026-03-18T12:00:30.000Z',
    endpoint: { service: 'shop', environment: 'production', method: 'GET', route: '/old/{id}' },
    verdict: { status: 'dead', confidence: endpoints[0].confidence, expected_at: null },
    lifetime: {
      calls: 341,
      answered: 331,
      refused: 10,
      missing: 0,
      failed: 0,
      last_called_at: '2026-02-05T12:00:30.000Z',
      last_used_at: '2026-01-17T12:00:30.000Z',
    },
    siblings: { calls: 1393, endpoints: 1 },
    observation: { days: 397, gap_count: 1 },
    environments: [
      { environment: 'production', status: 'dead' },
      { environment: 'staging', status: 'active' },
    ],
    all_environments: { status: 'active', confidence: null },
    inventory: null,
    code_location: null,
  });
  expect(evidence.last_answered_callers[0]).toMatchObject({ consumer: 'billing' });
  expect(evidence.versions.map(({ version }: { version: string }) => version)).toEqual([
    '1.1.0',
    '1.0.0',
  ]);
  expect(evidence.observation.gaps[0].hours).toBe(48);
  const answer = await door.fetch(`/api/v1${evidence.link}&format=md`);
  expect(answer.headers.get('content-type')).toBe('text/markdown; charset=utf-8');
  const text = await answer.text();
  for (const part of [
    '### `GET /old/{id}` of shop (production): dead, confidence 0.9',
    '- Lifetime: 341 calls from 2025-02-21 to 2026-02-05: 331 answered, 10 refused (401, 403, 429), 0 missing (404, 405, 410), 0 failed.',
    '- Last answered callers: billing (203.0.113.7, curl) 2026-01-17.',
    '- Meanwhile, since 2026-01-17: 1,393 calls to 1 other endpoint of the service.',
    '- The service was observed on 397 days since 2025-02-11, with 1 gap, latest: 2026-02-24 to 2026-02-26 (48 h).',
    '- In other environments: staging: active. Over all of them: active.',
  ]) {
    expect(text).toContain(part);
  }
});

test.each([
  ['the last second of a minute', 29_700, 29_900],
  ['a whole minute', 30_000, 30_000],
  ['a clock that is ahead', 31_000, 29_000],
])('an endpoint that was called just now has an evidence: %s', async (_, calledMs, atMs) => {
  await append([
    call({ route: '/new', endMs: nowMs + calledMs }),
    call({ route: '/other', endMs: nowMs + calledMs }),
  ]);
  const door = await analyzer(nowMs + atMs);
  const { endpoints } = await door.get('/report?sort=route');
  const evidence = await door.get(`/endpoints/${endpoints[0].id}/evidence`);
  expect(evidence).toMatchObject({ verdict: { status: 'active' }, lifetime: { calls: 1 } });
});

test('the same link gives the same text after more calls, and a new one shows them', async () => {
  await append(history);
  const door = await analyzer();
  const { endpoints } = await door.get('/report/dead');
  const { id } = endpoints[0];
  const evidence = await door.get(`/endpoints/${id}/evidence`);
  const text = await (await door.fetch(`/api/v1${evidence.link}&format=md`)).text();
  await append([call({ route: '/old/{id}', endMs: nowMs + 1000 })]);
  await door.close();
  const later = await analyzer(nowMs + 3 * dayMs);
  expect(await later.get(evidence.link)).toEqual(evidence);
  expect(await (await later.fetch(`/api/v1${evidence.link}&format=md`)).text()).toBe(text);
  const now = await later.get(`/endpoints/${id}/evidence`);
  expect(now.verdict.status).toBe('active');
  expect(now.digest).not.toBe(evidence.digest);
  const unknown = await later.fetch(
    `/api/v1/endpoints/${id}/evidence?as_of=2020-01-01T00:00:00.000Z`,
  );
  expect(unknown.status).toBe(404);
  const refusal = { error: { code: 'not_found', field: 'as_of' } };
  expect(await unknown.json()).toMatchObject(refusal);
  expect((await later.fetch('/api/v1/endpoints/9999/evidence')).status).toBe(404);
  expect((await later.fetch(`/api/v1/endpoints/${id}/evidence?as_of=yesterday`)).status).toBe(400);
});

test('the digest is equal while the facts are', async () => {
  await append(history);
  const door = await analyzer();
  const { endpoints } = await door.get('/report/dead');
  const first = await door.get(`/endpoints/${endpoints[0].id}/evidence`);
  await door.close();
  const again = await (await analyzer(nowMs + 5)).get(`/endpoints/${endpoints[0].id}/evidence`);
  expect(again.as_of).not.toBe(first.as_of);
  expect(again.digest).toBe(first.digest);
});

test('verdicts are byte-identical under windows, after a purge of raw calls, a restart and the same inventory again', async () => {
  await append(history);
  const routes = 'GET /old/{id}\nGET /pulse\nGET /never\n';
  const put = { method: 'PUT', body: routes, headers: { 'content-type': 'text/plain' } };
  let door = await analyzer();
  expect((await door.fetch('/api/v1/services/shop/inventory', put)).status).toBe(200);
  const fields =
    'id,service,environment,method,route,status,marks,confidence,reasons,expected_at,dead_since,last_used_at,observed_days,service_status,service_confidence';
  const verdicts = async (window: string): Promise<string> => {
    const { endpoints } = await door.get(`/report?window=${window}&sort=route&fields=${fields}`);
    return JSON.stringify(endpoints);
  };
  const expected = await verdicts('30d');
  const [never] = JSON.parse(expected).filter(({ route }: { route: string }) => route === '/never');
  const text = await door.fetch(`/api/v1/endpoints/${never.id}/evidence?format=md`);
  expect(await text.text()).toContain('- Never called in 397 days of observation.');
  expect(expected).toContain('"never_called"');
  for (const window of ['1h', '24h', '7d', '30d', '90d'])
    expect(await verdicts(window)).toBe(expected);
  await writer.compact();
  expect(await verdicts('7d')).toBe(expected);
  await writer.purge(Math.floor(nowMs / 1000) + 10 * 86_400);
  for (const window of ['1h', '24h', '90d']) expect(await verdicts(window)).toBe(expected);
  await door.close();
  door = await analyzer();
  expect(await verdicts('24h')).toBe(expected);
  expect((await door.fetch('/api/v1/services/shop/inventory', put)).status).toBe(200);
  expect(await verdicts('1h')).toBe(expected);
});

test('an ignored consumer keeps nothing alive, another one beside it does', async () => {
  await append([
    ...days(100, 0).map((day) => call({ route: '/pulse', endMs: nowMs - day * dayMs })),
    ...days(100, 0).map((day) =>
      call({ route: '/probed', consumer: 'synthetic-eu', endMs: nowMs - day * dayMs }),
    ),
    ...days(100, 0).map((day) =>
      call({ route: '/both', consumer: 'synthetic-eu', endMs: nowMs - day * dayMs }),
    ),
    call({ route: '/both', consumer: 'billing', endMs: nowMs - 2 * dayMs }),
    ...days(100, 0).map((day) =>
      call({ route: '/agent', agent: 'synthetic-agent', endMs: nowMs - day * dayMs }),
    ),
  ]);
  const door = await analyzer();
  const { endpoints } = await door.get('/report?fields=route,status&sort=route');
  expect(endpoints).toEqual([
    { route: '/agent', status: 'dead' },
    { route: '/both', status: 'active' },
    { route: '/probed', status: 'dead' },
    { route: '/pulse', status: 'active' },
  ]);
});

test('snapshots of days show how a verdict changed, and the totals of each day', async () => {
  const thenMs = nowMs - 40 * dayMs;
  await append(history.filter(({ endMs }) => endMs <= thenMs));
  const first = await analyzer(thenMs);
  const { endpoints } = await first.get('/report?sort=route');
  const old = endpoints.find(
    ({ route, environment }: Record<string, string>) =>
      route === '/old/{id}' && environment === 'production',
  );
  expect((await first.get('/report/dead/history')).days).toMatchObject([{ day: '2026-02-06' }]);
  await first.close();
  await append(history.filter(({ endMs }) => endMs > thenMs));
  const later = await analyzer();
  const { days: totals } = await later.get('/report/dead/history');
  expect(totals.map(({ day }: { day: string }) => day)).toEqual(['2026-02-06', '2026-03-18']);
  expect(totals[1]).toMatchObject({ dead: 1, active: 2, never_called: 0 });
  const { changes } = await later.get(`/endpoints/${old.id}/verdicts`);
  expect(changes).toMatchObject([
    { day: '2026-02-06', status: 'cold' },
    { day: '2026-03-18', status: 'dead' },
  ]);
});
