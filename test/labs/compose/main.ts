import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { startService } from '../../support/process.ts';

/**
 * `npm run test:compose`: the image and every profile of docker-compose.yml, really built and started, under
 * a project name and on ports of its own, and taken down at the end with its volumes.
 *   --otelcol PATH   an OpenTelemetry Collector's binary, for machines whose image cannot be pulled: an image
 *                    of its name is made of it
 *   --keep           leaves everything running, to look at
 * Ends with 0 and says so when Docker is not there.
 */
const { values } = parseArgs({
  options: { otelcol: { type: 'string' }, keep: { type: 'boolean', default: false } },
});
const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const project = 'rollcall-test';
const ports = await freePorts(
  'OTLP_HTTP_PORT',
  'OTLP_GRPC_PORT',
  'ANALYZER_PORT',
  'DEMO_PORT',
  'OTELCOL_HTTP_PORT',
  'OTELCOL_GRPC_PORT',
  'BALANCER_HTTP_PORT',
  'BALANCER_GRPC_PORT',
  'BALANCER_ANALYZER_PORT',
);
const analyzerUrl = `http://127.0.0.1:${ports.ANALYZER_PORT}`;
const waitMsMost = 180_000;
/** Calls of one run of the service. */
const expectedCalls = 12;
let failures = 0;

const engine = await run('docker', ['info', '--format', '{{.ServerVersion}}']).catch(
  () => undefined,
);
if (engine === undefined) {
  process.stdout.write('skipped: Docker is not there (docker info fails); nothing was tested\n');
  process.exit(0);
}
say(`Docker ${engine.stdout.trim()}, ${(await compose(['version', '--short'])).trim()}`);
try {
  await main();
} catch (error) {
  failures += 1;
  say(`FAILED ${(error as Error).message}`);
  say(await compose(['--profile', '*', 'logs', '--tail', '30', '--no-color']).catch(String));
} finally {
  if (!values.keep) await down('--volumes');
}
say(failures === 0 ? 'all passed' : `${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;

async function main(): Promise<void> {
  // Of a run that was cut off, or kept.
  await down('--volumes');
  await compose(['build', '--quiet']);
  const bytes = Number(
    (await docker('image', 'inspect', 'rollcall', '--format', '{{.Size}}')).trim(),
  );
  const base = Number(
    (await docker('image', 'inspect', 'node:24-slim', '--format', '{{.Size}}')).trim(),
  );
  say(`image ${mib(bytes)} MiB, of which node:24-slim ${mib(base)} MiB`);
  const user = await docker('run', '--rm', '--entrypoint', 'id', 'rollcall', '-u');
  check('the image runs as node (1000)', user.trim() === '1000', user);
  const development = await docker('run', '--rm', '--entrypoint', 'ls', 'rollcall', 'node_modules');
  check(
    'no development dependencies',
    !/^(vitest|typescript|node)$/m.test(development),
    development,
  );

  await up();
  const ingest = await newKey('ingest');
  const read = await newKey('read');
  const unsigned = await fetch(`${analyzerUrl}/api/v1/report`);
  check('without a key nothing is answered', unsigned.status === 401, unsigned.status);

  let calls = 0;
  calls += await useService(`http://127.0.0.1:${ports.OTLP_HTTP_PORT}`, 'http/protobuf', ingest);
  await counted('sent by a real SDK over HTTP', read, calls);
  calls += await useService(`http://127.0.0.1:${ports.OTLP_GRPC_PORT}`, 'grpc', ingest);
  await counted('sent by a real SDK over gRPC', read, calls);

  await compose(['restart', 'collector', 'analyzer']);
  await up();
  await counted('after a restart', read, calls);
  await compose(['kill', '--signal', 'KILL', 'collector', 'analyzer']);
  await up();
  calls += await useService(`http://127.0.0.1:${ports.OTLP_HTTP_PORT}`, 'http/protobuf', ingest);
  await counted('after kill -9, and more sent', read, calls);

  await inCollector('backup', '--to', '/data/backup.db');
  await down();
  await up();
  await counted('on the volume, after down and up', read, calls);
  calls += await useService(`http://127.0.0.1:${ports.OTLP_HTTP_PORT}`, 'http/protobuf', ingest);
  await counted('more sent after the backup', read, calls);
  await compose(['stop', 'collector', 'analyzer']);
  await compose(
    ['run', '--rm', '--no-deps', '--entrypoint', 'node', 'collector'].concat([
      'cli/rollcall.mjs',
      'restore',
      '--from',
      '/data/backup.db',
      '--replace',
    ]),
  );
  await up();
  calls -= expectedCalls;
  await counted('restored from the backup', read, calls);

  const state = await docker(
    'inspect',
    await containerOf('collector'),
    '--format',
    '{{json .HostConfig}}',
  );
  const { ReadonlyRootfs, Init, CapDrop } = JSON.parse(state);
  check(
    'read-only root, an init, no capabilities',
    ReadonlyRootfs && Init && CapDrop.includes('ALL'),
    state,
  );
  const wide = await docker('port', await containerOf('collector'));
  check('ports on loopback', !wide.includes('0.0.0.0') && wide.includes('127.0.0.1'), wide);

  calls += await behindCollector(ingest);
  await counted('sent through an OpenTelemetry Collector', read, calls);
  await demo();
  const started = performance.now();
  await compose(['stop', 'collector', 'analyzer']);
  const exits = await Promise.all(
    ['collector', 'analyzer'].map(async (name) =>
      docker('inspect', await containerOf(name), '--format', '{{.State.ExitCode}}'),
    ),
  );
  check(
    'stopped cleanly by SIGTERM',
    exits.every((code) => code.trim() === '0'),
    exits.join(),
  );
  say(`  stopped within ${((performance.now() - started) / 1000).toFixed(1)} s`);
  await onClickhouse();
}

