import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeTraces, type KeyValue } from '../../collector/otlp/traces-encoder.ts';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';

/** Which routes are one endpoint (docs/decisions/0010-endpoint-identity.md), as a report shows it. */
const folder = temporaryFolder();
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(`${folder.path}/rollcall.db`);
});

afterAll(async () => {
  await rollcall?.stop();
  folder.remove();
});

/** Calls of one process in one request, oldest first. */
interface Group {
  version?: string;
  instance?: string;
  calls: Call[];
}

interface Call {
  /** `http.route`; absent: the span has a path alone. */
  route?: string;
  path?: string;
  method?: string;
  status?: number;
  minutesAgo: number;
}

const dayMinutes = 1440;

/** A call a day at noon or so, from `from` days ago to `to` days ago. */
function daily(route: string, from: number, to: number, more: Partial<Call> = {}): Call[] {
  const calls: Call[] = [];
  for (let day = from; day >= to; day -= 1) {
    calls.push({ route, minutesAgo: day * dayMinutes + 30, ...more });
  }
  return calls;
}

let services = 0;

/** Sends requests of one new service, one after another. @returns its rows of the report over all time */
async function report(requests: Group[][]): Promise<Record<string, unknown>[]> {
  services += 1;
  const service = `identity-${services}`;
  for (const groups of requests) await send(service, groups);
  const rows = (await get(`report?window=91d&service=${service}`)).endpoints;
  return rows as Record<string, unknown>[];
}

