import { mkdirSync, statSync, symlinkSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { backUpStore } from '../../../../core/store/sqlite/backup.ts';
import { openSqliteWriter } from '../../../../core/store/sqlite/writer/writer.ts';
import { temporaryFolder } from '../../../support/process.ts';

const folder = temporaryFolder();
const path = `${folder.path}/rollcall.db`;
afterAll(() => folder.remove());
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

it('a store, its log, the index of the log, its lock and a backup are for their owner alone', async () => {
  const before = process.umask();
  expect(before & 0o077).not.toBe(0o077);
  const writer = await openSqliteWriter({ path, retention: defaultRetention });
  try {
    await writer.check();
    await backUpStore(path, `${folder.path}/backup.db`);
    const files = [path, `${path}-wal`, `${path}-shm`, `${path}.lock`, `${folder.path}/backup.db`];
    expect(files.map(modeOf)).toEqual(['600', '600', '600', '600', '600']);
  } finally {
    await writer.close();
  }
});

it.each<[string, (partial: string) => void]>([
  ['a folder', (partial) => mkdirSync(partial)],
  ['a symbolic link', (partial) => symlinkSync('/dev/null', partial)],
])('a backup over a .partial that is %s says so', async (_, make) => {
  const target = `${folder.path}/${_.replaceAll(' ', '-')}.db`;
  make(`${target}.partial`);
  await expect(backUpStore(path, target)).rejects.toMatchObject({
    code: 'conflict',
    message: `${target}.partial is in the way and is not a file: remove it`,
  });
});
