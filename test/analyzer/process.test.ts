import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Database } from '../../core/store/sqlite/database.ts';
import {
  type Running,
  runToEnd,
  startAnalyzerProcess,
  temporaryFolder,
} from '../support/process.ts';

let folder: ReturnType<typeof temporaryFolder>;
let running: Running | undefined;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  folder.remove();
});

test('starts without a store, says where it listens in one line, and ends on SIGTERM', async () => {
  const path = join(folder.path, 'new', 'rollcall.db');
  const analyzer = await startAnalyzerProcess(path);
  running = analyzer;
  expect(Object.keys(analyzer.addresses)).toEqual(['analyzer']);
  expect(analyzer.output().trim().split('\n')).toHaveLength(1);
  const ready = await fetch(`${analyzer.url}/readyz`);
  expect(ready.status).toBe(200);
  // Longer than the 60 s of a proxy: whoever closes first while the other sends loses a request.
  expect(ready.headers.get('keep-alive')).toBe('timeout=95');
  expect(existsSync(path)).toBe(true);
  const answer = await (await fetch(`${analyzer.url}/api/v1/report`)).json();
  expect(answer).toMatchObject({ endpoints: [], observed_since: null });
  const ended = await analyzer.stop('SIGTERM');
  expect(ended).toMatchObject({ code: 0, signal: null });
  expect(ended.output.trim().split('\n')).toHaveLength(1);
});

test('says where it listens at every log level, and ends on SIGINT', async () => {
  running = await startAnalyzerProcess(join(folder.path, 'rollcall.db'), { ROLLCALL_LOG: 'error' });
  expect(await running.stop('SIGINT')).toMatchObject({ code: 0, signal: null });
});

test('ends when the parent that started it with a channel is gone', async () => {
  const path = join(folder.path, 'rollcall.db');
  const child = fork(fileURLToPath(new URL('../../analyzer/main.ts', import.meta.url)), {
    env: { ...process.env, ROLLCALL_STORE: `sqlite:${path}`, ROLLCALL_ANALYZER_PORT: '0' },
    execArgv: [],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  expect(line.toString()).toContain('"analyzer":"http://127.0.0.1:');
  child.disconnect();
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('a store that cannot be opened yet is 503 until it can', async () => {
  // A file stands where the folder should be.
  const place = join(folder.path, 'volume');
  writeFileSync(place, '');
  const analyzer = await startAnalyzerProcess(join(place, 'rollcall.db'));
  running = analyzer;
  expect((await fetch(`${analyzer.url}/healthz`)).status).toBe(200);
  for (const path of ['/readyz', '/api/v1/report']) {
    const response = await fetch(`${analyzer.url}${path}`);
    expect(response.status, path).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ error: { code: 'unavailable' } });
  }
  rmSync(place);
  mkdirSync(place);
  expect((await fetch(`${analyzer.url}/readyz`)).status).toBe(200);
  expect((await fetch(`${analyzer.url}/api/v1/report`)).status).toBe(200);
});

test('a port in use is one clear line and exit code 1', async () => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const port = String((holder.address() as AddressInfo).port);
  const ended = await runToEnd('analyzer/main.ts', {
    ROLLCALL_STORE: `sqlite:${join(folder.path, 'rollcall.db')}`,
    ROLLCALL_ANALYZER_PORT: port,
  });
  holder.close();
  expect(ended.code).toBe(1);
  expect(ended.output).toBe(
    `rollcall analyzer: cannot listen on 127.0.0.1:${port} for the REST API: the port is in use (ROLLCALL_ANALYZER_PORT, ROLLCALL_HOST)\n`,
  );
});

test('a wrong configuration names every mistake and exits with 1', async () => {
  const ended = await runToEnd('analyzer/main.ts', {
    ROLLCALL_STORE: `sqlite:${join(folder.path, 'rollcall.db')}`,
    ROLLCALL_ANALYZER_PORT: '99999',
    ROLLCALL_DEAD_AFTER_DAYS: 'soon',
  });
  expect(ended.code).toBe(1);
  expect(ended.output).toContain('ROLLCALL_ANALYZER_PORT=99999');
  expect(ended.output).toContain('ROLLCALL_DEAD_AFTER_DAYS=soon');
  expect(ended.output).not.toContain('    at ');
});

test('a store of a newer version is refused at start', async () => {
  const path = join(folder.path, 'rollcall.db');
  const newer = new Database(path);
  newer.pragma('user_version = 9999');
  newer.close();
  const ended = await runToEnd('analyzer/main.ts', {
    ROLLCALL_STORE: `sqlite:${path}`,
    ROLLCALL_ANALYZER_PORT: '0',
  });
  expect(ended.code).toBe(1);
  expect(ended.output).toMatch(/^rollcall analyzer: .*9999.*newer Rollcall\n$/);
  expect(ended.output).toContain(path);
});
