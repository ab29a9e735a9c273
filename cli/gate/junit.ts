import { type Finding, kindNames, kinds, type Outcome } from './finding.ts';

/** JUnit XML: each kind is a suite, each finding a test case; a kind without findings is one that passed. */
export function junit(outcome: Outcome): string {
  const suites = kindNames.map((kind) => {
    const found = outcome.findings.filter((finding) => finding.kind === kind);
    const cases =
      found.length === 0
        ? [
            `    <testcase name="${escaped(kinds[kind])}: none" classname="rollcall.${kind}" time="0"/>`,
          ]
        : found.map((finding) => testCase(finding));
    const failures = found.filter(({ fails }) => fails).length;
    const skipped = found.length - failures;
    const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}" time="0"`;
    return [`  <testsuite name="rollcall ${kind}" ${counts}>`, ...cases, '  </testsuite>'];
  });
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="rollcall check ${escaped(outcome.service)}">`,
    ...suites.flat(),
    '</testsuites>',
  ];
  return lines.join('\n');
}

function testCase({ kind, method, route, message, fails, isKnown }: Finding): string {
  const name = escaped(`${method} ${route}`);
  const text = escaped(message);
  const outcome = fails
    ? `<failure type="${kind}" message="${text}">${text}</failure>`
    : `<skipped message="${isKnown ? 'in the baseline: ' : ''}${text}"/>`;
  return `    <testcase name="${name}" classname="rollcall.${kind}" time="0">${outcome}</testcase>`;
}

/** Of attributes and texts. Characters that XML 1.0 cannot hold become U+FFFD. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[\n\r\t]/g, ' ')
    .toWellFormed()
    .replaceAll(/[^\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
}
