import { defineConfig } from 'vitest/config';

/** Stryker runs the tests named in MUTANT_TESTS with this, in its copy of the repository. */
export default defineConfig({
  test: {
    root: process.cwd(),
    include: (process.env.MUTANT_TESTS ?? '')
      .split(',')
      .map((path) => (path.endsWith('.test.ts') ? path : `${path}/**/*.test.ts`)),
    setupFiles: ['test/labs/mutants/other-threads.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
