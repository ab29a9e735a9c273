import { defineConfig } from 'vitest/config';

// Read by workshop.ts, here and in the processes of the tests.
process.env.INSTRUMENTATION_PACKED = '1';

/**
 * `npm run test:instrumentation`: the package as users get it, packed and installed, under Node 20, 22 and 24, with
 * every framework version of `frameworks/`. It installs them from the registry. The same tests run in `npm test`
 * against the repository's own packages, but those of `*.spec.ts`, which need what is installed.
 */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/instrumentation/**/*.{test,spec}.ts'],
    globalSetup: ['test/support/seed.ts', 'test/instrumentation/setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    pool: 'forks',
    // Processes under load, on machines of two cores.
    fileParallelism: false,
  },
});
