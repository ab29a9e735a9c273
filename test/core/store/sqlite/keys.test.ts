import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newKey } from '../../../../core/key.ts';
import { Database } from '../../../../core/store/sqlite/database.ts';
import { openSqliteKeys } from '../../../../core/store/sqlite/keys.ts';
import { keyStoreContract } from '../../../store/key-contract.ts';

const temporary = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-keys-'));
  return { path: join(folder, 'rollcall.db'), end: () => rm(folder, { recursive: true }) };
};

keyStoreContract('sqlite', async () => {
  const { path, end } = await temporary();
  return { open: () => openSqliteKeys(path), end };
});

it('keeps no key on disk, only its digest', async () => {
  const { path, end } = await temporary();
  const store = await openSqliteKeys(path);
  const { id, text, digest, prefix } = newKey();
  await store.createKey('default', { id, scope: 'read', digest, prefix, createdS: 1 });
  const bytes = Buffer.concat([await readFile(path), await readFile(`${path}-wal`)]);
  expect(bytes.includes(digest)).toBe(true);
  expect(bytes.includes(prefix)).toBe(true);
  expect(bytes.includes(text.slice(prefix.length))).toBe(false);
  await store.close();
  await end();
});

it('a use is given up, not waited for, while another process writes; administration waits', async () => {
  const { path, end } = await temporary();
  const store = await openSqliteKeys(path);
  const { id, digest, prefix } = newKey();
  await store.createKey('default', { id, scope: 'read', digest, prefix, createdS: 1 });
  const writer = new Database(path);
  writer.exec('BEGIN IMMEDIATE');
  const use = { project: 'default', id, usedS: 2 };
  await expect(store.touch([use])).rejects.toMatchObject({ code: 'unavailable' });
  expect(await store.activeKeys()).toMatchObject({ keys: [{ id }] });
  writer.exec('ROLLBACK');
  await store.touch([use]);
  expect(await store.listKeys('default')).toMatchObject([{ lastUsedS: 2 }]);
  writer.close();
  await store.close();
  await end();
});
