import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import type { Arrival, ArrivalStore } from '../../core/store/arrivals.ts';
import type { KeyStore } from '../../core/store/keys.ts';
import type { EndpointStore } from '../../core/store/store.ts';

export interface ArrivalEngine {
  open(): Promise<ArrivalStore>;
  openKeys(): Promise<KeyStore>;
  openEndpoints(): Promise<EndpointStore>;
  end(): Promise<void>;
}

/** What every engine must do with counts of what arrived. An engine's test calls it with its opener. */
export function arrivalStoreContract(engine: string, start: () => Promise<ArrivalEngine>): void {
  describe(`${engine} arrivals`, () => {
    let under: ArrivalEngine;
    let store: ArrivalStore;
    /** The same store as another process sees it. */
    let other: ArrivalStore;
    const day = 20_700;

    beforeEach(async () => {
      under = await start();
      store = await under.open();
      other = await under.open();
      const keys = await under.openKeys();
      await keys.createProject('second');
      await keys.close();
    });
    afterEach(async () => {
      await store.close();
      await other.close();
      await under.end();
    });

    const arrival = (made: Partial<Arrival> = {}): Arrival => ({
      project: 'default',
      service: 'shop',
      outcome: 'not_server',
      reason: '',
      count: 12,
      lastMs: 1_790_000_000_000,
      ...made,
    });
    const counted = async (project = 'default', since = 0) =>
      (await other.since(project, since)).map(
        ({ service, outcome, reason, count }) =>
          `${service} ${outcome}${reason && `.${reason}`} ${count}`,
      );

    it('counts add up by service, outcome and reason, over days, with the newest moment', async () => {
      expect(await counted()).toEqual([]);
      await store.add(day, [
        arrival(),
        arrival({ outcome: 'rejected', reason: 'future', count: 2 }),
        arrival({ outcome: 'rejected', reason: 'too_old', count: 1 }),
        arrival({ service: '', outcome: 'refused', reason: 'read', count: 3 }),
      ]);
      await other.add(day, [arrival({ count: 5, lastMs: 1_790_000_009_000 })]);
      await store.add(day + 1, [arrival({ count: 1, lastMs: 1_790_000_001_000 })]);
      expect(await counted()).toEqual([
        ' refused.read 3',
        'shop not_server 18',
        'shop rejected.future 2',
        'shop rejected.too_old 1',
      ]);
      expect(await counted('default', day + 1)).toEqual(['shop not_server 1']);
      const [spans] = (await store.since('default', 0)).filter(
        ({ outcome }) => outcome === 'not_server',
      );
      expect(spans!.lastMs).toBe(1_790_000_009_000);
    });

    it('a project sees its own counts, and one that does not exist has none', async () => {
      await store.add(day, [
        arrival(),
        arrival({ project: 'second', count: 7 }),
        arrival({ project: 'unknown' }),
      ]);
      expect(await counted()).toEqual(['shop not_server 12']);
      expect(await counted('second')).toEqual(['shop not_server 7']);
      expect(await counted('unknown')).toEqual([]);
    });

    it('a service that is forgotten takes its counts along, in its project', async () => {
      await store.add(day, [
        arrival(),
        arrival({ service: 'worker' }),
        arrival({ project: 'second' }),
      ]);
      const endpoints = await under.openEndpoints();
      await endpoints.forgetService('default', 'shop', undefined);
      await endpoints.close();
      expect(await counted()).toEqual(['worker not_server 12']);
      expect(await counted('second')).toEqual(['shop not_server 12']);
    });

    it('days are forgotten, and names past the bound share one', async () => {
      await store.add(day, [arrival()]);
      const many = Array.from({ length: limits.arrivalServices + 20 }, (_, n) =>
        arrival({ service: `service ${String(n).padStart(4, '0')}`, count: 1 }),
      );
      await store.add(day + limits.arrivalDays, many);
      const rows = await counted();
      expect(rows).toHaveLength(501);
      expect(rows).toContain('{other} not_server 20');
      expect(rows).not.toContain('shop not_server 12');
    });
  });
}
