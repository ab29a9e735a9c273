/** Code whose faults the tests must notice, and the tests that are run against each fault. */
export interface Area {
  folder: string;
  /** Folders and files. Tests that run the code in processes of their own notice no fault there: they are left out. */
  tests: readonly string[];
  /** Some of it runs in threads and processes, where coverage is not seen: every test runs against each fault. */
  runsElsewhere?: true;
}

/** The longest folder that holds a file is its area. */
export const areas: readonly Area[] = [
  { folder: 'core/auth', tests: ['test/core/auth'] },
  { folder: 'core/route', tests: ['test/core/route'] },
  { folder: 'core/usage', tests: ['test/core/usage'] },
  { folder: 'core/store', tests: ['test/core/store'] },
  { folder: 'core/store/sqlite', tests: ['test/core/store/sqlite'], runsElsewhere: true },
  { folder: 'collector/extract', tests: ['test/collector/extract'] },
  {
    folder: 'collector/ingest',
    tests: ['budget', 'digest', 'ingest', 'late-answer'].map(
      (name) => `test/collector/ingest/${name}.test.ts`,
    ),
  },
  { folder: 'collector/otlp', tests: ['test/collector/otlp'] },
  { folder: 'analyzer/query', tests: ['test/analyzer/query'] },
  { folder: 'analyzer/reports', tests: ['test/analyzer/reports'] },
];

export function areaOf(file: string): Area | undefined {
  return areas
    .filter(({ folder }) => file.startsWith(`${folder}/`))
    .sort((a, b) => b.folder.length - a.folder.length)[0];
}
