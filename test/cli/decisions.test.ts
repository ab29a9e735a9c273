import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { protobufType, traces } from '../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';

const script = fileURLToPath(new URL('../../cli/rollcall.mjs', import.meta.url));
const folder = temporaryFolder();
const file = join(folder.path, 'rollcall.decisions.yaml');
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

async function rollcall(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const all = [script, 'decisions', ...args, '--url', running.addresses.analyzer!];
  const env = { ...process.env, ROLLCALL_KEY: '' };
  return promisify(execFile)(process.execPath, all, { env, cwd: folder.path }).then(
    (said) => ({ code: 0, ...said }),
    (failed: { code: number; stdout: string; stderr: string }) => failed,
  );
}

const text = `# Decisions on endpoints. rollcall decisions import --file rollcall.decisions.yaml
decisions:
  - service: shop
    environment: ''
    method: GET
    route: /users/{id}
    decision: remove
    reason: 'see the ticket: "42"'
    until: '2030-06-01'
    by: ada
  - service: shop
    method: POST
    route: /orders
    decision: keep
`;

it('a file comes back from its import as it was', async () => {
  writeFileSync(file, text);
  const tried = await rollcall('import', '--dry-run');
  expect(tried.stderr).toBe(
    'note: neither called nor declared: shop: POST /orders\nwould be 2 decided, 0 unchanged, 0 withdrawn\n',
  );
  expect((await rollcall('import')).stderr).toContain('2 decided, 0 unchanged, 0 withdrawn');
  const exported = join(folder.path, 'exported.yaml');
  const said = await rollcall('export', '--file', exported, '--service', 'shop');
  expect(said.stderr).toContain('has 2 decisions');
  const lines = (yaml: string) => yaml.split('\n').sort();
  expect(lines(readFileSync(exported, 'utf8'))).toEqual(lines(text));
  expect((await rollcall('import')).stderr).toContain('0 decided, 2 unchanged, 0 withdrawn');
});

it('--prune withdraws what the file lacks', async () => {
  writeFileSync(file, text.slice(0, text.indexOf('  - service: shop\n    method: POST')));
  expect((await rollcall('import', '--prune')).stderr).toContain('1 unchanged, 1 withdrawn');
  expect((await rollcall('export')).stdout).not.toContain('/orders');
});

it.each([
  [['other'], 2, /decisions has no "other", it needs one of export, import/],
  [['import', '--file', '/nowhere'], 1, /no file "\/nowhere"/],
])('%j ends with %i and says why', async (args, code, message) => {
  const said = await rollcall(...args);
  expect(said.code).toBe(code);
  expect(said.stderr).toMatch(message);
});
