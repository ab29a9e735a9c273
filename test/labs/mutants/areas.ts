/** Code whose faults the tests must notice, and the tests that are run against each fault. */
export interface Area {
  folder: string;
  /** Folders and files. Coverage chooses the tests among them that run a fault's code, also in threads and processes. */
  tests: readonly string[];
}

/** The longest folder that holds a file is its area. */
export const areas: readonly Area[] = [
  { folder: 'core/auth', tests: ['test/core/auth'] },
  { folder: 'core/route', tests: ['test/core/route'] },
  { folder: 'core/usage', tests: ['test/core/usage'] },
  {
    folder: 'core/store',
    tests: [
      'test/core/store',
      'test/cli/backup.test.ts',
      'test/cli/forget-client.test.ts',
      'test/cli/sql.test.ts',
      'test/cli/sql-calls.test.ts',
      'test/faults/replaced-store.test.ts',
    ],
  },
  { folder: 'collector/extract', tests: ['test/collector/extract'] },
  { folder: 'collector/ingest', tests: ['test/collector/ingest'] },
  { folder: 'collector/otlp', tests: ['test/collector/otlp'] },
  { folder: 'analyzer/query', tests: ['test/analyzer/query'] },
  { folder: 'analyzer/reports', tests: ['test/analyzer/reports'] },
];

/** Only `npm run test:clickhouse` runs it, against a server that is installed for it. */
export const leftOut: readonly string[] = ['core/store/clickhouse/'];

export function areaOf(file: string): Area | undefined {
  if (leftOut.some((folder) => file.startsWith(folder))) return undefined;
  return areas
    .filter(({ folder }) => file.startsWith(`${folder}/`))
    .sort((a, b) => b.folder.length - a.folder.length)[0];
}
