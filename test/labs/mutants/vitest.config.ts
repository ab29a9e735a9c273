import { defineConfig } from 'vitest/config';

/** Runs in a copy of the repository, whose files are faulty in turn. Code that is tested is loaded by Node itself. */
export default defineConfig({
  test: {
    root: process.cwd(),
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/labs/mutants/coverage-of-test.ts'],
    globalSetup: ['test/support/seed.ts'],
    server: { deps: { external: [/\/(core|collector|analyzer|cli|instrumentation)\/.*\.ts$/] } },
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    bail: 1,
    maxWorkers: 1,
    fileParallelism: false,
  },
});
