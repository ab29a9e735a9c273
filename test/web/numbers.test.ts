import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { describeInBrowser, openPage, type Watched } from './browser.ts';
import { openWorld, sendShop, type World } from './world.ts';

type Row = Record<string, unknown>;

describeInBrowser('the numbers of every table in a browser', () => {
  let world: World;
  let watched: Watched;
  beforeAll(async () => {
    world = await openWorld();
    await sendShop(world);
  }, 180_000);
  afterAll(() => world?.close());
  beforeEach(async () => {
    watched = await openPage(world.browser, world.url);
  });

  /** The exact first value of each cell that has one, by the row's key and the column. */
  const shown = (table: string): Promise<Record<string, Record<string, number | null>>> =>
    watched.page
      .getByRole('table', { name: table })
      .locator('[data-row]')
      .evaluateAll((rows) =>
        Object.fromEntries(
          rows.map((row) => [
            row.getAttribute('data-row'),
            Object.fromEntries(
              [...row.querySelectorAll('[data-column]')].flatMap((cell) => {
                const value = cell.querySelector('data')?.getAttribute('value');
                if (value === null || value === undefined) return [];
                return [[cell.getAttribute('data-column'), value === '' ? null : Number(value)]];
              }),
            ),
          ]),
        ),
      );

  const percentOf = (part: string) => (row: Row) =>
    row.total_calls === 0 ? null : (100 * Number(row[part])) / Number(row.total_calls);
  const same = (...fields: string[]) =>
    Object.fromEntries(fields.map((field) => [field, (row: Row) => row[field]]));

  it.each([
    {
      path: '/endpoints',
      columns:
        'route,total_calls,error_4xx_count,error_5xx_count,refused_count,missing_count,failed_count,avg_duration_ms,p50_duration_ms,p75_duration_ms,p90_duration_ms,p95_duration_ms,p99_duration_ms,max_duration_ms,unique_clients,lifetime_calls',
      table: 'Endpoints',
      query: '/report?window=7d',
      rows: 'endpoints',
      key: (row: Row) => row.id,
      values: {
        ...same(
          'total_calls',
          'refused_count',
          'missing_count',
          'failed_count',
          'avg_duration_ms',
          'p50_duration_ms',
          'p75_duration_ms',
          'p90_duration_ms',
          'p95_duration_ms',
          'p99_duration_ms',
          'max_duration_ms',
          'unique_clients',
          'lifetime_calls',
        ),
        error_4xx_count: percentOf('error_4xx_count'),
        error_5xx_count: percentOf('error_5xx_count'),
      },
    },
    {
      path: '/clients',
      table: 'Clients',
      query: '/clients?window=7d&limit=1000',
      rows: 'clients',
      key: (row: Row) => row.client,
      values: same(
        'calls',
        'endpoints',
        'errors',
        'error_rate_pct',
        'refused_count',
        'missing_count',
        'failed_count',
      ),
    },
    {
      path: '/clients',
      columns: 'callers',
      table: 'Consumers',
      query: '/consumers?window=7d&limit=1000',
      rows: 'consumers',
      key: (row: Row) => `${row.named_by} ${row.consumer}`,
      values: same('calls', 'bot_calls', 'endpoints', 'errors', 'error_rate_pct'),
    },
    {
      path: '/services',
      table: 'Services',
      query: '/services?window=7d',
      rows: 'services',
      key: (row: Row) => `${row.service}\n${row.environment}`,
      values: same('endpoints', 'calls'),
    },
    {
      path: '/calls',
      table: 'Calls',
      query: '/calls?window=7d&limit=200',
      rows: 'calls',
      key: (row: Row) => row.id,
      values: same('duration_ms'),
    },
    {
      path: '/compare',
      table: 'Comparison',
      query: '/compare?window=7d',
      rows: 'endpoints',
      key: (row: Row) => row.id,
      values: {
        calls: (row: Row) => row.calls,
        error_rate_change_points: (row: Row) => row.error_rate_pct,
        p50_change_pct: (row: Row) => row.p50_duration_ms,
        p95_change_pct: (row: Row) => row.p95_duration_ms,
        p99_change_pct: (row: Row) => row.p99_duration_ms,
      },
    },
  ])(
    '$table: each number is the one of $query',
    async ({ path, columns, table, query, rows, key, values }) => {
      const { page } = watched;
      const search = columns === 'callers' ? '?callers=consumers' : `?columns=${columns ?? ''}`;
      await page.goto(`${world.url}${path}${columns === undefined ? '' : search}`);
      await page.getByRole('table', { name: table }).locator('[data-row]').first().waitFor();
      const answer: Row[] = (await world.get(query))[rows];
      const byKey = new Map(answer.map((row) => [String(key(row)), row]));
      const painted = await shown(table);
      expect(Object.keys(painted).length).toBeGreaterThanOrEqual(Math.min(6, answer.length));
      for (const [rowKey, cells] of Object.entries(painted)) {
        const row = byKey.get(rowKey);
        expect(row, rowKey).toBeDefined();
        for (const [column, value] of Object.entries(values)) {
          expect(cells[column], `${rowKey} ${column}`).toBe(value(row!));
        }
      }
      await watched.close();
    },
  );

  it('services: shares without route and client are those of /doctor', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/services`);
    await page.locator('[data-row] [data-column=without_route] data').first().waitFor();
    const { services } = await world.get('/doctor');
    const painted = await shown('Services');
    expect(services.length).toBeGreaterThan(3);
    for (const row of services) {
      const cells = painted[`${row.service}\n${row.environment}`];
      expect(cells?.without_route).toBe(row.without_route_pct);
      expect(cells?.without_client).toBe(row.without_client_pct);
    }
    await watched.close();
  });

  it('an endpoint: facts, outcomes, status codes, callers and versions are those of its answer', async () => {
    const { page } = watched;
    const [{ id }] = (await world.get('/report?window=7d&service=payments')).endpoints;
    await page.goto(`${world.url}/endpoints/${id}`);
    const drawer = page.getByRole('complementary', { name: 'Endpoint' });
    await drawer.getByText('Answers by status').waitFor();
    const answer = await world.get(`/endpoints/${id}?window=7d&limit=50`);
    const { endpoint: row } = answer;
    const numbers = (within: string) =>
      drawer
        .locator(within)
        .locator('data')
        .evaluateAll((data) =>
          data.map((element) => {
            const value = element.getAttribute('value');
            return value === '' ? null : Number(value);
          }),
        );
    expect(await numbers('dl')).toEqual([
      row.total_calls,
      row.error_rate_pct,
      row.p95_duration_ms,
      row.unique_clients,
    ]);
    expect(await numbers('section:has(> h3:text-is("Outcomes"))')).toEqual([
      row.answered_count,
      row.refused_count,
      row.missing_count,
      row.failed_count,
    ]);
    const codes = Object.values<number>(answer.status_codes).sort((a, b) => b - a);
    expect(await numbers('section:has(> h3:text-is("Answers by status"))')).toEqual(codes);
    expect(await numbers('section:has(> h3:text-is("Clients"))')).toEqual(
      answer.clients.slice(0, 10).map(({ calls }: { calls: number }) => calls),
    );
    expect(await numbers('section:has(> h3:text-is("Consumers"))')).toEqual(
      answer.consumers.slice(0, 10).map(({ calls }: { calls: number }) => calls),
    );
    expect(await numbers('section:has(> h3:text-is("Versions"))')).toEqual(
      answer.versions
        .slice(0, 8)
        .flatMap((one: Row) => [
          one.calls,
          one.error_rate_pct,
          one.p50_duration_ms,
          one.p95_duration_ms,
        ]),
    );
    await watched.close();
  });

  it('the dead list: counts by step, days and calls are those of /report/dead', async () => {
    const { page } = watched;
    await page.goto(`${world.url}/dead`);
    const { endpoints } = await world.get('/report/dead?window=7d');
    const plan = page.getByRole('region', { name: 'Removal plan' });
    await plan.waitFor();
    const counts = await plan
      .locator('data')
      .evaluateAll((data) => data.map((element) => Number(element.getAttribute('value'))));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(endpoints.length);
    for (const { method, route, confidence } of endpoints) {
      const item = page.locator('main li').filter({
        has: page.getByRole('link', { name: `${method} ${route}`, exact: true }),
      });
      expect(await item.first().innerText()).toContain(`${Math.floor(100 * confidence)}`);
    }
    await watched.close();
  });
});
