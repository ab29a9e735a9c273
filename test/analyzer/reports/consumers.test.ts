import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../../core/random.ts';
import {
  call,
  dayMs,
  hourMs,
  type ListenOptions,
  minuteMs,
  nowMs,
  openDoor,
  repeat,
} from '../support/door.ts';
import { engines, type Opened } from '../support/engines.ts';
import type { PlainCall } from '../support/oracle.ts';

/** Calls of the last days: partners and browsers on v1 and v2, a crawler, a release half-way that is slower. */
const random = new Random(16);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]!;
const calls: PlainCall[] = [
  ...repeat(3_000, () => {
    const agent = pick(['okhttp', 'Chrome', 'Googlebot', '']);
    const endMs = nowMs - minuteMs - Math.floor(random.next() ** 2 * 20 * dayMs);
    const version = endMs > nowMs - 5 * dayMs ? '1.4.2' : '1.4.1';
    return call({
      service: pick(['shop', 'shop', 'mail']),
      route: pick(['/v1/orders', '/v1/orders/{id}', '/v2/orders', '/v2/carts']),
      method: pick(['GET', 'GET', 'POST']),
      status: pick([200, 200, 200, 204, 302, 401, 404, 429, 500, 0]),
      durationNs: Math.round((version === '1.4.2' ? 2e6 : 1e6) * (1 + random.next() * 9)),
      endMs,
      agent,
      ...(agent === 'Googlebot' && { bot: true as const }),
      consumer: pick(['', '', 'app', 'partner', 'okhttp']),
      client: pick(['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1']),
      version,
    });
  }),
  call({ route: '/v1/once', consumer: 'last-one', endMs: nowMs - 2 * hourMs, status: 410 }),
];

interface Row {
  consumer: string | null;
  named_by: string;
  calls: number;
  errors: number;
  answered_count: number;
  refused_count: number;
  missing_count: number;
  failed_count: number;
  people_calls: number;
  bot_calls: number;
  endpoints: number;
  share_pct: number;
  first_called_at: string;
  last_called_at: string;
}

