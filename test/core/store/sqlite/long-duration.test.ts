import { writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { Database } from '../../../../core/store/sqlite/database.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import { openSqliteWriter } from '../../../../core/store/sqlite/writer/writer.ts';
import { allTime } from '../../../../core/window.ts';
import { temporaryFolder } from '../../../support/process.ts';
import { nowMs, release010 } from './release-0.1.0.ts';

/** From 1 ns after the epoch to 2026: more than 2^53, which Node's SQLite binding refuses to read as a number. */
const sinceTheEpochNs = 1_790_000_000_000_000_000n;

it('a call of 0.1.0 longer than 2^53 ns counts without a latency, and hinders no report and no start', async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/rollcall.db`;
  writeFileSync(path, gunzipSync(release010('store.db.gz')));
  const total = async () => {
    const reader = await openSqliteReader(path);
    const usage = await reader.snapshot('default', (snapshot) => snapshot.total({}, allTime));
    await reader.close();
    return usage;
  };
  const before = await total();
  const db = new Database(path);
  db.exec(`UPDATE call SET duration_ns = ${sinceTheEpochNs} WHERE id = (SELECT max(id) FROM call)`);
  db.close();
  const after = await total();
  expect(after.calls).toBe(before.calls);
  expect(after.untimed).toBe(before.untimed! + 1);
  expect(after.maxNs).toBe(before.maxNs);

  // As after a kill -9: the raw calls that are not rolled up are read again.
  const writer = await openSqliteWriter({ path, retention: defaultRetention, now: () => nowMs });
  expect(await total()).toEqual(after);
  await writer.compact();
  expect(await total()).toEqual(after);
  await writer.close();
  folder.remove();
});
