import { describe, expect, it } from 'vitest';
import { CallBatch, type CallContext, CallDictionary } from '../../core/call.ts';
import { defaultRetention } from '../../core/config/retention.ts';
import { daysOf } from '../../core/day-set.ts';
import { limits } from '../../core/limits.ts';
import { outcomeCounts, outcomeOf, outcomes } from '../../core/outcome.ts';
import type {
  CallReader,
  CallWriter,
  ClientUsage,
  Coverage,
  EndpointRecord,
  Selection,
  Snapshot,
} from '../../core/store/store.ts';
import { roundedWeight } from '../../core/weight.ts';
import { allTime, dayS, hourS, type Window } from '../../core/window.ts';
import { expectUsage, lastCallers, sumOf, truthOf } from './expected.ts';
import {
  copies,
  endMs,
  type PlainCall,
  randomCalls,
  randomWindows,
  weighted,
  weightOf,
} from './made-calls.ts';
import { type EngineUnderTest, inNewStore, type StartEngine } from './opened-store.ts';

const origin: CallContext = {
  serviceVersion: '1.2.0',
  consumer: 'shop',
  agent: 'curl',
  bot: false,
  errorType: '',
};

/** Refused and missing calls are no use of an endpoint. */
const noUseStatuses = [401, 403, 404, 405, 410, 429];

