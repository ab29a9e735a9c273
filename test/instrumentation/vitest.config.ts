import { defineConfig } from 'vitest/config';

/** `npm run test:instrumentation`: the package as users get it. Not part of `npm test`, which installs nothing. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/instrumentation/**/*.spec.ts'],
    globalSetup: ['test/support/seed.ts', 'test/instrumentation/setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    pool: 'forks',
    // Processes under load, on machines of two cores.
    fileParallelism: false,
  },
});
