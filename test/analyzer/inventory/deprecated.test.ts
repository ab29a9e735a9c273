import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CallBatch, CallDictionary } from '../../../core/call.ts';
import { defaultRetention } from '../../../core/config/retention.ts';
import { openSqliteInventories } from '../../../core/store/sqlite/inventory/inventories.ts';
import { openSqliteReader } from '../../../core/store/sqlite/reader/reader.ts';
import {
  openSqliteWriter,
  type SqliteCallWriter,
} from '../../../core/store/sqlite/writer/writer.ts';
import { temporaryFolder } from '../../support/process.ts';
import { call, dayMs, type ListenOptions, nowMs, openDoor } from '../support/door.ts';
import type { PlainCall } from '../support/oracle.ts';

let folder: ReturnType<typeof temporaryFolder>;
let writer: SqliteCallWriter;
let door: ListenOptions;
let closeAll: (() => Promise<void>)[];
let dictionary: CallDictionary;

beforeEach(async () => {
  folder = temporaryFolder();
  const path = join(folder.path, 'rollcall.db');
  dictionary = new CallDictionary();
  writer = await openSqliteWriter({ path, retention: defaultRetention, now: () => nowMs });
  const reader = await openSqliteReader(path);
  const inventories = await openSqliteInventories(path);
  door = await openDoor(reader, nowMs, undefined, undefined, { inventories });
  closeAll = [() => door.close(), () => reader.close(), () => inventories.close()];
});
afterEach(async () => {
  for (const close of closeAll) await close();
  await writer.close();
  folder.remove();
});

/** @param sunsets of the headers that answers of these routes had */
async function append(
  calls: readonly PlainCall[],
  sunsets: Record<string, string>,
  bot = false,
): Promise<void> {
  const batch = new CallBatch();
  for (const one of calls) {
    const i = batch.push();
    const { service, environment, method, route, version, consumer, agent } = one;
    const { columns } = batch;
    const names = { project: 'default', service, environment, method, route };
    const endpoint = dictionary.endpoint({ ...names, templated: false });
    columns.endpoint[i] = endpoint;
    const caller = { serviceVersion: version, consumer, agent, bot, errorType: '' };
    columns.origin[i] = dictionary.origin(caller);
    columns.client[i] = dictionary.client(one.client);
    columns.endS[i] = Math.floor(one.endMs / 1000);
    columns.endNs[i] = 0;
    columns.status[i] = one.status;
    columns.durationNs[i] = one.durationNs;
    columns.requestBytes[i] = -1;
    columns.responseBytes[i] = -1;
    const sunset = sunsets[route];
    if (sunset === undefined) continue;
    const lastDay = Math.floor(one.endMs / dayMs);
    const announcement = { deprecation: 'true', sunset, link: '', firstMs: one.endMs, lastDay };
    batch.notes.push({ endpoint, traits: { announcement } });
  }
  const digest = createHash('md5').update(JSON.stringify(calls)).digest();
  batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: calls.length });
  await writer.append(batch, dictionary.takeNew());
}

