import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
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
  const routes = 'GET /users/{id}\nGET /never-called\n';
  await send('PUT', `${api}/services/shop/inventory`, admin!, routes, 'text/plain');
  process.exitCode = await schemathesis(api, admin!);
} finally {
  await rollcall.stop();
  folder.remove();
}

async function newKey(api: string, scope: string): Promise<string> {
  const body = JSON.stringify({ project: 'shop', scope });
  return (JSON.parse(await post(`${api}/keys`, operatorKey, body)) as { key: string }).key;
}

function post(url: string, key: string, body: string | Uint8Array, type?: string): Promise<string> {
  return send('POST', url, key, body, type);
}

async function send(
  method: string,
  url: string,
  key: string,
  body: string | Uint8Array,
  type = 'application/json',
): Promise<string> {
  const headers = { 'x-api-key': key, 'content-type': type };
  const response = await fetch(url, {
    method,
    headers,
    body: typeof body === 'string' ? body : Buffer.from(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
  return text;
}

async function endpointId(api: string, key: string): Promise<string> {
  const answer = await fetch(`${api}/report/top?limit=1`, { headers: { 'x-api-key': key } });
  const { endpoints } = (await answer.json()) as { endpoints: { id: string }[] };
  return endpoints[0]!.id;
}

/**
 * Names what is there, so that requests reach more than a 404. All filters of /calls at their longest are more than
 * the headers of a request may be: that is a 431, by whatever method.
 */
function configOf(key: string, endpoint: string): string {
  return `
[auth.openapi.apiKey]
api_key = "${key}"

[[operations]]
include-path-regex = "^/endpoints/"
parameters = { "path.id" = "${endpoint}" }

[[operations]]
include-path-regex = "^/services/"
parameters = { "path.service" = "shop" }

[[operations]]
include-operation-id = "calls"
checks.unsupported_method.enabled = false
`;
}

/**
 * Left out:
 * - `positive_data_acceptance`: what the document cannot say is refused although each parameter is right: window=
 *   beside from=, a cursor of another query, a window before any data, a body that is text in a format of its own.
 * - `DELETE /keys/{id}` and its rotation would take the key away that the requests are made with.
 * - `DELETE /services/{service}` and `DELETE /endpoints/{id}` would take away what the other requests ask for.
 */
async function schemathesis(api: string, key: string): Promise<number> {
  // Told by scheme, a key is left out and replaced by a wrong one too.
  const config = join(folder.path, 'schemathesis.toml');
  writeFileSync(config, configOf(key, await endpointId(api, key)));
  const args = [
    ...['--config-file', config, 'run', `${api}/openapi.json`, '--url', api],
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
