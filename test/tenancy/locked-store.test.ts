import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Database } from '../../core/store/sqlite/database.ts';
import { startAnalyzerProcess, temporaryFolder } from '../support/process.ts';

const folder = temporaryFolder();
const storePath = `${folder.path}/rollcall.db`;
const adminKey = 'an-operator-secret-of-more-than-32-characters';
let analyzer: Awaited<ReturnType<typeof startAnalyzerProcess>>;
beforeAll(async () => {
  const env = { ROLLCALL_AUTH: 'keys', ROLLCALL_ADMIN_KEY: adminKey };
  analyzer = await startAnalyzerProcess(storePath, env);
});
afterAll(async () => {
  await analyzer.stop();
  folder.remove();
});

it('POST /keys waits for a locked store, and the analyzer answers others meanwhile', async () => {
  const other = new Database(storePath);
  other.exec('BEGIN IMMEDIATE');
  const made = [1, 2, 3, 4].map(() =>
    fetch(`${analyzer.url}/api/v1/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ project: 'default', scope: 'read' }),
    }),
  );
  let slowestMs = 0;
  for (let n = 0; n < 30; n += 1) {
    const startMs = performance.now();
    expect((await fetch(`${analyzer.url}/healthz`)).status).toBe(200);
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    await pause(100);
  }
  other.exec('ROLLBACK');
  other.close();
  // 10 s for each of them before. Four attempts of 20 ms each in a row, and a machine that tests share.
  expect(slowestMs).toBeLessThan(1_500);
  expect((await Promise.all(made)).map(({ status }) => status)).toEqual([201, 201, 201, 201]);
}, 60_000);
