import { afterAll, expect, test } from 'vitest';
import { Random } from '../../../core/random.ts';
import { dayMs, hourMs, minuteMs, openDoor } from '../support/door.ts';
import { openSqlite } from '../support/engines.ts';
import type { PlainCall } from '../support/oracle.ts';

/**
 * The numbers of every report of a SQLite store against brute force: each is counted again from a plain array of
 * the same calls. Counts are exact, percentiles within 1 %. Calls lie around a change of clocks of both zones.
 */
const seeds = Array.from({ length: 50 }, (_, n) => 4_000 + n);
const zones = ['UTC', 'Europe/Berlin', 'Australia/Lord_Howe'] as const;
/** Berlin's clocks go forward on 2026-03-29, Lord Howe's half an hour back on 2026-04-05. */
const nowMs = Date.UTC(2026, 3, 8, 9, 41, 12);
const calledDays = 16;

const everything = { minutesS: 800 * 86_400, hoursS: 800 * 86_400, daysS: 800 * 86_400 };
const retention = { ...everything, callsS: 86_400 };

// biome-ignore lint/suspicious/noExplicitAny: answers are checked by what the test expects of them
type Answer = any;

function randomCalls(random: Random): PlainCall[] {
  return Array.from({ length: 300 + random.below(300) }, () => ({
    service: random.pick(['shop', 'shop', 'mail']),
    environment: random.pick(['production', 'test']),
    method: random.pick(['GET', 'GET', 'POST', 'DELETE']),
    route: `/${random.pick(['a', 'b', 'c', 'd'])}/{id}`,
    status: random.pick([200, 200, 201, 301, 401, 404, 429, 500, 503, 0]),
    durationNs: Math.round(random.lognormal(20e6, 1.2)),
    endMs: nowMs - Math.floor(random.next() * calledDays * dayMs) - 1,
    client: random.pick(['', '192.0.2.1', '192.0.2.2', '198.51.100.7', '2001:db8::1']),
    consumer: random.pick(['', 'anna', 'billing']),
    agent: random.pick(['curl', 'okhttp']),
    version: random.pick(['1.0.0', '1.1.0']),
  }));
}

const isError = ({ status }: PlainCall) => status >= 400;
const outcomes = { refused: [401, 403, 429], missing: [404, 405, 410] };

function outcomeOf({ status }: PlainCall): string {
  if (outcomes.refused.includes(status)) return 'refused';
  if (outcomes.missing.includes(status)) return 'missing';
  return status >= 100 && status < 400 ? 'answered' : 'failed';
}

const countOf = (calls: readonly PlainCall[], is: (call: PlainCall) => boolean): number =>
  calls.filter(is).length;

const percentOf = (part: number, whole: number): number | null =>
  whole === 0 ? null : Math.round((1_000_000 * part) / whole) / 10_000;

function nearestRankMs(calls: readonly PlainCall[], percentile: number): number | null {
  const sorted = calls.map(({ durationNs }) => durationNs / 1e6).sort((a, b) => a - b);
  return sorted[Math.ceil((percentile / 100) * sorted.length) - 1] ?? null;
}

/** Within 1 %; the same when there is none. */
function expectNear(found: number | null, expected: number | null, name: string): void {
  if (expected === null) {
    expect(found, name).toBeNull();
    return;
  }
  expect(Math.abs(found! - expected), `${name}: ${found} for ${expected}`).toBeLessThanOrEqual(
    0.01 * expected + 0.0006,
  );
}

function expectFigures(found: Answer, calls: readonly PlainCall[], name: string): void {
  const average = calls.reduce((sum, { durationNs }) => sum + durationNs / 1e6, 0) / calls.length;
  expect(found.error_4xx_count, name).toBe(
    countOf(calls, ({ status }) => status >= 400 && status < 500),
  );
  expect(found.error_5xx_count, name).toBe(countOf(calls, ({ status }) => status >= 500));
  expect(found.error_rate_pct, name).toBe(percentOf(countOf(calls, isError), calls.length));
  if ('avg_duration_ms' in found) {
    expectNear(found.avg_duration_ms, calls.length === 0 ? null : average, `${name} avg`);
  }
  for (const percentile of [50, 75, 90, 95, 99, 99.9]) {
    const field = `p${String(percentile).replace('.', '')}_duration_ms`;
    if (field in found) expectNear(found[field], nearestRankMs(calls, percentile), name + field);
  }
}

const dateIn = new Map(
  zones.map((timeZone) => [
    timeZone as string,
    new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }),
  ]),
);

