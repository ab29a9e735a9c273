import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/process.ts';
import { runGate } from './shop.ts';

/** `rollcall check` as a CI job runs it, on real services. `npm run test:gate` adds the formats' own schemas. */

const folder = temporaryFolder();
let steps: string[];
beforeAll(async () => {
  steps = await runGate(folder.path);
}, 180_000);
afterAll(() => folder.remove());

const written = (name: string, end = 'out') =>
  readFileSync(join(folder.path, `${name}.${end}`), 'utf8');
// biome-ignore lint/suspicious/noExplicitAny: the assertions check the fields
const json = (name: string): any => JSON.parse(written(name));

it('every step ends with the exit code that the documentation states', () => {
  expect(steps.filter((line) => !line.startsWith('PASS '))).toEqual([]);
  expect(steps).toHaveLength(26);
});

it('the table names each finding with its reason', () => {
  const text = written('table');
  expect(text).toMatch(
    /^FAIL +breaking +DELETE +\/users\/\{id\} +its removal breaks 1 client, 7 calls in the last 7 days; last callers carmen$/m,
  );
  expect(text).toMatch(
    /^FAIL +deprecated-used +POST +\/orders +it is deprecated with its sunset on 2020-01-01/m,
  );
  expect(text).toMatch(/^FAIL +undocumented +GET +\/secret/m);
  expect(text).not.toContain('GET     /users/{user_id}');
  expect(written('table', 'err')).toMatch(/fails on \d/);
});

it('a removal of a dead operation is not a breaking one', () => {
  const { removals, findings, failed } = json('json');
  const old = removals.find(({ route }: { route: string }) => route === '/old');
  expect(['safe', 'unproven']).toContain(old.verdict);
  expect(old.message).toMatch(/dead, .*last called 20\d\d-/);
  expect(failed).toBe(true);
  const breaking = findings.filter(({ kind }: { kind: string }) => kind === 'breaking');
  expect(breaking).toMatchObject([
    { method: 'DELETE', route: '/users/{id}', line: 4, fails: true, is_known: false },
  ]);
});

it('workflow commands of GitHub name the file and the line', () => {
  const lines = written('github').trim().split('\n');
  expect(lines).toContainEqual(
    expect.stringMatching(
      /^::error file=.*new\.yaml,line=7,title=rollcall%3A deprecated-used::POST \/orders: /,
    ),
  );
  for (const line of lines) expect(line).toMatch(/^::(error|notice) file=/);
});

it('the comment begins with a line by which a workflow finds it again', () => {
  const text = written('github-comment');
  expect(text).toMatch(/^<!-- rollcall check shop -->\n### Rollcall: fails for `shop`\n/);
  expect(text).toContain('| `DELETE /users/{id}` | ❌ breaks 1 client, 7 calls');
});

it('the report of GitLab has a fingerprint for each finding', () => {
  const issues = json('gitlab');
  const fingerprints = issues.map(({ fingerprint }: { fingerprint: string }) => fingerprint);
  expect(new Set(fingerprints).size).toBe(issues.length);
  for (const { fingerprint, severity, location } of issues) {
    expect(fingerprint).toMatch(/^[0-9a-f]{32}$/);
    expect(severity).toBe('major');
    expect(location.lines.begin).toBeGreaterThan(0);
  }
});

it('SARIF has a rule for each result; what the baseline has is suppressed', () => {
  const [{ tool, results }] = json('sarif').runs;
  for (const { ruleId, ruleIndex, level } of results) {
    expect(tool.driver.rules[ruleIndex].id).toBe(ruleId);
    expect(level).toBe('error');
  }
  const [known] = json('known-sarif').runs;
  expect(known.results).toHaveLength(results.length);
  for (const { level, suppressions } of known.results) {
    expect(level).toBe('note');
    expect(suppressions).toHaveLength(1);
  }
});

it('JUnit counts what it holds', () => {
  const text = written('junit');
  const failures = [...text.matchAll(/ failures="(\d+)"/g)].map(([, n]) => Number(n));
  expect(text.match(/<failure /g)).toHaveLength(failures.reduce((sum, n) => sum + n, 0));
  expect(text).toContain('<testcase name="GET /secret');
  expect(written('known-junit')).not.toContain('<failure');
  expect(written('known-junit')).toContain('message="in the baseline: ');
});

it('a baseline has one finding a line', () => {
  const lines = readFileSync(join(folder.path, 'known.json'), 'utf8').split('\n');
  expect(lines.filter((line) => line.includes('"fingerprint"')).length).toBeGreaterThanOrEqual(4);
});
