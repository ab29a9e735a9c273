import { describe, expect, it } from 'vitest';
import { defaultRetention } from '../../core/config/retention.ts';
import { limits } from '../../core/limits.ts';
import { outcomeCounts, outcomeOf, outcomes } from '../../core/outcome.ts';
import type {
  CallReader,
  ClientUsage,
  ConsumerUsage,
  CountedCalls,
  Selection,
  Snapshot,
} from '../../core/store/store.ts';
import { roundedWeight } from '../../core/weight.ts';
import { allTime, type Window } from '../../core/window.ts';
import { type ContextCall, inContexts } from './contexts.ts';
import { expectUsage, sumOf } from './expected.ts';
import { copies, randomCalls, randomWindows, weighted, weightOf } from './made-calls.ts';
import { type EngineUnderTest, inNewStore, type StartEngine } from './opened-store.ts';

/** What every engine answers of calls by consumer and by service version, with the same numbers. */
export function detailsContract(engine: string, start: StartEngine): void {
  describe(`${engine} store: consumers and versions`, () => {
    const nowS = 1_790_000_000;
    let under: EngineUnderTest;
    let reader: CallReader;
    const { open, close, append } = inNewStore(start, nowS, (opened) => {
      ({ under, reader } = opened);
    });

    /** Compares calls of a version by endpoint, in the window and in two parts of it, with the plain calls. */
    const expectOfVersion = async (
      snapshot: Snapshot,
      selection: Selection,
      version: string,
      window: Window,
      edgesS: readonly number[],
      calls: readonly ContextCall[],
    ): Promise<void> => {
      const byName = Map.groupBy(calls, (call) => `${call.service} ${call.method} ${call.route}`);
      const usages = await snapshot.versionUsage(selection, version, window);
      expect(usages.size).toBe(byName.size);
      const parts = await snapshot.versionDistributions(selection, version, edgesS);
      for (const { id, service, method, route } of await snapshot.endpoints(selection)) {
        const own = byName.get(`${service} ${method} ${route}`) ?? [];
        const usage = usages.get(id);
        const counted = usage && { ...usage, uniqueClients: 0, uniqueClientsEstimated: true };
        expectUsage(counted, own, `version ${version} of ${route}`);
        parts.forEach((part, i) => {
          const within = own.filter(({ endS }) => endS >= edgesS[i]! && endS < edgesS[i + 1]!);
          const found = part.get(id) ?? { calls: 0, errors: 0, durations: [] };
          const errors = sumOf(within.filter(({ status }) => status >= 400));
          expect([found.calls, found.errors]).toEqual([sumOf(within), errors]);
          const timed = within.filter(({ durationNs }) => durationNs >= 0);
          const copied = timed.reduce((sum, call) => sum + copies(call), 0);
          expect(found.durations.reduce((sum, bucket) => sum + bucket.calls, 0)).toBe(copied);
        });
      }
    };

    /** Compares the series of two versions and two consumers, and of all others, with the plain calls. */
    const expectSeries = async (
      snapshot: Snapshot,
      selection: Selection,
      edgesS: readonly number[],
      calls: readonly ContextCall[],
    ): Promise<void> => {
      const within = (own: readonly ContextCall[], i: number) =>
        own.filter(({ endS }) => endS >= edgesS[i]! && endS < edgesS[i + 1]!);
      const versions = [...new Set(calls.map(({ context }) => context.serviceVersion))].slice(0, 2);
      const byVersion = await snapshot.versionSeries(selection, versions, edgesS);
      const isOther = ({ context }: ContextCall) => !versions.includes(context.serviceVersion);
      [...versions, undefined].forEach((version, group) => {
        const own = calls.filter((call) =>
          version === undefined ? isOther(call) : call.context.serviceVersion === version,
        );
        byVersion[group]!.forEach((usage, i) => {
          const counted = { ...usage, uniqueClients: 0, uniqueClientsEstimated: true };
          const part = within(own, i).map((call) => ({ ...call, client: '' }));
          expectUsage(counted, part, `series of version ${version}`);
        });
      });
      const consumers = consumersOf(calls).slice(0, 2);
      const byConsumer = await snapshot.consumerSeries(selection, consumers, edgesS);
      const names = consumers.map(({ namedBy, consumer }) => `${namedBy} ${consumer}`);
      [...names, undefined].forEach((name, group) => {
        const own = calls.filter((call) =>
          name === undefined ? !names.includes(consumerKey(call)) : consumerKey(call) === name,
        );
        byConsumer[group]!.forEach((found, i) => {
          expect(found, `series of consumer ${name}`).toEqual(countsOf(within(own, i)));
        });
      });
    };

    /** Compares the consumers of each endpoint by interval with the plain calls. */
    const expectByEndpoint = async (
      snapshot: Snapshot,
      selection: Selection,
      edgesS: readonly number[],
      calls: readonly ContextCall[],
    ): Promise<void> => {
      const endpoints = await snapshot.endpoints(selection);
      const found = await snapshot.endpointConsumers(selection, edgesS, 100);
      expect([...found.keys()].sort()).toEqual(endpoints.map(({ id }) => id).sort());
      for (const { id, service, method, route } of endpoints) {
        edgesS.slice(1).forEach((toS, i) => {
          const own = calls.filter(
            (call) =>
              `${call.service} ${call.method} ${call.route}` === `${service} ${method} ${route}` &&
              call.endS >= edgesS[i]! &&
              call.endS < toS,
          );
          const most = found.get(id)![i]!;
          expect(most.toSorted(byName), `consumers of ${route}`).toEqual(
            consumersOf(own).sort(byName),
          );
        });
      }
    };

    /** Compares the calls of one caller, by endpoint and by interval, with the plain calls. */
    const expectCaller = async (
      snapshot: Snapshot,
      selection: Selection,
      edgesS: readonly number[],
      { client, consumer }: { client?: string; consumer?: ConsumerUsage },
      calls: readonly ContextCall[],
    ): Promise<void> => {
      const window = { fromS: edgesS[0]!, toS: edgesS.at(-1)! };
      const { byEndpoint, otherCalls } = consumer
        ? await snapshot.consumerUsage(selection, consumer, window)
        : await snapshot.clientUsage(selection, client!, window);
      expect(otherCalls).toBe(0);
      const own = calls.filter((call) => weightOf(call) > 0);
      const named = Map.groupBy(own, (call) => `${call.service} ${call.method} ${call.route}`);
      const endpoints = await snapshot.endpoints(selection);
      const found = endpoints.flatMap(({ id, service, method, route }) => {
        const counts = byEndpoint.get(id);
        return counts ? [[`${service} ${method} ${route}`, counts] as const] : [];
      });
      expect(new Map(found)).toEqual(
        new Map([...named].map(([name, part]) => [name, countsOf(part)])),
      );
      if (client === undefined) return;
      const series = await snapshot.clientSeries(selection, client, edgesS);
      expect(series).toHaveLength(edgesS.length - 1);
      series.forEach((counts, i) => {
        const part = own.filter(({ endS }) => endS >= edgesS[i]! && endS < edgesS[i + 1]!);
        expect(counts, `series of ${client}`).toEqual(countsOf(part));
      });
    };

    /** Compares clients with the plain calls, all of them and those of each version. */
    const expectClients = async (
      snapshot: Snapshot,
      selection: Selection,
      asked: Window,
      calls: readonly ContextCall[],
    ): Promise<void> => {
      const versions = new Set(calls.map(({ context }) => context.serviceVersion));
      for (const version of [undefined, ...versions, 'not a version']) {
        const own = calls.filter(
          ({ context }) => version === undefined || context.serviceVersion === version,
        );
        const found = await snapshot.clients(selection, asked, 1_000, version);
        expect(new Map(found.map(({ estimated: _, ...row }) => [row.client, row]))).toEqual(
          clientsOf(own),
        );
        const endpoints = await snapshot.clientEndpoints(selection, asked, version);
        const counted = own.filter((call) => call.client !== '' && weightOf(call) > 0);
        const byClient = Map.groupBy(counted, ({ client }) => client);
        expect(endpoints).toEqual(
          new Map([...byClient].map(([client, rows]) => [client, endpointsOf(rows)])),
        );
        if (version === undefined) continue;
        const consumers = await snapshot.consumers(selection, asked, 100, version);
        expect(consumers.toSorted(byName)).toEqual(consumersOf(own).sort(byName));
      }
    };

    /** Compares the answers of all endpoints together and of one alone with the plain calls. */
    const expectExact = async (calls: readonly ContextCall[], asked: Window): Promise<void> => {
      await reader.snapshot('default', async (snapshot) => {
        const { window } = await snapshot.coverage(asked);
        const within = calls.filter(({ endS }) => endS >= window.fromS && endS < window.toS);
        const [endpoint] = await snapshot.endpoints({ service: 'shop' });
        const own = within.filter(({ service, method, route }) => {
          const name = [endpoint!.service, endpoint!.method, endpoint!.route];
          return name.join(' ') === `${service} ${method} ${route}`;
        });
        const parts: [Selection, ContextCall[]][] = [
          [{}, within],
          [{ endpoints: new Set([endpoint!.id]) }, own],
        ];
        for (const [selection, part] of parts) {
          const found = await snapshot.consumers(selection, asked, 100);
          expect(found.toSorted(byName)).toEqual(consumersOf(part).sort(byName));
          await expectClients(snapshot, selection, asked, part);
          const most = found.map(({ people, bots }) => people.calls + bots.calls);
          expect(most).toEqual(most.toSorted((a, b) => b - a));
          const middleS = (window.fromS + window.toS) / 2;
          const { window: half } = await snapshot.coverage({ fromS: window.fromS, toS: middleS });
          const edgesS = [...new Set([window.fromS, Math.min(half.toS, window.toS), window.toS])];
          await expectSeries(snapshot, selection, edgesS, part);
          await expectByEndpoint(snapshot, selection, edgesS, part);
          const addresses = [...new Set(part.map(({ client }) => client))].filter(Boolean);
          for (const client of [...addresses.slice(0, 3), '192.0.2.255']) {
            const ofClient = part.filter((call) => call.client === client);
            await expectCaller(snapshot, selection, edgesS, { client }, ofClient);
          }
          for (const consumer of found.slice(0, 3)) {
            const key = `${consumer.namedBy} ${consumer.consumer}`;
            const ofConsumer = part.filter((call) => consumerKey(call) === key);
            await expectCaller(snapshot, selection, edgesS, { consumer }, ofConsumer);
          }
          const versions = await snapshot.versions(selection, asked);
          const truth = Map.groupBy(part, ({ context }) => context.serviceVersion);
          expect(versions.map(({ version }) => version).sort()).toEqual([...truth.keys()].sort());
          for (const { version, usage } of versions) {
            const counted = { ...usage, uniqueClients: 0, uniqueClientsEstimated: true };
            const all = truth.get(version)!.map((call) => ({ ...call, client: '' }));
            expectUsage(counted, all, `version ${version}`);
            await expectOfVersion(snapshot, selection, version, window, edgesS, all);
          }
        }
      });
    };

    it('are exact at every stage, in any window, and when raw calls are purged', async () => {
      const calls = inContexts(1, randomCalls(201, 4_000, nowS, 8));
      const windows = randomWindows(202, nowS, 8);
      await append(calls.slice(0, 1_000));
      await append(calls.slice(1_000, 2_000));
      for (const window of windows) await expectExact(calls.slice(0, 2_000), window);
      await under.compact();
      await append(calls.slice(2_000));
      for (const window of windows) await expectExact(calls, window);
      await close();
      await open();
      await under.compact();
      for (const window of windows) await expectExact(calls, window);
      await under.purge(nowS + defaultRetention.callsS + 1);
      await expectExact(calls, allTime);
    });

    it('are exact when one version and one consumer give way to others', async () => {
      const parts = ['1.0', '1.0', '1.1', '1.1', '1.0'].map((serviceVersion, i) =>
        inContexts(i, randomCalls(210 + i, 300, nowS, 2)).map((call) => ({
          ...call,
          context: { ...call.context, serviceVersion, consumer: i < 3 ? 'app' : 'partner' },
        })),
      );
      for (const [i, part] of parts.entries()) {
        await append(part);
        await under.compact();
        for (const window of randomWindows(i, nowS, 3)) {
          await expectExact(parts.slice(0, i + 1).flat(), window);
        }
      }
    });

    it('count calls with weights as what they stand for', async () => {
      const weights = [1, 1, 0, 2, roundedWeight(1 / 0.3), 2 ** 20];
      const calls = inContexts(3, weighted(203, randomCalls(203, 3_000, nowS, 4), weights));
      const windows = randomWindows(204, nowS, 6);
      await append(calls.slice(0, 1_500));
      for (const window of windows) await expectExact(calls.slice(0, 1_500), window);
      await under.compact();
      await append(calls.slice(1_500));
      for (const window of windows) await expectExact(calls, window);
      await under.compact();
      for (const window of windows) await expectExact(calls, window);
    });

    it('of two spellings of a route are those of one endpoint', async () => {
      const calls = inContexts(9, randomCalls(212, 400, nowS, 1)).map((call, i) => ({
        ...call,
        service: 'shop',
        method: 'GET',
        route: i % 3 === 0 ? '/users/{user_id}' : '/users/{id}',
      }));
      const asOne = calls.map((call) => ({ ...call, route: '/users/{id}' }));
      const check = async (): Promise<void> =>
        reader.snapshot('default', async (snapshot) => {
          const found = await snapshot.consumers({}, allTime, 100);
          expect(found.toSorted(byName)).toEqual(consumersOf(asOne).sort(byName));
          const versions = await snapshot.versions({}, allTime);
          for (const { version, usage } of versions) {
            const own = asOne.filter(({ context }) => context.serviceVersion === version);
            expect(usage.calls).toBe(own.length);
          }
        });
      await append(calls.slice(0, 200));
      await under.compact();
      await append(calls.slice(200));
      await check();
      await under.compact();
      await check();
    });

    it('take late calls of any age', async () => {
      const calls = inContexts(4, randomCalls(205, 1_000, nowS, 3, 700 * 86_400));
      for (let at = 0; at < calls.length; at += 200) {
        await append(calls.slice(at, at + 200));
        await under.compact();
      }
      await expectExact(calls, allTime);
      for (const window of randomWindows(206, nowS, 6)) await expectExact(calls, window);
    });

    it('are cut to the limit: the rest is {other}', async () => {
      const calls = inContexts(5, randomCalls(207, 500, nowS, 3));
      await append(calls);
      await reader.snapshot('default', async (snapshot) => {
        const all = await snapshot.consumers({}, allTime, 100);
        const some = await snapshot.consumers({}, allTime, 2);
        expect(some.slice(0, 2)).toEqual(all.slice(0, 2));
        const rest = all.slice(2);
        expect(some.slice(2)).toEqual([
          {
            consumer: '{other}',
            namedBy: 'other',
            people: added(rest.map(({ people }) => people)),
            bots: added(rest.map(({ bots }) => bots)),
            firstCallMs: Math.min(...rest.map(({ firstCallMs }) => firstCallMs)),
            lastCallMs: Math.max(...rest.map(({ lastCallMs }) => lastCallMs)),
          },
        ]);
      });
    });

    it('past the bound of an endpoint keep those with most calls, and lose no call', async () => {
      const [call] = inContexts(6, randomCalls(208, 1, nowS, 1));
      const many = limits.consumersPerEndpoint + 200;
      const calls = Array.from({ length: many * 2 }, (_, i) => {
        const bot = i % 5 === 0;
        // The first ten call most.
        const consumer = i < many ? `user-${i}` : `user-${i % 10}`;
        return { ...call!, status: 200, context: { ...call!.context, consumer, bot } };
      });
      await append(calls);
      await under.compact();
      await reader.snapshot('default', async (snapshot) => {
        const found = await snapshot.consumers({}, allTime, many);
        expect(found).toHaveLength(limits.consumersPerEndpoint / 2 + 1);
        const of = (kind: 'people' | 'bots') => added(found.map((row) => row[kind])).calls;
        expect(of('bots')).toBe(calls.filter(({ context }) => context.bot).length);
        expect(of('people')).toBe(calls.filter(({ context }) => !context.bot).length);
        const ten = found.slice(0, 10).map(({ consumer }) => consumer);
        expect(new Set(ten)).toEqual(new Set(Array.from({ length: 10 }, (_, i) => `user-${i}`)));
        expect(found.at(-1)!.consumer).toBe('{other}');
        const [{ people, bots }, other] = [found[0]!, found.at(-1)!];
        const usage = await snapshot.consumerUsage({}, found[0]!, allTime);
        expect([...usage.byEndpoint.values()]).toEqual([added([people, bots])]);
        expect(usage.otherCalls).toBe(other.people.calls + other.bots.calls);
      });
    });

    it('of versions past the bound the newest stay, and no call is lost', async () => {
      const [call] = inContexts(7, randomCalls(209, 1, nowS, 1));
      const many = limits.versionsPerEndpoint + 5;
      const calls = Array.from({ length: many * 3 }, (_, i) => ({
        ...call!,
        durationNs: 1_000_000 * (1 + i),
        endS: nowS - 1_000,
        context: { ...call!.context, serviceVersion: `1.${Math.floor(i / 3)}` },
      }));
      for (const part of [calls.slice(0, 30), calls.slice(30)]) {
        await append(part);
        await under.compact();
      }
      await reader.snapshot('default', async (snapshot) => {
        const found = await snapshot.versions({}, allTime);
        expect(found).toHaveLength(limits.versionsPerEndpoint + 1);
        expect(found.reduce((sum, { usage }) => sum + usage.calls, 0)).toBe(calls.length);
        const { version, usage } = found.at(-1)!;
        expect([version, usage.calls, usage.maxNs]).toEqual(['{other}', 15, 15_000_000]);
        expect(found.some((row) => row.version === '1.24')).toBe(true);
      });
    });

    it('of another project are not seen', async () => {
      await append(inContexts(8, randomCalls(211, 50, nowS, 2)));
      await reader.snapshot('other', async (snapshot) => {
        expect(await snapshot.consumers({}, allTime, 10)).toEqual([]);
        expect(await snapshot.versions({}, allTime)).toEqual([]);
        expect(await snapshot.versionUsage({}, '1.0', allTime)).toEqual(new Map());
        const nothing = (
          await snapshot.consumerSeries({}, [], [nowS - (nowS % 60) - 60, nowS - (nowS % 60)])
        )[0]!;
        expect(nothing).toMatchObject([{ calls: 0, errors: 0 }]);
        const edgesS = [nowS - (nowS % 60) - 600, nowS - (nowS % 60)];
        const [interval] = await snapshot.versionDistributions({}, '1.0', edgesS);
        expect(interval).toEqual(new Map());
      });
    });
  });
}