it('lists what ends, the soonest first, with its callers over time towards the date', async () => {
  // In the middle of one of the twelve weeks of the window.
  const to = (route: string, week: number, consumer: string) =>
    call({ route, consumer, endMs: nowMs - (80.5 - 7 * week) * dayMs });
  const calls = [
    // Three callers, of whom one is left.
    ...[0, 0, 3].flatMap((week) => [to('/v1/a', week, 'app'), to('/v1/a', week, 'partner')]),
    ...[4, 7, 10, 11].map((week) => to('/v1/a', week, 'app')),
    to('/v1/a', 2, 'batch'),
    to('/v1/b', 9, 'app'),
    to('/v2/a', 11, 'app'),
  ];
  const sunsets = {
    '/v1/a': 'Wed, 01 Apr 2026 00:00:00 GMT',
    '/v1/b': 'Sun, 01 Mar 2026 00:00:00 GMT',
  };
  await append(calls, sunsets);
  const routes = [
    { method: 'GET', route: '/v1/a', owner: 'team-a' },
    { method: 'GET', route: '/v1/c', deprecated: true, deprecated_since: '2026-01-01' },
    { method: 'GET', route: '/v2/a' },
  ];
  const put = await door.fetch('/api/v1/services/shop/inventory', {
    method: 'PUT',
    body: JSON.stringify({ routes }),
  });
  expect(put.status).toBe(200);
  const report = await door.get('/report/deprecated?window=84d');
  expect(
    report.endpoints.map(
      ({ route, days_until_sunset }: { route: string; days_until_sunset: number | null }) =>
        `${route} ${days_until_sunset}`,
    ),
  ).toEqual(['/v1/b -18', '/v1/a 13', '/v1/c null']);
  const [b, a, c] = report.endpoints;
  expect(a).toMatchObject({
    owner: 'team-a',
    status: 'active',
    sunset_at: '2026-04-01T00:00:00.000Z',
    total_calls: 11,
    caller_count: 3,
    callers: [
      { consumer: 'app', calls: 7, calls_over_time: [2, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1] },
      { consumer: 'partner', calls: 3, calls_over_time: [2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0] },
      { consumer: 'batch', calls: 1, calls_over_time: [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
    ],
  });
  expect(a.over_time.map(({ callers }: { callers: number }) => callers)).toEqual([
    2, 0, 1, 2, 1, 0, 0, 1, 0, 0, 1, 1,
  ]);
  expect(b).toMatchObject({ caller_count: 1, deprecated_since: '2026-03-01T00:00:30.000Z' });
  expect(c).toMatchObject({
    status: 'never_called',
    deprecated_since: '2026-01-01T00:00:00.000Z',
    callers: [],
    caller_count: 0,
  });
  const first = await door.get('/report/deprecated?window=84d&limit=1');
  expect(first.endpoints).toEqual([b]);
  const next = await door.get(`/report/deprecated?window=84d&limit=1&cursor=${first.next_cursor}`);
  expect(next.endpoints).toEqual([a]);
  const owned = await door.get('/report/deprecated?owner=team-a');
  expect(owned.endpoints.map(({ route }: { route: string }) => route)).toEqual(['/v1/a']);
  const text = await (await door.fetch('/api/v1/report/deprecated?window=84d&format=md')).text();
  expect(text).toContain('app (7), partner (3), batch (1)');
});

it('counts every caller, names the 20 with the most calls, and has calls of bots and the last of each', async () => {
  const callers = Array.from({ length: 22 }, (_, n) => `app-${n}`);
  // The later interval is the first that was committed.
  const calls = [60, 10].flatMap((daysAgo) =>
    callers.flatMap((consumer, n) =>
      Array.from({ length: n + 1 }, (_, k) =>
        call({ route: '/v1/a', consumer, endMs: nowMs - daysAgo * dayMs - k * 1_000 }),
      ),
    ),
  );
  const byBot = call({ route: '/v1/a', consumer: 'app-21', endMs: nowMs - 9 * dayMs });
  // The same name, known in another way: an agent's.
  const byAgent = call({ route: '/v1/a', consumer: '', agent: 'app-21', endMs: nowMs - 8 * dayMs });
  await append([...calls, byAgent], { '/v1/a': 'Wed, 01 Apr 2026 00:00:00 GMT' });
  await append([{ ...byBot, client: '198.51.100.9' }], {}, true);
  const { endpoints } = await door.get('/report/deprecated?window=84d');
  const [{ caller_count, callers: named, total_calls }] = endpoints;
  expect(total_calls).toBe(508);
  expect(caller_count).toBe(23);
  expect(named).toHaveLength(20);
  expect(named[0]).toMatchObject({ consumer: 'app-21', calls: 45 });
  const at = (daysAgo: number) => Math.floor((nowMs - daysAgo * dayMs) / 1000) * 1000;
  expect(Date.parse(named[0].last_called_at)).toBe(at(9));
  expect(Date.parse(named[1].last_called_at)).toBe(at(10));
});
