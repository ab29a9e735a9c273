import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { limits } from '../../core/limits.ts';
import type { EventStore, ToldEvent } from '../../core/store/annotations/events.ts';
import type { KeyStore } from '../../core/store/keys.ts';
import type { CallReader } from '../../core/store/store.ts';

export interface EventEngine {
  open(): Promise<EventStore>;
  openKeys(): Promise<KeyStore>;
  openReader(): Promise<CallReader>;
  end(): Promise<void>;
}

/** What every engine must do with events that are told. An engine's test calls it with its opener. */
export function eventStoreContract(engine: string, start: () => Promise<EventEngine>): void {
  describe(`${engine} events`, () => {
    const nowMs = 1_790_000_000_000;
    let under: EventEngine;
    let store: EventStore;
    /** The same store as another process sees it. */
    let other: EventStore;
    let reader: CallReader;

    beforeEach(async () => {
      under = await start();
      store = await under.open();
      other = await under.open();
      reader = await under.openReader();
      const keys = await under.openKeys();
      await keys.createProject('second');
      await keys.close();
    });
    afterEach(async () => {
      await store.close();
      await other.close();
      await reader.close();
      await under.end();
    });

    const event = (told: Partial<ToldEvent> = {}): ToldEvent => ({
      id: 'a',
      atMs: nowMs - 1000,
      kind: 'incident',
      title: 'Database failover, “primary” lost',
      toldMs: nowMs,
      ...told,
    });
    const seen = (project = 'default') => reader.snapshot(project, (snapshot) => snapshot.events());

    it('an event is in the next snapshot as it was told, oldest first', async () => {
      expect(await seen()).toEqual([]);
      const whole = event({
        id: 'whole',
        service: 'shop',
        environment: '',
        version: '1.4.2',
        link: 'https://status.example/1',
        atMs: nowMs + 5,
      });
      await store.add('default', [whole]);
      await other.add('default', [event()]);
      expect(await seen()).toEqual([event(), whole]);
    });

    it('an event is removed once, and the others stay', async () => {
      await store.add('default', [event()]);
      await store.add('default', [event({ id: 'b' })]);
      await other.remove('default', 'a');
      expect(await seen()).toEqual([event({ id: 'b' })]);
      await expect(store.remove('default', 'a')).rejects.toMatchObject({ code: 'not_found' });
    });

    it('an event belongs to its project', async () => {
      await store.add('default', [event()]);
      await store.add('second', [event({ title: 'theirs' })]);
      expect(await seen()).toEqual([event()]);
      expect(await seen('second')).toEqual([event({ title: 'theirs' })]);
      await store.remove('second', 'a');
      expect(await seen()).toEqual([event()]);
      await expect(store.remove('second', 'a')).rejects.toMatchObject({ code: 'not_found' });
      await expect(store.add('nobody', [event()])).rejects.toMatchObject({ code: 'not_found' });
    });

    it('events of a project are bounded, and another project is not held back', async () => {
      const all = Array.from({ length: limits.toldEvents }, (_, n) => event({ id: String(n) }));
      await store.add('default', all);
      await expect(store.add('default', [event({ id: 'more' })])).rejects.toMatchObject({
        code: 'conflict',
      });
      await store.add('second', [event()]);
      await store.remove('default', '7');
      await store.add('default', [event({ id: 'more' })]);
      expect(await seen()).toHaveLength(limits.toldEvents);
    });
  });
}
