import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newKey, type Scope } from '../../core/key.ts';
import { limits } from '../../core/limits.ts';
import type { KeyStore, StoredKey } from '../../core/store/keys.ts';

/** What every engine must do with projects and keys. An engine's test calls it with its opener. */
export function keyStoreContract(
  engine: string,
  start: () => Promise<{ open(): Promise<KeyStore>; end(): Promise<void> }>,
): void {
  describe(`${engine} keys`, () => {
    const nowS = 1_790_000_000;
    let under: Awaited<ReturnType<typeof start>>;
    let store: KeyStore;
    /** The same store as another process sees it. */
    let other: KeyStore;

    beforeEach(async () => {
      under = await start();
      store = await under.open();
      other = await under.open();
      await store.createProject('a');
      await store.createProject('b');
    });
    afterEach(async () => {
      await store.close();
      await other.close();
      await under.end();
    });

    const made = (scope: Scope = 'ingest', createdS = nowS): StoredKey => {
      const { id, digest, prefix } = newKey();
      return { id, scope, digest, prefix, createdS };
    };
    const listed = async (project: string) => (await other.listKeys(project)).map(({ id }) => id);
    const active = async () => (await other.activeKeys()).keys.map(({ id }) => id);

    it('has the project default from the start, and each name once', async () => {
      expect(await other.projects()).toEqual([
        { name: 'a', keys: 0 },
        { name: 'b', keys: 0 },
        { name: 'default', keys: 0 },
      ]);
      await expect(other.createProject('a')).rejects.toMatchObject({ code: 'conflict' });
      await store.createKey('a', made());
      expect(await other.projects()).toContainEqual({ name: 'a', keys: 1 });
    });

    it('keeps of a key what it was given, and shows it to every process', async () => {
      const key = made('read');
      const record = {
        id: key.id,
        project: 'a',
        scope: 'read',
        prefix: key.prefix,
        createdS: nowS,
        rotatedS: null,
        lastUsedS: null,
        revokedS: null,
      };
      expect(await store.createKey('a', key)).toEqual(record);
      expect(await other.listKeys('a')).toEqual([record]);
      const { keys } = await other.activeKeys();
      expect(keys).toHaveLength(1);
      expect(keys[0]).toMatchObject({ id: key.id, project: 'a', scope: 'read', lastUsedS: null });
      expect(Buffer.from(keys[0]!.digest)).toEqual(key.digest);
      expect(await other.projectOf(key.id)).toBe('a');
      expect(await other.projectOf('key_nobody')).toBeUndefined();
    });

    it('gives another project nothing by an id', async () => {
      const key = made();
      await store.createKey('a', key);
      expect(await listed('b')).toEqual([]);
      const missing = { code: 'not_found', message: expect.stringContaining(key.id) };
      await expect(store.rotate('b', key.id, made(), nowS)).rejects.toMatchObject(missing);
      await expect(store.revoke('b', key.id, nowS)).rejects.toMatchObject(missing);
      await store.touch([{ project: 'b', id: key.id, usedS: nowS }]);
      expect(await other.listKeys('a')).toMatchObject([
        { id: key.id, prefix: key.prefix, rotatedS: null, revokedS: null, lastUsedS: null },
      ]);
    });

    it('knows no project that was not created', async () => {
      const missing = { code: 'not_found', message: expect.stringContaining('"c"') };
      await expect(store.createKey('c', made())).rejects.toMatchObject(missing);
      await expect(store.listKeys('c')).rejects.toMatchObject(missing);
      expect((await other.projects()).map(({ name }) => name)).not.toContain('c');
    });

    it('gives a key another secret', async () => {
      const key = made();
      await store.createKey('a', key);
      await store.touch([{ project: 'a', id: key.id, usedS: nowS + 1 }]);
      const next = made();
      const rotated = await store.rotate('a', key.id, next, nowS + 5);
      // The new secret was never used.
      expect(rotated).toMatchObject({ id: key.id, prefix: next.prefix, rotatedS: nowS + 5 });
      expect(rotated.lastUsedS).toBeNull();
      const { keys } = await other.activeKeys();
      expect(keys.map(({ digest }) => Buffer.from(digest))).toEqual([next.digest]);
    });

    it('forgets the secret of a revoked key, lists it, and does not bring it back', async () => {
      const [key, kept] = [made(), made()];
      await store.createKey('a', key);
      await store.createKey('a', kept);
      expect(await store.revoke('a', key.id, nowS + 7)).toMatchObject({ revokedS: nowS + 7 });
      expect(await store.revoke('a', key.id, nowS + 9)).toMatchObject({ revokedS: nowS + 7 });
      expect(await active()).toEqual([kept.id]);
      expect(await listed('a')).toEqual([key.id, kept.id]);
      const again = store.rotate('a', key.id, made(), nowS);
      await expect(again).rejects.toMatchObject({ code: 'conflict' });
      await store.touch([{ project: 'a', id: key.id, usedS: nowS + 9 }]);
      expect((await other.listKeys('a'))[0]).toMatchObject({ lastUsedS: null });
    });

    it('changes its version with every change of which keys are good, and with nothing else', async () => {
      const seen = [await other.version()];
      const key = made();
      const changed = async (work: Promise<unknown>) => {
        await work;
        seen.push(await other.version());
      };
      await changed(store.createKey('a', key));
      await changed(store.rotate('a', key.id, made(), nowS));
      await changed(store.revoke('a', key.id, nowS));
      expect(new Set(seen).size).toBe(4);
      await store.createKey('b', made());
      const [last] = (await store.listKeys('b')).map(({ id }) => id);
      const before = await other.version();
      await store.touch([{ project: 'b', id: last!, usedS: nowS }]);
      await store.createProject('c');
      await store.revoke('a', key.id, nowS);
      expect(await other.version()).toBe(before);
      expect((await other.activeKeys()).version).toBe(before);
    });

    it('notes the last use, never an earlier one', async () => {
      const key = made();
      await store.createKey('a', key);
      for (const usedS of [nowS + 60, nowS + 30]) {
        await store.touch([{ project: 'a', id: key.id, usedS }]);
      }
      expect(await other.listKeys('a')).toMatchObject([{ lastUsedS: nowS + 60 }]);
    });

    it('refuses keys beyond the bound of a project, and lists no more revoked ones than it says', async () => {
      const keys = Array.from({ length: limits.keysPerProject }, (_, i) => made('read', nowS + i));
      for (const key of keys) await store.createKey('a', key);
      const full = { code: 'conflict', message: expect.stringContaining('the bound is 100') };
      await expect(store.createKey('a', made())).rejects.toMatchObject(full);
      await store.createKey('b', made());
      for (const [i, { id }] of keys.entries()) await store.revoke('a', id, nowS + i);
      const more = made('read', nowS + 1000);
      await store.createKey('a', more);
      await store.revoke('a', more.id, nowS + 1000);
      expect(limits.revokedKeys).toBe(limits.keysPerProject);
      expect(await listed('a')).toEqual([...keys.slice(1), more].map(({ id }) => id));
    });
  });
}
