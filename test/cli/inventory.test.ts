import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
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

beforeAll(async () => {
  running = await startRollcall(join(folder.path, 'rollcall.db'));
  const headers = { 'content-type': protobufType };
  const url = `${running.addresses.otlp_http}/v1/traces`;
  const sent = await fetch(url, { method: 'POST', headers, body: traces(1) });
  expect(sent.status).toBe(200);
});
afterAll(async () => {
  await running.stop();
  folder.remove();
});

interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

async function rollcall(...args: string[]): Promise<Said> {
  const all = [script, 'inventory', ...args];
  const env = { ...process.env, ROLLCALL_KEY: '' };
  return run(process.execPath, all, { env }).then(
    (said) => ({ code: 0, ...said }),
    (failed: Said) => failed,
  );
}

const file = (name: string, text: string): string => {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return path;
};
const there = () => ['--service', 'shop', '--url', running.addresses.analyzer!];

it('put declares routes and prints what was called of them', async () => {
  const path = file('routes.txt', 'GET /users/:id\nGET /old deprecated\n');
  const preview = await rollcall('put', ...there(), '--file', path, '--dry-run');
  expect(preview.stderr).toContain('would be version 1: 2 routes declared');
  expect((await rollcall('show', ...there())).stderr).toContain('has no inventory');
  const said = await rollcall('put', ...there(), '--file', path, '--author', 'ada');
  expect(said).toMatchObject({ code: 0 });
  expect(said.stdout).toBe(
    [
      'STATE         METHOD  ROUTE       OBSERVED AS',
      'called        GET     /users/:id  /users/{id}',
      'never called  GET     /old        deprecated',
      '',
    ].join('\n'),
  );
  expect(said.stderr).toBe(
    'version 1: 2 routes declared (2 added, 0 removed), 1 called, 1 never called, 0 undocumented\n',
  );
});

it('show prints the inventory, with --json as the API answers it', async () => {
  expect((await rollcall('show', ...there())).stdout).toContain('never called  GET     /old');
  const { stdout } = await rollcall('show', ...there(), '--json');
  expect(JSON.parse(stdout)).toMatchObject({ service: 'shop', version: 1, author: 'ada' });
});

it('remove removes it, once', async () => {
  expect(await rollcall('remove', ...there())).toMatchObject({
    code: 0,
    stderr: 'the inventory of shop is removed; what was observed stays\n',
  });
  expect(await rollcall('remove', ...there())).toMatchObject({ code: 1 });
});

it.each([
  [['put', '--service', 'shop'], 2, /inventory put needs --file FILE/],
  [['put', '--file', 'x'], 2, /inventory needs --service NAME/],
  [['put', '--service', 'shop', '--file', '/nowhere/at/all'], 1, /no file "\/nowhere\/at\/all"/],
  [['show', '--service', 'shop', '--url', 'nonsense'], 2, /--url "nonsense" must be the URL/],
  [['show', '--service', 'shop', '--url', 'http://127.0.0.1:1'], 1, /no analyzer answers at/],
  [['other'], 2, /inventory has no "other", it needs one of put, show, remove/],
])('%j ends with %i and says why', async (args, code, message) => {
  const said = await rollcall(...args);
  expect(said.code).toBe(code);
  expect(said.stderr).toMatch(message);
});

it('a document that declares nothing is refused with the reason of the API', async () => {
  const said = await rollcall('put', ...there(), '--file', file('wrong.txt', 'hello'));
  expect(said.code).toBe(1);
  expect(said.stderr).toMatch(/line 1 is no route.*HTTP 400 of http:\/\/127\.0\.0\.1/s);
});