/** The name of the interval that holds a moment, on a clock of the zone. */
function bucketOf(ms: number, interval: string, zone: string): string {
  const stepMs = { minute: minuteMs, '5m': 5 * minuteMs, hour: hourMs }[interval];
  if (stepMs !== undefined) return String(Math.floor(ms / stepMs));
  const text = dateIn.get(zone)!.format(ms);
  if (interval === 'month') return text.slice(0, 7);
  const date = Date.parse(text);
  const monday = date - ((new Date(date).getUTCDay() + 6) % 7) * dayMs;
  return new Date(interval === 'week' ? monday : date).toISOString().slice(0, 10);
}

const groupNames: Record<string, (call: PlainCall) => string> = {
  method: ({ method }) => method,
  status_class: ({ status }) => (status === 0 ? 'none' : `${Math.floor(status / 100)}xx`),
  outcome: outcomeOf,
  version: ({ version }) => version,
  consumer: ({ consumer, agent }) => consumer || `agent:${agent}`,
};

const iso = (ms: number) => new Date(ms).toISOString();

test.each(seeds)('every report counts what brute force counts: seed %i', async (seed) => {
  const random = new Random(seed);
  const calls = randomCalls(random);
  const { reader, remove } = await openSqlite(calls, nowMs, retention);
  const door = await openDoor(reader, nowMs);
  try {
    const fromMs = nowMs - random.below(calledDays * 24 * 60) * minuteMs - 10 * minuteMs;
    const edge = (ms: number) => Math.floor(ms / minuteMs) * minuteMs;
    const toMs = Math.min(nowMs, fromMs + random.below(calledDays * 24 * 60) * minuteMs + hourMs);
    const window = { fromMs: edge(fromMs), toMs: edge(toMs) };
    const inWindow = calls.filter(({ endMs }) => endMs >= window.fromMs && endMs < window.toMs);
    const query = `from=${iso(window.fromMs)}&to=${iso(window.toMs)}`;
    await expectReports(door.get, query, calls, inWindow);
    for (const zone of zones) {
      const fine = zone === zones[seed % 3] ? ['5m', 'hour'] : [];
      for (const interval of [...fine, 'day', 'week', 'month']) {
        const answer = await series(door.get, query, window, interval, zone);
        if (answer) expectSeries(answer, inWindow, interval, zone);
      }
    }
    for (const [name, groupOf] of Object.entries(groupNames)) {
      const top = 1 + random.below(3);
      const answer = await door.get(
        `/timeseries?${query}&interval=day&tz=Europe/Berlin&group_by=${name}&top=${top}`,
      );
      expectGroups(answer, inWindow, groupOf, top);
    }
    await expectEndpointGroups(door.get, query, inWindow);
    await expectVersions(door.get, query, inWindow);
  } finally {
    await door.close();
    await remove();
  }
});

type Get = (path: string) => Promise<Answer>;

