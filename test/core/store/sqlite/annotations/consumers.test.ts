import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSqliteConsumers } from '../../../../../core/store/sqlite/annotations/consumers.ts';
import { openSqliteKeys } from '../../../../../core/store/sqlite/keys.ts';
import { openSqliteReader } from '../../../../../core/store/sqlite/reader/reader.ts';

const note = (consumer: string, group = '') => ({
  consumer,
  displayName: `The ${consumer}`,
  group,
  contact: '',
  changedMs: 7,
});

it('notes on consumers are replaced, removed and bounded in their project, and a snapshot holds them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-consumers-'));
  const path = join(folder, 'rollcall.db');
  const store = await openSqliteConsumers(path);
  const keys = await openSqliteKeys(path);
  const reader = await openSqliteReader(path);
  const seen = (project = 'default') =>
    reader.snapshot(project, (snapshot) => snapshot.consumerNotes());
  await keys.createProject('other');
  await store.put('default', [note('app', 'mobile'), note('partner')]);
  await store.put('other', [note('app', 'elsewhere')]);
  expect(await seen()).toEqual([note('app', 'mobile'), note('partner')]);
  await store.put('default', [note('app')]);
  expect(await seen()).toEqual([note('app'), note('partner')]);
  expect(await seen('other')).toEqual([note('app', 'elsewhere')]);
  await store.remove('default', 'app');
  await expect(store.remove('default', 'app')).rejects.toMatchObject({ code: 'not_found' });
  await expect(store.put('nobody', [note('app')])).rejects.toMatchObject({ code: 'not_found' });
  expect(await seen()).toEqual([note('partner')]);
  expect(await seen('other')).toEqual([note('app', 'elsewhere')]);
  await expect(store.remove('other', 'partner')).rejects.toMatchObject({ code: 'not_found' });
  const many = Array.from({ length: 10_000 }, (_, n) => note(`c${n}`));
  await expect(store.put('default', many)).rejects.toMatchObject({ code: 'conflict' });
  expect(await seen()).toEqual([note('partner')]);
  await store.put('default', many.slice(1));
  expect(await seen()).toHaveLength(10_000);
  await reader.close();
  await keys.close();
  await store.close();
  await rm(folder, { recursive: true });
});
