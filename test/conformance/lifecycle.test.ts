import { fork } from 'node:child_process';
import { expect, test } from 'vitest';
import { traces } from '../support/export-request.ts';
import { runToEnd, startCollectorProcess, temporaryFolder } from '../support/process.ts';
import { lifecycleCases } from './cases/lifecycle.ts';
import { exchange } from './exchange.ts';
import { prove } from './prove.ts';

prove(lifecycleCases);

test('SIGINT ends it as well', async () => {
  const folder = temporaryFolder();
  const running = await startCollectorProcess(`${folder.path}/rollcall.db`);
  expect((await running.stop('SIGINT')).code).toBe(0);
  folder.remove();
});

test('a parent that is gone ends it', async () => {
  const folder = temporaryFolder();
  const env = {
    ...process.env,
    ROLLCALL_OTLP_HTTP_PORT: '0',
    ROLLCALL_OTLP_GRPC_PORT: '0',
    ROLLCALL_STORE: `sqlite:${folder.path}/a.db`,
  };
  const child = fork('collector/main.ts', { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  child.disconnect();
  expect(await ended).toBe(0);
  folder.remove();
});

test('a store that another collector writes, a wrong configuration: one line, exit 1', async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/rollcall.db`;
  const running = await startCollectorProcess(path);
  const env = { ROLLCALL_STORE: `sqlite:${path}`, ROLLCALL_OTLP_HTTP_PORT: '0' };
  const second = await runToEnd('collector/main.ts', env);
  expect(second.code).toBe(1);
  expect(second.output.trim().split('\n')).toHaveLength(1);
  expect(second.output).toMatch(/^rollcall collector: /);
  expect((await exchange(running.url, traces(1))).status).toBe(200);
  await running.stop();
  folder.remove();
  const wrong = await runToEnd('collector/main.ts', { ...env, ROLLCALL_LOG: 'loud' });
  expect([wrong.code, wrong.output]).toEqual([1, expect.stringContaining('ROLLCALL_LOG=loud')]);
});
