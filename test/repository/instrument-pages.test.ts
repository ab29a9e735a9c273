import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { canonicalRoute } from '../../core/route/route.ts';
import { knownCalls } from '../labs/interop/calls.ts';
import { declarations } from '../labs/interop/inventory.ts';
import { stacks } from '../labs/interop/stacks.ts';

/**
 * docs/instrument says nothing that `npm run interop` does not run: its snippets are that command's files, its
 * lines of code lines of them. Pages of languages that are not run say so.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const interop = `${root}/test/labs/interop`;
const folder = `${root}/docs/instrument`;
const pages = globSync('*.md', { cwd: folder }).sort();
const notRun = ['dotnet.md', 'php.md', 'ruby.md'];
const run = pages.filter((page) => !notRun.includes(page));
const snippetLinesMax = 15;

/** In the interop's files they are variables. */
const addresses: Record<string, string> = {
  HTTP: 'http://127.0.0.1:4318',
  GRPC: '127.0.0.1:4317',
};

const read = (path: string) => readFileSync(path, 'utf8');
const blocksOf = (page: string, language: string) =>
  [...read(`${folder}/${page}`).matchAll(/^ *```(\w+)\n(.*?)^ *```$/gms)]
    .filter(([, info]) => info === language)
    .map(([, , text]) => text!.trimEnd());

/** A source file without its package and its imports, which pages name in words. */
function bodyOf(path: string): string {
  const text = read(path).trim();
  const imports = { go: /^import \(.*?^\)$/ms, java: /^import .*;$(?!\n+import)/m };
  const last = imports[path.slice(path.lastIndexOf('.') + 1) as 'go']?.exec(text);
  return last ? text.slice(last.index + last[0].length).trim() : text;
}

describe('docs/instrument', () => {
  it.each([
    [
      'python.md',
      'python',
      'python/rollcall_fastapi.py',
      'python/fastapi_app.py',
      'declare(served)',
    ],
    ['python.md', 'python', 'python/rollcall_flask.py', 'python/flask_app.py', 'declare(app)'],
    ['python.md', 'python', 'python/rollcall_django.py', 'python/django_wsgi.py', 'declare()'],
    ['go.md', 'go', 'go/inventory_chi.go', 'go/chi.go', 'declareChi(router)'],
    ['go.md', 'go', 'go/inventory_gin.go', 'go/gin.go', 'declareGin(router)'],
    ['go.md', 'go', 'go/inventory_echo.go', 'go/echo.go', 'declareEcho(router)'],
    [
      'java.md',
      'java',
      'java/src/main/java/interop/RollcallInventory.java',
      'java/src/main/java/interop/RollcallInventory.java',
      '@EventListener',
    ],
  ])('%s has the %s snippet that interop runs: %s', (page, language, path, service, call) => {
    const body = bodyOf(`${interop}/${path}`);
    expect(body.split('\n').length).toBeLessThanOrEqual(snippetLinesMax);
    expect(body).toContain('rollcall.inventory');
    expect(blocksOf(page, language)).toContain(body);
    expect(read(`${interop}/${service}`)).toContain(call);
    const imports = read(`${interop}/${path}`).split(body)[0]!;
    for (const [, name] of imports.matchAll(/^(?:\t"|import )([\w./-]+)[";]/gm)) {
      if (language !== 'python') expect(read(`${folder}/${page}`)).toContain(`\`${name}\``);
    }
  });

  it.each([
    ['python', 'python/*.py'],
    ['go', 'go/*.go'],
    ['java', 'java/src/main/java/interop/*.java'],
    ['rust', 'rust/src/*.rs'],
    ['yaml', 'otelcol/*.yaml'],
  ])('has no line of %s that interop does not run', (language, files) => {
    const deployed = language === 'yaml' ? [`${root}/docs/deploy/otelcol.yaml`] : [];
    const sources = [...globSync(`${interop}/${files}`), ...deployed]
      .map(read)
      .map((source) => source.replace(/\$\{env:ROLLCALL_(HTTP|GRPC)\}/, (_, of) => addresses[of]!));
    const lines = run
      .flatMap((page) => blocksOf(page, language))
      .flatMap((text) => text.split('\n'));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const isRun = sources.some((source) => source.includes(line.trim()));
      expect(isRun, line).toBe(true);
    }
  });

  it('names packages that interop installs and commands and variables that it sets', () => {
    const lines = run.flatMap((page) => blocksOf(page, 'sh')).flatMap((text) => text.split('\n'));
    const harness = globSync(`${interop}/*.ts`).map(read).join('\n');
    const manifests: Record<string, string> = {
      'pip install': read(`${interop}/python/requirements.txt`),
      'go get': read(`${interop}/go/go.mod`),
      'cargo add': read(`${interop}/rust/Cargo.toml`),
    };
    const commands = stacks.map(({ command }) => command.join(' ').replace('{port}', '8000'));
    const names = /\b(express|fastapi_app|flask_app|interop)(?=\.mjs|\.py|\.jar|:)/;
    const started = commands.map((line) => line.replaceAll('target/', '').replace(names, 'app'));
    for (const line of lines.map((text) => text.trim())) {
      const manager = Object.keys(manifests).find((name) => line.startsWith(`${name} `));
      if (manager !== undefined) {
        const packages = line.slice(manager.length + 1).split(' ');
        for (const name of packages) expect(manifests[manager]).toContain(name);
      } else if (line.startsWith('export ')) {
        expect(harness).toContain(/^export (\w+)=/.exec(line)![1]);
      } else if (!line.includes('@rollcall/instrumentation/register')) {
        expect(started).toContain(line);
      }
    }
    expect(lines.length).toBeGreaterThan(10);
  });

  it.each(notRun)('%s says that it is not run', (page) => {
    expect(read(`${folder}/${page}`)).toMatch(/^\*\*Not run here\*\*/m);
  });

  it('has links that lead somewhere, and one to every page', () => {
    for (const page of pages) {
      for (const [, path] of read(`${folder}/${page}`).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        expect(existsSync(join(folder, path!)), `${page}: ${path}`).toBe(true);
      }
    }
    for (const page of pages.filter((name) => name !== 'README.md')) {
      expect(read(`${folder}/README.md`)).toContain(`](${page})`);
    }
  });
});

describe('the inventories that interop expects', () => {
  const called = new Set(
    knownCalls
      .filter(({ route, method }) => route !== undefined && method !== 'HEAD')
      .map(({ method, route }) => `${method} ${canonicalRoute(route!)}`),
  );

  it.each(declarations.filter(({ routes, env }) => routes.length > 0 && env === undefined))(
    '$name: every endpoint that is called is declared, and in the same canonical spelling',
    ({ routes }) => {
      const declared = new Set(
        routes.map((line) => {
          const [method, route] = line.split(' ') as [string, string];
          return `${method} ${canonicalRoute(route)}`;
        }),
      );
      for (const endpoint of called) {
        const ofAny = endpoint.replace(/^\w+/, '*');
        expect(declared.has(endpoint) || declared.has(ofAny), endpoint).toBe(true);
      }
    },
  );
});
