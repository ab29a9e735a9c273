import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CallBatch, CallDictionary } from '../../../../../core/call.ts';
import { defaultRetention } from '../../../../../core/config/retention.ts';
import { openSqliteEndpoints } from '../../../../../core/store/sqlite/endpoints.ts';
import { openSqliteKeys } from '../../../../../core/store/sqlite/keys.ts';
import { openSqliteReader } from '../../../../../core/store/sqlite/reader/reader.ts';
import {
  openSqliteWriter,
  type SqliteCallWriter,
} from '../../../../../core/store/sqlite/writer/writer.ts';
import { allTime } from '../../../../../core/window.ts';
import { temporaryFolder } from '../../../../support/process.ts';

/** The room that endpoints have, and how it comes back. The test moves the clock. */
const hourS = 3600;
const dayS = 86_400;
let folder: ReturnType<typeof temporaryFolder>;
let writer: SqliteCallWriter;
let dictionary: CallDictionary;
let clockS: number;
let serial: number;
const path = () => `${folder.path}/rollcall.db`;
const open = async () => {
  dictionary = new CallDictionary();
  const now = () => clockS * 1000;
  writer = await openSqliteWriter({ path: path(), retention: defaultRetention, now });
};
beforeEach(async () => {
  folder = temporaryFolder();
  clockS = Date.UTC(2026, 2, 18, 12) / 1000;
  serial = 0;
  await open();
});
afterEach(async () => {
  await writer.close();
  folder.remove();
});

interface Called {
  routes: Iterable<string>;
  project?: string;
  service?: string;
  templated?: boolean;
}

/** One call of each route, now. @returns how many went to `{other}` */
async function call({
  routes,
  project = 'default',
  service = 'shop',
  templated = false,
}: Called): Promise<number> {
  const batch = new CallBatch();
  for (const route of routes) {
    const i = batch.push();
    const { columns } = batch;
    const name = { project, service, environment: '', method: 'GET', route, templated };
    columns.endpoint[i] = dictionary.endpoint(name);
    const origin = { serviceVersion: '1', consumer: '', agent: '', bot: false, errorType: '' };
    columns.origin[i] = dictionary.origin(origin);
    columns.client[i] = dictionary.client('192.0.2.1');
    columns.status[i] = 200;
    columns.durationNs[i] = 1_000_000;
    columns.endS[i] = clockS;
    columns.endNs[i] = 0;
    columns.requestBytes[i] = -1;
    columns.responseBytes[i] = -1;
  }
  const digest = new Uint8Array(16);
  new DataView(digest.buffer).setUint32(0, ++serial);
  batch.deliveries.push({ project, digest, firstCall: 0, calls: batch.length });
  return (await writer.append(batch, dictionary.takeNew())).otherCalls;
}

const routes = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, n) => `/${prefix}${n}`);

/** By route: calls in the window of all time, lifetime calls. */
async function seen(project = 'default'): Promise<Record<string, [number, number]>> {
  const reader = await openSqliteReader(path());
  try {
    return await reader.snapshot(project, async (snapshot) => {
      const usage = await snapshot.usage({}, allTime);
      const records = await snapshot.endpoints({});
      return Object.fromEntries(
        records.map(({ id, route, lifetimeCalls }) => [
          route,
          [usage.get(id)?.calls ?? 0, lifetimeCalls],
        ]),
      );
    });
  } finally {
    await reader.close();
  }
}

