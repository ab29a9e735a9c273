import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallDictionary } from '../../core/call.ts';
import { limits } from '../../core/limits.ts';
import {
  type InternalCall,
  type InternalCallerStore,
  internalCallerWindow,
} from '../../core/store/callers/internal-callers.ts';
import type { CallReader, CallWriter, EndpointStore } from '../../core/store/store.ts';
import { contextBatch } from './contexts.ts';

export interface InternalCallerEngine {
  openWriter(now: () => number): Promise<CallWriter>;
  /** Writes the rows of endpoints at once, where the writer does so later. */
  compact(): Promise<void>;
  openReader(): Promise<CallReader>;
  open(): Promise<InternalCallerStore>;
  openEndpoints(): Promise<EndpointStore>;
  end(): Promise<void>;
}

/** What every engine must do with counts of calls between services. An engine's test calls it with its opener. */
export function internalCallerContract(
  engine: string,
  start: () => Promise<InternalCallerEngine>,
): void {
  describe(`${engine} internal callers`, () => {
    const nowS = 1_790_000_000;
    const hour = Math.floor(nowS / 3600);
    let under: InternalCallerEngine;
    let writer: CallWriter;
    let reader: CallReader;
    let store: InternalCallerStore;

    beforeEach(async () => {
      under = await start();
      writer = await under.openWriter(() => nowS * 1000);
      reader = await under.openReader();
      store = await under.open();
      const dictionary = new CallDictionary();
      const calls = ['/orders', '/orders/{id}', '/orders/{order}', '/carts'].map((route) => ({
        ...{ service: 'shop', method: 'GET', route, status: 200, durationNs: 1e6 },
        ...{ endS: nowS - 60, endNs: 0, client: '192.0.2.1' },
        context: { serviceVersion: route, consumer: '', agent: '', bot: false, errorType: '' },
      }));
      await writer.append(contextBatch(calls, dictionary, 1), dictionary.takeNew());
      await under.compact();
    });
    afterEach(async () => {
      await store.close();
      await reader.close();
      await writer.close();
      await under.end();
    });

    const one = (change: Partial<InternalCall> = {}): InternalCall => ({
      ...{ project: 'default', service: 'shop', environment: '', method: 'GET', route: '/orders' },
      ...{ caller: 'web', callerEnvironment: 'prod', hour, knownBy: 'trace' as const },
      ...{ calls: 1, errors: 0, named: 0, seen: 1, ...change },
    });
    const add = (calls: readonly InternalCall[], dayLater = 0) =>
      store.add(calls, (nowS + dayLater * 86_400) * 1000);
    const callers = (from = 0, to = hour + 10_000, routes?: readonly string[]) =>
      reader.snapshot('default', async (snapshot) => {
        const endpoints = await snapshot.endpoints({});
        const chosen = endpoints.filter(({ route }) => routes?.includes(route) ?? true);
        const selection = { endpoints: new Set(chosen.map(({ id }) => id)) };
        const window = { fromS: from * 3600, toS: to * 3600 };
        return snapshot.internalCallers(selection, window);
      });
    const shown = async (from?: number, to?: number, routes?: readonly string[]) =>
      (await callers(from, to, routes)).map(
        ({ service, environment, tracedCalls, peerCalls, endpoints }) =>
          `${service} ${environment || '-'} ${tracedCalls} ${peerCalls} of ${endpoints}`,
      );

    it('counts add up by caller and evidence, most calls first, with their first and last hour', async () => {
      expect(await callers()).toEqual([]);
      await add([one(), one({ calls: 4, errors: 2, named: 3, seen: 2, hour: hour - 3 })]);
      await add([
        one({ route: '/carts', calls: 10, knownBy: 'peer', callerEnvironment: '' }),
        one({ hour: hour - 1 }),
      ]);
      expect(await callers()).toEqual([
        {
          ...{ service: 'web', environment: '', tracedCalls: 0, peerCalls: 10, errors: 0 },
          ...{ namedCalls: 0, seenCalls: 1, endpoints: 1 },
          ...{ firstMs: hour * 3_600_000, lastMs: hour * 3_600_000 },
        },
        {
          ...{ service: 'web', environment: 'prod', tracedCalls: 6, peerCalls: 0, errors: 2 },
          ...{ namedCalls: 3, seenCalls: 4, endpoints: 1 },
          ...{ firstMs: (hour - 3) * 3_600_000, lastMs: hour * 3_600_000 },
        },
      ]);
    });

    it('a window holds its hours and no others, and a selection its endpoints', async () => {
      await add([one(), one({ hour: hour - 1, calls: 10 }), one({ hour: hour - 2, calls: 100 })]);
      await add([one({ route: '/carts', calls: 1000 })]);
      expect(await shown(hour - 1, hour)).toEqual(['web prod 10 0 of 1']);
      expect(await shown(hour - 1, hour + 1)).toEqual(['web prod 1011 0 of 2']);
      expect(await shown(0, hour + 1, ['/orders'])).toEqual(['web prod 111 0 of 1']);
    });

    it('two spellings that are one endpoint are one endpoint of a caller', async () => {
      await add([one({ route: '/orders/{id}' }), one({ route: '/orders/{order}' })]);
      expect(await shown()).toEqual(['web prod 2 0 of 1']);
    });

    it('calls of an endpoint, service or project that does not exist are left out', async () => {
      await add([
        one({ route: '/nothing' }),
        one({ service: 'other' }),
        one({ environment: 'test' }),
        one({ method: 'PUT' }),
        one({ project: 'unknown' }),
      ]);
      expect(await callers()).toEqual([]);
    });

    it('hours past nine days are added up to days, those that come late too', async () => {
      const midnight = Math.floor(nowS / 86_400) * 24;
      await add([one({ hour: midnight + 3 }), one({ hour: midnight + 4, calls: 10 })]);
      await add([one({ hour: midnight + 24 * 10 + 1 })], 10);
      await add([one({ hour: midnight + 5, calls: 100 })], 10);
      expect(await shown(midnight, midnight + 1)).toEqual(['web prod 111 0 of 1']);
      expect(await shown(midnight + 1, midnight + 24)).toEqual([]);
      expect(await shown(midnight, midnight + 24 * 10 + 2)).toEqual(['web prod 112 0 of 1']);
    });

    it('callers of an endpoint and hour past the bound share one', async () => {
      expect(limits.internalCallersPerEndpoint).toBe(100);
      const many = Array.from({ length: 105 }, (_, n) => one({ caller: `caller ${n}` }));
      await add(many);
      await add([one({ caller: 'caller 7' })]);
      const rows = await shown();
      expect(rows).toHaveLength(101);
      expect(rows.slice(0, 2)).toEqual(['{other} - 5 0 of 1', 'caller 7 prod 2 0 of 1']);
    });

    it('an endpoint that is forgotten takes its callers along; so does a service what it called', async () => {
      await add([one(), one({ route: '/carts', caller: 'shop', callerEnvironment: '' })]);
      const endpoints = await under.openEndpoints();
      const [orders] = await reader.snapshot('default', async (snapshot) =>
        (await snapshot.endpoints({})).filter(({ route }) => route === '/orders'),
      );
      await endpoints.forgetEndpoint('default', orders!.id);
      expect(await shown()).toEqual(['shop - 1 0 of 1']);
      await add([one({ route: '/carts', calls: 3 })]);
      await endpoints.forgetService('default', 'web', undefined);
      expect(await shown()).toEqual(['shop - 1 0 of 1']);
      await endpoints.close();
    });

    it('a window is of whole hours for nine days, and of whole days before', () => {
      const day = (n: number) => Math.floor(nowS / 86_400) * 86_400 - n * 86_400;
      const window = (fromS: number, toS: number) =>
        internalCallerWindow({ fromS, toS }, nowS * 1000);
      expect(window(day(8) + 60, day(0) + 3601)).toEqual({ fromS: day(8), toS: day(0) + 7200 });
      expect(window(day(9) + 60, day(9) + 120)).toEqual({ fromS: day(9), toS: day(8) });
    });
  });
}
