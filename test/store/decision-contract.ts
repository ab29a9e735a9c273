import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Decision, DecisionPlace, DecisionStore } from '../../core/store/decisions.ts';
import type { KeyStore } from '../../core/store/keys.ts';
import type { CallReader } from '../../core/store/store.ts';

export interface DecisionEngine {
  open(): Promise<DecisionStore>;
  openKeys(): Promise<KeyStore>;
  openReader(): Promise<CallReader>;
  end(): Promise<void>;
}

/** What every engine must do with decisions. An engine's test calls it with its opener. */
export function decisionStoreContract(engine: string, start: () => Promise<DecisionEngine>): void {
  describe(`${engine} decisions`, () => {
    const nowMs = 1_790_000_000_000;
    let under: DecisionEngine;
    let store: DecisionStore;
    /** The same store as another process sees it. */
    let other: DecisionStore;
    let reader: CallReader;

    beforeEach(async () => {
      under = await start();
      store = await under.open();
      other = await under.open();
      reader = await under.openReader();
    });
    afterEach(async () => {
      await store.close();
      await other.close();
      await reader.close();
      await under.end();
    });

    const place: DecisionPlace = {
      service: 'shop',
      environment: 'prod',
      method: 'GET',
      route: '/a/{id}',
    };
    const decision = (told: Partial<Decision> = {}): Decision => ({
      ...place,
      action: 'keep',
      reason: 'the yearly audit',
      untilMs: nowMs + 1000,
      by: 'ada',
      decidedMs: nowMs,
      lastAnsweredMs: nowMs - 1000,
      callers: ['audit'],
      ...told,
    });
    const seen = (project = 'default') =>
      reader.snapshot(project, (snapshot) => snapshot.decisions());

    it('a decision is in the next snapshot as it was made', async () => {
      expect(await seen()).toEqual([]);
      await store.decide('default', [decision()]);
      expect(await seen()).toEqual([decision()]);
      expect(await other.history('default', place)).toEqual([decision()]);
    });

    it('the newest decision of a place holds, whatever its parameters are called', async () => {
      await store.decide('default', [decision()]);
      const second = decision({ route: '/a/:name', action: 'remove', decidedMs: nowMs + 60 });
      await other.decide('default', [second]);
      expect(await seen()).toEqual([second]);
      const history = await store.history('default', { ...place, route: '/A/{x}' });
      expect(history.map(({ action }) => action)).toEqual(['remove', 'keep']);
    });

    it('each environment, all environments, each method and each service are places of their own', async () => {
      const all = [
        decision(),
        decision({ environment: null }),
        decision({ environment: '' }),
        decision({ method: 'PUT' }),
        decision({ service: 'other' }),
      ];
      await store.decide('default', all);
      expect(await seen()).toHaveLength(5);
      expect(await store.history('default', { ...place, environment: null })).toHaveLength(1);
    });

    it('a decision belongs to its project', async () => {
      const keys = await under.openKeys();
      await keys.createProject('second');
      await keys.close();
      const theirs = decision({ reason: 'theirs' });
      await store.decide('default', [decision()]);
      await store.decide('second', [theirs]);
      expect([await seen(), await seen('second')]).toEqual([[decision()], [theirs]]);
      expect(await store.history('second', place)).toEqual([theirs]);
      const by = { by: 'bob', decidedMs: nowMs + 60 };
      expect(await store.withdraw('second', [place], by)).toBe(1);
      expect([await seen(), await seen('second')]).toEqual([[decision()], []]);
      expect(await store.history('default', place)).toEqual([decision()]);
    });

    it('a withdrawn decision holds no more and stays in the history', async () => {
      await store.decide('default', [decision()]);
      const by = { by: 'bob', decidedMs: nowMs + 60 };
      expect(await store.withdraw('default', [place, { ...place, method: 'PUT' }], by)).toBe(1);
      expect(await store.withdraw('default', [place], by)).toBe(0);
      expect(await seen()).toEqual([]);
      const [newest, first] = await other.history('default', place);
      expect(newest).toMatchObject({ action: null, by: 'bob', reason: '', untilMs: null });
      expect(first).toEqual(decision());
      await store.decide('default', [decision({ decidedMs: nowMs + 120 })]);
      expect(await seen()).toHaveLength(1);
    });

    it('the last 50 decisions on an endpoint are listed', async () => {
      for (let n = 0; n < 52; n += 1) await store.decide('default', [decision({ reason: `${n}` })]);
      const history = await store.history('default', place);
      expect(history).toHaveLength(50);
      expect(history[0]?.reason).toBe('51');
    });

    it('more than 20,000 places are refused, and nothing of them is stored', async () => {
      const many = (count: number, from = 0) =>
        Array.from({ length: count }, (_, n) => decision({ route: `/r${from + n}` }));
      await store.decide('default', many(20_000));
      await expect(store.decide('default', many(2, 20_000))).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining('the bound is 20000'),
      });
      expect(await seen()).toHaveLength(20_000);
    });

    it('a project that does not exist has none', async () => {
      await expect(store.decide('absent', [decision()])).rejects.toMatchObject({
        code: 'not_found',
      });
    });
  });
}
