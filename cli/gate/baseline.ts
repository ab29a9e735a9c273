import { readFile, writeFile } from 'node:fs/promises';
import { AppError } from '../../core/error.ts';
import type { Found } from './findings.ts';

/**
 * A file of findings that were there before, one a line so that a merge of two branches is one of lines. Only the
 * fingerprint counts; the rest is for people.
 */
interface Baseline {
  findings: { kind: string; operation: string; fingerprint: string }[];
}

/** @throws AppError `not_found`, `invalid` */
export async function readBaseline(path: string): Promise<Set<string>> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new AppError('not_found', `there is no baseline "${path}"; --write-baseline makes one`);
  });
  try {
    const { findings } = JSON.parse(text) as Baseline;
    return new Set(findings.map(({ fingerprint }) => String(fingerprint)));
  } catch {
    throw new AppError('invalid', `"${path}" is no baseline; --write-baseline makes one`);
  }
}

export async function writeBaseline(path: string, found: readonly Found[]): Promise<void> {
  const lines = found
    .map(({ kind, method, route, fingerprint }) => ({
      kind,
      operation: `${method} ${route}`,
      fingerprint,
    }))
    .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
    .map((one) => `    ${JSON.stringify(one)}`);
  await writeFile(path, `{\n  "findings": [\n${lines.join(',\n')}\n  ]\n}\n`);
}
