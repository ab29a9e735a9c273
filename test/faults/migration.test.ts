import { spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../core/random.ts';
import { Database } from '../../core/store/sqlite/database.ts';
import { schemaVersion } from '../../core/store/sqlite/schema.ts';
import { runToEnd, temporaryFolder } from '../support/process.ts';

/**
 * A store of release 0.1.0 whose migration is killed. It must be there before or after the migration, never
 * between: the next start finds the same endpoints as a start that nobody killed.
 */
const folder = temporaryFolder();
const original = `${folder.path}/original.db`;
const opener = fileURLToPath(new URL('../support/open-store.ts', import.meta.url));
/** Schema version of release 0.1.0. */
const oldVersion = 6;

beforeAll(() => {
  const fixture = new URL('../fixtures/store-0.1.0/store.db.gz', import.meta.url);
  writeFileSync(original, gunzipSync(readFileSync(fixture)));
  // Enough endpoints that the migration takes a while: names of parameters that follow each other.
  const db = new Database(original);
  expect(db.pragma('user_version')).toBe(oldVersion);
  const service = db.prepare("SELECT id FROM service WHERE name = 'split'").pluck().get() as number;
  db.immediately(() => {
    const add = db.prepare(
      `INSERT INTO endpoint (service_id, method, route, templated, first_call_ms, last_call_ms, lifetime_calls)
       VALUES (?, 'GET', ?, 0, ?, ?, 1)`,
    );
    for (let n = 0; n < 20_000; n += 1) add.run(service, `/n${n >> 1}/{name${n & 1}}`, n, n);
  });
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
});

afterAll(() => folder.remove());

/** Endpoints by the rows that they are made of. */
function endpointsOf(path: string): string {
  const db = new Database(path);
  const rows = db
    .prepare(
      'SELECT id, route, shape, same_as, first_call_ms, lifetime_calls FROM endpoint ORDER BY id',
    )
    .all();
  const pairs = db.prepare('SELECT * FROM side_by_side ORDER BY lower_id, higher_id').all();
  expect(db.pragma('integrity_check')).toBe('ok');
  db.close();
  return JSON.stringify([rows, pairs]);
}

test('a migration that is killed at any moment leaves the store before or after it', async () => {
  const whole = `${folder.path}/whole.db`;
  cpSync(original, whole);
  const startedMs = performance.now();
  expect((await runToEnd('test/support/open-store.ts', {}, [whole])).code).toBe(0);
  const takesMs = performance.now() - startedMs;
  const expected = endpointsOf(whole);
  expect(JSON.parse(expected)[0]).toHaveLength(20_018);

  const random = new Random(Number(process.env.TEST_SEED ?? 1));
  let interrupted = 0;
  for (let round = 0; round < 6; round += 1) {
    const path = `${folder.path}/killed-${round}.db`;
    cpSync(original, path);
    const killed = await openAndKill(path, takesMs * (0.3 + 0.7 * random.next()));
    const db = new Database(path);
    const version = db.pragma('user_version');
    db.close();
    expect([oldVersion, schemaVersion]).toContain(version);
    if (killed && version === oldVersion) interrupted += 1;
    expect((await runToEnd('test/support/open-store.ts', {}, [path])).code).toBe(0);
    expect(endpointsOf(path)).toBe(expected);
  }
  expect(interrupted, `a migration of ${takesMs} ms was never interrupted`).toBeGreaterThan(0);
}, 240_000);

/** @returns whether the process was killed before it had ended */
async function openAndKill(path: string, afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [opener, path], { stdio: 'ignore' });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('exit', (_, signal) => resolve(signal));
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  const signal = await ended;
  clearTimeout(timer);
  return signal === 'SIGKILL';
}
