import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendTraces } from '../../cli/demo/exporter.ts';
import { historyHours, traffic } from '../../cli/demo/traffic.ts';
import { variables } from '../../core/config/variables.ts';
import { stacks } from '../labs/interop/stacks.ts';
import { launchCommand, type Running, startRollcall, temporaryFolder } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

/** The README is a promise: every command in it is run here, every table compared with the code. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(`${root}/README.md`, 'utf8');
const blocks = (language: string) =>
  [...readme.matchAll(/^```(\w+)\n(.*?)^```/gms)]
    .filter(([, info]) => info === language)
    .map(([, , text]) => text!.trim());
const commands = blocks('sh').flatMap((text) => text.split('\n'));
const curls = commands.filter((line) => line.startsWith('curl '));
const keyCommands = commands.filter((line) => line.startsWith('npm run -s rollcall -- keys '));
const exportsOfSdk = commands.filter((line) => line.startsWith('export '));
/** Commands of services that `npm run interop` starts, with the names a reader's files may have. */
const ofInterop = stacks.map(({ command }) => {
  const names = /\b(express|fastapi_app|flask_app|interop)(?=\.mjs|\.py|\.jar|:)/;
  return command
    .join(' ')
    .replace('{port}', '8000')
    .replaceAll('target/', '')
    .replace(names, 'app');
});
const runShell = promisify(execFile);

