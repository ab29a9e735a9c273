import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallBatch, CallDictionary } from '../../core/call.ts';
import { Random } from '../../core/random.ts';
import type { CallFilter, CallOrder, CallRecord, CallRequest } from '../../core/store/calls.ts';
import type { CallReader, CallWriter, Selection } from '../../core/store/store.ts';
import { dayS } from '../../core/window.ts';
import { searchPlainly } from '../support/plain-search.ts';
import type { EngineUnderTest } from './opened-store.ts';

/** A call of these tests. `endpoint` is its service, method and route until the engine has given an id. */
type MadeCall = CallRecord & { project: string; service: string; method: string; route: string };

const nowS = 1_790_000_000;

/**
 * The search of raw calls against a plain array: sets and order are equal, and no call is on two pages or missing,
 * while calls are committed, rolled up and compacted between the pages.
 */
export function callsContract(
  engine: string,
  start: () => Promise<EngineUnderTest & { end(): Promise<void> }>,
): void {
  describe(`${engine}: search of raw calls`, () => {
    let under: Awaited<ReturnType<typeof start>>;
    let writer: CallWriter;
    let reader: CallReader;
    let dictionary: CallDictionary;
    /** Everything that was committed, in order. */
    let stored: MadeCall[];
    let serial = 0;

    const open = async (): Promise<void> => {
      writer = await under.openWriter(() => nowS * 1000);
      reader = await under.openReader();
      dictionary = new CallDictionary();
    };
    const close = async (): Promise<void> => {
      await reader.close();
      await writer.close();
    };
    beforeEach(async () => {
      under = await start();
      stored = [];
      await open();
    });
    afterEach(async () => {
      await close();
      await under.end();
    });

    const append = async (calls: readonly MadeCall[]): Promise<void> => {
      const batch = new CallBatch();
      for (const call of calls) pushCall(batch, dictionary, call);
      let firstCall = 0;
      while (firstCall < calls.length) {
        const { project } = calls[firstCall]!;
        const other = calls.findIndex((call, i) => i > firstCall && call.project !== project);
        const end = other === -1 ? calls.length : other;
        const digest = new Uint8Array(16);
        new DataView(digest.buffer).setUint32(0, ++serial);
        batch.deliveries.push({ project, digest, firstCall, calls: end - firstCall });
        firstCall = end;
      }
      await writer.append(batch, dictionary.takeNew());
      stored.push(...calls);
    };

    /** The ids of endpoints, by service, method and route. */
    const endpointIds = (project = 'default'): Promise<Map<string, string>> =>
      reader.snapshot(project, async (snapshot) => {
        const records = await snapshot.endpoints({});
        return new Map(
          records.map(({ id, service, method, route }) => [`${service} ${method} ${route}`, id]),
        );
      });

    const ask = (
      selection: Selection,
      filter: CallFilter,
      request: CallRequest,
      project = 'default',
    ) => reader.snapshot(project, (snapshot) => snapshot.calls(selection, filter, request));

    /** What a search must give in the end: the calls that are stored now. */
    const expected = (
      { endpoints, service }: Selection,
      filter: CallFilter,
      order: CallOrder,
      ids: ReadonlyMap<string, string>,
      project = 'default',
    ): CallRecord[] => {
      const own = stored
        .filter((call) => call.project === project)
        .map((call) => ({ ...call, endpoint: ids.get(call.endpoint)! }))
        .filter((call) => endpoints === undefined || endpoints.has(call.endpoint))
        .filter((call) => service === undefined || call.service === service);
      return searchPlainly(own, filter, order).map(comparable);
    };

    it('finds every call with all that is known of it, newest and slowest first, and in order of arrival', async () => {
      const calls = madeCalls(new Random(1), 300);
      await append(calls.slice(0, 200));
      await under.compact();
      await append(calls.slice(200));
      const ids = await endpointIds();
      for (const order of ['newest', 'slowest', 'arrival'] as const) {
        const page = await ask({}, {}, { order, limit: 1_000 });
        expect(page.calls.map(comparable)).toEqual(expected({}, {}, order, ids));
        expect(page.cursor).toBeUndefined();
        expect(new Set(page.calls.map(({ id }) => id)).size).toBe(page.calls.length);
      }
    });

    it('50 seeds, every filter and pairs of them: exact sets and order while writing, rolling up and compacting', async () => {
      let searches = 0;
      let pages = 0;
      const firstSeed = Number(process.env.TEST_SEED ?? 1);
      for (let seed = firstSeed; seed < firstSeed + 50; seed += 1) {
        if (seed > firstSeed) {
          await close();
          await under.end();
          under = await start();
          stored = [];
          await open();
        }
        const random = new Random(seed);
        await append(madeCalls(random, 150));
        if (seed % 2 === 0) await under.compact();
        await append(madeCalls(random, 100));
        const ids = await endpointIds();
        const walks = everyPair(random, stored, ids).map((search) => ({
          ...search,
          expected: expected(search.selection, search.filter, search.order, ids),
          found: [] as CallRecord[],
          cursor: undefined as string | undefined,
          isDone: false,
        }));
        searches += walks.length;
        for (let round = 0; walks.some(({ isDone }) => !isDone); round += 1) {
          expect(round, `seed ${seed}: pages of one search`).toBeLessThan(2_000);
          // All at once: a store on a server answers them after one look at it.
          const turn = walks.filter(({ isDone }) => !isDone);
          const turned = turn.map(({ order, limit, cursor, selection, filter }) => {
            const request = {
              order,
              limit,
              visitMost: 90,
              ...(cursor !== undefined && { cursor }),
            };
            return ask(selection, filter, request);
          });
          for (const [i, page] of (await Promise.all(turned)).entries()) {
            const walk = turn[i]!;
            pages += 1;
            expect(page.calls.length).toBeLessThanOrEqual(walk.limit);
            walk.found.push(...page.calls.map(comparable));
            walk.cursor = page.cursor;
            walk.isDone = page.cursor === undefined;
          }
          if (round < 4) await append(madeCalls(random, 20 + 30 * (round % 2)));
          if (round === 1 || round === 4) await under.compact();
        }
        for (const { found, expected: all, selection, filter, order } of walks) {
          const what = `seed ${seed}: ${order} ${JSON.stringify({ ...selection, ...filter })}`;
          expect(found.length, what).toBe(all.length);
          expect(found, what).toEqual(all);
        }
      }
      console.log(`${engine}: ${searches} searches, ${pages} pages, seeds from ${firstSeed}`);
      // 27,000 pages, and fifty stores that are made and removed.
    }, 1_800_000);

    it('pages of the slowest of many thousand calls under a fourth of all pairs of filters are exact', async () => {
      const seed = Number(process.env.TEST_SEED ?? 1);
      const random = new Random(seed);
      for (let block = 0; block < 3; block += 1) {
        await append(madeCalls(random, 2_500 + block * 500));
        await under.compact();
      }
      await append(madeCalls(random, 300));
      const ids = await endpointIds();
      const searches = everyPair(random, stored, ids).filter((_, n) => n % 4 === seed % 4);
      for (const { selection, filter } of searches) {
        const all = expected(selection, filter, 'slowest', ids);
        const limit = 1 + Math.floor(random.next() * 3 * (20 + all.length / 4));
        const visitMost = random.next() < 0.3 ? { visitMost: 4_000 } : {};
        const found: CallRecord[] = [];
        let cursor: string | undefined;
        // The first pages are what people read; the rest of a few searches shows that they end.
        const most = random.next() < 0.3 ? all.length : 3 * limit;
        do {
          const request = { order: 'slowest' as const, limit, cursor, ...visitMost };
          const page = await ask(selection, filter, request);
          found.push(...page.calls.map(comparable));
          cursor = page.cursor;
        } while (cursor !== undefined && found.length < most);
        const what = `seed ${seed}: ${JSON.stringify({ ...selection, ...filter, limit, ...visitMost })}`;
        expect(found, what).toEqual(cursor === undefined ? all : all.slice(0, found.length));
      }
    }, 300_000);

    it('has a further page when the bound on visited calls ends a page that is just full', async () => {
      const [older, newer] = [madeCalls(new Random(1), 40), madeCalls(new Random(2), 40)];
      const at = (calls: MadeCall[], endS: number): MadeCall[] =>
        calls.map((call, i) => ({ ...call, endS: endS + i, status: i === 0 ? 418 : 200 }));
      await append(at(older, nowS - 1_000));
      await under.compact();
      await append(at(newer, nowS - 100));
      for (const order of ['newest', 'slowest'] as const) {
        const found: number[] = [];
        let cursor: string | undefined;
        do {
          const filter = { statuses: [{ from: 418, to: 418 }] };
          const page = await ask({}, filter, { order, limit: 1, visitMost: 50, cursor });
          found.push(...page.calls.map(({ endS }) => endS));
          cursor = page.cursor;
        } while (cursor !== undefined);
        expect(found.sort(), order).toEqual([nowS - 1_000, nowS - 100]);
      }
    });

    it('follows arrivals: each call once, in order, from the moment of a page on', async () => {
      const random = new Random(5);
      await append(madeCalls(random, 80));
      const first = await ask(
        {},
        { statuses: [{ from: 500, to: 599 }] },
        { order: 'newest', limit: 5 },
      );
      let cursor = first.arrivals;
      const ids = await endpointIds();
      const before = stored.length;
      const seen: CallRecord[] = [];
      for (let round = 0; round < 12; round += 1) {
        await append(madeCalls(random, 30));
        if (round % 4 === 3) await under.compact();
        for (let more = true; more; ) {
          const request = { order: 'arrival' as const, cursor, limit: 3, visitMost: 25 };
          const page = await ask({}, { statuses: [{ from: 500, to: 599 }] }, request);
          seen.push(...page.calls.map(comparable));
          more = page.cursor !== undefined;
          cursor = page.arrivals;
        }
      }
      const newIds = await endpointIds();
      for (const [name, id] of newIds) ids.set(name, id);
      const later = stored.splice(0, before) && stored;
      expect(seen).toEqual(
        searchPlainly(
          later.map((call) => ({ ...call, endpoint: ids.get(call.endpoint)! })),
          { statuses: [{ from: 500, to: 599 }] },
          'arrival',
        ).map(comparable),
      );
    });

    it('follows arrivals of several commits that are more than one look visits: none is left out', async () => {
      await append(madeCalls(new Random(12), 1));
      let cursor = (await ask({}, {}, { order: 'newest', limit: 1 })).arrivals;
      stored = [];
      for (let commit = 0; commit < 6; commit += 1) await append(madeCalls(new Random(commit), 30));
      const ids = await endpointIds();
      const seen: CallRecord[] = [];
      let pages = 0;
      for (let more = true; more; pages += 1) {
        const request = { order: 'arrival' as const, cursor, limit: 1_000, visitMost: 40 };
        const page = await ask({}, {}, request);
        seen.push(...page.calls.map(comparable));
        more = page.cursor !== undefined;
        cursor = page.arrivals;
      }
      expect(seen).toHaveLength(180);
      expect(seen).toEqual(expected({}, {}, 'arrival', ids));
      expect(pages).toBeGreaterThan(2);
    });

    it('follows arrivals through a block of 10,000 calls, each page from the middle of it', async () => {
      await append(madeCalls(new Random(14), 1));
      let cursor = (await ask({}, {}, { order: 'newest', limit: 1 })).arrivals;
      for (let commit = 0; commit < 5; commit += 1) {
        await append(madeCalls(new Random(20 + commit), 2_000));
      }
      await under.compact();
      const ids = await endpointIds();
      const seen: string[] = [];
      for (let more = true; more; ) {
        const request = { order: 'arrival' as const, cursor, limit: 900 };
        const page = await ask({}, {}, request);
        seen.push(...page.calls.map((call) => JSON.stringify(comparable(call))));
        more = page.cursor !== undefined;
        cursor = page.arrivals;
      }
      expect(seen).toHaveLength(10_000);
      const all = expected({}, {}, 'arrival', ids).slice(1);
      expect(seen).toEqual(all.map((call) => JSON.stringify(call)));
    });

    it('finds the calls of a consumer or agent among 2,100 combinations in one block', async () => {
      const random = new Random(13);
      const calls = madeCalls(random, 2_100).map((call, i) => ({
        ...call,
        consumer: `consumer ${i % 70}`,
        agent: `agent ${Math.floor(i / 70)}`,
      }));
      await append(calls);
      await under.compact();
      const ids = await endpointIds();
      const request = { order: 'newest' as const, limit: 1_000 };
      for (const [filter, count] of [
        [{ consumer: 'consumer 69' }, 30],
        [{ agent: 'agent 0' }, 70],
        [{ consumer: 'consumer 3', agent: 'agent 29' }, 1],
        [{ consumer: 'consumer 70' }, 0],
      ] as const) {
        const { calls: found } = await ask({}, filter, request);
        expect(found).toHaveLength(count);
        expect(found.map(comparable)).toEqual(expected({}, filter, 'newest', ids));
      }
    });

    it('shows a project its own calls, and none by a cursor of another project', async () => {
      const random = new Random(6);
      const mine = madeCalls(random, 60);
      const yours = madeCalls(random, 60).map((call) => ({ ...call, project: 'yours' }));
      await append(mine.flatMap((call, i) => [call, yours[i]!]));
      for (const project of ['default', 'yours']) {
        const ids = await endpointIds(project);
        for (const order of ['newest', 'slowest', 'arrival'] as const) {
          const page = await ask({}, {}, { order, limit: 1_000 }, project);
          expect(page.calls.map(comparable)).toEqual(expected({}, {}, order, ids, project));
        }
        const traced = yours[7]!.traceId;
        const { calls } = await ask(
          {},
          { traceId: traced },
          { order: 'newest', limit: 10 },
          project,
        );
        expect(calls.length > 0).toBe(project === 'yours');
      }
      const foreign = await ask({}, {}, { order: 'newest', limit: 10 }, 'yours');
      const { cursor } = foreign;
      await expect(ask({}, {}, { order: 'newest', limit: 10, cursor })).rejects.toMatchObject({
        code: 'invalid',
        field: 'cursor',
      });
    });

    it('refuses a cursor that is forged, cut or of another order', async () => {
      await append(madeCalls(new Random(7), 40));
      const { cursor, arrivals } = await ask({}, {}, { order: 'newest', limit: 10 });
      const wrong = ['', 'x', `${cursor!}x`, cursor!.slice(0, -1), cursor!.slice(1), arrivals];
      for (let at = 0; at < cursor!.length; at += 1) {
        const changed = cursor![at] === 'A' ? 'B' : 'A';
        wrong.push(cursor!.slice(0, at) + changed + cursor!.slice(at + 1));
      }
      for (const text of wrong) {
        const request = { order: 'newest' as const, limit: 10, cursor: text };
        await expect(ask({}, {}, request), text).rejects.toMatchObject({
          code: 'invalid',
          field: 'cursor',
        });
      }
    });

    it('keeps its place when retention deletes calls between two pages', async () => {
      const calls = madeCalls(new Random(8), 200);
      await append(calls);
      await under.compact();
      const first = await ask({}, {}, { order: 'newest', limit: 50 });
      const later = madeCalls(new Random(9), 20);
      await under.purge(nowS + 4 * dayS);
      await append(later);
      const { cursor } = first;
      const second = await ask({}, {}, { order: 'newest', limit: 500, cursor });
      expect(first.keptSinceMs).toBeUndefined();
      expect(second.calls).toEqual([]);
      expect(second.cursor).toBeUndefined();
      const fresh = await ask({}, {}, { order: 'newest', limit: 500 });
      expect(fresh.calls).toHaveLength(20);
      expect(fresh.keptSinceMs).toBe(nowS * 1000);
    });

    it('survives a restart between two pages', async () => {
      await append(madeCalls(new Random(10), 120));
      const ids = await endpointIds();
      const all = expected({}, {}, 'slowest', ids);
      const first = await ask({}, {}, { order: 'slowest', limit: 30 });
      await close();
      await open();
      await append(madeCalls(new Random(11), 30));
      const rest = await ask({}, {}, { order: 'slowest', limit: 500, cursor: first.cursor });
      expect([...first.calls, ...rest.calls].map(comparable)).toEqual(all);
    });
  });
}

