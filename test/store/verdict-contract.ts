import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VerdictStore } from '../../core/store/verdicts.ts';

/** What every engine's store of verdicts must do. */
export function verdictStoreContract(
  engine: string,
  start: () => Promise<{ open(): Promise<VerdictStore>; end(): Promise<void> }>,
): void {
  describe(`verdicts in ${engine}`, () => {
    let under: Awaited<ReturnType<typeof start>>;
    let store: VerdictStore;
    beforeEach(async () => {
      under = await start();
      store = await under.open();
    });
    afterEach(async () => {
      await store.close();
      await under.end();
    });

    const dead = (endpoint: string, confidence: number) => ({
      endpoint,
      status: 'dead',
      confidence,
    });
    const active = (endpoint: string) => ({ endpoint, status: 'active', confidence: null });

    it('stores changes alone, and totals of every day', async () => {
      expect(await store.newestDay('default')).toBeUndefined();
      await store.record('default', 100, [dead('1', 0.71), active('2')]);
      await store.record('default', 101, [dead('1', 0.74), active('2')]);
      await store.record('default', 102, [dead('1', 0.76), dead('2', 0.3)]);
      await store.record('default', 105, [dead('2', 0.3)]);
      expect(await store.newestDay('default')).toBe(105);
      expect(await store.history('default', '1')).toEqual([
        { day: 100, status: 'dead', confidence: 0.71 },
        { day: 102, status: 'dead', confidence: 0.76 },
        { day: 105, status: null, confidence: null },
      ]);
      expect(await store.history('default', '2')).toEqual([
        { day: 100, status: 'active', confidence: null },
        { day: 102, status: 'dead', confidence: 0.3 },
      ]);
      expect(await store.totals('default')).toEqual([
        { day: 100, counts: { dead: 1, active: 1 } },
        { day: 101, counts: { dead: 1, active: 1 } },
        { day: 102, counts: { dead: 2 } },
        { day: 105, counts: { dead: 1 } },
      ]);
    });

    it('takes the snapshot of a day once, and none of a day before the newest', async () => {
      await store.record('default', 100, [dead('1', 0.5)]);
      await store.record('default', 100, [active('1')]);
      await store.record('default', 99, [active('1')]);
      expect(await store.history('default', '1')).toEqual([
        { day: 100, status: 'dead', confidence: 0.5 },
      ]);
      expect(await store.totals('default')).toEqual([{ day: 100, counts: { dead: 1 } }]);
    });

    it('forgets days of a clock that was ahead when a snapshot of the right day is taken', async () => {
      await store.record('default', 100, [dead('1', 0.5)]);
      await store.record('default', 1925, [active('1')]);
      await store.record('default', 101, [dead('1', 0.8)]);
      expect(await store.newestDay('default')).toBe(101);
      expect(await store.history('default', '1')).toEqual([
        { day: 100, status: 'dead', confidence: 0.5 },
        { day: 101, status: 'dead', confidence: 0.8 },
      ]);
    });

    it('keeps evidence by its moment', async () => {
      const kept = { endpoint: '1', asOfMs: 1_790_000_000_123, body: '{"a":1}' };
      await store.keepEvidence('default', kept);
      expect(await store.evidence('default', '1', kept.asOfMs)).toEqual(kept);
      expect(await store.evidence('default', '1', kept.asOfMs + 1)).toBeUndefined();
      expect(await store.evidence('default', '2', kept.asOfMs)).toBeUndefined();
    });

    it('has no project that was not made', async () => {
      const missing = { code: 'not_found', message: expect.stringContaining('"other"') };
      await expect(store.totals('other')).rejects.toMatchObject(missing);
      await expect(store.record('other', 1, [])).rejects.toMatchObject(missing);
    });
  });
}
