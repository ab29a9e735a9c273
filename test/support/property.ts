import fc from 'fast-check';

/**
 * fast-check with the seed of this run (test/support/seed.ts). Every property test imports it from here;
 * test/repository/tests.test.ts checks that.
 */
fc.configureGlobal({ seed: Number(process.env.TEST_SEED) });

export { fc };