/** Without the id, which the engine makes. */
function comparable(call: CallRecord): CallRecord {
  const { endpoint, endS, endNs, durationNs, status, client, serviceVersion, consumer, agent } =
    call;
  const { bot, errorType, requestBytes, responseBytes, traceId, weight } = call;
  return {
    ...{
      id: '',
      endpoint,
      endS,
      endNs,
      durationNs,
      status,
      client,
      serviceVersion,
      consumer,
      agent,
    },
    ...{ bot, errorType, requestBytes, responseBytes, traceId, weight },
  };
}

/** Few values each, so that any two filters have common calls; ends and durations that tie. */
function madeCalls(random: Random, count: number): MadeCall[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]!;
  return Array.from({ length: count }, () => {
    const service = pick(['shop', 'orders']);
    const method = pick(['GET', 'POST']);
    const route = pick(['/a', '/b', '/c/{id}']);
    const age = random.next() < 0.8 ? random.next() * 600 : random.next() * 3 * dayS;
    return {
      id: '',
      endpoint: `${service} ${method} ${route}`,
      project: 'default',
      service,
      method,
      route,
      endS: Math.floor(nowS - age),
      endNs: pick([0, 1, 999_999_999, Math.floor(random.next() * 1e9)]),
      durationNs: pick([-1, 0, 1_000_000, 1_000_001, Math.floor(random.next() * 3e9)]),
      status: pick([0, 200, 200, 201, 302, 404, 429, 500, 503]),
      client: pick(['', '192.0.2.1', '192.0.2.2', '2001:db8::1', '192.0.2.3']),
      serviceVersion: pick(['', '1.2.0', '1.3.0']),
      consumer: pick(['', 'ada', 'grace']),
      agent: pick(['', 'curl', 'Googlebot']),
      bot: random.next() < 0.3,
      errorType: pick(['', '', 'timeout', 'java.lang.Error']),
      requestBytes: pick([-1, 0, 17, 2 ** 33]),
      responseBytes: pick([-1, 0, 1_234_567]),
      traceId:
        random.next() < 0.1
          ? ''
          : Array.from({ length: 4 }, () =>
              pick(['0a1b2c3d', 'ffffffff', '00000000', '12345678']),
            ).join(''),
      weight: pick([1, 1, 1, 1, 1, 8, 0, 2.5]),
    };
  }).map((call) => ({ ...call, traceId: /^0*$/.test(call.traceId) ? '' : call.traceId }));
}