function byName(a: ConsumerUsage, b: ConsumerUsage): number {
  return `${a.consumer} ${a.namedBy}`.localeCompare(`${b.consumer} ${b.namedBy}`);
}

function consumerKey({ context: { consumer, agent } }: ContextCall): string {
  return consumer === '' || consumer === agent ? `agent ${agent}` : `span ${consumer}`;
}

function consumersOf(calls: readonly ContextCall[]): ConsumerUsage[] {
  const groups = Map.groupBy(calls, consumerKey);
  return [...groups].map(([key, own]) => {
    const ends = own.map(({ endS }) => endS * 1000);
    return {
      consumer: key.slice(key.indexOf(' ') + 1),
      namedBy: key.startsWith('agent') ? 'agent' : 'span',
      people: countsOf(own.filter(({ context }) => !context.bot)),
      bots: countsOf(own.filter(({ context }) => context.bot)),
      endpoints: endpointsOf(own),
      firstCallMs: Math.min(...ends),
      lastCallMs: Math.max(...ends),
    };
  });
}

function endpointsOf(calls: readonly ContextCall[]): number {
  return new Set(calls.map((call) => `${call.service} ${call.method} ${call.route}`)).size;
}

/** Calls without a client, and of weight 0, are in no row. */
function clientsOf(calls: readonly ContextCall[]): Map<string, ClientUsage> {
  const counted = calls.filter((call) => call.client !== '' && weightOf(call) > 0);
  return new Map(
    [...Map.groupBy(counted, ({ client }) => client)].map(([client, own]) => {
      const minutes = own.map(({ endS }) => (endS - (endS % 60)) * 1000);
      const [firstMinuteMs, lastMinuteMs] = [Math.min(...minutes), Math.max(...minutes)];
      return [client, { client, ...countsOf(own), firstMinuteMs, lastMinuteMs }];
    }),
  );
}

function countsOf(calls: ContextCall[]): CountedCalls {
  return {
    calls: sumOf(calls),
    errors: sumOf(calls.filter(({ status }) => status >= 400)),
    outcomes: outcomeCounts(
      outcomes.map((of) => sumOf(calls.filter(({ status }) => outcomeOf(status) === of))),
    ),
  };
}

function added(counts: readonly CountedCalls[]): CountedCalls {
  const sum = (of: (own: CountedCalls) => number) => counts.reduce((all, own) => all + of(own), 0);
  return {
    calls: sum(({ calls }) => calls),
    errors: sum(({ errors }) => errors),
    outcomes: outcomeCounts(outcomes.map((of) => sum((own) => own.outcomes[of]))),
  };
}