async function send(service: string, groups: Group[]): Promise<void> {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const body = encodeTraces(
    groups.map(({ version, instance, calls }) => ({
      attributes: [
        { key: 'service.name', value: service },
        ...(version ? [{ key: 'service.version', value: version }] : []),
        ...(instance ? [{ key: 'service.instance.id', value: instance }] : []),
      ],
      scopes: [{ name: 'test', spans: calls.map((call) => span(call, nowNs)) }],
    })),
  );
  const response = await fetch(`${rollcall.addresses.otlp_http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body,
  });
  expect(response.status, await response.text()).toBe(200);
}

function span({ route, path, method = 'GET', status = 200, minutesAgo }: Call, nowNs: bigint) {
  const endNs = nowNs - BigInt(Math.round(minutesAgo * 60_000)) * 1_000_000n;
  const attributes: KeyValue[] = [
    { key: 'http.request.method', value: method },
    { key: 'http.response.status_code', value: status },
  ];
  if (route !== undefined) attributes.push({ key: 'http.route', value: route });
  if (path !== undefined) attributes.push({ key: 'url.path', value: path });
  return {
    traceId: randomBytes(16),
    spanId: randomBytes(8),
    name: method,
    kind: 2,
    startTimeUnixNano: endNs - 5_000_000n,
    endTimeUnixNano: endNs,
    attributes,
  };
}

async function get(path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${rollcall.addresses.analyzer}/api/v1/${path}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

function shown(rows: Record<string, unknown>[]): [unknown, unknown, unknown][] {
  return rows
    .map((row): [unknown, unknown, unknown] => [row.route_display, row.total_calls, row.status])
    .sort((a, b) => String(a[0]).localeCompare(String(b[0])));
}

const one = (version: string, calls: Call[]): Group[] => [{ version, calls }];

describe('spellings that follow each other are one endpoint, shown as spelled last', () => {
  const followed: [string, string, string, string][] = [
    ['a renamed parameter', '/users/:id', '/users/:userId', '/users/:userId'],
    ['Django replaced by FastAPI', 'users/<int:pk>/', '/users/{user_id}', '/users/{user_id}'],
    [
      'a catch-all of two frameworks',
      '/files/*',
      '/files/{file_path:path}',
      '/files/{file_path:path}',
    ],
    [
      'a catch-all with and without a name',
      '/assets/*any',
      '/assets/*filepath',
      '/assets/*filepath',
    ],
    ['a constraint that is gone', '/n/:id(\\d+)', '/n/:number', '/n/:number'],
    ['letter case', '/Orders/{orderId}', '/orders/{id}', '/orders/{id}'],
    ['a trailing slash', '/carts/{id}/', '/carts/{cart_id}', '/carts/{cart_id}'],
    ['an optional format', '/posts/:id(.:format)', '/posts/:post_id', '/posts/:post_id'],
    ['an optional locale', '(/:locale)/pages/:id', '/{lang}/pages/{page}', '/{lang}/pages/{page}'],
    ['a regular expression', '^tags/(?P<slug>[-\\w]+)/$', 'tags/<str:name>/', 'tags/<str:name>/'],
    ['several parameters', '/a/{x}/b/{y}', '/a/:one/b/:two', '/a/:one/b/:two'],
    ['paths of an array in another order', '/p/:a,/q/:a', '/q/:b,/p/:b', '/q/:b,/p/:b'],
  ];
  for (const [name, before, after, display] of followed) {
    test(`${name}: by version`, async () => {
      const rows = await report([one('1', daily(before, 60, 40)), one('2', daily(after, 39, 0))]);
      expect(shown(rows)).toEqual([[display, 61, 'active']]);
    });
    test(`${name}: without versions, restarted`, async () => {
      const rows = await report([
        [{ calls: daily(before, 60, 40) }],
        [{ calls: daily(after, 39, 0) }],
      ]);
      expect(shown(rows)).toEqual([[display, 61, 'active']]);
    });
    test(`${name}: a rolling deployment of two versions`, async () => {
      const requests: Group[][] = [one('1', daily(before, 60, 1))];
      for (let minute = 20; minute > 0; minute -= 1) {
        requests.push([
          { version: '1', calls: [{ route: before, minutesAgo: minute }] },
          { version: '2', calls: [{ route: after, minutesAgo: minute - 0.5 }] },
        ]);
      }
      expect(shown(await report(requests))).toEqual([[display, 100, 'active']]);
    });
    test(`${name}: a rolling deployment that only instances tell apart`, async () => {
      const requests: Group[][] = [[{ instance: 'a', calls: daily(before, 60, 1) }]];
      for (let minute = 20; minute > 0; minute -= 1) {
        requests.push([{ instance: 'a', calls: [{ route: before, minutesAgo: minute }] }]);
        requests.push([{ instance: 'b', calls: [{ route: after, minutesAgo: minute - 0.5 }] }]);
      }
      expect(shown(await report(requests))).toEqual([[display, 100, 'active']]);
    });
    test(`${name}: a rolling deployment of which nothing tells, for two hours`, async () => {
      const requests: Group[][] = [[{ calls: daily(before, 60, 1) }]];
      for (let minute = 120; minute > 0; minute -= 10) {
        requests.push([{ calls: [{ route: before, minutesAgo: minute }] }]);
        requests.push([{ calls: [{ route: after, minutesAgo: minute - 5 }] }]);
      }
      expect(shown(await report(requests))).toEqual([[display, 84, 'active']]);
    });
  }

  test('three spellings of three versions', async () => {
    const rows = await report([
      one('1', daily('/users/:id', 80, 60)),
      one('2', daily('/users/<int:pk>', 59, 40)),
      one('3', daily('/users/{user_id}', 39, 0)),
    ]);
    expect(shown(rows)).toEqual([['/users/{user_id}', 81, 'active']]);
  });

  test('a rollback to the first version', async () => {
    const rows = await report([
      one('1', daily('/users/:id', 80, 60)),
      one('2', daily('/users/:userId', 59, 59)),
      one('1', daily('/users/:id', 58, 0)),
    ]);
    expect(shown(rows)).toEqual([['/users/:id', 81, 'active']]);
  });
});

describe('a made-up route and a told one of one shape are one endpoint', () => {
  test('when http.route comes first after guesses', async () => {
    const guessed = daily('', 60, 40).map(({ minutesAgo }, i) => ({
      path: `/users/${i}`,
      minutesAgo,
    }));
    const rows = await report([one('1', guessed), one('1', daily('/users/:userId', 39, 0))]);
    expect(shown(rows)).toEqual([['/users/:userId', 61, 'active']]);
  });

  test('when one process sends both', async () => {
    const rows = await report([
      one('1', [
        { path: '/users/1', minutesAgo: 3 },
        { route: '/users/:userId', minutesAgo: 2 },
        { path: '/users/2', minutesAgo: 1 },
      ]),
    ]);
    expect(shown(rows)).toEqual([['/users/:userId', 3, 'active']]);
  });
});

describe('a guess from a path that a told route takes is that endpoint', () => {
  const cities = (from: number, to: number) =>
    daily('', from, to).map(({ minutesAgo }, i) => ({
      path: `/shops/${['berlin', 'rome', 'lima'][i % 3]}`,
      minutesAgo,
    }));

  test('when http.route comes first after guesses that took words for literals', async () => {
    const rows = await report([one('1', cities(60, 40)), one('1', daily('/shops/:city', 39, 0))]);
    expect(shown(rows)).toEqual([['/shops/:city', 61, 'active']]);
  });

  test('when the route was told before the guess', async () => {
    const rows = await report([one('1', daily('/shops/:city', 60, 0)), one('1', cities(9, 4))]);
    expect(shown(rows)).toEqual([['/shops/:city', 67, 'active']]);
  });

  test('of the most literal route, and not of one with a wildcard', async () => {
    const rows = await report([
      one('1', [
        { path: '/shops/new', minutesAgo: 9 },
        { path: '/shops/berlin', minutesAgo: 9 },
        { path: '/files/readme', minutesAgo: 9 },
      ]),
      one('2', [
        { route: '/shops/:city', minutesAgo: 5 },
        { route: '/shops/new', minutesAgo: 5 },
        { route: '/files/*', path: '/files/a/b', minutesAgo: 5 },
      ]),
    ]);
    expect(shown(rows)).toEqual([
      ['/files/*', 1, 'active'],
      ['/files/readme', 1, 'active'],
      ['/shops/:city', 2, 'active'],
      ['/shops/new', 2, 'active'],
    ]);
  });
});

describe('spellings that one version uses side by side are two endpoints', () => {
  const year = 'articles/<int:year>/';
  const slug = 'articles/<slug:slug>/';

  test('and stay so when one of them falls silent', async () => {
    const rows = await report([
      one('1', [...daily(year, 80, 60), ...daily(slug, 80, 60)]),
      ...Array.from({ length: 60 }, (_, i) => one('1', daily(year, 59 - i, 59 - i))),
      one('2', daily(year, 0, 0, { minutesAgo: 1 })),
    ]);
    expect(shown(rows)).toEqual([
      [year, 82, 'active'],
      [slug, 21, 'dead'],
    ]);
  });

  test('also when every call comes in a request of its own, as long as a version says so', async () => {
    const requests: Group[][] = [];
    for (let minute = 10; minute > 0; minute -= 1) {
      requests.push(one('1', [{ route: year, minutesAgo: minute }]));
      requests.push(one('1', [{ route: slug, minutesAgo: minute - 0.5 }]));
    }
    expect(shown(await report(requests))).toEqual([
      [year, 10, 'active'],
      [slug, 10, 'active'],
    ]);
  });

  test('without version and instance, when one request shows both', async () => {
    const calls = [
      { route: year, minutesAgo: 2 },
      { route: slug, minutesAgo: 1 },
    ];
    expect(shown(await report([[{ calls }]]))).toEqual([
      [year, 1, 'active'],
      [slug, 1, 'active'],
    ]);
  });

  test('without version and instance, after hours of use in turn', async () => {
    const requests: Group[][] = [];
    for (let hour = 24; hour > 0; hour -= 1) {
      requests.push([{ calls: [{ route: year, minutesAgo: hour * 60 }] }]);
      requests.push([{ calls: [{ route: slug, minutesAgo: hour * 60 - 30 }] }]);
    }
    expect(shown(await report(requests))).toEqual([
      [year, 24, 'active'],
      [slug, 24, 'active'],
    ]);
  });

  test('and the ids given out before still lead to their endpoint', async () => {
    const [before] = await report([one('1', daily(year, 5, 3)), one('2', daily(slug, 2, 1))]);
    const service = before!.service as string;
    expect(before!.total_calls).toBe(5);
    await send(service, one('2', [...daily(slug, 0, 0), ...daily(year, 0, 0)]));
    const rows = (await get(`report?window=91d&service=${service}`)).endpoints;
    expect(shown(rows as Record<string, unknown>[])).toEqual([
      [year, 4, 'active'],
      [slug, 3, 'active'],
    ]);
    const again = (await get(`endpoints/${before!.id}?window=90d`)).endpoint;
    expect((again as Record<string, unknown>).route_display).toBe(year);
  });

  test('and a rename of one of them follows that one', async () => {
    const rows = await report([
      one('1', [...daily(year, 80, 60), ...daily(slug, 80, 60)]),
      one('2', [...daily('articles/<int:y>/', 59, 0), ...daily(slug, 59, 0)]),
    ]);
    expect(shown(rows)).toEqual([
      ['articles/<int:y>/', 81, 'active'],
      [slug, 81, 'active'],
    ]);
  });
});

test('an id of a spelling leads to the endpoint that it became part of', async () => {
  const rows = await report([one('1', daily('/users/:id', 9, 5))]);
  const service = rows[0]!.service as string;
  await send(service, one('2', daily('/users/:userId', 4, 0)));
  const answer = await get(`endpoints/${rows[0]!.id}?window=90d`);
  const endpoint = answer.endpoint as Record<string, unknown>;
  expect([endpoint.route_display, endpoint.total_calls]).toEqual(['/users/:userId', 10]);
});

test('buckets have no lifecycle and count as no endpoints', async () => {
  const missing = { status: 404, path: '/wp-login.php' };
  const silent = daily('', 90, 80).map(({ minutesAgo }) => ({ ...missing, minutesAgo }));
  const rows = await report([
    one('1', silent),
    one('1', [{ minutesAgo: 85 * dayMinutes }]),
    one('1', daily('/users/:id', 90, 0)),
  ]);
  expect(shown(rows)).toEqual([
    ['(unknown)', 1, null],
    ['(unmatched)', 11, null],
    ['/users/:id', 91, 'active'],
  ]);
  const service = rows[0]!.service;
  const whole = await get(`report?window=91d&service=${service}`);
  expect(whole.summary).toMatchObject({ total_endpoints: 1, total_requests: 103, active: 1 });
  expect(whole.summary).toMatchObject({ cold: 0, dead: 0, unknown: 0 });
  const dead = await get(`report/dead?window=91d&service=${service}`);
  expect(dead.endpoints).toEqual([]);
  const filtered = await get(`report?window=91d&service=${service}&status=dead,unknown`);
  expect(filtered.endpoints).toEqual([]);
  const services = (await get('services?limit=1000')).services as Record<string, unknown>[];
  expect(services.find((row) => row.service === service)!.endpoints).toBe(1);
});
