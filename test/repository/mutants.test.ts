import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { areaOf, areas } from '../labs/mutants/areas.ts';
import { equivalents } from '../labs/mutants/equivalent.ts';
import { type Fault, withFault } from '../labs/mutants/faults.ts';
import { errorOf, isEquivalent, percentNoticed, Scores, sampleOf } from '../labs/mutants/report.ts';

const text = 'first\n  return a && b && c;\n';
const fault: Fault = {
  file: 'core/auth/a.ts',
  text,
  start: text.indexOf('a &&'),
  end: text.indexOf(' && c'),
  lineNumber: 2,
  line: 'return a && b && c;',
  replacement: 'a || b',
  mutator: 'LogicalOperator',
};

test('an expression is replaced as a whole, a block without parentheses', () => {
  expect(withFault(fault)).toBe('first\n  return (a || b) && c;\n');
  const block = { ...fault, mutator: 'BlockStatement', replacement: '{}' };
  expect(withFault(block)).toBe('first\n  return {} && c;\n');
});

test('a survivor counts unless it is explained as it stands', () => {
  const { file, line, replacement } = fault;
  const explained = { file, line, replacement, reason: 'a and b are never equal' };
  expect(isEquivalent(fault, [explained])).toBe(true);
  expect(isEquivalent(fault, [{ ...explained, line: 'return a && c;' }])).toBe(false);
  expect(isEquivalent({ ...fault, replacement: 'true' }, [explained])).toBe(false);
  const scores = new Scores();
  for (const result of ['noticed', 'timeout', 'survived', 'equivalent'] as const) {
    scores.add(file, result);
  }
  scores.add('core/b.ts', 'uncovered');
  expect(scores.of(file)).toEqual({ noticed: 2, timeout: 1, survived: 1, equivalent: 1 });
  expect(scores.folders()).toEqual(['core/auth', 'core']);
  expect(percentNoticed(scores.of('core/auth'))).toBeCloseTo(66.7, 1);
  expect(percentNoticed(scores.of('all'))).toBe(50);
  expect(percentNoticed(scores.of('core/unknown'))).toBe(100);
  // 100 of which 90 are noticed: 82.4 to 94.6 % by Agresti and Coull.
  expect(errorOf({ noticed: 90, timeout: 0, survived: 10, equivalent: 0 })).toBeCloseTo(6.11, 1);
});

test('a sample takes one of each equal stretch', () => {
  const items = Array.from({ length: 100 }, (_, at) => at);
  expect(sampleOf(items, 4, () => 0)).toEqual([0, 25, 50, 75]);
  expect(sampleOf(items, 4, () => 0.999)).toEqual([24, 49, 74, 99]);
  expect(sampleOf(items, 100, () => 0)).toEqual(items);
});

test('a file belongs to the deepest area, whose tests exist', () => {
  expect(areaOf('core/store/coverage.ts')?.folder).toBe('core/store');
  expect(areaOf('core/store/sqlite/open.ts')?.folder).toBe('core/store');
  expect(areaOf('core/store/clickhouse/cells.ts')).toBeUndefined();
  expect(areaOf('cli/main.ts')).toBeUndefined();
  for (const { folder, tests } of areas) {
    for (const path of [folder, ...tests]) expect(existsSync(path), path).toBe(true);
  }
});

test('a fault that is listed as equivalent is of a line that stands', () => {
  for (const { file, line } of equivalents) {
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .map((one) => one.trim());
    expect(lines, `${file}: ${line}`).toContain(line);
  }
});
