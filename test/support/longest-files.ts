/**
 * The files that take longest, longest first: each takes 15 seconds or more on two cores. In a fresh clone vitest knows no
 * times and begins with the largest files, and one worker is alone with a long file at the end.
 */
export const longestFiles: readonly string[] = [
  'test/web/overview.test.ts',
  'test/instrumentation/frameworks/frameworks.test.ts',
  'test/conformance/lifecycle.test.ts',
  'test/web/large.test.ts',
  'test/core/store/sqlite/contract.test.ts',
  'test/cli/demo.test.ts',
  'test/collector/extract/client/addresses-on-disk.test.ts',
  'test/collector/tls-files.test.ts',
  'test/analyzer/reports/brute-force.test.ts',
  'test/faults/second-writer.test.ts',
  'test/analyzer/reports/compare/compare.test.ts',
  'test/cli/sql.test.ts',
  'test/cli/backup.test.ts',
  'test/cli/serve.test.ts',
  'test/tenancy/matrix.test.ts',
  'test/web/calls.test.ts',
  'test/faults/odd-requests.test.ts',
  'test/web/sign-in.test.ts',
  'test/cli/gate/gate.test.ts',
  'test/faults/replaced-store.test.ts',
  'test/workload/truth.test.ts',
  'test/collector/ingest/large-message.test.ts',
  'test/faults/start.test.ts',
  'test/web/dead.test.ts',
  'test/web/endpoints.test.ts',
  'test/core/store/sqlite/writer/time.test.ts',
  'test/collector/tls.test.ts',
];