/** Two collectors and two analyzers on a server behind nginx; its images must be there or come from a registry. */
async function onClickhouse(): Promise<void> {
  const profile = ['--profile', 'clickhouse'];
  const env = { CLICKHOUSE_PASSWORD: 'test-only' };
  const isThere = await compose([...profile, 'pull', 'clickhouse', 'balancer'], env).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    say('NOT RUN: the profile clickhouse, since its images cannot be pulled');
    return;
  }
  await compose([...profile, 'up', '--detach', '--wait', 'balancer'], env);
  const newKeyThere = async (scope: string) => {
    const make = ['node', 'cli/rollcall.mjs', 'keys', 'create', '--project', 'default'];
    const made = [...profile, 'exec', '-T', 'collector-a', ...make, '--scope', scope];
    return (await compose(made, env)).trim();
  };
  const [ingest, read] = [await newKeyThere('ingest'), await newKeyThere('read')];
  const at = (name: keyof typeof ports) => `http://127.0.0.1:${ports[name]}`;
  let calls = await useService(at('BALANCER_HTTP_PORT'), 'http/protobuf', ingest);
  calls += await useService(at('BALANCER_GRPC_PORT'), 'grpc', ingest);
  await counted('through nginx on ClickHouse', read, calls, at('BALANCER_ANALYZER_PORT'));
  await compose([...profile, 'kill', '--signal', 'KILL', 'collector-a'], env);
  calls += await useService(at('BALANCER_HTTP_PORT'), 'http/protobuf', ingest);
  await counted('after one collector was killed', read, calls, at('BALANCER_ANALYZER_PORT'));
}

/** Starts what is not running and waits until it is healthy. */
async function up(): Promise<void> {
  await compose(['up', '--detach', '--wait', '--wait-timeout', '120', 'collector', 'analyzer']);
  for (const name of ['collector', 'analyzer']) {
    const seconds = await cpuSeconds(name);
    // Its health checks, one process each, are in it.
    check(`${name} is healthy after ${seconds.toFixed(2)} s of CPU`, seconds < 2, seconds);
  }
}

/** Of all of a container's processes, from cgroups of version 2 or 1. */
async function cpuSeconds(service: string): Promise<number> {
  const files = '/sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpuacct/cpuacct.usage';
  const text = await docker(
    ...['exec', await containerOf(service), 'sh', '-c', `cat ${files} 2>/dev/null || true`],
  );
  const microseconds = /^usage_usec (\d+)/m.exec(text);
  if (microseconds !== null) return Number(microseconds[1]) / 1e6;
  return Number(/^\d+$/m.exec(text)?.[0]) / 1e9;
}

async function down(...more: string[]): Promise<void> {
  await compose(['--profile', '*', 'down', '--timeout', '15', ...more]);
}

async function newKey(scope: string): Promise<string> {
  return (await inCollector('keys', 'create', '--project', 'default', '--scope', scope)).trim();
}

function inCollector(...args: string[]): Promise<string> {
  return compose(['exec', '-T', 'collector', 'node', 'cli/rollcall.mjs', ...args]);
}

/** A real Express service outside Docker that makes twelve calls known and sends them. @returns twelve */
async function useService(endpoint: string, protocol: string, key: string): Promise<number> {
  const app = await startService('test/e2e/express-app/app.mjs', {
    NODE_OPTIONS: '--import=./test/e2e/express-app/telemetry.mjs',
    OTEL_SERVICE_NAME: 'users',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_HEADERS: `x-api-key=${key}`,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
  });
  for (let n = 0; n < 8; n += 1)
    await (await fetch(`${app.addresses.app}/users/${n}`)).arrayBuffer();
  for (let n = 0; n < 3; n += 1) {
    await (await fetch(`${app.addresses.app}/users`, { method: 'POST' })).arrayBuffer();
  }
  await (await fetch(`${app.addresses.app}/broken`)).arrayBuffer();
  // It sends what it holds when it ends.
  const { code } = await app.stop();
  if (code !== 0) throw new Error(`the service ended with ${code}: ${app.output()}`);
  return expectedCalls;
}

