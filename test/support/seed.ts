/**
 * Chooses the seed of property tests and prints it; `TEST_SEED=N npm test` repeats a run. Runs once, before the
 * test processes start, which inherit the variable.
 */
export function setup(): void {
  const given = process.env.TEST_SEED;
  if (given !== undefined && !/^\d{1,9}$/.test(given)) {
    throw new Error(`TEST_SEED=${given} must be a whole number of at most 9 digits`);
  }
  process.env.TEST_SEED ??= String(Date.now() % 1_000_000_000);
  console.log(`property tests: TEST_SEED=${process.env.TEST_SEED}`);
}
