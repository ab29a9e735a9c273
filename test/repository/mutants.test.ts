import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { areaOf, areas } from '../labs/mutants/areas.ts';
import { judge, percentNoticed } from '../labs/mutants/report.ts';

const location = { start: { line: 2, column: 3 }, end: { line: 2, column: 9 } };
const source = 'first\n  return a < b;\n';

test('a survivor counts unless it is explained as it stands', () => {
  const mutants = [
    { status: 'Killed', replacement: 'a >= b', mutatorName: 'EqualityOperator', location },
    { status: 'Timeout', replacement: 'a > b', mutatorName: 'EqualityOperator', location },
    { status: 'Survived', replacement: 'a <= b', mutatorName: 'EqualityOperator', location },
    { status: 'NoCoverage', replacement: 'true', mutatorName: 'ConditionalExpression', location },
    { status: 'Ignored', replacement: 'false', mutatorName: 'ConditionalExpression', location },
  ];
  const explained = {
    file: 'core/auth/a.ts',
    line: 'return a < b;',
    replacement: 'a <= b',
    reason: 'a and b are never equal',
  };
  const report = { files: { 'core/auth/a.ts': { source, mutants } } };
  const { folders, survivors } = judge(report, [explained]);
  expect(folders).toEqual([{ folder: 'core/auth', noticed: 2, survived: 1, equivalent: 1 }]);
  expect(survivors).toEqual([
    {
      file: 'core/auth/a.ts',
      lineNumber: 2,
      line: 'return a < b;',
      replacement: 'true',
      mutator: 'ConditionalExpression',
      isCovered: false,
    },
  ]);
  expect(percentNoticed(folders[0]!)).toBeCloseTo(66.7, 1);
  expect(judge(report, [{ ...explained, line: 'return a < c;' }]).survivors).toHaveLength(2);
});

test('a file belongs to the deepest area, whose tests exist', () => {
  expect(areaOf('core/store/coverage.ts')?.folder).toBe('core/store');
  expect(areaOf('core/store/sqlite/open.ts')?.folder).toBe('core/store/sqlite');
  expect(areaOf('cli/main.ts')).toBeUndefined();
  for (const { folder, tests } of areas) {
    for (const path of [folder, ...tests]) expect(existsSync(path), path).toBe(true);
  }
});
