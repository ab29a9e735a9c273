import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { projectCommands } from '../../../analyzer/api/project-commands.ts';
import { queries } from '../../../analyzer/api/queries.ts';
import { launch, temporaryFolder } from '../../support/process.ts';
import { waitFor } from '../../support/wait.ts';

/**
 * `npm run examples`: asks the demo's analyzer for an answer of every operation and writes them to
 * analyzer/api/examples.json, from where the OpenAPI document takes its examples. Lists are cut to their first two
 * items. Operations on projects and keys have none: their answers hold secrets, and the demo has no keys.
 */
const root = fileURLToPath(new URL('../../..', import.meta.url));
const file = join(root, 'analyzer/api/examples.json');
/** Of queries whose plain answer shows too little, or too much. */
const searches: Record<string, string> = {
  timeseries: 'window=7d&interval=day&group_by=version',
  calls: 'window=1h&status=5xx',
  slice: 'window=7d&interval=day&status_code=5xx',
  compare: 'by=version&window=60d',
  events: 'window=90d',
};

const declared = 'GET /api/v2/products\nGET /api/v2/never-called\n';
/** A body for each command that answers; those that forget something have no example. */
const commands: Record<string, { body?: string; search?: string }> = {
  putInventory: { body: declared, search: 'author=ada' },
  inventory: {},
  checkInventory: { body: declared, search: 'window=7d' },
  putDecision: {
    body: JSON.stringify({ decision: 'keep', reason: 'the yearly audit', by: 'ada' }),
  },
  decision: {},
  importDecisions: {
    body: JSON.stringify({
      decisions: [
        {
          service: 'shop',
          method: 'GET',
          route: '/api/v1/products',
          decision: 'remove',
          by: 'ada',
        },
      ],
    }),
    search: 'dry_run=true',
  },
  endpointEvidence: {},
  endpointVerdicts: {},
  deadHistory: {},
  doctor: {},
  putConsumer: { body: JSON.stringify({ display_name: 'Mobile app', group: 'mobile' }) },
  putConsumers: { body: JSON.stringify({ consumers: { app: { group: 'mobile' } } }) },
  postEvent: {
    body: JSON.stringify({ kind: 'incident', title: 'Database failover', service: 'shop' }),
  },
};

const folder = temporaryFolder();
const ports = { ROLLCALL_OTLP_HTTP_PORT: '0', ROLLCALL_ANALYZER_PORT: '0', TMPDIR: folder.path };
const { child, output, ended } = launch('cli/rollcall.mjs', ports, ['demo']);
try {
  await waitFor('the shop to open', () => output().includes('The shop is open'), {
    withinMs: 300_000,
    context: output,
  });
  const [, api] = /(http:\/\/\S+\/api\/v1)\/report/.exec(output())!;
  writeFileSync(file, JSON.stringify(await examplesOf(api!)));
} finally {
  child.kill('SIGINT');
  await ended;
  folder.remove();
}
const biome = join(root, 'node_modules/.bin/biome');
await promisify(execFile)(biome, ['format', '--write', file], { cwd: root });
process.stdout.write(`written to ${file}\n`);

/** The endpoint with most calls. */
interface Busiest {
  id: string;
  service: string;
}

interface Example {
  request: string;
  answer: unknown;
}

async function examplesOf(api: string): Promise<Record<string, Example>> {
  const top = (await ask(api, 'GET', '/report/top?limit=1')) as { endpoints: Busiest[] };
  const busiest = top.endpoints[0]!;
  const found: Record<string, Example> = {};
  // What a command writes is shown by the queries after it.
  for (const { name, method, path, schema } of projectCommands) {
    const sent = commands[name];
    if (schema === undefined || sent === undefined) continue;
    const request = addressOf(path, busiest, sent.search ?? '');
    found[name] = {
      request: `${method} ${request}`,
      answer: await ask(api, method, request, sent.body),
    };
  }
  for (const { name, path, parameters } of queries) {
    const limit = 'limit' in parameters.shape ? 'limit=2' : '';
    const request = addressOf(
      path,
      busiest,
      [limit, searches[name] ?? ''].filter(Boolean).join('&'),
    );
    found[name] = { request: `GET ${request}`, answer: await ask(api, 'GET', request) };
  }
  return found;
}

function addressOf(path: string, { id, service }: Busiest, search: string): string {
  const address = path.replace(':service', service).replace(':id', id).replace(':name', 'okhttp');
  return search === '' ? address : `${address}?${search}`;
}

async function ask(api: string, method: string, request: string, body?: string): Promise<unknown> {
  const init = { method, ...(body !== undefined && { body }) };
  const response = await fetch(`${api}${request}`, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${request}: ${response.status} ${text}`);
  return cut(JSON.parse(text));
}

/** Lists without all but their first two items. */
function cut(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 2).map(cut);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, cut(inner)]));
}
