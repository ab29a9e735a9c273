import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/process.ts';

/**
 * Every rule of .dependency-cruiser.cjs bites: a tree of files that violate one rule each goes through the
 * checker, which must report exactly that rule for each. A rule without a case here fails the last test.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const { forbidden } = createRequire(import.meta.url)(`${root}/.dependency-cruiser.cjs`) as {
  forbidden: { name: string }[];
};

/** By rule: the folder or file that must not import, and the file or package that it imports. */
const cases: Record<string, [from: string, to: string][]> = {
  'core-imports-no-room': [
    ['core/route/', 'collector/otlp/made.ts'],
    ['core/route/', 'analyzer/query/made.ts'],
    ['core/route/', 'cli/made.ts'],
    ['core/route/', 'instrumentation/src/made.ts'],
    ['core/route/', 'test/support/made.ts'],
  ],
  'collector-only-core': [
    ['collector/', 'analyzer/query/made.ts'],
    ['collector/extract/', 'cli/made.ts'],
    ['collector/extract/join/', 'instrumentation/src/made.ts'],
    ['collector/ingest/', 'test/support/made.ts'],
  ],
  'analyzer-only-core': [
    ['analyzer/', 'collector/extract/made.ts'],
    ['analyzer/api/', 'cli/made.ts'],
    ['analyzer/reports/', 'instrumentation/src/made.ts'],
    ['analyzer/query/', 'test/support/made.ts'],
  ],
  'cli-imports-no-test': [['cli/demo/', 'test/support/made.ts']],
  'no-circles': [['core/usage/', 'core/usage/circle.ts']],
  'production-code-on-production-packages': [
    ['core/', 'protobufjs'],
    ['collector/otlp/', 'protobufjs'],
    ['analyzer/query/', 'protobufjs'],
    ['cli/', 'protobufjs'],
  ],
  'nothing-imports-the-dashboard': [
    ['cli/', 'analyzer/web/made.ts'],
    ['analyzer/api/', 'analyzer/web/made.ts'],
    ['test/analyzer/', 'analyzer/web/made.ts'],
  ],
  'dashboard-imports-types-only': [
    ['analyzer/web/', 'core/made.ts'],
    ['analyzer/web/', 'analyzer/query/made.ts'],
  ],
  'instrumentation-imports-nothing-of-ours': [
    ['instrumentation/src/', 'core/made.ts'],
    ['instrumentation/src/span/', 'collector/otlp/made.ts'],
    ['instrumentation/src/', 'analyzer/query/made.ts'],
    ['instrumentation/src/', 'cli/made.ts'],
    ['instrumentation/src/', 'test/support/made.ts'],
  ],
  'frameworks-know-no-span-and-no-export': [
    ['instrumentation/src/frameworks/', 'instrumentation/src/span/made.ts'],
    ['instrumentation/src/request/', 'instrumentation/src/export/made.ts'],
  ],
  'export-knows-no-request': [
    ['instrumentation/src/export/', 'instrumentation/src/span/made.ts'],
    ['instrumentation/src/export/', 'instrumentation/src/request/made.ts'],
    ['instrumentation/src/export/', 'instrumentation/src/frameworks/made.ts'],
  ],
  'http-never-grpc': [['collector/http/', 'collector/grpc/made.ts']],
  'grpc-never-http': [['collector/grpc/', 'collector/http/made.ts']],
  'request-knows-no-transport': [
    ['collector/request/', 'collector/http/made.ts'],
    ['collector/request/', 'collector/grpc/made.ts'],
  ],
  'otlp-only-intern': [
    ['collector/otlp/', 'collector/extract/made.ts'],
    ['collector/otlp/', 'collector/request/made.ts'],
    ['collector/otlp/', 'collector/made.ts'],
  ],
  'store-interface-knows-no-engine': [['core/store/', 'core/store/another/made.ts']],
  'only-engine-opens-engines': [
    ['collector/', 'core/store/sqlite/made.ts'],
    ['analyzer/', 'core/store/sqlite/made.ts'],
    ['cli/', 'core/store/sqlite/made.ts'],
    ['core/auth/', 'core/store/sqlite/made.ts'],
  ],
  'only-engine-opens-clickhouse': [
    ['core/store/sqlite/', 'core/store/clickhouse/made.ts'],
    ['collector/', 'core/store/clickhouse/made.ts'],
    ['analyzer/', 'core/store/clickhouse/made.ts'],
    ['cli/', 'core/store/clickhouse/made.ts'],
  ],
  'reports-never-api': [
    ['analyzer/reports/', 'analyzer/api/made.ts'],
    ['analyzer/query/', 'analyzer/api/made.ts'],
  ],
  'one-file-knows-ipaddr': [
    ['collector/extract/client/', 'ipaddr.js'],
    ['core/', 'ipaddr.js'],
  ],
  'one-file-knows-sqlite': [
    ['core/store/sqlite/', 'better-sqlite3'],
    ['core/store/sqlite/', 'node:sqlite'],
    ['test/core/', 'node:sqlite'],
  ],
};

const folder = temporaryFolder();
/** By file: the rules that the checker says it violates. */
const reported = new Map<string, string[]>();
const fileOf = (rule: string, n: number) => `${cases[rule]![n]![0]}${rule}-${n}.ts`;

beforeAll(() => {
  const write = (file: string, text: string) => {
    mkdirSync(dirname(`${folder.path}/${file}`), { recursive: true });
    writeFileSync(`${folder.path}/${file}`, text);
  };
  for (const [rule, pairs] of Object.entries(cases)) {
    for (const [n, [from, to]] of pairs.entries()) {
      const isFile = to.endsWith('.ts');
      const name = isFile ? `./${relative(from, to)}` : to;
      write(fileOf(rule, n), `import '${name.replace('./../', '../')}';\n`);
      if (isFile) write(to, 'export {};\n');
    }
  }
  write('core/usage/circle.ts', "import './no-circles-0.ts';\n");
  copyFileSync(`${root}/package.json`, `${folder.path}/package.json`);
  copyFileSync(`${root}/.dependency-cruiser.cjs`, `${folder.path}/.dependency-cruiser.cjs`);
  symlinkSync(`${root}/node_modules`, `${folder.path}/node_modules`);
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));
  const command = scripts.imports.replace('depcruise', 'node_modules/.bin/depcruise');
  // The checker ends with the number of violations: sh must not.
  const json = execFileSync('sh', ['-c', `${command} -T json; true`], {
    cwd: folder.path,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const { summary } = JSON.parse(json) as {
    summary: { violations: { from: string; to: string; rule: { name: string } }[] };
  };
  for (const { from, to, rule } of summary.violations) {
    // A circle is reported once, from any of its files.
    const file = rule.name === 'no-circles' && from.endsWith('/circle.ts') ? to : from;
    reported.set(file, [...(reported.get(file) ?? []), rule.name]);
  }
});
afterAll(() => folder.remove());

describe.each(Object.keys(cases))('the import rule %s', (rule) => {
  it.each(cases[rule]!.map(([from, to], n) => [from, to, n] as const))(
    'is what the checker says when %s imports %s',
    (_from, _to, n) => {
      expect(reported.get(fileOf(rule, n))).toEqual([rule]);
    },
  );
});

it('every rule has a case', () => {
  expect(Object.keys(cases).sort()).toEqual(forbidden.map(({ name }) => name).sort());
});
