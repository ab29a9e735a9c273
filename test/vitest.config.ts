import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './support/longest-first.ts';

/** Tests that compare times, or send more than a machine can take: one file at a time, after all others. */
const measuring = [
  'test/faults/announced-bodies.test.ts',
  'test/faults/overload.test.ts',
  'test/instrumentation/delivery.test.ts',
  'test/instrumentation/ending.test.ts',
];

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    globalSetup: [
      'test/support/seed.ts',
      'test/support/compile-cache.ts',
      'test/instrumentation/setup.ts',
    ],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Of `expect.poll`: a page on a busy machine takes more than vitest's second to show an answer.
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'parallel',
          include: ['test/**/*.test.ts'],
          exclude: measuring,
          // Most files wait for processes and deadlines of theirs: three leave a machine of two cores partly idle.
          maxWorkers: Math.max(4, availableParallelism()),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'measuring',
          include: measuring,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
