import { expect, test } from 'vitest';
import { call, dayMs, nowMs, openDoor } from '../support/door.ts';
import { engines } from '../support/engines.ts';
import { oracleReader } from '../support/oracle.ts';

test.each(engines)('a service that never existed says so, on $name', async (engine) => {
  const { reader, remove } = await engine.open([call()], nowMs);
  const door = await openDoor(reader, nowMs);
  const unknown: [string, string, string][] = [
    ['service=shopp', 'service', 'No service "shopp" was ever observed.'],
    ['environment=prod', 'environment', 'No environment "prod" was ever observed.'],
    [
      'service=shop&environment=prod',
      'environment',
      'No environment "prod" of service "shop" was ever observed.',
    ],
  ];
  for (const path of [
    '/report',
    '/report/dead',
    '/summary',
    '/timeseries',
    '/clients',
    '/services',
  ]) {
    for (const [query, field, message] of unknown) {
      const answer = await door.get(`${path}?${query}`);
      expect(answer.notes, `${path}?${query}`).toEqual([
        { code: 'unknown_service', message, field },
      ]);
    }
    expect((await door.get(`${path}?service=shop&environment=production`)).notes).toBeUndefined();
  }
  const table = await door.fetch('/api/v1/report/dead?service=shopp&format=md');
  expect(await table.text()).toContain('No service "shopp" was ever observed.');
  await door.close();
  await remove();
});

test('hashed clients are marked where their numbers add up over days', async () => {
  const hashed = ['h:0123456789abcdef', 'h:fedcba9876543210'].map((client, day) =>
    call({ client, endMs: nowMs - day * dayMs }),
  );
  const door = await openDoor(oracleReader([...hashed, call({ client: '203.0.113.7' })]), nowMs);
  for (const path of [
    '/report?window=2d',
    '/summary?window=2d',
    '/clients?window=2d',
    '/endpoints/1',
  ]) {
    const { notes } = await door.get(path);
    expect(notes, path).toMatchObject([{ code: 'clients_by_day', field: null }]);
  }
  // Within one day UTC each client has one name.
  for (const path of ['/report?window=1h', '/clients?window=1h']) {
    expect((await door.get(path)).notes, path).toBeUndefined();
  }
  const { clients } = await door.get('/clients?window=2d');
  expect(clients.map(({ client, one_day }: Record<string, unknown>) => [client, one_day])).toEqual([
    ['203.0.113.7', undefined],
    ['h:0123456789abcdef', true],
    ['h:fedcba9876543210', true],
  ]);
  await door.close();
});

test('Markdown shows environments and, of dead endpoints, the last callers, without markup', async () => {
  const dead = call({
    route: '/a&amp;b~~c~~|d',
    endMs: nowMs - 40 * dayMs,
    consumer: 'carmen <x>',
    agent: 'curl',
  });
  const door = await openDoor(oracleReader([call(), dead]), nowMs);
  const text = async (query: string) =>
    (await door.fetch(`/api/v1/report/dead?format=md${query}`)).text();
  const lines = (await text('&fields=service,environment,method,route,last_callers')).split('\n');
  const plan = await text('');
  await door.close();
  expect(lines[4]).toBe('| service | environment | method | route | last_callers |');
  expect(lines[6]).toBe(
    '| shop | production | GET | /a\\&amp;b\\~\\~c\\~\\~\\|d | carmen \\<x\\> (203.0.113.7, curl) 2026-02-06 |',
  );
  expect(plan).toContain(
    '- GET /a\\&amp;b\\~\\~c\\~\\~\\|d: last called 2026-02-06, confidence 0.38; last callers carmen \\<x\\>',
  );
});
