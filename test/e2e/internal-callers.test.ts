import { afterEach, expect, it } from 'vitest';
import { type Running, startRollcall, startService, temporaryFolder } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

/** Two real services, of which one calls the other; a person calls both. */
interface Answer {
  total_calls: number;
  known_calls: number;
  known_pct: number;
  internal_callers: { service: string; environment: string; calls: number; traced_calls: number }[];
}

const running: Running[] = [];
const folder = temporaryFolder();
afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.stop()));
  folder.remove();
});

it.each([
  ['the caller sends its spans first', '50', '1500'],
  ['the called service sends its spans first', '1500', '50'],
])('the SDKs of two services tell who called: %s', async (_name, gatewayMs, usersMs) => {
  const rollcall = await startRollcall(`${folder.path}/${gatewayMs}.db`);
  const { otlp_http: collector, analyzer } = rollcall.addresses;
  const service = (app: string, name: string, delayMs: string, more = {}) =>
    startService(
      `test/e2e/express-app/${app}.mjs`,
      {
        NODE_OPTIONS: '--import=./test/e2e/express-app/telemetry.mjs',
        OTEL_SERVICE_NAME: name,
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector!,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_BSP_SCHEDULE_DELAY: delayMs,
        ...more,
      },
      {},
    );
  const users = await service('app', 'users', usersMs);
  const gateway = await service('gateway', 'gateway', gatewayMs, {
    USERS_URL: users.addresses.app!,
  });
  running.push(users, gateway, rollcall);
  for (let n = 1; n <= 8; n += 1) {
    const response = await fetch(`${gateway.addresses.app}/shop/${n}`);
    expect([response.status, await response.json()]).toEqual([200, { status: 200 }]);
  }
  for (let n = 1; n <= 2; n += 1)
    await (await fetch(`${users.addresses.app}/users/7`)).arrayBuffer();

  const ask = async (path: string): Promise<unknown> =>
    (await fetch(`${analyzer}/api/v1${path}`)).json();
  const internal = (query: string) =>
    ask(`/consumers/internal?window=1h${query}`) as Promise<Answer>;
  const answer = await waitFor('the callers of eight calls', async () => {
    const found = await internal('&service=users');
    return found.known_calls >= 8 && found.total_calls >= 10 && found;
  });
  expect([answer.total_calls, answer.known_calls, answer.known_pct]).toEqual([10, 8, 80]);
  expect(answer.internal_callers).toMatchObject([
    { service: 'gateway', environment: 'test', calls: 8, traced_calls: 8, errors: 0, endpoints: 1 },
  ]);
  expect((await internal('&service=gateway')).internal_callers).toEqual([]);
  const report = (await ask('/report?window=1h&service=users')) as { endpoints: { id: string }[] };
  const detail = (await ask(`/endpoints/${report.endpoints[0]!.id}?window=1h`)) as {
    internal_callers: { known_pct: number; callers: { service: string }[] };
  };
  expect(detail.internal_callers).toMatchObject({
    known_pct: 80,
    callers: [{ service: 'gateway' }],
  });
});
