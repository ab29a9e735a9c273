import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { traces } from '../../support/export-request.ts';
import { startRollcall, temporaryFolder } from '../../support/process.ts';

/**
 * `npm run test:clients`: the OpenAPI document of a running analyzer under the checkers and the client
 * generators that other people use. Spectral and Redocly must find nothing. openapi-python-client makes a
 * client that reads every answer; what the generator leaves out is printed. Tools are installed in the user's
 * cache; a tool that cannot be installed is named as skipped, and the end is then not 0.
 */
const run = promisify(execFile);
const cache = `${process.env.XDG_CACHE_HOME || `${homedir()}/.cache`}/rollcall-clients`;
const say = (text: string) => process.stdout.write(`${text}\n`);
const checkers = ['@stoplight/spectral-cli@6.16.3', '@redocly/cli@2.77.0'];
const generator = 'openapi-python-client==0.29.1';
let failures = 0;

const folder = temporaryFolder();
const rollcall = await startRollcall(join(folder.path, 'rollcall.db'), {
  ROLLCALL_AUTH: 'off',
});
try {
  const { otlp_http: collector, analyzer } = rollcall.addresses;
  const sent = await fetch(`${collector}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: traces(50),
  });
  if (sent.status !== 200) throw new Error(`the collector answered ${sent.status}`);
  const document = join(folder.path, 'openapi.json');
  writeFileSync(document, await (await fetch(`${analyzer}/api/v1/openapi.json`)).text());
  await step('Spectral and Redocly', () => lint(document));
  await step('Redocly on the observed routes', () => lintObserved(`${analyzer}/api/v1`));
  await step('openapi-python-client', () => pythonClient(document, `${analyzer}/api/v1`));
} finally {
  await rollcall.stop();
  folder.remove();
}
process.exit(failures === 0 ? 0 : 1);

async function step(name: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    failures += 1;
    const { stdout = '', stderr = '', message } = error as Error & Record<string, string>;
    say(`${name}: failed or skipped: ${message}\n${stdout}${stderr}`);
  }
}

async function lint(document: string): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save'];
  await run('npm', ['install', ...quiet, '--prefix', cache, ...checkers]);
  const bin = (name: string) => join(cache, 'node_modules/.bin', name);
  const rules = join(folder.path, 'spectral.json');
  writeFileSync(rules, '{"extends":["spectral:oas"]}');
  const spectral = await run(bin('spectral'), ['lint', document, '-r', rules, '-F', 'hint']);
  say(`spectral: ${spectral.stdout.trim()}`);
  const redocly = await run(bin('redocly'), ['lint', document, '--format', 'json']);
  const { totals } = JSON.parse(redocly.stdout) as {
    totals: { errors: number; warnings: number; ignored: number };
  };
  say(`redocly: ${totals.errors} errors, ${totals.warnings} warnings`);
  if (totals.errors + totals.warnings > 0) throw new Error(redocly.stdout);
}

/** The document of a service's observed routes must be one that other tools take. */
async function lintObserved(url: string): Promise<void> {
  for (const format of ['json', 'yaml']) {
    const document = join(folder.path, `observed.${format}`);
    const answer = await fetch(`${url}/services/shop/openapi?format=${format}`);
    writeFileSync(document, await answer.text());
    const args = ['lint', document, '--extends', 'minimal', '--format', 'json'];
    const { stdout } = await run(join(cache, 'node_modules/.bin/redocly'), args).catch(
      (failed: { stdout: string }) => failed,
    );
    const { totals } = JSON.parse(stdout) as { totals: { errors: number; warnings: number } };
    say(
      `redocly, observed routes as ${format}: ${totals.errors} errors, ${totals.warnings} warnings`,
    );
    if (totals.errors > 0) throw new Error(stdout);
  }
}

async function pythonClient(document: string, url: string): Promise<void> {
  const environment = join(cache, 'python');
  await run('python3', ['-m', 'venv', environment]);
  const bin = (name: string) => join(environment, 'bin', name);
  await run(bin('pip'), ['install', '--quiet', generator]);
  const output = join(folder.path, 'client');
  const made = await run(bin('openapi-python-client'), [
    'generate',
    '--path',
    document,
    '--output-path',
    output,
    '--meta',
    'none',
  ]);
  const left = `${made.stdout}\n${made.stderr}`
    .split('\n')
    .filter((line) => /^WARNING|^Unsupported/.test(line));
  say(`openapi-python-client left out: ${left.length === 0 ? 'nothing' : left.join(' ')}`);
  const script = fileURLToPath(new URL('read_answers.py', import.meta.url));
  const { stdout } = await run(bin('python'), [script, folder.path, url]);
  say(stdout.trim());
}
