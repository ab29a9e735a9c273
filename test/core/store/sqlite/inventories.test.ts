import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSqliteInventories } from '../../../../core/store/sqlite/inventory/inventories.ts';
import {
  InventoryRows,
  versionAfter,
} from '../../../../core/store/sqlite/inventory/inventory-rows.ts';
import { openDatabase } from '../../../../core/store/sqlite/open.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import { inventoryStoreContract } from '../../../store/inventory-contract.ts';

inventoryStoreContract('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-inventories-'));
  return {
    open: () => openSqliteInventories(join(folder, 'rollcall.db')),
    end: () => rm(folder, { recursive: true }),
  };
});

it('a snapshot holds the newest version of each inventory of its project', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-inventories-'));
  const path = join(folder, 'rollcall.db');
  const store = await openSqliteInventories(path);
  const reader = await openSqliteReader(path);
  const seen = (project = 'default') =>
    reader.snapshot(project, async (snapshot) =>
      (await snapshot.inventories()).map(({ service, environment, version, routes, former }) => ({
        place: `${service} ${environment}`,
        version,
        routes: routes.map(({ route }) => route),
        former: former.map(({ route }) => route),
      })),
    );
  const replace = (service: string, environment: string | null, route: string, createdMs: number) =>
    store.replace(
      'default',
      { service, environment },
      {
        author: '',
        createdMs,
        format: 'routes',
        routes: [{ method: 'GET', route, deprecated: false }],
        prefixes: [],
      },
    );
  expect(await seen()).toEqual([]);
  await replace('shop', null, '/a', 1);
  await replace('shop', 'staging', '/b', 2);
  expect(await seen()).toEqual([
    { place: 'shop null', version: 1, routes: ['/a'], former: [] },
    { place: 'shop staging', version: 1, routes: ['/b'], former: [] },
  ]);
  await replace('shop', null, '/c', 3);
  await store.remove(
    'default',
    { service: 'shop', environment: 'staging' },
    { author: '', createdMs: 4 },
  );
  expect(await seen()).toEqual([
    { place: 'shop null', version: 2, routes: ['/c'], former: ['/a'] },
    { place: 'shop staging', version: 2, routes: [], former: ['/b'] },
  ]);
  expect(await seen('another')).toEqual([]);
  await reader.close();
  await store.close();
  await rm(folder, { recursive: true });
});

it('versions of a project have a bound in bytes: the oldest are deleted, the newest of each service stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-inventories-'));
  const db = openDatabase(join(folder, 'rollcall.db'), 'write');
  const rows = new InventoryRows(db, 'inventory', 20_000);
  const projectId = db.prepare('SELECT id FROM project').pluck().get() as number;
  const place = (service: string) => ({ service, environment: null });
  const next = (version: number) => ({
    author: '',
    createdMs: version,
    format: 'routes',
    // 200 routes that do not compress: 5 KB and more.
    routes: Array.from({ length: 200 }, () => ({
      method: 'GET',
      route: `/${randomBytes(24).toString('hex')}`,
      deprecated: false,
    })),
    prefixes: [],
  });
  rows.add(projectId, place('quiet'), undefined, next(0));
  for (let n = 1; n <= 12; n += 1) {
    rows.insert(
      projectId,
      place('busy'),
      versionAfter(rows.newest(projectId, place('busy')), next(n), 0),
    );
  }
  const versions = (service: string) =>
    rows.history(projectId, place(service)).map(({ version }) => version);
  expect(versions('quiet')).toEqual([1]);
  const kept = versions('busy');
  expect(kept[0]).toBe(12);
  expect(kept.length).toBeGreaterThan(1);
  expect(kept.length).toBeLessThanOrEqual(4);
  db.close();
  await rm(folder, { recursive: true });
});
