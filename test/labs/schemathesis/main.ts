import { execFile, spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { traces } from '../../support/export-request.ts';
import { startRollcall, temporaryFolder } from '../../support/process.ts';

/**
 * `npm run test:schemathesis [CASES [SEED]]`: schemathesis makes requests of the OpenAPI document, right and wrong
 * ones, and holds the answers of a live analyzer against it. It asks as often with a wrong key as with a right one.
 * CASES are the random requests of each operation and phase, 20 unless told. The end is 1 when it finds anything.
 */
const version = 'schemathesis==4.32.5';
const cases = process.argv[2] ?? '20';
const seed = process.argv[3] ?? '1';
const cache = `${process.env.XDG_CACHE_HOME || `${homedir()}/.cache`}/rollcall-schemathesis`;
const run = promisify(execFile);

await run('python3', ['-m', 'venv', cache]);
await run(join(cache, 'bin/pip'), ['install', '--quiet', version]);

const folder = temporaryFolder();
const operatorKey = 'a-secret-of-the-operator-of-this-laboratory';
const rollcall = await startRollcall(join(folder.path, 'rollcall.db'), {
  ROLLCALL_AUTH: 'keys',
  ROLLCALL_ADMIN_KEY: operatorKey,
});
try {
  const { otlp_http: collector, analyzer } = rollcall.addresses;
  const api = `${analyzer}/api/v1`;
  await post(`${api}/projects`, operatorKey, JSON.stringify({ name: 'shop' }));
  const [ingest, admin] = await Promise.all(['ingest', 'admin'].map((scope) => newKey(api, scope)));
  await post(`${collector}/v1/traces`, ingest!, traces(50), 'application/x-protobuf');
  const code = await schemathesis(api, admin!);
  process.exitCode = code;
} finally {
  await rollcall.stop();
  folder.remove();
}

async function newKey(api: string, scope: string): Promise<string> {
  const body = JSON.stringify({ project: 'shop', scope });
  return (JSON.parse(await post(`${api}/keys`, operatorKey, body)) as { key: string }).key;
}

async function post(
  url: string,
  key: string,
  body: string | Uint8Array,
  type = 'application/json',
): Promise<string> {
  const headers = { 'x-api-key': key, 'content-type': type };
  const response = await fetch(url, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : Buffer.from(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return text;
}

/**
 * Left out:
 * - `positive_data_acceptance`: what the document cannot say is refused although each parameter is right: window=
 *   beside from=, a cursor of another query, a window before any data, a body that is text in a format of its own.
 * - `DELETE /keys/{id}` and its rotation would take the key away that the requests are made with.
 * - `DELETE /services/{service}` and `DELETE /endpoints/{id}` would take away what the other requests ask for.
 */
function schemathesis(api: string, key: string): Promise<number> {
  const args = [
    ...['run', `${api}/openapi.json`, '--url', api, '--header', `x-api-key: ${key}`],
    ...['--phases', 'coverage,fuzzing,stateful', '--max-examples', cases, '--seed', seed],
    ...['--continue-on-failure', '--suppress-health-check', 'all', '--no-color'],
    ...['--exclude-checks', 'positive_data_acceptance'],
    ...['--exclude-path', '/keys/{id}', '--exclude-path', '/keys/{id}/rotate'],
    ...['--exclude-operation-id', 'forgetService', '--exclude-operation-id', 'forgetEndpoint'],
  ];
  // It leaves its notes in the folder in which it runs.
  const child = spawn(join(cache, 'bin/schemathesis'), args, {
    stdio: 'inherit',
    cwd: folder.path,
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}
