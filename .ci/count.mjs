// Prints skipped tests, then `N passed, N failed`, from vitest's JSON. Ends with 1 when a test failed, or when a
// test was skipped outside of the files below: such a skip counts as a failure.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Files whose tests may skip themselves, and what the machine then lacks. */
const maySkip = {
  'test/faults/disk-full.test.ts': 'the right to mount a small disk',
  'test/faults/read-only-store.test.ts': 'the right to make a file immutable',
  'test/instrumentation/frameworks/frameworks.test.ts':
    'a Node that is new enough for the framework',
};

const root = fileURLToPath(new URL('..', import.meta.url));
const [, , resultsPath, failedStepsText] = process.argv;
const failedSteps = Number(failedStepsText);
const { passed, failed, skipped } = countTests(readFileSync(resultsPath, 'utf8'));
for (const { file, name } of skipped) {
  const lacking = maySkip[file];
  const why = lacking === undefined ? 'UNEXPECTED' : `expected without ${lacking}`;
  console.log(`skipped (${why}): ${file} > ${name}`);
}
const unexpected = skipped.filter(({ file }) => maySkip[file] === undefined).length;
// A failed test makes its step fail too: count the tests then, and every other step by itself.
const total = failed + unexpected + Math.max(0, failedSteps - (failed > 0 ? 1 : 0));
if (skipped.length > 0) console.log(`${skipped.length} skipped, of which ${unexpected} unexpected`);
console.log(`${passed} passed, ${total} failed`);
process.exitCode = total > 0 || passed === 0 ? 1 : 0;

function countTests(text) {
  // Empty when vitest did not come to an end; its step has failed then.
  if (text.trim() === '') return { passed: 0, failed: 0, skipped: [] };
  const { testResults } = JSON.parse(text);
  const count = { passed: 0, failed: 0, skipped: [] };
  for (const { name: path, status, assertionResults } of testResults) {
    const file = relative(root, path);
    const failed = assertionResults.filter((test) => test.status === 'failed').length;
    count.passed += assertionResults.filter((test) => test.status === 'passed').length;
    // A file that could not even be loaded has no tests to fail.
    count.failed += status === 'failed' && failed === 0 ? 1 : failed;
    for (const { status: outcome, fullName } of assertionResults) {
      if (outcome !== 'passed' && outcome !== 'failed')
        count.skipped.push({ file, name: fullName });
    }
  }
  return count;
}
