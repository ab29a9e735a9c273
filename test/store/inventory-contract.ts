import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeclaredRoute, InventoryPlace, InventoryStore } from '../../core/store/inventory.ts';

/** What every engine must do with inventories. An engine's test calls it with its opener. */
export function inventoryStoreContract(
  engine: string,
  start: () => Promise<{ open(): Promise<InventoryStore>; end(): Promise<void> }>,
): void {
  describe(`${engine} inventories`, () => {
    const nowS = 1_790_000_000;
    let under: Awaited<ReturnType<typeof start>>;
    let store: InventoryStore;
    /** The same store as another process sees it. */
    let other: InventoryStore;

    beforeEach(async () => {
      under = await start();
      store = await under.open();
      other = await under.open();
    });
    afterEach(async () => {
      await store.close();
      await other.close();
      await under.end();
    });

    const everywhere = { service: 'shop', environment: null };
    const declared = (...lines: string[]): DeclaredRoute[] =>
      lines.map((line) => {
        const [method, route] = line.split(' ');
        return { method: method!, route: route!, deprecated: false };
      });
    const replace = (place: InventoryPlace, createdMs: number, ...lines: string[]) =>
      store.replace('default', place, {
        author: 'ada',
        createdMs,
        format: 'routes',
        routes: declared(...lines),
        prefixes: ['/v1'],
      });

    it('keeps what it was given, and shows it to every process', async () => {
      expect(await other.inventory('default', everywhere)).toBeUndefined();
      await replace(everywhere, nowS, 'GET /a', 'POST /b/{id}');
      expect(await other.inventory('default', everywhere)).toEqual({
        ...everywhere,
        version: 1,
        author: 'ada',
        createdMs: nowS,
        format: 'routes',
        declaredRoutes: 2,
        addedRoutes: 2,
        removedRoutes: 0,
        routes: declared('GET /a', 'POST /b/{id}'),
        prefixes: ['/v1'],
        former: [],
      });
    });

    it('uploads of two processes at once are one version after the other, and lose no route', async () => {
      const upload = (by: InventoryStore, n: number) =>
        by.replace('default', everywhere, {
          ...{ author: '', createdMs: nowS + n, format: 'routes', prefixes: [] },
          routes: declared(`GET /r${n}`),
        });
      const uploads = [0, 1, 2, 3].flatMap((n) => [upload(store, 2 * n), upload(other, 2 * n + 1)]);
      const versions = (await Promise.all(uploads)).map(({ version }) => version);
      expect(versions.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      const newest = (await store.inventory('default', everywhere))!;
      // Every route but the newest was declared by an earlier version.
      expect([newest.routes.length, newest.former.length]).toEqual([1, 7]);
    });

    it('the same routes again are no new version', async () => {
      await replace(everywhere, nowS, 'GET /a');
      await replace(everywhere, nowS + 60, 'GET /a');
      expect(await other.history('default', everywhere)).toHaveLength(1);
      expect(await other.inventory('default', everywhere)).toMatchObject({ createdMs: nowS });
    });

    it('a version says what it adds and removes; what is gone is former until it is declared again', async () => {
      await replace(everywhere, nowS, 'GET /a', 'GET /b/{id}');
      const second = await replace(everywhere, nowS + 60, 'GET /b/{name}', 'GET /c');
      expect(second).toMatchObject({ version: 2, addedRoutes: 1, removedRoutes: 1 });
      expect(second.former).toEqual([{ method: 'GET', route: '/a', removedMs: nowS + 60 }]);
      const third = await replace(everywhere, nowS + 120, 'GET /a', 'GET /c');
      expect(third.former).toEqual([{ method: 'GET', route: '/b/{name}', removedMs: nowS + 120 }]);
      expect(await other.history('default', everywhere)).toMatchObject([
        { version: 3, createdMs: nowS + 120, addedRoutes: 1, removedRoutes: 1 },
        { version: 2 },
        { version: 1 },
      ]);
    });

    it('an environment has an inventory of its own, and a project', async () => {
      await replace(everywhere, nowS, 'GET /a');
      const staging = { service: 'shop', environment: 'staging' };
      expect(await other.inventory('default', staging)).toBeUndefined();
      await replace(staging, nowS, 'GET /b');
      expect(await other.inventory('default', staging)).toMatchObject({ declaredRoutes: 1 });
      expect((await other.inventory('default', everywhere))?.routes).toEqual(declared('GET /a'));
      await expect(other.inventory('absent', everywhere)).rejects.toMatchObject({
        code: 'not_found',
      });
    });

    it('a removed inventory leaves its routes as former ones', async () => {
      const by = { author: 'bob', createdMs: nowS + 60 };
      await expect(store.remove('default', everywhere, by)).rejects.toMatchObject({
        code: 'not_found',
        message: 'service "shop" has no inventory for all environments',
      });
      await replace(everywhere, nowS, 'GET /a');
      await store.remove('default', everywhere, by);
      expect(await other.inventory('default', everywhere)).toBeUndefined();
      await expect(store.remove('default', everywhere, by)).rejects.toMatchObject({
        code: 'not_found',
      });
      const again = await replace(everywhere, nowS + 120, 'GET /b');
      expect(again).toMatchObject({ version: 3, addedRoutes: 1, removedRoutes: 0 });
      expect(again.former).toEqual([{ method: 'GET', route: '/a', removedMs: nowS + 60 }]);
    });

    it('tells which inventories changed after a revision, in every project', async () => {
      const first = await other.changedSince('');
      expect(first.changed).toEqual([]);
      await replace(everywhere, nowS, 'GET /a');
      await replace({ service: 'pay', environment: 'eu' }, nowS, 'GET /p');
      const second = await other.changedSince(first.revision);
      expect(second.changed).toMatchObject([
        { project: 'default', source: 'upload', inventory: { service: 'shop', environment: null } },
        { project: 'default', source: 'upload', inventory: { service: 'pay', environment: 'eu' } },
      ]);
      expect((await other.changedSince(second.revision)).changed).toEqual([]);
      await replace(everywhere, nowS + 1, 'GET /b');
      await replace(everywhere, nowS + 2, 'GET /c');
      const { changed } = await other.changedSince(second.revision);
      expect(changed).toMatchObject([
        { inventory: { version: 3, former: [{ route: '/b' }, { route: '/a' }] } },
      ]);
      expect((await other.changedSince('')).changed).toHaveLength(2);
    });

    it('the last 50 versions are listed', async () => {
      for (let n = 0; n < 52; n += 1) await replace(everywhere, nowS + n, `GET /a${n}`);
      const history = await other.history('default', everywhere);
      expect(history).toHaveLength(50);
      expect(history.at(-1)).toMatchObject({ version: 3 });
    });
  });
}
