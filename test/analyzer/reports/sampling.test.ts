import { describe, expect, test } from 'vitest';
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
import { engines } from '../support/engines.ts';

/** A service that keeps one call in four, one that keeps all, and one that stopped keeping all. */
const calls = [
  ...repeat(100, (n) =>
    call({
      route: '/orders',
      status: n % 10 === 0 ? 500 : 200,
      durationNs: (n + 1) * 1_000_000,
      endMs: nowMs - 10 * minuteMs,
      client: `203.0.113.${n % 4}`,
      weight: 4,
    }),
  ),
  ...repeat(50, () => call({ route: '/orders', status: 201, endMs: nowMs - 20 * minuteMs })),
  call({ route: '/beside', endMs: nowMs - hourMs, weight: 0 }),
  call({ route: '/refused', endMs: nowMs - hourMs, status: 404, weight: 2 }),
  call({ route: '/refused', endMs: nowMs - hourMs, status: 200, weight: 0 }),
  call({ route: '/gone', endMs: nowMs - 60 * dayMs, weight: 4 }),
  // Called while everything was kept; since then its service keeps one in four.
  call({ route: '/gone-before', endMs: nowMs - 61 * dayMs }),
  call({ service: 'mail', route: '/send', endMs: nowMs - minuteMs }),
  call({ service: 'mail', route: '/gone', endMs: nowMs - 40 * dayMs }),
];

describe.each(engines)('sampled calls on $name', (engine) => {
  const asked = async <T>(ask: (door: ListenOptions) => Promise<T>): Promise<T> => {
    const opened = await engine.open(calls, nowMs);
    const door = await openDoor(opened.reader, nowMs);
    try {
      return await ask(door);
    } finally {
      await door.close();
      await opened.remove();
    }
  };

  test('are counted by weights in a report that says that it estimates', () =>
    asked(async (door) => {
      const answer = await door.get('/report?window=24h&sort=route&service=shop');
      const rows = Object.fromEntries(
        answer.endpoints.map((row: { route: string }) => [row.route, row]),
      );
      expect(answer).toMatchObject({ estimated: true, summary: { total_requests: 452 } });
      // 450 ± 1.96·√(100·(16 − 4)) = 450 ± 67.9
      expect(rows['/orders']).toMatchObject({
        marks: ['new', 'sampled'],
        total_calls: 450,
        total_calls_interval: [382, 518],
        error_5xx_count: 40,
        error_rate_pct: 8.8889,
        success_rate_pct: 91.1111,
        // (4 · 5050 + 50 · 10) / 450
        avg_duration_ms: 46,
        min_duration_ms: 1,
        max_duration_ms: 100,
        lifetime_calls: 450,
        estimated: true,
        unique_clients: 5,
      });
      expect(rows['/orders'].p50_duration_ms).toBeCloseTo(44, 0);
      expect(rows['/beside']).toMatchObject({
        status: 'active',
        total_calls: 0,
        total_calls_interval: [1, 1],
        avg_duration_ms: null,
        error_rate_pct: null,
        lifetime_calls: 0,
        last_called_at: '2026-03-18T11:00:30.000Z',
        marks: ['new', 'sampled'],
      });
      // 2 ± 2.8, and two were seen.
      expect(rows['/refused']).toMatchObject({
        total_calls: 2,
        total_calls_interval: [2, 5],
        error_rate_pct: 100,
      });
      expect(rows['/refused'].marks).not.toContain('only_errors');
    }));

  test('make dead endpoints possibly sampled out, and cold those called before sampling began', () =>
    asked(async (door) => {
      const { endpoints } = await door.get('/report/dead');
      const shown = endpoints.map((row: Record<string, unknown>) => [
        row.service,
        row.route,
        row.status,
        row.marks,
        row.last_called_at,
        row.lifetime_calls,
        row.estimated,
      ]);
      expect(shown).toEqual([
        ['shop', '/gone', 'dead', ['sampled'], '2026-01-17T12:00:30.000Z', 4, true],
        ['mail', '/gone', 'dead', [], '2026-02-06T12:00:30.000Z', 1, undefined],
      ]);
      // 61 days in which a tenth of the days of use would be seen are 6 days of silence (docs/verdicts.md).
      const shop = await door.get('/report?service=shop');
      const before = shop.endpoints.find(
        ({ route }: { route: string }) => route === '/gone-before',
      );
      expect(before).toMatchObject({
        status: 'cold',
        marks: ['sampled'],
        last_called_at: '2026-01-16T12:00:30.000Z',
        lifetime_calls: 1,
      });
      expect(Object.keys(before)).not.toContain('estimated');
      const mail = await door.get('/report?service=mail');
      expect(mail.estimated).toBe(false);
      const [send, gone] = mail.endpoints;
      for (const row of [send, gone]) {
        expect(row.marks).not.toContain('sampled');
        expect(Object.keys(row)).not.toContain('estimated');
        expect(Object.keys(row)).not.toContain('total_calls_interval');
      }
    }));

  test('are estimates in the summary, the time series, services and clients', () =>
    asked(async (door) => {
      const summary = await door.get('/summary?window=1h&service=shop');
      expect(summary).toMatchObject({
        estimated: true,
        summary: {
          total_requests: 450,
          total_requests_interval: [382, 518],
          avg_response_time_ms: 46,
          error_rate_pct: 8.8889,
        },
        method_usage: { GET: 450 },
        status_codes: { 200: 360, 201: 50, 500: 40 },
      });
      expect(summary.top_ips[0]).toEqual({ ip: '203.0.113.0', requests: 100, errors: 20 });
      // Three were seen, two of them with the weight 0.
      expect(summary.previous).toMatchObject({
        total_requests: 2,
        total_requests_interval: [3, 5],
      });
      const series = await door.get('/timeseries?window=1h&service=shop');
      expect(series.estimated).toBe(true);
      const sum = (field: string) =>
        series.points.reduce((total: number, point: Record<string, number>) => {
          return total + point[field]!;
        }, 0);
      expect([sum('calls'), sum('errors')]).toEqual([450, 40]);
      const services = await door.get('/services?service=shop');
      expect(services).toMatchObject({ estimated: true, services: [{ calls: 457 }] });
      const clients = await door.get('/clients?window=1h&service=shop');
      expect(clients.estimated).toBe(true);
      expect(clients.clients[0]).toMatchObject({ calls: 100, errors: 20, error_rate_pct: 20 });
      const mail = await door.get('/summary?window=1h&service=mail');
      expect(mail.estimated).toBe(false);
      expect(Object.keys(mail.summary)).not.toContain('total_requests_interval');
      expect((await door.get('/services?service=mail')).estimated).toBe(false);
      expect((await door.get('/clients?window=1h&service=mail')).estimated).toBe(false);
      expect((await door.get('/timeseries?window=1h&service=mail')).estimated).toBe(false);
    }));

  test('sort by what only sampled rows have: the others stand last, on every page', () =>
    asked(async (door) => {
      const routes: string[] = [];
      let cursor = '';
      do {
        const page = await door.get(
          `/report?window=24h&sort=total_calls_interval&order=desc&limit=2${cursor}`,
        );
        routes.push(...page.endpoints.map((row: { route: string }) => row.route));
        cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`;
      } while (cursor !== '');
      expect(routes.slice(0, 3).sort()).toEqual(['/beside', '/orders', '/refused']);
      expect(routes).toHaveLength(7);
      expect(new Set(routes.slice(3))).toEqual(new Set(['/gone', '/gone-before', '/send']));
    }));
});
