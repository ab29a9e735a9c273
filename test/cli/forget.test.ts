import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { protobufType, traces } from '../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';

const script = fileURLToPath(new URL('../../cli/rollcall.mjs', import.meta.url));
const folder = temporaryFolder();
const run = promisify(execFile);
let running: Running;
let url: string;

beforeAll(async () => {
  running = await startRollcall(join(folder.path, 'rollcall.db'));
  url = running.addresses.analyzer!;
});
afterAll(async () => {
  await running.stop();
  folder.remove();
});

async function send(serial: number): Promise<void> {
  const headers = { 'content-type': protobufType };
  const target = `${running.addresses.otlp_http}/v1/traces`;
  const sent = await fetch(target, { method: 'POST', headers, body: traces(serial) });
  expect(sent.status).toBe(200);
}

interface Row {
  id: string;
  service: string;
  lifetime_calls: number;
}

async function rows(): Promise<Row[]> {
  const answer = await fetch(`${url}/api/v1/report`);
  return ((await answer.json()) as { endpoints: Row[] }).endpoints;
}

async function forget(...args: string[]) {
  const env = { ...process.env, ROLLCALL_KEY: '' };
  return run(process.execPath, [script, 'forget', ...args, '--url', url], { env }).then(
    (said) => ({ code: 0, ...said }),
    (failed: { code: number; stdout: string; stderr: string }) => failed,
  );
}

it('forgets an endpoint and a service while the collector runs; calls that come later count anew', async () => {
  await send(1);
  const [first] = await rows();
  expect(first!.lifetime_calls).toBeGreaterThan(0);
  const forgotten = await forget('--endpoint', first!.id);
  expect(forgotten.code).toBe(0);
  expect(forgotten.stderr).toBe(
    `endpoint ${first!.id} is forgotten; it is new if it is called again\n`,
  );
  expect((await rows()).map(({ id }) => id)).not.toContain(first!.id);
  await send(2);
  const [again] = await rows();
  expect(again).toMatchObject({ service: first!.service, lifetime_calls: 2 });
  expect(again!.id).not.toBe(first!.id);
  const whole = await forget('--service', first!.service);
  expect([whole.code, Number(whole.stdout)]).toEqual([0, 1]);
  expect(await rows()).toEqual([]);
});

it('says what is wrong', async () => {
  const missing = await forget('--endpoint', '12345');
  expect(missing.code).toBe(1);
  expect(missing.stderr).toContain('there is no observed endpoint "12345" (HTTP 404');
  const unknown = await forget('--service', 'nobody', '--environment', 'x');
  expect(unknown.stderr).toContain('nothing is known of a service "nobody" in environment "x"');
  for (const args of [
    [],
    ['--endpoint', '1', '--service', 'a'],
    ['--endpoint', '1', '--environment', 'x'],
  ]) {
    expect((await forget(...args)).code, args.join(' ')).toBe(2);
  }
});