describe('an endpoint that is forgotten', () => {
  const idOf = async (route: string): Promise<string> => {
    const reader = await openSqliteReader(path());
    const records = await reader.snapshot('default', (snapshot) => snapshot.endpoints({}));
    await reader.close();
    return records.find((record) => record.route === route)!.id;
  };

  test.each(['not rolled up', 'rolled up', 'compacted'])(
    'is in no answer and counts anew when it is called again, while its calls are %s',
    async (stage) => {
      await call({ routes: ['/a', '/a', '/b', '/c/{id}'] });
      if (stage === 'rolled up') await writer.rollUp();
      if (stage === 'compacted') await writer.compact();
      const endpoints = await openSqliteEndpoints(path());
      const id = await idOf('/a');
      // An open reader sees it at once.
      const reader = await openSqliteReader(path());
      const listed = () =>
        reader.snapshot('default', async (snapshot) => (await snapshot.endpoints({})).length);
      expect(await listed()).toBe(3);
      expect(await endpoints.forgetEndpoint('default', id)).toBe(true);
      expect(await listed()).toBe(2);
      await reader.close();
      expect(await endpoints.forgetEndpoint('default', id)).toBe(false);
      expect(await seen()).toEqual({ '/b': [1, 1], '/c/{id}': [1, 1] });
      await call({ routes: ['/a', '/b'] });
      expect(await seen()).toEqual({ '/a': [1, 1], '/b': [2, 2], '/c/{id}': [1, 1] });
      await writer.compact();
      expect(await seen()).toEqual({ '/a': [1, 1], '/b': [2, 2], '/c/{id}': [1, 1] });
      expect(await idOf('/a')).not.toBe(id);
      await writer.close();
      await open();
      await call({ routes: ['/a'] });
      expect((await seen())['/a']).toEqual([2, 2]);
      await endpoints.close();
    },
  );

  test('goes with all its spellings, and no other project can forget it', async () => {
    await call({ routes: ['/users/{id}'] });
    await call({ routes: ['/users/{user_id}'] });
    await call({ routes: ['/users/{id}'], project: 'other' });
    const endpoints = await openSqliteEndpoints(path());
    const id = await idOf(Object.keys(await seen())[0]!);
    for (const [project, wrong] of [
      ['other', id],
      ['default', `${id}0`],
      ['default', `0${id}`],
      ['default', 'x'],
      ['', id],
      ['none', id],
    ] as const) {
      expect(await endpoints.forgetEndpoint(project, wrong), `${project} ${wrong}`).toBe(false);
    }
    expect(await endpoints.forgetEndpoint('default', id)).toBe(true);
    expect(await seen()).toEqual({});
    expect(await seen('other')).toEqual({ '/users/{id}': [1, 1] });
    // Where forgotten rows stay is no project of anybody.
    const keys = await openSqliteKeys(path());
    expect((await keys.projects()).map(({ name }) => name).sort()).toEqual(['default', 'other']);
    await keys.close();
    await endpoints.close();
  });

  test('leaves no raw call that a search finds', async () => {
    await call({ routes: ['/a', '/b'] });
    const endpoints = await openSqliteEndpoints(path());
    await endpoints.forgetEndpoint('default', await idOf('/a'));
    const reader = await openSqliteReader(path());
    const page = await reader.snapshot('default', (snapshot) =>
      snapshot.calls({}, {}, { order: 'newest', limit: 10 }),
    );
    const found = page.calls.length;
    await reader.close();
    await endpoints.close();
    expect(found).toBe(1);
  });

  test('a service goes with its endpoints and the days it was heard', async () => {
    // The last service: the next one may get its row.
    await call({ routes: ['/a'], service: 'mail' });
    await call({ routes: ['/a', '/b'] });
    await writer.compact();
    const endpoints = await openSqliteEndpoints(path());
    expect(await endpoints.forgetService('other', 'shop', undefined)).toBeUndefined();
    expect(await endpoints.forgetService('default', 'shop', 'staging')).toBeUndefined();
    expect(await endpoints.forgetService('default', 'shop', '')).toBe(2);
    await endpoints.close();
    clockS += 3 * dayS;
    await call({ routes: ['/b'] });
    await writer.compact();
    const reader = await openSqliteReader(path());
    const services = await reader.snapshot('default', (snapshot) => snapshot.services());
    await reader.close();
    const today = Math.floor(clockS / dayS);
    expect(
      services.map(({ service, endpoints: own, heardDays }) => [service, own, heardDays]),
    ).toEqual([
      ['mail', 1, [today - 3]],
      ['shop', 1, [today]],
    ]);
  });
});

describe('the room for endpoints', () => {
  test('a project makes 25,000 endpoints at once and 2,000 more an hour; the rest is {other}, counted', async () => {
    for (const service of ['a', 'b']) {
      expect(await call({ routes: routes('r', 12_000), service })).toBe(0);
    }
    expect(await call({ routes: routes('r', 1_500), service: 'c' })).toBe(500);
    // Another project has its own.
    expect(await call({ routes: routes('r', 100), project: 'other' })).toBe(0);
    clockS += hourS;
    expect(await call({ routes: routes('r', 1_500), service: 'c' })).toBe(0);
    expect(await call({ routes: routes('s', 1_600), service: 'c' })).toBe(100);
    // 30,000 is the bound of the project: 27,000 are there, and {other} of service c.
    clockS += 10 * hourS;
    expect(await call({ routes: routes('t', 4_000), service: 'd' })).toBe(4_000 - 2_999);
    // 40,000 is the bound of the store.
    expect(await call({ routes: routes('r', 12_000), project: 'third' })).toBeGreaterThan(2_000);
  });

  test('made-up routes that nobody called for a week give their room back, the rarest first', async () => {
    const templated = true;
    await call({ routes: ['/old'] });
    await call({ routes: routes('kept', 100), templated });
    await call({ routes: routes('scan', 1_900), templated });
    expect(await call({ routes: ['/late'], templated })).toBe(1);
    for (let n = 0; n < 3; n++) await call({ routes: routes('kept', 100), templated });
    await writer.compact();
    clockS += 8 * dayS;
    await writer.close();
    await open();
    await call({ routes: ['/told'] });
    clockS += 700;
    expect(await call({ routes: ['/late', '/later'], templated })).toBe(0);
    const after = await seen();
    expect(after['/late']).toEqual([1, 1]);
    expect(after['/told']).toEqual([1, 1]);
    expect(after['/old']).toEqual([1, 1]);
    const names = Object.keys(after);
    expect(names.filter((route) => route.startsWith('/kept'))).toHaveLength(100);
    expect(names.filter((route) => route.startsWith('/scan'))).toHaveLength(1_700);
  });

  test('a route that was called within the week, or is told, is not given up', async () => {
    await call({ routes: routes('scan', 2_000), templated: true });
    await writer.compact();
    clockS += 6 * dayS;
    await call({ routes: routes('told', 10) });
    clockS += 700;
    expect(await call({ routes: ['/late'], templated: true })).toBe(1);
    expect(Object.keys(await seen()).length).toBe(2_011);
  });
});