async function expectReports(
  get: Get,
  query: string,
  calls: PlainCall[],
  inWindow: PlainCall[],
): Promise<void> {
  const keyOf = (row: Answer) => `${row.service} ${row.environment} ${row.method} ${row.route}`;
  const { endpoints, summary } = await get(`/report?${query}`);
  const byEndpoint = Map.groupBy(calls, keyOf);
  expect(summary.total_requests).toBe(inWindow.length);
  expect(endpoints.map(keyOf).sort()).toEqual([...byEndpoint.keys()].sort());
  for (const row of endpoints) {
    const own = inWindow.filter((call) => keyOf(call) === keyOf(row));
    const ever = byEndpoint.get(keyOf(row))!;
    expect(row.total_calls).toBe(own.length);
    for (const outcome of ['answered', 'refused', 'missing', 'failed']) {
      expect(row[`${outcome}_count`]).toBe(countOf(own, (call) => outcomeOf(call) === outcome));
    }
    expectFigures(row, own, keyOf(row));
    expect(row.unique_clients).toBe(new Set(own.map(({ client }) => client).filter(Boolean)).size);
    expect(row.lifetime_calls).toBe(ever.length);
    expect(row.first_called_at).toBe(iso(Math.min(...ever.map(({ endMs }) => endMs))));
    expect(row.last_called_at).toBe(iso(Math.max(...ever.map(({ endMs }) => endMs))));
  }
  const top = await get(`/report/top?${query}&limit=3`);
  expect(top.endpoints.map((row: Answer) => row.total_calls)).toEqual(
    endpoints
      .map((row: Answer) => row.total_calls)
      .filter(Boolean)
      .slice(0, 3),
  );
  const { clients } = await get(`/clients?${query}&method=GET`);
  const gets = inWindow.filter(({ method, client }) => method === 'GET' && client !== '');
  const toMinute = (ms: number) => iso(Math.floor(ms / 60_000) * 60_000);
  for (const row of clients) {
    const own = gets.filter(({ client }) => client === row.client);
    const ends = own.map(({ endMs }) => endMs);
    expect(row).toMatchObject({
      answered_count: countOf(own, (call) => outcomeOf(call) === 'answered'),
      refused_count: countOf(own, (call) => outcomeOf(call) === 'refused'),
      missing_count: countOf(own, (call) => outcomeOf(call) === 'missing'),
      failed_count: countOf(own, (call) => outcomeOf(call) === 'failed'),
      first_called_at: toMinute(Math.min(...ends)),
      last_called_at: toMinute(Math.max(...ends)),
    });
    const all = inWindow.filter(({ method }) => method === 'GET').length;
    expect([row.client, row.calls, row.errors, row.share_pct, row.endpoints]).toEqual([
      row.client,
      own.length,
      countOf(own, isError),
      Math.round((1e6 * own.length) / all) / 1e4,
      new Set(own.map(keyOf)).size,
    ]);
  }
  expect(clients).toHaveLength(new Set(gets.map(({ client }) => client)).size);
  const { consumers } = await get(`/consumers?${query}`);
  const names = Map.groupBy(inWindow, ({ consumer, agent }) => consumer || agent);
  expect(consumers).toHaveLength(names.size);
  const toSecond = (ms: number) => iso(Math.floor(ms / 1000) * 1000);
  for (const row of consumers) {
    const own = names.get(row.consumer)!;
    const ends = own.map(({ endMs }) => endMs);
    expect(row).toMatchObject({
      calls: own.length,
      errors: countOf(own, isError),
      share_pct: percentOf(own.length, inWindow.length),
      answered_count: countOf(own, (call) => outcomeOf(call) === 'answered'),
      refused_count: countOf(own, (call) => outcomeOf(call) === 'refused'),
      missing_count: countOf(own, (call) => outcomeOf(call) === 'missing'),
      failed_count: countOf(own, (call) => outcomeOf(call) === 'failed'),
      endpoints: new Set(own.map(keyOf)).size,
      first_called_at: toSecond(Math.min(...ends)),
      last_called_at: toSecond(Math.max(...ends)),
    });
  }
  const { services } = await get(`/services?${query}`);
  for (const row of services) {
    const isOwn = (call: PlainCall) =>
      call.service === row.service && call.environment === row.environment;
    expect(row.calls).toBe(countOf(inWindow, isOwn));
  }
  const [row] = endpoints;
  const own = inWindow.filter((call) => keyOf(call) === keyOf(row));
  const detail = await get(`/endpoints/${row.id}?${query}`);
  const statuses = Map.groupBy(own, ({ status }) => String(status));
  expect(detail.status_codes).toEqual(
    Object.fromEntries([...statuses].map(([status, of]) => [status, of.length])),
  );
  expect(detail.latency_heatmap.counts.flat().reduce((a: number, b: number) => a + b, 0)).toBe(
    own.length,
  );
  for (const { percentile, duration_ms: ms } of detail.percentile_curve) {
    const rank = percentile === 0 ? nearestRankMs(own, 1e-9) : nearestRankMs(own, percentile);
    expectNear(ms, rank, `p${percentile}`);
  }
  const mail = inWindow.filter(({ service }) => service === 'mail');
  const found = await get(`/summary?${query}&service=mail`);
  if (found.previous !== null) {
    const [fromMs, toMs] = [found.previous_window.from, found.previous_window.to].map(Date.parse);
    const before = calls.filter(
      ({ service, endMs }) => service === 'mail' && endMs >= fromMs! && endMs < toMs!,
    );
    expect(found.previous.total_requests).toBe(before.length);
    expect(found.previous.called_endpoints).toBe(endpointsOf(before));
  }
  // Two windows are compared, so the first may have been extended.
  if (found.window.from === iso(Date.parse(query.slice(5, 29)))) {
    expect(found.summary.total_requests).toBe(mail.length);
    expectFigures(found.summary, mail, 'summary');
    expect(found.summary.called_endpoints).toBe(endpointsOf(mail));
    const methods = Map.groupBy(mail, ({ method }) => method);
    expect(found.method_usage).toEqual(
      Object.fromEntries([...methods].map(([method, of]) => [method, of.length])),
    );
  }
}

const endpointsOf = (calls: readonly PlainCall[]): number =>
  new Set(
    calls.map(({ environment, method, route }) => JSON.stringify([environment, method, route])),
  ).size;

/** @returns undefined for a window that the interval cuts into too many points */
async function series(
  get: Get,
  query: string,
  { fromMs, toMs }: { fromMs: number; toMs: number },
  interval: string,
  zone: string,
): Promise<Answer | undefined> {
  if (interval === '5m' && (toMs - fromMs) / (5 * minuteMs) > 400) return undefined;
  return get(`/timeseries?${query}&interval=${interval}&tz=${zone}&apdex_t_ms=20`);
}

