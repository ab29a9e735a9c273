import { afterEach, describe, expect, it } from 'vitest';
import { type Running, startRollcall, startService, temporaryFolder } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

/** What is asked of the service: how often, and what it answers. */
const requests = [
  { method: 'GET', path: (n: number) => `/users/${n}?page=${n}`, times: 7, status: 200 },
  { method: 'HEAD', path: () => '/users/5', times: 2, status: 200 },
  { method: 'POST', path: () => '/users', times: 3, status: 201 },
  { method: 'GET', path: () => '/broken', times: 2, status: 500 },
  { method: 'GET', path: () => '/gone', times: 1, status: 410 },
  { method: 'GET', path: (n: number) => `/v1/orders/${n}/items/9`, times: 4, status: 200 },
  { method: 'GET', path: () => '/nope', times: 2, status: 404 },
  { method: 'GET', path: () => '/v1/orders/nope', times: 1, status: 404 },
  // Excluded unless the configuration says otherwise.
  { method: 'OPTIONS', path: () => '/users/1', times: 2, status: 200 },
];

/** What the report must say of it: calls, 4xx, 5xx. */
const expected = {
  'GET (unmatched)': [3, 3, 0],
  'GET /broken': [2, 0, 2],
  'GET /gone': [1, 1, 0],
  'GET /users/{id}': [7, 0, 0],
  'GET /v1/orders/{orderId}/items/{itemId}': [4, 0, 0],
  'HEAD /users/{id}': [2, 0, 0],
  'POST /users': [3, 0, 0],
};
const expectedStatuses = { 200: 13, 201: 3, 404: 3, 410: 1, 500: 2 };
const expectedCalls = 22;

interface Report {
  summary: { total_requests: number };
  endpoints: {
    service: string;
    environment: string;
    method: string;
    route: string;
    status: string | null;
    total_calls: number;
    error_4xx_count: number;
    error_5xx_count: number;
    unique_clients: number;
  }[];
}

describe('a real Express 5 service with the OpenTelemetry SDK', () => {
  const running: Running[] = [];
  const folder = temporaryFolder();
  afterEach(async () => {
    await Promise.all(running.splice(0).map((process) => process.stop()));
    folder.remove();
  });

  it('is reported with exact counts and statuses for each endpoint', async () => {
    const rollcall = await startRollcall(`${folder.path}/rollcall.db`);
    const { otlp_http: collector, analyzer } = rollcall.addresses;
    const app = await startService(
      'test/e2e/express-app/app.mjs',
      {
        NODE_OPTIONS: '--import=./test/e2e/express-app/telemetry.mjs',
        OTEL_SERVICE_NAME: 'users',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.version=1.2.3',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector!,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_BSP_SCHEDULE_DELAY: '100',
      },
      {},
    );
    running.push(app, rollcall);
    await makeRequests(app.addresses.app!);

    const report = await waitFor(`${expectedCalls} calls in the report`, async () => {
      const report = await ask<Report>(`${analyzer}/api/v1/report?window=1h`);
      return report.summary.total_requests >= expectedCalls && report;
    });
    expect(countsOf(report)).toEqual(expected);
    expect(report.summary.total_requests).toBe(expectedCalls);
    for (const endpoint of report.endpoints) {
      const status = endpoint.route === '(unmatched)' ? null : 'active';
      expect(endpoint).toMatchObject({ service: 'users', environment: 'test', status });
      expect(endpoint.unique_clients).toBe(1);
    }
    const summary = await ask<{ status_codes: object }>(`${analyzer}/api/v1/summary?window=1h`);
    expect(summary.status_codes).toEqual(expectedStatuses);

    // The SDK sends what it still holds when its service ends; nothing more may come.
    expect(await app.stop()).toMatchObject({ code: 0 });
    expect(countsOf(await ask<Report>(`${analyzer}/api/v1/report?window=1h`))).toEqual(expected);
    expect(await rollcall.stop()).toMatchObject({ code: 0, signal: null });
  });
});

async function makeRequests(app: string): Promise<void> {
  for (const { method, path, times, status } of requests) {
    for (let n = 1; n <= times; n += 1) {
      const response = await fetch(app + path(n), { method });
      await response.arrayBuffer();
      expect(response.status, `${method} ${path(n)}`).toBe(status);
    }
  }
}

function countsOf({ endpoints }: Report): Record<string, number[]> {
  const counts = endpoints.map((endpoint) => [
    `${endpoint.method} ${endpoint.route}`,
    [endpoint.total_calls, endpoint.error_4xx_count, endpoint.error_5xx_count],
  ]);
  return Object.fromEntries(counts);
}

async function ask<T>(url: string): Promise<T> {
  const response = await fetch(url);
  expect(response.status, url).toBe(200);
  return (await response.json()) as T;
}

/** Asks until the answer holds; the test's own time limit is the end of its patience. */
