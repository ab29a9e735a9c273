import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CallBatch, CallDictionary, type EndpointName } from '../../../../../core/call.ts';
import { defaultRetention } from '../../../../../core/config/retention.ts';
import { limits } from '../../../../../core/limits.ts';
import { openSqliteReader } from '../../../../../core/store/sqlite/reader/reader.ts';
import { openSqliteWriter } from '../../../../../core/store/sqlite/writer/writer.ts';
import type { EndpointRecord } from '../../../../../core/store/store.ts';
import { temporaryFolder } from '../../../../support/process.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());
let files = 0;

/** A store of its own, whose writer may be closed and opened again as a collector is. */
async function openStore() {
  files += 1;
  const path = join(folder.path, `endpoint-words-${files}.db`);
  const openWriter = () => openSqliteWriter({ path, retention: defaultRetention });
  let writer = await openWriter();
  let dictionary = new CallDictionary();
  const reader = await openSqliteReader(path);
  let deliveries = 0;
  return {
    /** One call of each name; answers how many went to `{other}`. */
    async call(names: readonly Partial<EndpointName>[]): Promise<number> {
      const batch = new CallBatch();
      for (const name of names) {
        const at = batch.push();
        batch.columns.endpoint[at] = dictionary.endpoint({ ...usual, ...name });
        batch.columns.origin[at] = dictionary.origin(origin);
        batch.columns.endS[at] = 1_790_000_000;
      }
      const digest = Buffer.alloc(16);
      deliveries += 1;
      digest.writeUInt32LE(deliveries);
      batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: names.length });
      return (await writer.append(batch, dictionary.takeNew())).otherCalls;
    },
    async restart(): Promise<void> {
      await writer.close();
      writer = await openWriter();
      dictionary = new CallDictionary();
    },
    endpoints: (project = 'default'): Promise<EndpointRecord[]> =>
      reader.snapshot(project, (snapshot) => snapshot.endpoints({})),
    async close(): Promise<void> {
      await reader.close();
      await writer.close();
    },
  };
}

const usual: EndpointName = {
  project: 'default',
  service: 'shop',
  environment: 'test',
  method: 'GET',
  route: '/users/{id}',
  templated: false,
};
const origin = { serviceVersion: '', consumer: '', agent: '', bot: false, errorType: '' };

describe('made-up routes past the bound of a service', () => {
  const made = (n: number, change: Partial<EndpointName> = {}): Partial<EndpointName> => ({
    route: `/made-up/${n}`,
    templated: true,
    ...change,
  });
  const bound = limits.templatedRoutesPerService;

  it('are {other} of their method, whatever the method, also after a restart', async () => {
    const store = await openStore();
    const first = Array.from({ length: bound }, (_, n) =>
      made(n, { method: n % 2 === 0 ? 'GET' : 'POST' }),
    );
    expect(await store.call(first)).toBe(0);
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'QUERY'];
    const beyond = methods.map((method, n) => made(bound + n, { method }));
    expect(await store.call(beyond)).toBe(methods.length);
    expect(await store.call([...beyond, ...first.slice(0, 3)])).toBe(methods.length);
    await store.restart();
    expect(await store.call([...beyond, ...first.slice(0, 3)])).toBe(methods.length);
    expect(await store.call([made(0, { method: 'DELETE' })])).toBe(1);
    const records = await store.endpoints();
    expect(records).toHaveLength(bound + methods.length + 1);
    const others = records.filter(({ route }) => route === '{other}');
    expect(others.map(({ method, lifetimeCalls }) => `${method} ${lifetimeCalls}`).sort()).toEqual(
      [...methods.map((method) => `${method} 3`), 'DELETE 1'].sort(),
    );
    expect(others.every(({ display }) => display === '{other}')).toBe(true);
    await store.close();
  });

  it('leave room for what the service tells, for its other environments, and other projects', async () => {
    const store = await openStore();
    await store.call(Array.from({ length: bound + 1 }, (_, n) => made(n)));
    const free = [
      made(bound + 2, { templated: false }),
      made(bound + 2, { environment: 'production' }),
      made(bound + 2, { service: 'cart' }),
      made(bound + 2, { project: 'tenant' }),
    ];
    expect(await store.call(free)).toBe(0);
    expect(await store.endpoints()).toHaveLength(bound + 1 + 3);
    expect(await store.endpoints('tenant')).toHaveLength(1);
    await store.close();
  });
});

describe('services past the bound of a project', () => {
  it('1,000 are counted by themselves, further ones as {other}, also after a restart', async () => {
    const store = await openStore();
    const services = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) => ({ service: `s${from + n}` }));
    await store.call(services(0, 1_000));
    await store.call(services(1_000, 1_003));
    await store.restart();
    await store.call([...services(999, 1_001), { service: 's5000', project: 'tenant' }]);
    const records = await store.endpoints();
    const calls = new Map(records.map(({ service, lifetimeCalls }) => [service, lifetimeCalls]));
    expect(calls.size).toBe(1_001);
    expect([calls.get('{other}'), calls.get('s999'), calls.get('s1000')]).toEqual([
      4,
      2,
      undefined,
    ]);
    expect((await store.endpoints('tenant')).map(({ service }) => service)).toEqual(['s5000']);
    await store.close();
  });
});

describe('made-up routes that only refused calls speak for', () => {
  const refused = (n: number): Partial<EndpointName> => ({
    route: `/scanned/${n}`,
    templated: true,
    refused: true,
  });
  const bound = limits.refusedRoutesPerService;

  it('have a small room of their own, also after a restart, which an answer leaves', async () => {
    const store = await openStore();
    const scan = Array.from({ length: bound + 50 }, (_, n) => refused(n));
    expect(await store.call(scan)).toBe(50);
    await store.restart();
    expect(await store.call([refused(0), refused(bound), refused(bound + 50)])).toBe(2);
    // Others are not in its way, and one that answers makes room for one more.
    expect(await store.call([{ route: '/made-up', templated: true }])).toBe(0);
    expect(await store.call([{ route: '/scanned/0', templated: true }])).toBe(0);
    expect(await store.call([refused(bound + 60), refused(bound + 61)])).toBe(1);
    const records = await store.endpoints();
    expect(records).toHaveLength(bound + 3);
    expect(records.find(({ route }) => route === '/scanned/0')!.lifetimeCalls).toBe(3);
    await store.close();
  });
});

describe('the display form of an endpoint', () => {
  it('is the spelling seen last, and the route where the service spells it so', async () => {
    const store = await openStore();
    const shown = async () => (await store.endpoints()).map(({ display }) => display);
    await store.call([{ display: '/users/:id' }]);
    expect(await shown()).toEqual(['/users/:id']);
    await store.call([{ display: '/users/<int:id>' }]);
    expect(await shown()).toEqual(['/users/<int:id>']);
    await store.restart();
    await store.call([{ templated: true }]);
    expect(await shown()).toEqual(['/users/<int:id>']);
    await store.call([{ templated: true, display: 'app_user_show' }]);
    expect(await shown()).toEqual(['app_user_show']);
    await store.restart();
    await store.call([{}, { method: 'PUT' }]);
    expect(await shown()).toEqual(['/users/{id}', '/users/{id}']);
    await store.close();
  });
});
