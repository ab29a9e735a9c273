import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { Database } from '../../../../core/store/sqlite/database.ts';
import { openDatabase } from '../../../../core/store/sqlite/open.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import { migrate, schemaVersion } from '../../../../core/store/sqlite/schema.ts';
import { openSqliteWriter } from '../../../../core/store/sqlite/writer/writer.ts';

describe("the store's file", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-schema-'));
    path = join(folder, 'rollcall.db');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const schemaOf = (file: string): unknown[] => {
    const db = new Database(file, { readOnly: true });
    const schema = db
      .prepare('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name')
      .all();
    db.close();
    return schema;
  };

  it('comes from every older version to the same schema', () => {
    openDatabase(path, 'write').close();
    for (let version = 0; version < schemaVersion; version++) {
      const older = join(folder, `older-${version}.db`);
      const db = new Database(older);
      migrate(db, version);
      expect(db.pragma('user_version')).toBe(version);
      db.close();
      openDatabase(older, 'write').close();
      expect(schemaOf(older)).toEqual(schemaOf(path));
    }
  });

  it('is refused, untouched, when a newer program wrote it', async () => {
    openDatabase(path, 'write').close();
    const db = new Database(path);
    db.pragma(`user_version = ${schemaVersion + 1}`);
    db.close();
    const expected = {
      code: 'conflict',
      message: expect.stringContaining(`schema version ${schemaVersion + 1}`),
    };
    await expect(openSqliteWriter({ path, retention: defaultRetention })).rejects.toMatchObject(
      expected,
    );
    await expect(openSqliteReader(path)).rejects.toMatchObject(expected);
  });

  it('gives deleted space back: it vacuums incrementally', () => {
    const db = openDatabase(path, 'write');
    expect(db.pragma('auto_vacuum')).toBe(2);
    expect(db.pragma('journal_mode')).toBe('wal');
    expect(db.pragma('synchronous')).toBe(2);
    db.close();
  });

  it('has one writer: a second one is told who holds it', async () => {
    const first = await openSqliteWriter({ path, retention: defaultRetention });
    await expect(openSqliteWriter({ path, retention: defaultRetention })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('another collector'),
    });
    await first.close();
    const next = await openSqliteWriter({ path, retention: defaultRetention });
    await next.check();
    await next.close();
  });

  it('says what is wrong with a file that is no store', async () => {
    await expect(
      openSqliteWriter({ path: folder, retention: defaultRetention }),
    ).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining(folder) });
  });
});