function pushCall(batch: CallBatch, dictionary: CallDictionary, call: MadeCall): void {
  const i = batch.push();
  const { columns } = batch;
  const { project, service, method, route } = call;
  const environment = 'test';
  const name = { project, service, environment, method, route, templated: false };
  const { serviceVersion, consumer, agent, bot, errorType } = call;
  columns.endpoint[i] = dictionary.endpoint(name);
  columns.origin[i] = dictionary.origin({ serviceVersion, consumer, agent, bot, errorType });
  columns.client[i] = dictionary.client(call.client);
  columns.status[i] = call.status;
  columns.durationNs[i] = call.durationNs;
  columns.endS[i] = call.endS;
  columns.endNs[i] = call.endNs;
  columns.requestBytes[i] = call.requestBytes;
  columns.responseBytes[i] = call.responseBytes;
  columns.traceId.fill(0, i * 16, i * 16 + 16);
  if (call.traceId !== '') columns.traceId.set(Buffer.from(call.traceId, 'hex'), i * 16);
  if (call.weight !== 1) batch.weights.add(i, call.weight, Math.round(call.weight));
}

interface Search {
  selection: Selection;
  filter: CallFilter;
  order: CallOrder;
  limit: number;
}

/** Every filter alone and every two together, with values that some of the calls have. */
function everyPair(
  random: Random,
  calls: readonly MadeCall[],
  ids: ReadonlyMap<string, string>,
): Search[] {
  const parts = Object.keys(filterOf(calls[0]!, ids, random));
  const searches: Search[] = [];
  for (let a = 0; a < parts.length; a += 1) {
    for (let b = a; b < parts.length; b += 1) {
      const call = calls[Math.floor(random.next() * calls.length)]!;
      const other = random.next() < 0.7 ? call : calls[Math.floor(random.next() * calls.length)]!;
      const one = filterOf(call, ids, random)[parts[a]!]!;
      const two = filterOf(other, ids, random)[parts[b]!]!;
      const { endpoints, service, ...filter } = { ...one, ...two };
      searches.push({
        selection: { ...(endpoints && { endpoints }), ...(service !== undefined && { service }) },
        filter,
        order: random.next() < 0.5 ? 'newest' : 'slowest',
        limit: 1 + Math.floor(random.next() * 150),
      });
    }
  }
  return searches;
}