describe('README', () => {
  const folder = temporaryFolder();
  let rollcall: Running;
  /** The command on the ports this Rollcall took. */
  const here = (command: string) =>
    command
      .replaceAll('http://127.0.0.1:4318', rollcall.addresses.otlp_http!)
      .replaceAll('http://127.0.0.1:4380', rollcall.addresses.analyzer!);

  beforeAll(async () => {
    rollcall = await startRollcall(`${folder.path}/rollcall.db`);
    const nowMs = Date.now();
    const url = `${rollcall.addresses.otlp_http}/v1/traces`;
    // The shop's first and last days: something dead, something alive.
    const hours = historyHours(nowMs);
    for (const hour of [...hours.slice(0, 24), ...hours.slice(-48)]) {
      const body = traffic(1, hour, nowMs);
      if (body.length > 0) await sendTraces(url, body, new AbortController().signal);
    }
  });
  afterAll(async () => {
    await rollcall?.stop();
    folder.remove();
  });

  it('has no command that is not run by a test', () => {
    const run = [...curls, ...keyCommands, ...exportsOfSdk, ...ofInterop];
    const others = commands.filter((line) => !run.includes(line));
    expect(others).toEqual([
      // The tests here: npm start and the service; .ci/run, which runs this file, does the rest.
      'npm ci',
      'npm start',
      // test/instrumentation starts it; npm run test:instrumentation from the packed package.
      'node --import @rollcall/instrumentation/register app.js',
      'node --import ./telemetry.mjs app.mjs',
      'npm ci && npm test',
    ]);
    const ci = readFileSync(`${root}/.ci/run`, 'utf8');
    expect(ci).toMatch(/^if ! step npm ci; then$/m);
    expect(ci).toMatch(/^step npm test /m);
  });

  it('npm start listens where it is told, and ends cleanly', async () => {
    const started = launchCommand('npm', ['start'], {
      ROLLCALL_STORE: `sqlite:${folder.path}/started.db`,
      ROLLCALL_OTLP_HTTP_PORT: '0',
      ROLLCALL_ANALYZER_PORT: '0',
    });
    const context = started.output;
    await waitFor(
      'both services to listen',
      () => (started.output().match(/"msg":"listening"/g)?.length ?? 0) === 2,
      { context },
    );
    started.child.kill('SIGTERM');
    expect(await started.ended).toMatchObject({ code: 0, signal: null });
  });

  it.each(curls)('%s', async (command) => {
    const { stdout } = await runShell('sh', ['-c', `${here(command)} -sS --fail`]);
    if (command.includes('/metrics')) expect(stdout).toContain('rollcall_spans_total{');
    else if (command.includes('format=md'))
      expect(stdout).toMatch(/^- GET .*: last called .*, confidence 0\.\d\d/m);
    else expect(Object.keys(JSON.parse(stdout)).length).toBeGreaterThan(0);
  });

  it('makes keys as it says', async () => {
    const said: string[] = [];
    for (const command of keyCommands) {
      const env = { ROLLCALL_STORE: `sqlite:${folder.path}/keys.db` };
      const { code, output } = await launchCommand('sh', ['-c', command], env).ended;
      expect(code, output).toBe(0);
      said.push(output);
    }
    expect(said[0]).toMatch(/^rck_[\w-]{43}$/m);
    expect(said.at(-1)).toMatch(/shop +ingest.*shop +read/s);
  });

  it('shows an answer whose every field is a real one', async () => {
    const [shown] = blocks('json').map((text) => JSON.parse(text));
    const { stdout } = await runShell('sh', ['-c', `${here(curls[0]!)} -sS --fail`]);
    const real = JSON.parse(stdout);
    for (const part of ['window', 'summary'] as const) {
      expect(Object.keys(real[part])).toEqual(expect.arrayContaining(Object.keys(shown[part])));
    }
    const names = Object.keys(shown.endpoints[0]);
    expect(Object.keys(real.endpoints[0])).toEqual(expect.arrayContaining(names));
    expect(shown.endpoints[0].service).toBe(real.endpoints[0].service);
  });

  it('has the recipe for Node that the end-to-end test runs, and it works as written', async () => {
    const app = `${root}/test/e2e/express-app`;
    expect(blocks('js')).toEqual([readFileSync(`${app}/telemetry.mjs`, 'utf8').trim()]);
    expect(exportsOfSdk).toHaveLength(3);
    const [start] = commands.filter((line) => line.includes('./telemetry.mjs'));
    // A service of its own name, so that the shop's calls are not counted with it.
    const script = [...exportsOfSdk.map(here), `cd ${app}`, `exec ${start}`].join('\n');
    const service = launchCommand('sh', ['-c', script.replace('=orders', '=readme')], {});
    const context = service.output;
    await waitFor('the service to listen', () => service.output().includes('{"app"'), { context });
    const { app: url } = JSON.parse(/\{"app".*\}/.exec(service.output())![0]);
    await (await fetch(`${url}/users/7`)).text();
    // At its end the SDK sends what it holds.
    service.child.kill('SIGTERM');
    expect(await service.ended).toMatchObject({ code: 0 });
    const report = await fetch(`${rollcall.addresses.analyzer}/api/v1/report?service=readme`);
    const { endpoints } = (await report.json()) as { endpoints: object[] };
    expect(endpoints).toMatchObject([{ method: 'GET', route: '/users/{id}', total_calls: 1 }]);
  });

  it.each([
    ['go', 'go/*.go'],
    ['rust', 'rust/src/*.rs'],
    ['yaml', 'otelcol/*.yaml'],
  ])('has no line of %s that is not one of what npm run interop runs', (language, files) => {
    const sources = globSync(`${root}/test/labs/interop/${files}`).map((file) =>
      readFileSync(file, 'utf8')
        .replaceAll(/\$\{env:ROLLCALL_HTTP\}/g, 'http://127.0.0.1:4318')
        .replaceAll(/\$\{env:ROLLCALL_GRPC\}/g, '127.0.0.1:4317'),
    );
    const lines = blocks(language).flatMap((text) => text.split('\n'));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(
        sources.some((source) => source.includes(line.trim())),
        line,
      ).toBe(true);
    }
  });

  it('lists every variable with its default and meaning', () => {
    const rows = Object.entries(variables).map(([name, { fallback, meaning }]) => {
      return `| \`${name}\` | ${fallback === '' ? 'none' : `\`${fallback}\``} | ${meaning} |`;
    });
    expect(readme).toContain(rows.join('\n'));
  });

  it('lists every question of the API', async () => {
    const answer = await fetch(`${rollcall.addresses.analyzer}/api/v1/openapi.json`);
    const { paths } = (await answer.json()) as { paths: object };
    const section = readme.slice(readme.indexOf('## REST API'), readme.indexOf('## Work on it'));
    const listed = [...section.matchAll(/^\| `(\/[^`]*)` \|/gm)].map(([, path]) => path);
    expect(listed.sort()).toEqual(Object.keys(paths).sort());
  });

  it('names only npm scripts and files that exist', () => {
    const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
    for (const [, name] of readme.matchAll(/npm run ([\w:]+)/g))
      expect(scripts).toHaveProperty([name!]);
    for (const [, path] of readme.matchAll(/\]\(([^)#:]+)\)/g)) {
      expect(readFileSync(`${root}/${path}`).length, path).toBeGreaterThan(0);
    }
  });
});
