import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installedPython, startServer, type TestServer } from './server.ts';

/**
 * `npm run test:clickhouse [-- FILES AND OPTIONS OF VITEST]`: the suites of a store on ClickHouse. Against the server of
 * ROLLCALL_TEST_CLICKHOUSE_URL (`clickhouse://user:password@host:8123/`), or else against the real engine, which pip
 * installs from PyPI into ~/.cache/rollcall-clickhouse, behind a small HTTP front (front.py). Exit code 2: skipped, since
 * there is neither.
 */
const given = process.env.ROLLCALL_TEST_CLICKHOUSE_URL;
// In memory where the system has such a folder: every INSERT is synced, and the machine may be killed only in its own test.
const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const data = mkdtempSync(join(place, 'rollcall-clickhouse-'));
let server: TestServer | undefined;

try {
  if (given === undefined) {
    server = await started();
    console.log(`ClickHouse's engine at ${server.url}`);
    console.log(
      'not run, since one process is one server: replicas, quorum, ON CLUSTER, users and grants',
    );
  }
  process.exitCode = await suites(given ?? server!.url);
} catch (error) {
  console.error(`SKIPPED: nothing was tested on ClickHouse, skipped because ${error}`);
  process.exitCode = 2;
} finally {
  await server?.kill();
  rmSync(data, { recursive: true, force: true });
}

function started(): Promise<TestServer> {
  return startServer(installedPython(), data);
}

function suites(url: string): Promise<number> {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const config = ['--config', 'test/labs/clickhouse/vitest.config.ts'];
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...config, ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ROLLCALL_TEST_CLICKHOUSE_URL: url },
  });
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
}
