import { isDeepStrictEqual } from 'node:util';
import { waitFor as wait } from '../support/wait.ts';

/**
 * What a case found other than the checklist asks. The list runs against any server, inside vitest and
 * without it, so it has no test framework to lean on.
 */
export class Difference extends Error {
  override readonly name = 'Difference';
}

/** Compares deeply. @param what is compared, when the values alone do not say it */
export function equal(got: unknown, expected: unknown, what = ''): void {
  if (isDeepStrictEqual(got, expected)) return;
  throw difference(`expected ${shown(expected)}, got ${shown(got)}`, what);
}

export function among<T>(got: T, expected: readonly T[], what = ''): void {
  if (expected.includes(got)) return;
  const list = expected.map(shown).join(' or ');
  throw difference(`expected ${list}, got ${shown(got)}`, what);
}

export function matches(got: string | undefined, expected: RegExp, what = ''): void {
  if (got !== undefined && expected.test(got)) return;
  throw difference(`expected ${expected}, got ${shown(got)}`, what);
}

/** @param otherwise what is wrong when it does not hold */
export function holds(condition: boolean, otherwise: string): void {
  if (!condition) throw new Difference(otherwise);
}

export function atLeast(got: number, least: number, what = ''): void {
  if (got >= least) return;
  throw difference(`expected at least ${least}, got ${got}`, what);
}

/** Waits as test/support/wait.ts does. @throws Difference at the deadline */
export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  await wait(what, condition, { withinMs: 20_000, everyMs: 2 }).catch((error: Error) => {
    throw error instanceof Difference ? error : new Difference(error.message);
  });
}

/** The promise's value, or a Difference when it does not settle in time: a server may hang. */
export async function inTime<T>(
  promise: Promise<T>,
  what = 'an answer',
  msMost = 20_000,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Difference(`expected ${what} within ${msMost / 1000} s, got none`));
    }, msMost);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function difference(text: string, what: string): Difference {
  return new Difference(what === '' ? text : `${what}: ${text}`);
}

function shown(value: unknown): string {
  const text =
    value instanceof Uint8Array
      ? `bytes ${Buffer.from(value).toString('hex')}`
      : typeof value === 'bigint'
        ? String(value)
        : (JSON.stringify(value) ?? String(value));
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
