import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultRetention } from '../../../core/config/retention.ts';
import {
  call,
  dayMs,
  hourMs,
  type ListenOptions,
  nowMs,
  openDoor,
  repeat,
} from '../support/door.ts';
import { type Opened, openSqlite } from '../support/engines.ts';

/** Four months of one call every six hours, on the engine with its usual retention. */
const calls = repeat(480, (n) => call({ endMs: nowMs - n * 6 * hourMs }));
let opened: Opened;
let door: ListenOptions;
beforeAll(async () => {
  opened = await openSqlite(calls, nowMs);
  door = await openDoor(opened.reader, nowMs);
});
afterAll(async () => {
  await door.close();
  await opened.remove();
});

const sum = ({ points }: { points: { calls: number }[] }): number =>
  points.reduce((all, { calls }) => all + calls, 0);

test('says to which step a window was rounded, and counts all of it', async () => {
  const expected: [string, string, string, number][] = [
    ['24h', 'minute', '2026-03-17T12:01:00.000Z', 4],
    ['30d', 'hour', '2026-02-16T12:00:00.000Z', 121],
    ['100d', 'day', '2025-12-08T00:00:00.000Z', 403],
  ];
  for (const [window, resolution, from, count] of expected) {
    const answer = await door.get(`/report?window=${window}`);
    expect(answer.window).toMatchObject({ resolution, from });
    expect(answer.summary.total_requests, window).toBe(count);
    const series = await door.get(`/timeseries?window=${window}`);
    expect(series.window, window).toEqual(answer.window);
    expect(sum(series), window).toBe(count);
    const { time_series: points } = await door.get(`/summary?window=${window}`);
    const requests = points.reduce(
      (all: number, point: { requests: number }) => all + point.requests,
      0,
    );
    expect(requests, window).toBe(count);
  }
});

test('days of a zone are exact while hours are kept, and an estimate where only days are', async () => {
  const zone = 'interval=day&tz=Europe/Berlin';
  const recent = await door.get(`/timeseries?from=2026-03-01T23:00Z&to=2026-03-06T23:00Z&${zone}`);
  expect(recent.estimated).toBe(false);
  expect(recent.points.map(({ calls }: { calls: number }) => calls)).toEqual([4, 4, 4, 4, 4]);
  const old = await door.get(`/timeseries?window=110d&${zone}`);
  expect(old.estimated).toBe(true);
  expect(old.window.resolution).toBe('day');
  expect(sum(old)).toBe((await door.get('/report?window=110d')).summary.total_requests);
  const kolkata = await door.get('/timeseries?window=10d&interval=day&tz=Asia/Kolkata');
  expect(kolkata.estimated).toBe(true);
  expect(kolkata.points[1].timestamp).toMatch(/T18:30:00.000Z$/);
});

test('refuses intervals finer than what is kept', async () => {
  for (const query of ['window=3d&interval=5m', 'window=100d&interval=hour']) {
    const response = await door.fetch(`/api/v1/timeseries?${query}`);
    expect(response.status, query).toBe(400);
    expect(await response.json()).toMatchObject({ error: { field: 'interval' } });
  }
});

test('lifetime facts reach beyond every window', async () => {
  const { endpoints } = await door.get('/report?window=15m');
  expect(endpoints[0]).toMatchObject({
    lifetime_calls: 480,
    first_called_at: new Date(nowMs - 479 * 6 * hourMs).toISOString(),
    observed_days: Math.floor((479 * 6 * hourMs) / dayMs),
  });
});

describe('where days are deleted', () => {
  /** A call a day for 300 days, of which at least the last 100 are kept: buckets of 64 days are deleted whole. */
  const old = repeat(300, (n) => call({ endMs: nowMs - n * dayMs - 5 * hourMs }));
  const retention = { ...defaultRetention, hoursS: 90 * 86_400, daysS: 100 * 86_400 };
  const bucketMs = 64 * dayMs;
  const keptMs = Math.floor((nowMs - 100 * dayMs) / bucketMs) * bucketMs;
  const kept = new Date(keptMs).toISOString();
  const keptCalls = old.filter(({ endMs }) => endMs >= keptMs).length;
  let opened: Opened;
  let door: ListenOptions;
  beforeAll(async () => {
    opened = await openSqlite(old, nowMs, retention);
    door = await openDoor(opened.reader, nowMs);
  });
  afterAll(async () => {
    await door.close();
    await opened.remove();
  });

  test('a window that reaches beyond what is kept begins where it does, and says so', async () => {
    expect(keptCalls).toBeGreaterThan(100);
    expect(keptCalls).toBeLessThan(200);
    const note = { code: 'window_cut', field: null, message: expect.stringContaining(kept) };
    for (const path of ['/report', '/summary', '/timeseries', '/clients', '/services']) {
      const answer = await door.get(`${path}?window=280d`);
      expect(answer.window.from, path).toBe(kept);
      expect(answer.notes, path).toContainEqual(note);
      const enough = await door.get(`${path}?window=100d`);
      expect(enough.notes, path).toBeUndefined();
    }
    const report = await door.get('/report?window=280d');
    expect(report.summary.total_requests).toBe(keptCalls);
    // Permanent.
    expect(report.endpoints[0].lifetime_calls).toBe(300);
    expect((await door.get('/clients?window=280d')).clients[0].calls).toBe(keptCalls);
  });

  test('a series has no point for a day that is deleted', async () => {
    const { points } = await door.get('/timeseries?window=280d&interval=day');
    expect(points[0].timestamp).toBe(kept);
    expect(points.every(({ calls }: { calls: number }) => calls === 1)).toBe(true);
    const { time_series: glance } = await door.get('/summary?window=280d');
    expect(Date.parse(glance[0].timestamp)).toBeGreaterThanOrEqual(keptMs);
  });

  test('a summary compares with no window of which a part is deleted', async () => {
    for (const window of ['280d', '100d']) {
      const answer = await door.get(`/summary?window=${window}`);
      expect(answer.previous, window).toBeNull();
      expect(answer.previous_window, window).toBeNull();
    }
    const { previous, summary } = await door.get('/summary?window=40d');
    expect([previous.total_requests, summary.total_requests]).toEqual([40, 40]);
  });

  test('a window that ends before what is kept is refused, not answered with zeros', async () => {
    const to = new Date(keptMs - dayMs).toISOString();
    for (const path of ['/report', '/summary', '/timeseries', '/clients', '/services']) {
      const response = await door.fetch(`/api/v1${path}?from=2025-01-01&to=${to}`);
      expect(response.status, path).toBe(400);
      const { error } = (await response.json()) as { error: { field: string; message: string } };
      expect(error).toMatchObject({ code: 'invalid', field: 'to' });
      expect(error.message).toContain(`calls before ${kept} are past their retention`);
    }
  });
});