/** Every endpoint has its share of the calls, exactly. */
async function counted(
  when: string,
  key: string,
  calls: number,
  analyzer = analyzerUrl,
): Promise<void> {
  const expected = {
    'GET /users/{id}': (calls / 12) * 8,
    'POST /users': (calls / 12) * 3,
    'GET /broken': calls / 12,
  };
  const counts = async () => {
    const answer = await fetch(`${analyzer}/api/v1/report?window=1h`, {
      headers: { 'x-api-key': key },
    });
    const { endpoints } = (await answer.json()) as {
      endpoints: { method: string; route: string; total_calls: number }[];
    };
    return Object.fromEntries(
      endpoints.map((row) => [`${row.method} ${row.route}`, row.total_calls]),
    );
  };
  const same = (found: Record<string, number>) =>
    Object.keys(found).length === 3 &&
    Object.entries(expected).every(([name, count]) => found[name] === count);
  const found = await until(counts, same);
  check(`${calls} calls ${when}`, same(found), JSON.stringify(found));
}

async function behindCollector(key: string): Promise<number> {
  await haveCollectorImage();
  await compose(['--profile', 'behind-collector', 'up', '--detach', 'otel-collector'], {
    ROLLCALL_KEY: key,
  });
  const url = `http://127.0.0.1:${ports.OTELCOL_HTTP_PORT}`;
  const up = async () => (await fetch(`${url}/v1/traces`).catch(() => undefined))?.status;
  const status = await until(up, (found) => found === 405);
  check('an OpenTelemetry Collector stands in front', status === 405, status);
  return useService(url, 'http/protobuf', 'none is needed here');
}

/** Pulled, or made of the binary that was given. */
async function haveCollectorImage(): Promise<void> {
  const image = 'otel/opentelemetry-collector:0.159.0';
  if (values.otelcol === undefined) return;
  if (!existsSync(values.otelcol)) throw new Error(`--otelcol ${values.otelcol} does not exist`);
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-otelcol-'));
  try {
    copyFileSync(values.otelcol, join(folder, 'otelcol'));
    writeFileSync(
      join(folder, 'Dockerfile'),
      'FROM node:24-slim\nCOPY otelcol /otelcol\nENTRYPOINT ["/otelcol"]\n',
    );
    await docker('build', '--quiet', '--tag', image, folder);
    say(`  ${image} is a stand-in made of ${values.otelcol}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The shop's whole history, and live calls after it. */
async function demo(): Promise<void> {
  await compose(['--profile', 'demo', 'up', '--detach', 'demo']);
  const url = `http://127.0.0.1:${ports.DEMO_PORT}/api/v1/report?window=90d&limit=1`;
  const requests = async () => {
    const answer = await fetch(url).catch(() => undefined);
    if (!answer?.ok) return 0;
    return ((await answer.json()) as { summary: { total_requests: number } }).summary
      .total_requests;
  };
  const found = await until(requests, (count) => count > 300_000);
  check(`the demo's shop is there: ${found} calls`, found > 300_000, found);
  await compose(['--profile', 'demo', 'rm', '--stop', '--force', '--volumes', 'demo']);
}

async function containerOf(service: string): Promise<string> {
  return (await compose(['ps', '--all', '--quiet', service])).trim();
}

async function compose(args: string[], env: Record<string, string> = {}): Promise<string> {
  return command('docker', ['compose', '--project-name', project, ...args], env);
}

async function docker(...args: string[]): Promise<string> {
  return command('docker', args);
}

async function command(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  try {
    const options = { cwd: root, env: { ...process.env, ...ports, ...env }, maxBuffer: 2 ** 26 };
    return (await run(program, args, options)).stdout;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`${program} ${args.join(' ')}: ${stderr ?? (error as Error).message}`);
  }
}

function check(what: string, holds: boolean, seen: unknown): void {
  if (!holds) failures += 1;
  say(`${holds ? 'passed' : 'FAILED'} ${what}${holds ? '' : `: ${seen}`}`);
}

async function until<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  const endMs = performance.now() + waitMsMost;
  for (;;) {
    const answer = await ask();
    if (holds(answer) || performance.now() > endMs) return answer;
    await pause(200);
  }
}

/** Free now, and not taken by one another. */
async function freePorts<N extends string>(...names: N[]): Promise<Record<N, string>> {
  const servers = await Promise.all(names.map(() => listening()));
  const found = names.map((name, i) => [name, String((servers[i]!.address() as AddressInfo).port)]);
  for (const server of servers) server.close();
  return Object.fromEntries(found) as Record<N, string>;
}

function listening(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
