import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './support/longest-first.ts';

/** Tests that compare times: after all others. Beside each other, since together they need half a core. */
const measuring = [
  'test/faults/announced-bodies.test.ts',
  'test/instrumentation/delivery.test.ts',
  'test/instrumentation/ending.test.ts',
];

/** Sends more than a machine can take: alone, last. */
const overloading = ['test/faults/overload.test.ts'];

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
          exclude: [...measuring, ...overloading],
          // Most files wait for processes and deadlines of theirs: four leave a fifth of two cores idle.
          maxWorkers: Math.max(6, availableParallelism()),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'measuring',
          include: measuring,
          maxWorkers: measuring.length,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'overloading',
          include: overloading,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
