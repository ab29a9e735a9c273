import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * A store that release 0.1.0 wrote, and its answers (test/fixtures/store-0.1.0/make.ts): every level, some of it
 * past its retention, runs that are not compacted, calls that are not rolled up.
 */
export function release010(name: 'store.db.gz' | 'answers.json'): Buffer {
  const path = `../../../fixtures/store-0.1.0/${name}`;
  return readFileSync(fileURLToPath(new URL(path, import.meta.url)));
}

export const { now, answers } = JSON.parse(release010('answers.json').toString()) as {
  now: string;
  /** By path of the REST API. */
  answers: Record<string, unknown>;
};
export const nowMs = Date.parse(now);
