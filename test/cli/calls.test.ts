import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeSpans, protobufType, serverSpan } from '../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

const script = fileURLToPath(new URL('../../cli/rollcall.mjs', import.meta.url));
const folder = temporaryFolder();
const run = promisify(execFile);
let running: Running;

/** Sends calls that ended 10 ms apart, the first one now. */
async function send(statuses: readonly number[], route = '/users/{id}'): Promise<void> {
  const nowNs = BigInt(Date.now()) * 1_000_000n + 123_456n;
  const spans = statuses.map((status, n) => {
    const endTimeUnixNano = nowNs - BigInt(n) * 10_000_000n;
    return serverSpan({
      startTimeUnixNano: endTimeUnixNano - 5_000_001n,
      endTimeUnixNano,
      attributes: [
        { key: 'http.request.method', value: 'GET' },
        { key: 'http.route', value: route },
        { key: 'http.response.status_code', value: status },
        ...(status >= 500 ? [{ key: 'error.type', value: 'bad\u001b[31m' }] : []),
      ],
    });
  });
  const sent = await fetch(`${running.addresses.otlp_http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': protobufType },
    body: encodeSpans(spans),
  });
  expect(sent.status).toBe(200);
}

beforeAll(async () => {
  running = await startRollcall(join(folder.path, 'rollcall.db'));
  await send([200, 200, 404, 503, 200]);
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

const argsOf = (args: string[]) => [script, 'calls', '--url', running.addresses.analyzer!, ...args];

async function rollcall(...args: string[]): Promise<Said> {
  const env = { ...process.env, ROLLCALL_KEY: '' };
  return run(process.execPath, argsOf(args), { env }).then(
    (said) => ({ code: 0, ...said }),
    (failed: Said) => failed,
  );
}

it('prints the newest calls as a table, and no control character of a caller', async () => {
  const said = await rollcall();
  expect(said).toMatchObject({ code: 0, stderr: '' });
  const [head, ...rows] = said.stdout.trimEnd().split('\n');
  expect(head).toMatch(/^ENDED +SERVICE +CALL +STATUS +MS +CALLER +ERROR +TRACE$/);
  const calls = rows.map((row) => row.split(/ {2,}/));
  expect(calls.map(([, service, call, status, ms]) => [service, call, status, ms])).toEqual(
    [200, 200, 404, 503, 200].map((status) => ['shop', 'GET /users/{id}', `${status}`, '5.000']),
  );
  expect(calls[3]![6]).toBe('bad�[31m');
});

it('hands filters on to the API, whose message a mistake gets', async () => {
  const said = await rollcall('--status', '4xx,5xx', '--limit', '1', '--format', 'ndjson');
  const rows = said.stdout.trimEnd().split('\n');
  expect(rows.map((row) => JSON.parse(row).status)).toEqual([404]);
  const wrong = await rollcall('--status', 'many');
  expect(wrong).toMatchObject({ code: 1, stdout: '' });
  expect(wrong.stderr).toContain('status="many" is not allowed');
  expect(await rollcall('--format', 'xml')).toMatchObject({ code: 2 });
  expect(await rollcall('--follow', '--format', 'csv')).toMatchObject({ code: 2 });
  expect(await rollcall('--format', 'parquet')).toMatchObject({ code: 2 });
});

it('writes a Parquet file that holds every call with its nanoseconds', async () => {
  const path = join(folder.path, 'calls.parquet');
  const said = await rollcall('--format', 'parquet', '--output', path);
  expect(said).toMatchObject({ code: 0, stderr: `"${path}" has 5 calls\n` });
  const bytes = readFileSync(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  expect(parquetMetadata(file).num_rows).toBe(5n);
  const rows = await parquetReadObjects({ file });
  expect(rows.map(({ status }) => status)).toEqual([200, 200, 404, 503, 200]);
  expect(rows[0]).toMatchObject({
    service: 'shop',
    method: 'GET',
    route: '/users/{id}',
    duration_ns: 5_000_001n,
    error_type: null,
    bot: false,
    weight: 1,
  });
  const again = await rollcall('--format', 'parquet', '--output', path);
  expect(again).toMatchObject({ code: 1, stderr: `rollcall: "${path}" exists already\n` });
});

it('copies CSV and NDJSON to a file that must not exist yet', async () => {
  const path = join(folder.path, 'calls.csv');
  expect(await rollcall('--format', 'csv', '--output', path)).toMatchObject({ code: 0 });
  expect(readFileSync(path, 'utf8').split('\r\n')).toHaveLength(7);
  writeFileSync(join(folder.path, 'there'), 'mine');
  const refused = await rollcall('--format', 'ndjson', '--output', join(folder.path, 'there'));
  expect(refused.code).toBe(1);
  expect(readFileSync(join(folder.path, 'there'), 'utf8')).toBe('mine');
  expect(existsSync(join(folder.path, 'calls.ndjson'))).toBe(false);
});

it('--follow prints the last calls, then each one that arrives, once', async () => {
  const args = argsOf(['--follow', '--format', 'ndjson', '--status', '5xx', '--limit', '1']);
  const tail = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  tail.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const statuses = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).status);
  try {
    await waitFor('the last call is printed', () => statuses().length === 1);
    await send([200, 500, 501]);
    await waitFor('two calls are printed', () => statuses().length === 3);
    await send([502], '/other');
    await waitFor('one more is printed', () => statuses().length === 4);
    expect(statuses()[0]).toBe(503);
    expect(statuses().slice(1)).toEqual([500, 501, 502]);
  } finally {
    tail.kill();
  }
});
