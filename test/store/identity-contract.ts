import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallBatch, CallDictionary } from '../../core/call.ts';
import { limits } from '../../core/limits.ts';
import { Random } from '../../core/random.ts';
import { pairKey } from '../../core/store/endpoint-identity.ts';
import type { CallReader, CallWriter, EndpointRecord } from '../../core/store/store.ts';
import { allTime, dayS } from '../../core/window.ts';
import { fc } from '../support/property.ts';
import { expectUsage } from './expected.ts';
import { endMs, type PlainCall, randomCalls } from './made-calls.ts';
import type { EngineUnderTest } from './opened-store.ts';

/**
 * What every engine must do with the spellings of a route (docs/decisions/0010-endpoint-identity.md): it counts
 * each call once and in the right endpoint, whatever the batches, and whenever it learns of a pair.
 */
interface SpelledCall extends PlainCall {
  templated?: boolean;
  display?: string;
}

export function identityContract(
  engine: string,
  start: () => Promise<EngineUnderTest & { end(): Promise<void> }>,
): void {
  describe(`${engine} store: spellings of routes`, () => {
    const nowS = 1_790_000_000;
    let under: Awaited<ReturnType<typeof start>>;
    let writer: CallWriter;
    let reader: CallReader;
    let dictionary: CallDictionary;
    let serial = 0;

    const open = async (): Promise<void> => {
      under = await start();
      writer = await under.openWriter(() => nowS * 1000);
      reader = await under.openReader();
      dictionary = new CallDictionary();
    };
    const close = async (): Promise<void> => {
      await reader.close();
      await writer.close();
      await under.end();
    };
    const restart = async (): Promise<void> => {
      await reader.close();
      await writer.close();
      writer = await under.openWriter(() => nowS * 1000);
      reader = await under.openReader();
      dictionary = new CallDictionary();
    };
    beforeEach(open);
    afterEach(close);

    const numberOf = ({ service, method, route, templated = false, display }: SpelledCall) =>
      dictionary.endpoint({
        project: 'default',
        service,
        environment: '',
        method,
        route,
        templated,
        ...(display !== undefined && { display }),
      });
    const append = async (calls: SpelledCall[]): Promise<void> => {
      const batch = new CallBatch();
      for (const call of calls) {
        const i = batch.push();
        const { columns } = batch;
        columns.endpoint[i] = numberOf(call);
        columns.origin[i] = dictionary.origin({
          serviceVersion: '1',
          consumer: 'shop',
          agent: 'curl',
          bot: false,
          errorType: '',
        });
        columns.client[i] = dictionary.client(call.client);
        columns.status[i] = call.status;
        columns.durationNs[i] = call.durationNs;
        columns.endS[i] = call.endS;
        columns.endNs[i] = call.endNs;
        columns.requestBytes[i] = -1;
        columns.responseBytes[i] = -1;
      }
      serial += 1;
      const digest = new Uint8Array(16);
      new DataView(digest.buffer).setUint32(0, serial);
      batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: calls.length });
      await writer.append(batch, dictionary.takeNew());
    };
    const pair = (a: SpelledCall, b: SpelledCall) =>
      dictionary.sideBySide(numberOf(a), numberOf(b));
    const endpoints = (): Promise<EndpointRecord[]> =>
      reader.snapshot('default', (snapshot) => snapshot.endpoints({}));
    const at = (route: string, more: Partial<SpelledCall> = {}): SpelledCall => ({
      ...randomCalls(serial + 1, 1, nowS, 1)[0]!,
      service: 'shop',
      method: 'GET',
      route,
      ...more,
    });

    it('tell of an endpoint that another spelling may continue, until the two are surely two', async () => {
      const [old, next, third] = ['/users/{id}', '/users/{userId}', '/users/{name}'];
      const days = (ago: number) => ({ endS: nowS - ago * dayS, endNs: 0, status: 200 });
      const continued = async () =>
        (await endpoints()).map(({ route, continuedMs }) => [route, continuedMs]);
      await append([at(old, days(60)), at(old, days(40)), at(next, days(40)), at(next, days(1))]);
      expect(await continued()).toEqual([[next, undefined]]);
      pair(at(old), at(next));
      await append([at(next, days(0.5))]);
      // The old one is not continued by the new one only: each may be the other.
      const newest = (nowS - 0.5 * dayS) * 1000;
      const oldest = (nowS - 40 * dayS) * 1000;
      expect(await continued()).toEqual([
        [old, newest],
        [next, oldest],
      ]);
      await append([at(old, days(20))]);
      expect(await continued()).toEqual([
        [old, undefined],
        [next, undefined],
      ]);
      // It resembles both alike, and was given to the older one.
      await append([at(third, days(0.25))]);
      expect((await continued())[1]).toEqual([next, (nowS - 0.25 * dayS) * 1000]);
    });

    it('are one endpoint with all calls, the earliest first and the latest last, at every stage', async () => {
      const calls = randomCalls(5, 3_000, nowS, 3).map((call, i) => {
        const [, shape] = /^\/r(\d+)$/.exec(call.route)!;
        return { ...call, shape, route: `/r${shape}/{${['id', 'userId', 'pk'][i % 3]}}` };
      });
      const check = async (known: typeof calls): Promise<void> => {
        await reader.snapshot('default', async (snapshot) => {
          const records = await snapshot.endpoints({});
          const usage = await snapshot.usage({}, allTime);
          expect(records).toHaveLength(2 * 2 * 3);
          for (const record of records) {
            const own = known.filter(
              ({ service, method, shape }) =>
                service === record.service &&
                method === record.method &&
                record.route.startsWith(`/r${shape}/`),
            );
            const ends = own.map(endMs);
            expectUsage(usage.get(record.id), own, record.route);
            expect(record.firstCallMs).toBe(Math.min(...ends));
            expect(record.lastCallMs).toBe(Math.max(...ends));
            expect(record.lifetimeCalls).toBe(own.length);
            expect(record.lifetimeErrors).toBe(own.filter(({ status }) => status >= 400).length);
            const latest = own.reduce((a, b) => (endMs(b) > endMs(a) ? b : a));
            expect(record.route).toBe(latest.route);
            const month = { fromS: nowS - (nowS % dayS) - 30 * dayS, toS: nowS + dayS };
            const total = await snapshot.total({ endpoints: new Set([record.id]) }, month);
            expectUsage(
              total,
              own.filter(({ endS }) => endS >= month.fromS),
              record.route,
            );
          }
        });
      };
      await append(calls.slice(0, 1_000));
      await check(calls.slice(0, 1_000));
      await under.compact();
      await append(calls.slice(1_000));
      await check(calls);
      await under.compact();
      await check(calls);
      await restart();
      await check(calls);
    });

    it('that are side by side are two endpoints, as soon as that is known, also for the past', async () => {
      const year = at('/articles/{year}');
      const slug = at('/articles/{slug}');
      await append([year, slug, year]);
      await under.compact();
      expect((await endpoints()).map(({ lifetimeCalls }) => lifetimeCalls)).toEqual([3]);
      const [{ id }] = (await endpoints()) as [EndpointRecord];
      pair(slug, year);
      await append([slug]);
      const check = async () => {
        const found = (await endpoints()).map(({ route, lifetimeCalls }) => [route, lifetimeCalls]);
        expect(found.sort()).toEqual([
          ['/articles/{slug}', 2],
          ['/articles/{year}', 2],
        ]);
        const [of] = await reader.snapshot('default', (snapshot) =>
          snapshot.endpoints({ endpoints: new Set([id]) }),
        );
        expect(of!.route).toBe('/articles/{year}');
      };
      await check();
      await under.compact();
      await restart();
      await append([]);
      await check();
    });

    it('of a made-up route join the one that the service told, and show it', async () => {
      await append([at('/users/{id}', { templated: true, endS: nowS - 5 })]);
      await append([at('/users/{user_id}', { display: '/users/:user_id', endS: nowS - 9 })]);
      await append([at('/users/{id}', { templated: true, endS: nowS - 1 })]);
      expect(await endpoints()).toMatchObject([
        { route: '/users/{user_id}', display: '/users/:user_id', lifetimeCalls: 3 },
      ]);
      // Told now, by the very name of the guess.
      await append([at('/users/{id}', { display: '/users/<id>', endS: nowS })]);
      expect(await endpoints()).toMatchObject([{ display: '/users/<id>', lifetimeCalls: 4 }]);
    });

    it('made up from a path join the told route that takes it, and leave when they are told', async () => {
      const guess = (route: string, more = {}) => at(route, { templated: true, ...more });
      await append([guess('/shops/berlin'), guess('/shops/new'), guess('/shops/rome')]);
      const [berlin] = (await endpoints()).filter(({ route }) => route === '/shops/berlin');
      await append([at('/shops/{city}')]);
      await append([guess('/shops/lima')]);
      const found = async () =>
        (await endpoints()).map(({ route, lifetimeCalls }) => [route, lifetimeCalls]).sort();
      expect(await found()).toEqual([['/shops/{city}', 5]]);
      await append([at('/shops/new')]);
      const expected = [
        ['/shops/new', 2],
        ['/shops/{city}', 4],
      ];
      expect(await found()).toEqual(expected);
      await under.compact();
      await restart();
      expect(await found()).toEqual(expected);
      const byOldId = await reader.snapshot('default', (snapshot) =>
        snapshot.endpoints({ endpoints: new Set([berlin!.id]) }),
      );
      expect(byOldId).toMatchObject([{ route: '/shops/{city}', lifetimeCalls: 4 }]);
      // The adopter's own id may change: a guess of its shape came before it.
      await append([guess('/shops/{id}'), at('/shops/{town}')]);
      await append([guess('/shops/oslo')]);
      expect((await endpoints()).reduce((sum, record) => sum + record.lifetimeCalls, 0)).toBe(9);
      expect(await endpoints()).toHaveLength(2);
    });

    it('of one method, service and environment only', async () => {
      await append([
        at('/a/{x}'),
        at('/a/{y}', { method: 'PUT' }),
        at('/a/{z}', { service: 'other' }),
      ]);
      expect(await endpoints()).toHaveLength(3);
    });

    it('past the bound of a shape count with a known one, and none in {other}', async () => {
      const calls = Array.from({ length: limits.spellingsPerShape + 20 }, (_, i) =>
        at(`/users/{name${i}}`, { endS: nowS - 100 + i }),
      );
      for (const call of calls) await append([call]);
      expect(await endpoints()).toMatchObject([{ lifetimeCalls: calls.length }]);
    });

    it('lose and double no call, whatever the batches and the moment a pair is found', async () => {
      const names = ['id', 'userId', 'pk', 'slug'];
      const shapes = ['/a/{}', '/b/{}/c'];
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 1_000_000 }),
          fc.array(fc.tuple(fc.nat(1), fc.nat(3), fc.nat(3), fc.nat(5)), { maxLength: 6 }),
          async (seed, pairs) => {
            await close();
            await open();
            const random = new Random(seed);
            const routes = shapes.flatMap((shape) =>
              names.map((name) => shape.replace('{}', `{${name}}`)),
            );
            const calls = Array.from({ length: 120 }, (_, i) => ({
              ...randomCalls(seed + i, 1, nowS, 1)[0]!,
              service: 'shop',
              method: 'GET',
              route: random.pick(routes),
            }));
            const routeOf = (shape: number, name: number) => routes[shape * 4 + name]!;
            const apart = new Set<string>();
            const ids = new Set<string>();
            for (let step = 0, sent = 0; sent < calls.length; step += 1) {
              for (const [shape, a, b, when] of pairs) {
                if (when !== step || a === b) continue;
                pair(at(routeOf(shape, a)), at(routeOf(shape, b)));
                apart.add(
                  pairKey(routes.indexOf(routeOf(shape, a)), routes.indexOf(routeOf(shape, b))),
                );
              }
              const size = 1 + random.below(40);
              await append(calls.slice(sent, sent + size));
              sent += size;
              if (random.below(4) === 0) await under.compact();
              if (random.below(8) === 0) await restart();
              for (const { id } of await endpoints()) ids.add(id);
            }
            await append([]);
            await reader.snapshot('default', async (snapshot) => {
              const records = await snapshot.endpoints({});
              const usage = await snapshot.usage({}, allTime);
              // Every endpoint's calls are those of a set of spellings of one shape, no two of them a pair.
              const left = new Set(
                routes.filter((route) => calls.some((call) => call.route === route)),
              );
              for (const record of records) {
                const own = [...left].filter((route) => sameShape(route, record.route));
                const subset = subsets(own).find((some) => {
                  const count = calls.filter(({ route }) => some.includes(route)).length;
                  return (
                    some.includes(record.route) &&
                    count === usage.get(record.id)?.calls &&
                    !some.some((a) =>
                      some.some((b) => apart.has(pairKey(routes.indexOf(a), routes.indexOf(b)))),
                    )
                  );
                });
                expect(subset, `${record.route} of ${JSON.stringify(pairs)}`).toBeDefined();
                expect(record.lifetimeCalls).toBe(usage.get(record.id)!.calls);
              }
              const sum = records.reduce((total, { lifetimeCalls }) => total + lifetimeCalls, 0);
              expect(sum).toBe(calls.length);
              expect((await snapshot.total({}, allTime)).calls).toBe(calls.length);
              // Every id ever given leads to exactly one endpoint.
              for (const id of ids) {
                expect(await snapshot.endpoints({ endpoints: new Set([id]) })).toHaveLength(1);
              }
            });
          },
        ),
        { numRuns: 12 },
      );
    });
  });
}

function sameShape(a: string, b: string): boolean {
  return a.replace(/\{\w+\}/, '{}') === b.replace(/\{\w+\}/, '{}');
}

function subsets<T>(list: readonly T[]): T[][] {
  const all: T[][] = [[]];
  for (const item of list) for (const some of [...all]) all.push([...some, item]);
  return all;
}
