import { createVitest, type TestCase } from 'vitest/node';

/** A process that holds Vitest in a copy of the repository (its working folder) and runs test files one after another. */
export interface TestOrder {
  file: string;
  /** Full names; all tests of the file unless given. */
  tests?: readonly string[];
}

export interface TestsEnded {
  passed: boolean;
  /** Milliseconds of each test by its full name. */
  tests: Record<string, number>;
  /** Names and messages of what failed. */
  failures: string[];
}

const vitest = await createVitest('test', {
  config: 'test/labs/mutants/vitest.config.ts',
  watch: false,
  reporters: [{}],
  onConsoleLog: () => false,
});
await vitest.standalone();

process.on('message', async ({ file, tests }: TestOrder) => {
  vitest.state.filesMap.clear();
  vitest.state.errorsSet.clear();
  const specification = vitest
    .getRootProject()
    .createSpecification(
      `${process.cwd()}/${file}`,
      tests === undefined ? {} : { testNames: [...tests] },
    );
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications([specification]);
  const ended: TestsEnded = { passed: unhandledErrors.length === 0, tests: {}, failures: [] };
  for (const error of unhandledErrors) ended.failures.push(messageOf(error));
  for (const module of testModules) {
    if (!module.ok()) ended.passed = false;
    ended.failures.push(...module.errors().map(({ message }) => message));
    for (const test of module.children.allTests()) addTest(ended, test);
  }
  process.send!(ended);
});
process.send!('ready');

function addTest(ended: TestsEnded, test: TestCase): void {
  const { state, errors } = test.result();
  if (state === 'skipped' || state === 'pending') return;
  ended.tests[test.fullName] = test.diagnostic()?.duration ?? 0;
  if (state === 'failed') ended.failures.push(`${test.fullName}: ${errors?.[0]?.message ?? ''}`);
}

/** An error of another process has no prototype. */
function messageOf(error: unknown): string {
  return String((error as { message?: unknown }).message ?? 'an error without a message');
}