describe.each(engines)('consumers on $name', (engine) => {
  let opened: Opened;
  let door: ListenOptions;
  beforeAll(async () => {
    opened = await engine.open(calls, nowMs);
    door = await openDoor(opened.reader, nowMs);
  });
  afterAll(async () => {
    await door?.close();
    await opened?.remove();
  });

  const windowOf = ({ from, to }: { from: string; to: string }) => ({
    fromMs: Date.parse(from),
    toMs: Date.parse(to),
  });

  test.each([
    ['', () => true, () => true],
    ['window=7d', () => true, () => true],
    ['window=30d&route=/v1/*', ({ route }) => route.startsWith('/v1/'), () => true],
    [
      'service=mail&method=GET',
      (own) => own.service === 'mail' && own.method === 'GET',
      () => true,
    ],
    ['window=24h&agents=bots', () => true, ({ bot }) => bot === true],
    ['version=1.4.1', ({ version }) => version === '1.4.1', () => true],
    [
      'version=1.4.2&service=mail',
      (own) => own.version === '1.4.2' && own.service === 'mail',
      () => true,
    ],
    ['version=9', () => false, () => true],
    ['agents=people&route=/v2/carts', ({ route }) => route === '/v2/carts', ({ bot }) => !bot],
  ] as [string, (own: PlainCall) => boolean, (own: PlainCall) => boolean][])(
    'GET /consumers?%s is what the calls say',
    async (query, isSelected, isCounted) => {
      const answer = await door.get(`/consumers?${query}`);
      const { fromMs, toMs } = windowOf(answer.window);
      const selected = calls.filter(
        (own) => own.endMs >= fromMs && own.endMs < toMs && isSelected(own),
      );
      const groups = Map.groupBy(selected, ({ consumer, agent }) =>
        consumer === '' || consumer === agent ? `agent ${agent}` : `span ${consumer}`,
      );
      const expected: Row[] = [];
      for (const [key, own] of groups) {
        const counted = own.filter(isCounted);
        if (counted.length === 0) continue;
        const of = (...statuses: number[]) =>
          counted.filter(({ status }) => statuses.includes(status)).length;
        const ends = own.map(({ endMs }) => Math.floor(endMs / 1000) * 1000);
        const iso = (ms: number) => new Date(ms).toISOString();
        expected.push({
          consumer: key.slice(key.indexOf(' ') + 1) || null,
          named_by: key.slice(0, key.indexOf(' ')),
          calls: counted.length,
          errors: counted.filter(({ status }) => status >= 400).length,
          answered_count: of(200, 204, 302),
          refused_count: of(401, 429),
          missing_count: of(404, 410),
          failed_count: of(500, 0),
          people_calls: own.filter(({ bot }) => !bot).length,
          bot_calls: own.filter(({ bot }) => bot).length,
          endpoints: new Set(own.map((one) => `${one.service} ${one.method} ${one.route}`)).size,
          share_pct: Math.round((counted.length * 1e6) / selected.length) / 1e4,
          first_called_at: iso(Math.min(...ends)),
          last_called_at: iso(Math.max(...ends)),
        });
      }
      const byName = (a: Row, b: Row) =>
        `${a.named_by} ${a.consumer}`.localeCompare(`${b.named_by} ${b.consumer}`);
      const found = answer.consumers as Row[];
      expect(found.toSorted(byName)).toMatchObject(expected.sort(byName));
      expect(found).toHaveLength(expected.length);
      expect(found.map((row) => row.calls)).toEqual(
        found.map((row) => row.calls).sort((a, b) => b - a),
      );
      expect(answer).toMatchObject({ total_calls: selected.length, unrecorded_calls: 0 });
    },
  );

  test.each(['1.4.1', '1.4.2', ''])(
    'GET /clients?version=%j is what the calls say',
    async (version) => {
      const answer = await door.get(`/clients?version=${version}`);
      const { fromMs, toMs } = windowOf(answer.window);
      const own = calls.filter(
        (one) => one.endMs >= fromMs && one.endMs < toMs && one.version === version,
      );
      const toMinute = (ms: number) => new Date(ms - (ms % minuteMs)).toISOString();
      const expected = [...Map.groupBy(own, ({ client }) => client)].map(([client, rows]) => {
        const of = (...statuses: number[]) =>
          rows.filter(({ status }) => statuses.includes(status)).length;
        const ends = rows.map(({ endMs }) => endMs);
        return {
          client,
          calls: rows.length,
          share_pct: Math.round((rows.length * 1e6) / own.length) / 1e4,
          errors: of(401, 404, 410, 429, 500),
          endpoints: new Set(rows.map((one) => `${one.service} ${one.method} ${one.route}`)).size,
          answered_count: of(200, 204, 302),
          refused_count: of(401, 429),
          missing_count: of(404, 410),
          failed_count: of(500, 0),
          first_called_at: toMinute(Math.min(...ends)),
          last_called_at: toMinute(Math.max(...ends)),
        };
      });
      expect(answer.clients).toHaveLength(expected.length);
      const byClient = (a: { client: string }, b: { client: string }) =>
        a.client < b.client ? -1 : 1;
      expect(answer.clients.toSorted(byClient)).toMatchObject(expected.sort(byClient));
      expect(answer.filters).toMatchObject({ version });
    },
  );

  test('one request answers who still calls v1', async () => {
    const { consumers } = await door.get('/consumers?route=/v1/once');
    expect(consumers).toMatchObject([
      { consumer: 'last-one', calls: 1, errors: 1, missing_count: 1, share_pct: 100 },
    ]);
  });

  test('consumers are paged, sorted and given as CSV', async () => {
    const all = (await door.get('/consumers?sort=consumer')).consumers as Row[];
    const pages: Row[] = [];
    for (let cursor = ''; ; ) {
      const page = await door.get(
        `/consumers?sort=consumer&limit=2${cursor && `&cursor=${cursor}`}`,
      );
      pages.push(...page.consumers);
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    expect(pages).toEqual(all);
    const csv = await (await door.fetch('/api/v1/consumers?format=csv')).text();
    const columns =
      'consumer,named_by,display_name,group,contact,calls,share_pct,errors,error_rate_pct';
    expect(csv.startsWith(columns)).toBe(true);
    expect(csv.trim().split('\r\n')).toHaveLength(all.length + 1);
  });

  test('an endpoint has its consumers, agents, outcomes and versions with their own percentiles', async () => {
    const { endpoints } = await door.get('/report?route=/v2/orders&service=shop&method=GET');
    const answer = await door.get(`/endpoints/${endpoints[0].id}?window=30d`);
    const own = calls.filter(
      ({ service, method, route }) =>
        service === 'shop' && method === 'GET' && route === '/v2/orders',
    );
    const count = (is: (one: PlainCall) => boolean) => own.filter(is).length;
    expect(answer.agents).toEqual({
      people_calls: count(({ bot }) => !bot),
      bot_calls: count(({ bot }) => bot === true),
    });
    expect(answer.lifetime_outcomes).toEqual({
      answered: count(({ status }) => status >= 200 && status < 400),
      refused: count(({ status }) => [401, 429].includes(status)),
      missing: count(({ status }) => status === 404),
      failed: count(({ status }) => [500, 0].includes(status)),
    });
    const sum = (rows: { calls: number }[]) => rows.reduce((all, row) => all + row.calls, 0);
    expect(sum(answer.consumers)).toBe(own.length);
    expect(answer.versions.map(({ version }: { version: string }) => version)).toEqual([
      '1.4.2',
      '1.4.1',
    ]);
    for (const row of answer.versions) {
      const calls = own.filter(({ version }) => version === row.version);
      const durations = calls.map(({ durationNs }) => durationNs / 1e6).sort((a, b) => a - b);
      const p95 = durations[Math.ceil(0.95 * durations.length) - 1]!;
      expect(row.calls).toBe(calls.length);
      expect(row.errors).toBe(calls.filter(({ status }) => status >= 400).length);
      expect(Math.abs(row.p95_duration_ms - p95) / p95).toBeLessThan(0.01);
      const ends = calls.map(({ endMs }) => endMs);
      expect(row.first_called_at).toBe(new Date(Math.min(...ends)).toISOString());
      expect(row.last_called_at).toBe(new Date(Math.max(...ends)).toISOString());
    }
    const [newer, older] = answer.versions;
    expect(newer.p50_duration_ms / older.p50_duration_ms).toBeGreaterThan(1.5);
    const lastAnswered = own.filter(({ status }) => status >= 200 && status < 400);
    const lastMs = Math.max(...lastAnswered.map(({ endMs }) => endMs));
    expect(answer.endpoint.last_answered_at).toBe(new Date(lastMs).toISOString());
    expect(answer.last_answered_callers[0].called_at).toBe(answer.endpoint.last_answered_at);
    expect(answer.window_last_callers).toEqual(answer.last_callers);
    expect(answer.window_last_answered_callers).toEqual(answer.last_answered_callers);
    const path = `/endpoints/${endpoints[0].id}`;
    // Of a window that begins behind all calls but the newest of them, one caller is left.
    const callers = answer.last_answered_callers as { called_at: string }[];
    const later = new Date(Math.floor(Date.parse(callers[0]!.called_at) / 60_000) * 60_000);
    const short = await door.get(`${path}?from=${later.toISOString()}`);
    expect(short.window_last_answered_callers).toEqual(
      callers.filter(({ called_at }) => Date.parse(called_at) >= later.getTime()),
    );
    const before = await door.get(`${path}?from=2026-01-01&to=${later.toISOString()}`);
    expect(before.window_last_answered_callers).toBeNull();
    const after = new Date(nowMs).toISOString();
    const empty = await door.get(
      `${path}?from=${after}&to=${new Date(nowMs + minuteMs).toISOString()}`,
    );
    expect(empty.window_last_callers).toEqual([]);
    expect(empty.window_last_answered_callers).toEqual([]);
  });

  test('rows have last_answered_callers where fields= asks for them', async () => {
    const fields = 'route,last_answered_at,last_answered_callers';
    const { endpoints } = await door.get(`/report?fields=${fields}`);
    const once = endpoints.find(({ route }: { route: string }) => route === '/v1/once');
    expect(once).toEqual({ route: '/v1/once', last_answered_at: null, last_answered_callers: [] });
    const whole = await door.get('/report?route=/v2/*');
    expect(whole.endpoints[0]).not.toHaveProperty('last_answered_callers');
    expect(whole.endpoints[0].last_answered_at).toMatch(/^2026-/);
  });

  test('rows have the last callers of the window where fields= asks for them', async () => {
    const names = ['window_last_callers', 'window_last_answered_callers'];
    for (const window of ['window=30d', 'window=7d', 'window=24h']) {
      const list = await door.get(`/report?${window}&fields=id,${names}&limit=1000`);
      expect(list.endpoints.length).toBeGreaterThan(5);
      for (const { id, ...callers } of list.endpoints) {
        const one = await door.get(`/endpoints/${id}?${window}`);
        expect(callers).toEqual(Object.fromEntries(names.map((name) => [name, one[name]])));
      }
    }
    const whole = await door.get('/report?route=/v2/*');
    for (const name of names) expect(whole.endpoints[0]).not.toHaveProperty(name);
    const csv = await door.fetch(`/api/v1/report?fields=route,${names[0]}&format=csv&window=24h`);
    expect(await csv.text()).toMatch(/^route,window_last_callers\r\n/);
  });

  test.each([
    ['agents=robots', 'agents'],
    ['sort=nothing', 'sort'],
    ['endpoint=99999', 'endpoint'],
    [`group=${'x'.repeat(201)}`, 'group'],
    ['cursor=x', 'cursor'],
    ['versions=1', 'versions'],
  ])('GET /consumers?%s is refused, naming %s', async (query, field) => {
    const answer = await door.fetch(`/api/v1/consumers?${query}`);
    const { error } = (await answer.json()) as { error: { field: string } };
    expect([answer.status, error.field]).toEqual([field === 'endpoint' ? 404 : 400, field]);
  });
});

test.each(engines)(
  "the project's own services are internal callers, by their names, on $name",
  async ({ open }) => {
    const at = (told: Partial<PlainCall>) => call({ endMs: nowMs - 30 * minuteMs, ...told });
    const shop = [
      ...repeat(5, () => at({ consumer: '', agent: 'orders' })),
      ...repeat(3, () => at({ consumer: 'mail', agent: 'okhttp' })),
      ...repeat(2, () => at({ consumer: 'partner', agent: 'okhttp' })),
      at({ consumer: '', agent: '' }),
      at({ service: 'orders', route: '/', consumer: 'shop', agent: 'okhttp' }),
      at({ service: 'mail', route: '/', consumer: 'partner' }),
    ];
    const { reader, remove } = await open(shop, nowMs);
    const door = await openDoor(reader, nowMs);
    const names = async (query: string) =>
      (await door.get(`/consumers?window=1h&service=shop${query}`)).consumers.map(
        (row: { consumer: string | null; internal: boolean }) => [row.consumer, row.internal],
      );
    expect(await names('')).toEqual([
      ['orders', true],
      ['mail', true],
      ['partner', false],
      [null, false],
    ]);
    expect(await names('&callers=internal')).toEqual([
      ['orders', true],
      ['mail', true],
    ]);
    expect(await names('&callers=external')).toEqual([
      ['partner', false],
      [null, false],
    ]);
    expect(await door.get('/consumers?window=1h&service=shop&callers=external')).toMatchObject({
      total_calls: 11,
      known_calls: 10,
      internal_calls: 8,
      unrecorded_calls: 0,
    });
    await door.close();
    await remove();
  },
);
