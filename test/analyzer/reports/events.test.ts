import { describe, expect, test } from 'vitest';
import { deploymentsOf, isStale } from '../../../analyzer/reports/series/deployments.ts';
import { call, dayMs, hourMs, nowMs, openDoor } from '../support/door.ts';
import { engines } from '../support/engines.ts';

const at = (daysAgo: number, told: Parameters<typeof call>[0]) =>
  call({ endMs: nowMs - daysAgo * dayMs, ...told });

const calls = [
  at(20, { route: '/a', version: '1.0.0' }),
  at(19, { route: '/b', version: '1.0.0' }),
  at(5, { route: '/a', version: '1.1.0' }),
  // The old version answers on: within a day of the deployment, and long after it.
  at(4.5, { route: '/b', version: '1.0.0' }),
  at(1, { route: '/c', version: '1.0.0' }),
  at(20, { route: '/', service: 'mail', version: '' }),
  at(2, { route: '/', service: 'mail', version: '7' }),
];
const time = (daysAgo: number) => new Date(nowMs - daysAgo * dayMs).toISOString();

describe.each(engines)('on $name', ({ open }) => {
  test('the first call of each version is a deployment, on the series of its window too', async () => {
    const { reader, remove } = await open(calls, nowMs);
    const door = await openDoor(reader, nowMs);
    const deployment = (
      daysAgo: number,
      service: string,
      version: string,
      before: string | null,
    ) => ({
      at: time(daysAgo),
      kind: 'deployment',
      service,
      environment: 'production',
      version,
      previous_version: before,
      title: null,
      link: null,
      id: null,
    });
    const all = [
      deployment(2, 'mail', '7', null),
      deployment(5, 'shop', '1.1.0', '1.0.0'),
      deployment(20, 'shop', '1.0.0', null),
    ];
    const { events } = await door.get('/events?window=30d');
    expect(events).toEqual(all);
    expect((await door.get('/events?window=30d&service=mail')).events).toEqual([all[0]]);
    expect((await door.get('/events?window=3d')).events).toEqual([all[0]]);
    const series = await door.get('/timeseries?window=7d&route=/b');
    expect(series.events).toEqual([all[1], all[0]]);
    await door.close();
    await remove();
  });

  test('an endpoint that an older version answers a day after the newest appeared is marked', async () => {
    const { reader, remove } = await open(calls, nowMs);
    const door = await openDoor(reader, nowMs);
    const marked = async (query: string) =>
      (await door.get(`/report?${query}`)).endpoints
        .filter(({ marks }: { marks: string[] }) => marks.includes('stale_version'))
        .map(({ route }: { route: string }) => route);
    expect(await marked('')).toEqual(['/c']);
    const { endpoints } = await door.get('/report?route=/c');
    const { endpoint } = await door.get(`/endpoints/${endpoints[0].id}`);
    expect(endpoint.marks).toContain('stale_version');
    await door.close();
    await remove();
  });
});

test('a version within a day of the newest is not stale', async () => {
  const { isStale } = await import('../../../analyzer/reports/series/deployments.ts');
  const deployments = [{ service: 'shop', environment: '', version: '2', atMs: 0 }];
  const answered = (lastVersion: string, hours: number) =>
    isStale({ lastVersion, lastCallMs: hours * hourMs }, deployments);
  expect([answered('1', 24), answered('1', 25), answered('2', 25), answered('', 25)]).toEqual([
    false,
    true,
    false,
    false,
  ]);
});

const observed = (...versions: [string, number][]) =>
  ({
    service: 'shop',
    environment: '',
    versions: versions.map(([version, firstCallMs]) => ({ version, firstCallMs })),
  }) as never;

test('a deployment is the first call of a version at any endpoint; the versions past a bound are none', () => {
  const [deployments] = deploymentsOf([
    observed(['1.0', 5_000], ['{other}', 6_000], ['', 1_000]),
    observed(['1.0', 2_000], ['1.1', 9_000]),
  ]).values();
  expect(deployments!.map(({ version, previous, atMs }) => [version, previous, atMs])).toEqual([
    ['1.0', undefined, 2_000],
    ['1.1', '1.0', 9_000],
  ]);
});

test('an endpoint is stale when an older version answers it more than a day after a newer one came', () => {
  const deployments = [{ service: 'shop', environment: '', version: '1.1', atMs: 1_000 }];
  const lastCallMs = 1_000 + 86_400_000;
  expect(isStale({ lastVersion: '1.0', lastCallMs }, deployments)).toBe(false);
  expect(isStale({ lastVersion: '1.0', lastCallMs: lastCallMs + 1 }, deployments)).toBe(true);
  expect(isStale({ lastVersion: '1.1', lastCallMs: lastCallMs + 1 }, deployments)).toBe(false);
});
