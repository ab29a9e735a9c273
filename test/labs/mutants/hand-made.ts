import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { areaOf } from './areas.ts';
import { type Fault, lineAt } from './faults.ts';

/** A fault with the files of tests that should notice it. */
export interface ThoughtFault extends Fault {
  testFiles: readonly string[];
}

/**
 * Faults that a person thought of, as JSON: `[{"file": …, "from": …, "to": …, "tests": […]}]`. `from` stands once in
 * the file. `tests` are files and folders; the area's unless given.
 */
export function handMade(text: string, root: string): ThoughtFault[] {
  const entries = JSON.parse(text) as {
    file: string;
    from: string;
    to: string;
    tests?: string[];
  }[];
  return entries.map(({ file, from, to, tests = areaOf(file)?.tests ?? [] }) => {
    const source = readFileSync(join(root, file), 'utf8');
    const start = source.indexOf(from);
    if (start < 0 || source.indexOf(from, start + 1) >= 0) {
      throw new Error(`${file} must hold ${JSON.stringify(from)} once`);
    }
    return {
      file,
      text: source,
      start,
      end: start + from.length,
      lineNumber: source.slice(0, start).split('\n').length,
      line: lineAt(source, source.lastIndexOf('\n', start) + 1),
      replacement: to,
      mutator: 'by hand',
      testFiles: testFilesOf(tests, root),
    };
  });
}

/** @param paths files and folders */
export function testFilesOf(paths: readonly string[], root: string): string[] {
  return paths.flatMap((path) =>
    path.endsWith('.ts') ? [path] : globSync(`${path}/**/*.test.ts`, { cwd: root }).sort(),
  );
}