function expectSeries(
  answer: Answer,
  calls: readonly PlainCall[],
  interval: string,
  zone: string,
): void {
  const { points } = answer;
  const byBucket = Map.groupBy(calls, ({ endMs }) => bucketOf(endMs, interval, zone));
  const names = points.map(({ timestamp }: Answer) =>
    bucketOf(Date.parse(timestamp), interval, zone),
  );
  expect(new Set(names).size, `${interval} ${zone}`).toBe(points.length);
  for (const name of byBucket.keys()) expect(names).toContain(name);
  for (const [n, point] of points.entries()) {
    const own = byBucket.get(names[n]) ?? [];
    const name = `${interval} ${zone} ${point.timestamp}`;
    expect(point.calls, name).toBe(own.length);
    expect(point.errors, name).toBe(countOf(own, isError));
    expectFigures(point, own, name);
    const score = (t: number) =>
      own.reduce((sum, { durationNs }) => {
        const ms = durationNs / 1e6;
        return sum + (ms <= t ? 1 : ms <= 4 * t ? 0.5 : 0);
      }, 0) / own.length;
    if (own.length === 0) expect(point.apdex, name).toBeNull();
    else {
      expect(point.apdex, name).toBeGreaterThanOrEqual(score(19.8) - 0.0001);
      expect(point.apdex, name).toBeLessThanOrEqual(score(20.2) + 0.0001);
    }
  }
}

function expectGroups(
  { groups, points }: Answer,
  calls: readonly PlainCall[],
  groupOf: (call: PlainCall) => string,
  top: number,
): void {
  const found = Map.groupBy(calls, groupOf);
  const shown = [...found]
    .sort(([a, as], [b, bs]) => bs.length - as.length || (a < b ? -1 : 1))
    .slice(0, top)
    .map(([name]) => name);
  const expected = found.size > top ? [...shown, '{other}'] : shown;
  expect(groups.map(({ group }: Answer) => group)).toEqual(expected);
  for (const { group, calls: total, errors } of groups) {
    const isOwn = (call: PlainCall) =>
      group === '{other}' ? !shown.includes(groupOf(call)) : groupOf(call) === group;
    const own = calls.filter(isOwn);
    expect([total, errors]).toEqual([own.length, countOf(own, isError)]);
    for (const point of points.filter((one: Answer) => one.group === group)) {
      const bucket = bucketOf(Date.parse(point.timestamp), 'day', 'Europe/Berlin');
      const inBucket = own.filter(
        ({ endMs }) => bucketOf(endMs, 'day', 'Europe/Berlin') === bucket,
      );
      expect(point.calls).toBe(inBucket.length);
      expect(point.errors).toBe(countOf(inBucket, isError));
    }
  }
}

async function expectEndpointGroups(
  get: Get,
  query: string,
  calls: readonly PlainCall[],
): Promise<void> {
  const answer = await get(`/timeseries?${query}&interval=week&group_by=endpoint&top=4`);
  const { endpoints } = await get(`/report?${query}`);
  for (const { group, name, calls: total } of answer.groups) {
    if (group === '{other}') continue;
    const row = endpoints.find(({ id }: Answer) => id === group);
    expect(name).toBe(`${row.method} ${row.route_display} (${row.service})`);
    expect(total).toBe(row.total_calls);
  }
  const sum = answer.points.reduce((all: number, point: Answer) => all + point.calls, 0);
  expect(sum).toBe(calls.length);
  expect(answer.groups.length).toBeLessThanOrEqual(5);
}

/** The calls of each endpoint by version. */
async function expectVersions(get: Get, query: string, calls: readonly PlainCall[]): Promise<void> {
  const { endpoints, summary } = await get(`/compare?${query}&before_version=1.0.0&version=1.1.0`);
  const keyOf = (row: Answer) => `${row.service} ${row.environment} ${row.method} ${row.route}`;
  const called = Map.groupBy(calls, keyOf);
  expect(endpoints.map(keyOf).sort()).toEqual([...called.keys()].sort());
  expect(summary.worse + summary.better + summary.same + summary.too_little_data).toBe(called.size);
  for (const row of endpoints) {
    const own = called.get(keyOf(row))!;
    for (const [prefix, version] of [
      ['before_', '1.0.0'],
      ['', '1.1.0'],
    ]) {
      const of = own.filter((call) => call.version === version);
      const name = `${keyOf(row)} ${version}`;
      expect(row[`${prefix}calls`], name).toBe(of.length);
      expect(row[`${prefix}error_rate_pct`], name).toBe(percentOf(countOf(of, isError), of.length));
      for (const percentile of [50, 95, 99]) {
        const field = `${prefix}p${percentile}_duration_ms`;
        expectNear(row[field], nearestRankMs(of, percentile), name + field);
      }
    }
  }
}

afterAll(() => {
  console.log(`brute force: seeds ${seeds[0]} to ${seeds.at(-1)}, zones ${zones.join(', ')}`);
});
