// Prints `N passed, N failed` from vitest's JSON and ends with 1 when anything failed.
import { readFileSync } from 'node:fs';

const [, , resultsPath, failedStepsText] = process.argv;
const failedSteps = Number(failedStepsText);
const { passed, failed } = countTests(readFileSync(resultsPath, 'utf8'));
// A failed test makes its step fail too: count the tests then, and every other step by itself.
const total = failed + Math.max(0, failedSteps - (failed > 0 ? 1 : 0));
console.log(`${passed} passed, ${total} failed`);
process.exitCode = total > 0 || passed === 0 ? 1 : 0;

function countTests(text) {
  // Empty when vitest did not come to an end; its step has failed then.
  if (text.trim() === '') return { passed: 0, failed: 0 };
  const { testResults } = JSON.parse(text);
  const count = { passed: 0, failed: 0 };
  for (const { status, assertionResults } of testResults) {
    const failed = assertionResults.filter((test) => test.status === 'failed').length;
    count.passed += assertionResults.filter((test) => test.status === 'passed').length;
    // A file that could not even be loaded has no tests to fail.
    count.failed += status === 'failed' && failed === 0 ? 1 : failed;
  }
  return count;
}