export function storeContract(engine: string, start: StartEngine): void {
  describe(`${engine} store`, () => {
    const nowS = 1_790_000_000;
    let under: EngineUnderTest;
    let writer: CallWriter;
    let reader: CallReader;
    let dictionary: CallDictionary;
    let serial = 0;
    const { open, close } = inNewStore(start, nowS, (opened) => {
      ({ under, writer, reader, dictionary } = opened);
    });

    const batchOf = (groups: PlainCall[][], project: string, digests?: Uint8Array[]): CallBatch => {
      const batch = new CallBatch();
      groups.forEach((calls, g) => {
        const firstCall = batch.length;
        for (const call of calls) {
          const i = batch.push();
          const { columns } = batch;
          const { service, method, route } = call;
          columns.endpoint[i] = dictionary.endpoint({
            project,
            service,
            environment: 'test',
            method,
            route,
            templated: false,
          });
          columns.origin[i] = dictionary.origin(origin);
          columns.client[i] = dictionary.client(call.client);
          columns.status[i] = call.status;
          columns.durationNs[i] = call.durationNs;
          columns.endS[i] = call.endS;
          columns.endNs[i] = call.endNs;
          columns.requestBytes[i] = -1;
          columns.responseBytes[i] = 17;
          const weight = weightOf(call);
          if (weight !== 1) batch.weights.add(i, weight, copies(call));
        }
        const digest = digests?.[g] ?? digestOf(++serial);
        batch.deliveries.push({ project, digest, firstCall, calls: calls.length });
      });
      return batch;
    };
    const append = async (
      groups: PlainCall[][],
      project = 'default',
      digests?: Uint8Array[],
    ): Promise<boolean[]> => {
      const batch = batchOf(groups, project, digests);
      return (await writer.append(batch, dictionary.takeNew())).stored;
    };
    const ask = <T>(
      question: Parameters<CallReader['snapshot']>[1],
      project = 'default',
    ): Promise<T> => reader.snapshot(project, question) as Promise<T>;

    /** Compares every answer for a window, as covered, with one computed from the plain calls. */
    const expectExact = async (calls: PlainCall[], window: Window): Promise<void> => {
      await reader.snapshot('default', async (snapshot) => {
        const { window: covered, incomplete } = await snapshot.coverage(window);
        if (incomplete) expect(covered.fromS).toBeGreaterThan(window.fromS);
        else expect(covered.fromS).toBeLessThanOrEqual(window.fromS);
        expect(covered.toS).toBeGreaterThanOrEqual(window.toS);
        const truth = truthOf(calls, covered);
        const usage = await snapshot.usage({}, window);
        const called = await snapshot.calledEndpoints({}, window);
        expect([...called].sort()).toEqual([...usage.keys()].sort());
        const seen = new Set<string>();
        for (const { id, service, method, route } of await snapshot.endpoints({})) {
          const key = `${service} ${method} ${route}`;
          expectUsage(usage.get(id), truth.get(key) ?? [], key);
          seen.add(key);
        }
        for (const key of truth.keys()) expect(seen).toContain(key);
        expectUsage(await snapshot.total({}, window), [...truth.values()].flat(), 'total');
      });
    };

    it('answers what was appended at once, before and after rolling up, and after a restart', async () => {
      const calls = randomCalls(7, 3_000, nowS, 12);
      const windows = randomWindows(11, nowS, 12);
      await append([calls.slice(0, 1_000), calls.slice(1_000, 1_001), []]);
      await append([calls.slice(1_001)]);
      for (const window of windows) await expectExact(calls, window);
      await under.compact();
      for (const window of windows) await expectExact(calls, window);
      await close();
      await open();
      for (const window of windows) await expectExact(calls, window);
    });

    it('keeps exact numbers while calls go from the raw tail through runs into the levels', async () => {
      const calls = randomCalls(3, 24_000, nowS, 300);
      const windows = randomWindows(5, nowS, 8);
      const parts = 12;
      const size = calls.length / parts;
      for (let part = 0; part < parts; part++) {
        await append([calls.slice(part * size, (part + 1) * size)]);
        if (part % 3 === 1) await under.compact();
      }
      for (const window of windows) await expectExact(calls, window);
      await under.compact();
      for (const window of windows) await expectExact(calls, window);
    });

    it('counts what is not rolled up in windows that hold all of it, and in those that cut it', async () => {
      const minute = nowS - (nowS % 60);
      const inMinutes = (seed: number, minutes: number[]): PlainCall[] =>
        randomCalls(seed, minutes.length * 50, nowS, 20).map((call, i) => ({
          ...call,
          endS: minute - 60 * minutes[i % minutes.length]! + (i % 60),
        }));
      const compacted = inMinutes(31, [9, 6]);
      await append([compacted]);
      await under.compact();
      const recent = inMinutes(32, [5, 4, 3, 2]);
      await append([recent]);
      const windows = [5, 4, 6].flatMap((from) =>
        [1, 2, 0].map((to) => ({ fromS: minute - from * 60, toS: minute - to * 60 })),
      );
      for (const window of [...windows, ...windows, allTime]) {
        await expectExact([...compacted, ...recent], window);
      }
      const later = inMinutes(33, [1, 0, 5]);
      await append([later]);
      for (const window of [...windows, allTime]) {
        await expectExact([...compacted, ...recent, ...later], window);
      }
    });

    it('answers the same when raw calls are purged', async () => {
      const calls = randomCalls(9, 2_000, nowS, 20);
      await append([calls]);
      await under.compact();
      await under.purge(nowS + defaultRetention.callsS + 1);
      expect(await under.rawCalls()).toBe(0);
      await expectExact(calls, allTime);
      const late = randomCalls(10, 500, nowS, 20);
      await append([late]);
      await expectExact([...calls, ...late], allTime);
      await expectExact([...calls, ...late], {
        fromS: nowS - (nowS % dayS) - 30 * dayS,
        toS: nowS + hourS,
      });
    });

    it('honours windows to the minute, then the hour, then the day, and says so', async () => {
      const recent = { fromS: nowS - (nowS % 60) - 600, toS: nowS - (nowS % 60) - 60 };
      const old = { fromS: nowS - (nowS % 60) - 10 * dayS, toS: recent.toS };
      const older = { fromS: nowS - (nowS % 60) - 100 * dayS, toS: recent.toS };
      const calls = randomCalls(21, 5_000, nowS, 5, 120 * dayS);
      await append([calls]);
      await under.compact();
      await under.purge(nowS);
      await reader.snapshot('default', async (snapshot) => {
        expect(await snapshot.coverage(recent)).toEqual({
          window: recent,
          resolution: 'minute',
          incomplete: false,
        });
        expect(await snapshot.coverage(old)).toEqual({
          window: { fromS: Math.floor(old.fromS / hourS) * hourS, toS: old.toS },
          resolution: 'hour',
          incomplete: false,
        });
        expect(await snapshot.coverage(older)).toEqual({
          window: { fromS: Math.floor(older.fromS / dayS) * dayS, toS: older.toS },
          resolution: 'day',
          incomplete: false,
        });
      });
      for (const asked of [recent, old, older]) {
        const { window } = await ask<{ window: Window }>((snapshot) => snapshot.coverage(asked));
        await expectExact(calls, window);
      }
    });

    it('cuts a window where its days are deleted, before and after they are', async () => {
      const calls = randomCalls(23, 3_000, nowS, 5, 1_000 * dayS);
      await append([calls]);
      const oldestS = Math.min(...calls.map(({ endS }) => endS));
      const keptS = nowS - defaultRetention.daysS;
      const asked = { fromS: oldestS - (oldestS % 60), toS: nowS - (nowS % 60) + 60 };
      const expectCut = async (): Promise<void> => {
        const coverage = await ask<Coverage>((snapshot) => snapshot.coverage(asked));
        expect(coverage).toMatchObject({ resolution: 'day', incomplete: true });
        expect(coverage.window.fromS).toBeGreaterThan(asked.fromS);
        expect(coverage.window.fromS).toBeLessThanOrEqual(keptS);
        await expectExact(calls, asked);
        const lost = { fromS: asked.fromS, toS: coverage.window.fromS };
        const { window, incomplete } = await ask<Coverage>((snapshot) => snapshot.coverage(lost));
        expect([window.toS - window.fromS, incomplete]).toEqual([0, true]);
        // What is permanent stays.
        const seen = await ask<EndpointRecord[]>((snapshot) => snapshot.endpoints({}));
        expect(seen.reduce((sum, record) => sum + record.lifetimeCalls, 0)).toBe(calls.length);
      };
      await expectCut();
      await under.compact();
      await expectCut();
      await under.purge(nowS);
      await expectCut();
    });

    it('knows the end of the newest call, also one in the future', async () => {
      const newest = () => ask<number | undefined>((snapshot) => snapshot.newestCallMs());
      expect(await newest()).toBeUndefined();
      const [call] = randomCalls(24, 1, nowS, 1);
      const ahead = { ...call!, endS: nowS + 300, endNs: 5_999_999 };
      await append([[{ ...call!, endS: nowS - 10 }, ahead, { ...call!, endS: nowS }]]);
      await append([[{ ...call!, endS: nowS + 900 }]], 'other');
      expect(await newest()).toBe((nowS + 300) * 1000 + 5);
      await under.compact();
      expect(await newest()).toBe((nowS + 300) * 1000 + 5);
    });

    it('counts a delivery once for an hour, in each project apart', async () => {
      const [call] = randomCalls(1, 1, nowS, 1);
      const digest = digestOf(1_000_000);
      expect(await append([[call!], [call!]], 'default', [digest, digest])).toEqual([true, false]);
      expect(await append([[call!]], 'default', [digest])).toEqual([false]);
      expect(await append([[call!]], 'other', [digest])).toEqual([true]);
      await close();
      await open();
      expect(await append([[call!], [call!]], 'default', [digest, digestOf(1_000_001)])).toEqual([
        false,
        true,
      ]);
      await expectExact([call!, call!], allTime);
      await close();
      writer = await under.openWriter(() => (nowS + limits.deliveryMemoryS + 1) * 1000);
      reader = await under.openReader();
      dictionary = new CallDictionary();
      expect(await append([[call!]], 'default', [digest])).toEqual([true]);
    });

    it('answers every question of one snapshot from one moment, whatever is committed meanwhile', async () => {
      const calls = randomCalls(12, 60, nowS, 3);
      await append([calls.slice(0, 40)]);
      const counts = (snapshot: Snapshot) =>
        Promise.all([
          snapshot.total({}, allTime).then((usage) => usage.calls),
          snapshot.endpoints({}).then((all) => all.reduce((n, e) => n + e.lifetimeCalls, 0)),
          snapshot
            .usage({}, allTime)
            .then((all) => [...all.values()].reduce((n, u) => n + u.calls, 0)),
        ]);
      await reader.snapshot('default', async (snapshot) => {
        expect((await snapshot.total({}, allTime)).calls).toBe(40);
        await append([calls.slice(40)]);
        await under.compact();
        expect(await counts(snapshot)).toEqual([40, 40, 40]);
      });
      expect(await reader.snapshot('default', counts)).toEqual([60, 60, 60]);
    });

    it('gives every endpoint a short id that is its own and stays after a restart', async () => {
      const calls = randomCalls(13, 400, nowS, 25);
      await append([calls]);
      const ids = () =>
        reader.snapshot('default', async (snapshot) =>
          (await snapshot.endpoints({})).map((e) => `${e.service} ${e.method} ${e.route}: ${e.id}`),
        );
      const before = await ids();
      await reader.snapshot('default', async (snapshot) => {
        const records = await snapshot.endpoints({});
        expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
        for (const { id } of records) expect(id).toMatch(/^.{1,64}$/);
        expect(new Set((await snapshot.usage({}, allTime)).keys())).toEqual(
          new Set(records.map(({ id }) => id)),
        );
        const unknown = { endpoints: new Set(['', '0', 'no such id', '-1']) };
        expect(await snapshot.endpoints(unknown)).toEqual([]);
        expect((await snapshot.total(unknown, allTime)).calls).toBe(0);
      });
      await under.compact();
      await close();
      await open();
      expect(await ids()).toEqual(before);
    });

    it('keeps projects apart', async () => {
      const calls = randomCalls(2, 100, nowS, 3);
      await append([calls], 'mine');
      await append([calls.slice(0, 10)], 'yours');
      const total = (project: string): Promise<number> =>
        reader.snapshot(project, async (snapshot) => (await snapshot.total({}, allTime)).calls);
      expect(await total('mine')).toBe(100);
      expect(await total('yours')).toBe(10);
      expect(await total('nobody')).toBe(0);
      await reader.snapshot('yours', async (snapshot) => {
        const mine = new Set(Array.from({ length: 50 }, (_, id) => String(id)));
        expect((await snapshot.total({ endpoints: mine }, allTime)).calls).toBe(10);
        expect(
          (await snapshot.services()).reduce((sum, { lifetimeCalls }) => sum + lifetimeCalls, 0),
        ).toBe(10);
      });
    });

    it('keeps permanent records and last callers, whatever is purged', async () => {
      const calls = randomCalls(4, 4_000, nowS, 6);
      await append([calls.slice(0, 2_000)]);
      await under.compact();
      await append([calls.slice(2_000)]);
      const check = async (): Promise<void> =>
        reader.snapshot('default', async (snapshot) => {
          const truth = truthOf(calls, allTime);
          for (const record of await snapshot.endpoints({})) {
            const own = truth.get(`${record.service} ${record.method} ${record.route}`)!;
            const ends = own.map(endMs);
            expect(record.firstCallMs).toBe(Math.min(...ends));
            expect(record.lastCallMs).toBe(Math.max(...ends));
            expect(record.lifetimeCalls).toBe(own.length);
            expect(record.lifetimeErrors).toBe(own.filter(({ status }) => status >= 400).length);
            expect(record.lastVersion).toBe('1.2.0');
            expect(record.lastCallers).toEqual(lastCallers(own));
            const uses = own.filter(({ status }) => !noUseStatuses.includes(status));
            expect(record.use.calls).toBe(uses.length);
            expect(record.use.lastMs).toBe(Math.max(0, ...uses.map(endMs)));
            const useDays = new Set(uses.map(({ endS }) => Math.floor(endS / dayS)));
            expect(daysOf(record.use.days)).toEqual([...useDays].sort((a, b) => a - b));
          }
          for (const { service, heardDays, heardHours } of await snapshot.services()) {
            const own = calls.filter((call) => call.service === service);
            const days = new Set(own.map(({ endS }) => Math.floor(endS / dayS)));
            expect(heardDays).toEqual([...days].sort((a, b) => a - b));
            const hours = new Set(own.map(({ endS }) => Math.floor(endS / hourS)));
            const heard = heardDays.flatMap((day, n) =>
              Array.from({ length: 24 }, (_, hour) => hour)
                .filter((hour) => (heardHours[n]! >> hour) & 1)
                .map((hour) => day * 24 + hour),
            );
            expect(heard).toEqual([...hours].sort((a, b) => a - b));
          }
        });
      await check();
      await under.compact();
      await under.purge(nowS + defaultRetention.daysS * 2);
      await check();
    });

    it('answers a series and clients that add up to the total', async () => {
      const calls = randomCalls(6, 5_000, nowS, 10, dayS);
      await append([calls]);
      const toS = Math.ceil(nowS / hourS) * hourS;
      const edges = Array.from({ length: 25 }, (_, i) => toS - (24 - i) * hourS);
      await reader.snapshot('default', async (snapshot) => {
        const series = await snapshot.series({}, edges);
        expect(series).toHaveLength(24);
        series.forEach((usage, i) => {
          const own = calls.filter(({ endS }) => endS >= edges[i]! && endS < edges[i + 1]!);
          expectUsage(usage, own, `interval ${i}`);
        });
        const clients = await snapshot.clients({}, allTime, 1_000);
        const truth = new Map<string, number>();
        for (const { client } of calls) if (client) truth.set(client, (truth.get(client) ?? 0) + 1);
        expect(new Map(clients.map(({ client, calls: n }) => [client, n]))).toEqual(truth);
        expect(clients.map(({ calls: n }) => n)).toEqual([...truth.values()].sort((a, b) => b - a));
        const used = new Map<string, Set<string>>();
        for (const { client, service, method, route } of calls) {
          if (client === '') continue;
          if (!used.has(client)) used.set(client, new Set());
          used.get(client)!.add(`${service} ${method} ${route}`);
        }
        expect(await snapshot.clientEndpoints({}, allTime)).toEqual(
          new Map([...used].map(([client, endpoints]) => [client, endpoints.size])),
        );
        const three = await snapshot.clients({}, allTime, 3);
        expect(three.slice(0, 3)).toEqual(clients.slice(0, 3));
        const rest = clients.slice(3);
        const sum = (of: (own: ClientUsage) => number) =>
          rest.reduce((all, client) => all + of(client), 0);
        expect(three.slice(3)).toEqual([
          {
            client: '{other}',
            calls: sum(({ calls: n }) => n),
            errors: sum(({ errors }) => errors),
            outcomes: outcomeCounts(outcomes.map((of) => sum((client) => client.outcomes[of]))),
            firstMinuteMs: Math.min(...rest.map(({ firstMinuteMs }) => firstMinuteMs!)),
            lastMinuteMs: Math.max(...rest.map(({ lastMinuteMs }) => lastMinuteMs!)),
          },
        ]);
        expect(await snapshot.clients({}, allTime, clients.length)).toEqual(clients);
      });
    });

    it('answers the series of several groups as those of each alone, at every stage', async () => {
      const calls = randomCalls(7, 4_000, nowS, 10, dayS);
      await append([calls.slice(0, 3_000)]);
      await under.compact();
      await append([calls.slice(3_000)]);
      const toS = Math.ceil(nowS / hourS) * hourS;
      const edges = Array.from({ length: 9 }, (_, i) => toS - (8 - i) * 3 * hourS);
      await reader.snapshot('default', async (snapshot) => {
        const ids = (await snapshot.endpoints({})).map(({ id }) => id);
        const groups = [
          { endpoints: new Set([ids[3]!]) },
          { endpoints: new Set<string>() },
          { endpoints: new Set([ids[0]!, ids[5]!]) },
          { endpoints: new Set(ids.filter((_, i) => ![0, 3, 5].includes(i))) },
        ];
        const together = await snapshot.groupSeries(groups, edges);
        expect(together).toHaveLength(groups.length);
        for (const [i, group] of groups.entries()) {
          expect(together[i]).toEqual(await snapshot.series(group, edges));
        }
        expect(await snapshot.groupSeries([], edges)).toEqual([]);
      });
    });

    it('answers the durations of each endpoint as those of the endpoint alone', async () => {
      const calls = weighted(9, randomCalls(9, 4_000, nowS, 10, dayS), [1, 1, 2]);
      await append([calls.slice(0, 3_000)]);
      await under.compact();
      await append([calls.slice(3_000)]);
      const toS = Math.ceil(nowS / hourS) * hourS;
      await reader.snapshot('default', async (snapshot) => {
        for (const hours of [26, 7]) {
          const window = { fromS: toS - hours * hourS, toS: toS - hourS };
          const distributions = await snapshot.distributions({}, window);
          const usages = await snapshot.usage({}, window);
          expect([...distributions.keys()]).toEqual([...usages.keys()]);
          for (const [id, { calls: sum, errors, durations }] of distributions) {
            const usage = usages.get(id)!;
            expect(sum).toBe(usage.calls);
            expect(errors).toBe(usage.errors4xx + usage.errors5xx);
            const selection = { endpoints: new Set([id]) };
            const [alone] = await snapshot.durations(selection, [window.fromS, window.toS]);
            expect(durations).toEqual(alone);
          }
        }
      });
    });

    it('estimates the clients of an endpoint past the bound, and says so', async () => {
      const many = limits.clientsPerEndpoint * 3;
      const [call] = randomCalls(1, 1, nowS, 1);
      const calls = Array.from({ length: many }, (_, i) => ({
        ...call!,
        client: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
      }));
      for (const half of [calls.slice(0, many / 2), calls.slice(many / 2)]) {
        await append([half]);
        await under.compact();
      }
      await reader.snapshot('default', async (snapshot) => {
        const total = await snapshot.total({}, allTime);
        expect(total.uniqueClientsEstimated).toBe(true);
        expect(Math.abs(total.uniqueClients - many) / many).toBeLessThan(0.06);
        const clients = await snapshot.clients({}, allTime, many);
        expect(clients.reduce((sum, client) => sum + client.calls, 0)).toBe(many);
        // Of a client that is counted by itself every call is found; the others' calls are named as such.
        const { client } = clients[0]!;
        const { byEndpoint, otherCalls } = await snapshot.clientUsage({}, client, allTime);
        expect([...byEndpoint.values()]).toMatchObject([{ calls: 1 }]);
        expect(otherCalls).toBe(clients.at(-1)!.calls);
        const named = new Set(clients.map((row) => row.client));
        const folded = calls.find((one) => !named.has(one.client))!;
        const none = await snapshot.clientUsage({}, folded.client, allTime);
        expect(none).toEqual({ byEndpoint: new Map(), otherCalls });
      });
    });

    it('selects by service, environment and endpoints', async () => {
      const calls = randomCalls(8, 1_000, nowS, 20);
      await append([calls]);
      await reader.snapshot('default', async (snapshot) => {
        const count = async (selection: Selection): Promise<number> =>
          (await snapshot.total(selection, allTime)).calls;
        const shop = calls.filter(({ service }) => service === 'shop').length;
        expect(await count({ service: 'shop' })).toBe(shop);
        expect(await count({ service: 'shop', environment: 'test' })).toBe(shop);
        expect(await count({ environment: 'production' })).toBe(0);
        const [first] = await snapshot.endpoints({ service: 'shop' });
        expect(await count({ endpoints: new Set([first!.id]) })).toBe(first!.lifetimeCalls);
      });
    });

    it('counts calls with weights as what they stand for, at every stage and after a restart', async () => {
      const calls = weighted(31, randomCalls(31, 6_000, nowS, 12), mixedWeights);
      const windows = randomWindows(33, nowS, 12);
      const every = async (count = calls.length): Promise<void> => {
        for (const window of windows) await expectExact(calls.slice(0, count), window);
      };
      await append([calls.slice(0, 1_000), calls.slice(1_000, 1_001), []]);
      await append([calls.slice(1_001, 2_000)]);
      await every(2_000);
      await close();
      await open();
      await every(2_000);
      await under.compact();
      await every(2_000);
      await append([calls.slice(2_000, 3_000)]);
      await under.compact();
      await append([calls.slice(3_000)]);
      await every();
      await under.compact();
      await under.purge(nowS + defaultRetention.callsS + 1);
      expect(await under.rawCalls()).toBe(0);
      await expectExact(calls, allTime);
      await close();
      await open();
      await expectExact(calls, allTime);
    });

    it('merges weights of one in two and of fractions, and counts without any, in one bucket', async () => {
      const parts = [[1], [2], [1, 2, 8], [roundedWeight(1 / 0.3), 1], [0], [0, 1.5]].map(
        (weights, i) => weighted(i, randomCalls(40 + i, 300, nowS, 2, hourS), weights),
      );
      for (const part of parts) {
        await append([part]);
        await under.compact();
      }
      await expectExact(parts.flat(), allTime);
      await append([parts[2]!]);
      await expectExact([...parts.flat(), ...parts[2]!], allTime);
    });

    it('counts a repeated delivery once, also between others with weights', async () => {
      const [first, second, third] = [50, 51, 52].map((seed) =>
        weighted(seed, randomCalls(seed, 200, nowS, 3), mixedWeights),
      );
      const digest = digestOf(2_000_000);
      expect(await append([first!], 'default', [digest])).toEqual([true]);
      const groups = [second!, first!, third!];
      const digests = [digestOf(2_000_001), digest, digestOf(2_000_002)];
      expect(await append(groups, 'default', digests)).toEqual([true, false, true]);
      await expectExact([...first!, ...second!, ...third!], allTime);
      await close();
      await open();
      await expectExact([...first!, ...second!, ...third!], allTime);
    });

    it('says in permanent records what was sampled, and takes any span as a sign of life', async () => {
      const plain = randomCalls(60, 400, nowS, 3);
      const sampled = weighted(61, randomCalls(61, 400, nowS, 3), [4]).map((call) => ({
        ...call,
        route: `/sampled${call.route}`,
      }));
      const [last] = randomCalls(62, 1, nowS, 1);
      const beside = { ...last!, route: '/beside', endS: nowS, weight: 0 };
      const calls = [...plain, ...sampled, beside];
      await append([calls.slice(0, 500)]);
      await under.compact();
      await append([calls.slice(500)]);
      const check = async (): Promise<void> =>
        reader.snapshot('default', async (snapshot) => {
          const truth = truthOf(calls, allTime);
          const records = await snapshot.endpoints({});
          expect(records).toHaveLength(truth.size);
          for (const record of records) {
            const own = truth.get(`${record.service} ${record.method} ${record.route}`)!;
            expect(record.lastCallMs).toBe(Math.max(...own.map(endMs)));
            expect(record.lifetimeCalls).toBe(sumOf(own));
            expect(record.lifetimeErrors).toBe(sumOf(own.filter(({ status }) => status >= 400)));
            const isPlain = record.route.startsWith('/r');
            const seenErrors = own.filter(({ status }) => status >= 400).length;
            const seenOutcomes = outcomeCounts(
              outcomes.map((of) => own.filter(({ status }) => outcomeOf(status) === of).length),
            );
            const sampling = {
              lastMs: record.lastCallMs,
              seenCalls: own.length,
              seenErrors,
              seenOutcomes,
            };
            expect(record.sampling).toEqual(isPlain ? undefined : sampling);
          }
          for (const {
            service,
            lastSampledMs,
            lifetimeCalls,
            lastCallMs,
          } of await snapshot.services()) {
            const own = calls.filter((call) => call.service === service);
            const ends = own.filter((call) => weightOf(call) !== 1).map(endMs);
            expect(lastSampledMs).toBe(Math.max(...ends));
            expect(lifetimeCalls).toBe(sumOf(own));
            expect(lastCallMs).toBe(Math.max(...own.map(endMs)));
          }
          const unweighed = (await snapshot.usage({}, allTime)).get(records.at(-1)!.id);
          expect(records.at(-1)!.route).toBe('/beside');
          const called = await snapshot.calledEndpoints({}, allTime);
          expect(called.has(records.at(-1)!.id)).toBe(true);
          expect(unweighed).toMatchObject({ calls: 0, sampling: { seen: 1, variance: 0 } });
        });
      await check();
      await under.compact();
      await check();
      await under.purge(nowS + defaultRetention.callsS + 1);
      await check();
      await close();
      await open();
      await check();
    });

    it('counts calls whose duration is no latency, and keeps it out of all durations', async () => {
      const timed = randomCalls(80, 600, nowS, 6);
      const mixed = randomCalls(81, 300, nowS, 6).map((call, i) =>
        i % 3 === 0 ? { ...call, durationNs: -1 } : call,
      );
      const sockets = randomCalls(82, 40, nowS, 1).map((call) => ({
        ...call,
        route: '/socket',
        status: 101,
        durationNs: -1,
      }));
      const calls = [...sockets, ...mixed, ...timed, ...weighted(83, mixed, [1, 2.5, 8, 0])];
      const every = async (): Promise<void> => {
        for (const window of [allTime, ...randomWindows(84, nowS, 4)])
          await expectExact(calls, window);
      };
      await append([calls.slice(0, 20), calls.slice(20, 700)]);
      await under.compact();
      await append([calls.slice(700)]);
      await every();
      await close();
      await open();
      await under.compact();
      await every();
    });

    it('adds the weights of clients, and says that they are estimates', async () => {
      const calls = weighted(70, randomCalls(70, 3_000, nowS, 5, dayS), [1, 2.5, 0]);
      await append([calls]);
      await under.compact();
      await reader.snapshot('default', async (snapshot) => {
        const truth = new Map<string, number>();
        for (const call of calls) {
          if (call.client === '' || call.weight === 0) continue;
          truth.set(call.client, (truth.get(call.client) ?? 0) + weightOf(call));
        }
        const clients = await snapshot.clients({}, allTime, 1_000);
        expect(new Map(clients.map(({ client, calls: n }) => [client, n]))).toEqual(truth);
        expect(clients.every(({ estimated }) => estimated)).toBe(true);
      });
    });

    it('puts endpoints past the bound of a service into {other}', async () => {
      const extra = 5;
      const calls = Array.from({ length: limits.endpointsPerService + extra }, (_, i) => ({
        ...randomCalls(i, 1, nowS, 1)[0]!,
        service: 'wide',
        method: 'GET',
        route: `/r${i}`,
      }));
      await append([calls]);
      await reader.snapshot('default', async (snapshot) => {
        const records = await snapshot.endpoints({});
        expect(records).toHaveLength(limits.endpointsPerService + 1);
        expect(records.find(({ route }) => route === '{other}')?.lifetimeCalls).toBe(extra);
      });
    });
  });
}

const mixedWeights = [1, 1, 1, 0, 2, 8, 100, roundedWeight(1 / 0.3), roundedWeight(99.99), 2 ** 20];

function digestOf(serial: number): Uint8Array {
  const digest = new Uint8Array(16);
  new DataView(digest.buffer).setUint32(0, serial);
  return digest;
}