/** By name: a filter that the call passes. */
function filterOf(
  call: MadeCall,
  ids: ReadonlyMap<string, string>,
  random: Random,
): Record<string, CallFilter & Selection> {
  const { durationNs, endS, status } = call;
  const span = Math.floor(random.next() * 300);
  return {
    all: {},
    endpoint: { endpoints: new Set([ids.get(call.endpoint)!]) },
    service: { service: call.service },
    status: { statuses: [{ from: status, to: status }] },
    statusClass: {
      statuses: [
        { from: 400, to: 499 },
        { from: Math.floor(status / 100) * 100, to: Math.floor(status / 100) * 100 + 99 },
      ],
    },
    client: { client: call.client },
    consumer: { consumer: call.consumer },
    agent: { agent: call.agent },
    bot: { bot: call.bot },
    version: { serviceVersion: call.serviceVersion },
    errorType: { errorType: call.errorType },
    slowerThan: { durationFromNs: Math.max(0, durationNs) },
    fasterThan: { durationToNs: Math.max(0, durationNs) },
    duration: { durationFromNs: Math.max(0, durationNs - 1e8), durationToNs: durationNs + 1e8 },
    time: { fromS: endS - span, toS: endS + span },
    traceId: { traceId: call.traceId === '' ? 'ffffffffffffffffffffffffffffffff' : call.traceId },
  };
}
