/**
 * The import directions of docs/ARCHITECTURE.md: both services import core and never each other.
 * package.json lists the files for the checker: in a folder it finds only extensions whose compiler it knows,
 * and TypeScript 7 is too new for it. test/repository/imports.test.ts checks that it sees every import,
 * test/repository/import-rules.test.ts that each rule reports a violation.
 */
module.exports = {
  forbidden: [
    {
      name: 'core-imports-no-room',
      severity: 'error',
      from: { path: '^core' },
      to: { path: '^(collector|analyzer|cli|instrumentation|test)' },
    },
    {
      name: 'collector-only-core',
      severity: 'error',
      from: { path: '^collector' },
      to: { path: '^(analyzer|cli|instrumentation|test)' },
    },
    {
      name: 'analyzer-only-core',
      severity: 'error',
      from: { path: '^analyzer' },
      to: { path: '^(collector|cli|instrumentation|test)' },
    },
    {
      name: 'cli-imports-no-test',
      severity: 'error',
      from: { path: '^cli' },
      to: { path: '^test' },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'production-code-on-production-packages',
      severity: 'error',
      // The dashboard's packages are in its bundle, which is built beforehand.
      from: { path: '^(core|collector|analyzer|cli)', pathNot: '^analyzer/web/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'nothing-imports-the-dashboard',
      severity: 'error',
      from: { pathNot: '^(analyzer|test)/web/' },
      to: { path: '^analyzer/web/' },
    },
    {
      name: 'dashboard-imports-types-only',
      severity: 'error',
      from: { path: '^analyzer/web/' },
      to: {
        path: '^(core|analyzer)/',
        pathNot: '^analyzer/web/',
        dependencyTypesNot: ['type-only'],
      },
    },
    // The published package contains no other folder of this repository.
    {
      name: 'instrumentation-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^instrumentation' },
      to: { path: '^(core|collector|analyzer|cli|test)' },
    },
    {
      name: 'frameworks-know-no-span-and-no-export',
      severity: 'error',
      from: { path: '^instrumentation/src/(frameworks|request)/' },
      to: { path: '^instrumentation/src/(span|export)/' },
    },
    {
      name: 'export-knows-no-request',
      severity: 'error',
      from: { path: '^instrumentation/src/export/' },
      to: { path: '^instrumentation/src/(span|request|frameworks)/' },
    },
    // Inside the services: transports, the request they share, the wire format, the store's engines.
    {
      name: 'http-never-grpc',
      severity: 'error',
      from: { path: '^collector/http/' },
      to: { path: '^collector/grpc/' },
    },
    {
      name: 'grpc-never-http',
      severity: 'error',
      from: { path: '^collector/grpc/' },
      to: { path: '^collector/http/' },
    },
    {
      name: 'request-knows-no-transport',
      severity: 'error',
      from: { path: '^collector/request/' },
      to: { path: '^collector/(http|grpc)/' },
    },
    {
      name: 'otlp-only-intern',
      severity: 'error',
      from: { path: '^collector/otlp/' },
      to: { path: '^collector/', pathNot: '^collector/(otlp|intern)/' },
    },
    {
      name: 'store-interface-knows-no-engine',
      severity: 'error',
      from: { path: '^core/store/[^/]+\\.ts$', pathNot: '^core/store/engine\\.ts$' },
      to: { path: '^core/store/[^/]+/', pathNot: '^core/store/(annotations|callers)/' },
    },
    {
      name: 'only-engine-opens-engines',
      severity: 'error',
      // The state of a store on ClickHouse is the tables of the SQLite engine, in memory (decision 0020).
      from: { pathNot: '^(core/store/engine\\.ts$|core/store/(sqlite|clickhouse)/|test/)' },
      to: { path: '^core/store/sqlite/' },
    },
    {
      name: 'only-engine-opens-clickhouse',
      severity: 'error',
      from: { pathNot: '^(core/store/engine\\.ts$|core/store/clickhouse/|test/)' },
      to: { path: '^core/store/clickhouse/' },
    },
    {
      name: 'reports-never-api',
      severity: 'error',
      from: { path: '^analyzer/(reports|query)/' },
      to: { path: '^analyzer/api/' },
    },
    // One file knows each of these packages.
    {
      name: 'one-file-knows-ipaddr',
      severity: 'error',
      from: {
        path: '^(core|collector|analyzer|cli)',
        pathNot: '^collector/extract/client/address\\.ts$',
      },
      to: { path: 'ipaddr\\.js' },
    },
    {
      name: 'one-file-knows-sqlite',
      severity: 'error',
      // The bench of decision 0002 compares two bindings.
      from: { pathNot: '^(core/store/sqlite/database|test/labs/bench/binding)\\.ts$' },
      to: { path: '^(node:)?sqlite$|better-sqlite3' },
    },
  ],
  options: {
    // TypeScript 7 has no programming interface; without swc the checker would skip every .ts file.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.cjs'] },
  },
};
