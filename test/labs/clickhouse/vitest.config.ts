import { defineConfig } from 'vitest/config';

/** Tests that need a ClickHouse server; `npm test` does not run them. */
export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/labs/clickhouse/suites/*.suite.ts'],
    globalSetup: ['test/support/seed.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    // Several processes start at once, beside the server, each with its state to read.
    env: { START_MS: '120000' },
    pool: 'forks',
    reporters: ['verbose'],
    fileParallelism: false,
  },
});
