import { readFile, stat } from 'node:fs/promises';
import { keyVariable, readConfig } from '../core/config/config.ts';
import { AppError } from '../core/error.ts';
import { limits } from '../core/limits.ts';
import { readFlags, UsageError } from './flags.ts';

/**
 * Requests to the REST API of an analyzer, here or elsewhere. The key, where one is needed, comes from ROLLCALL_KEY:
 * a flag would show it to every user of the machine.
 */

/**
 * @param url of the analyzer; by default on this machine @param path below /api/v1, encoded
 * @throws UsageError
 */
export function apiUrl(
  url: string | boolean | undefined,
  env: NodeJS.ProcessEnv,
  path: string,
): URL {
  const base = String(url ?? `http://127.0.0.1:${readConfig(env).analyzerPort}`);
  if (!URL.canParse(base) || !/^https?:/.test(base)) {
    throw new UsageError(`--url "${base}" must be the URL of an analyzer`);
  }
  return new URL(`api/v1/${path}`, base.endsWith('/') ? base : `${base}/`);
}

/** @throws AppError with the API's message, or `unavailable` without an answer */
export async function request(
  url: URL,
  env: NodeJS.ProcessEnv,
  init: RequestInit = {},
): Promise<string> {
  return await (await answerOf(url, env, init)).text();
}

/** The answer before its body is read. @throws AppError as `request` */
export async function answerOf(
  url: URL,
  env: NodeJS.ProcessEnv,
  init: RequestInit = {},
): Promise<Response> {
  const key = env[keyVariable] ?? '';
  const headers = { ...init.headers, ...(key !== '' && { 'x-api-key': key }) };
  const response = await fetch(url, { ...init, headers }).catch((error: Error) => {
    const reason = (error.cause as Error | undefined)?.message || error.message;
    throw new AppError('unavailable', `no analyzer answers at ${url.origin}: ${reason}`);
  });
  if (response.ok) return response;
  const text = await response.text();
  const { status } = response;
  const code = status === 429 ? 'throttled' : status >= 500 ? 'unavailable' : 'invalid';
  throw new AppError(code, `${messageOf(text)} (HTTP ${response.status} of ${url.origin})`);
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return 'the answer is not one of Rollcall';
  }
}

/**
 * Asks for a list with the flags of a command, and prints the answer as it came where `--json` is among them.
 * @param filters parameters of the list that are flags too
 * @returns the answer, where the caller is to print it as a table
 */
export async function askList(
  args: string[],
  env: NodeJS.ProcessEnv,
  path: string,
  filters: readonly string[],
): Promise<string | undefined> {
  const { env: flags, own } = readFlags(args, {
    ...Object.fromEntries(filters.map((name) => [name, { type: 'string' as const }])),
    url: { type: 'string' },
    json: { type: 'boolean' },
  });
  const place = apiUrl(own.url, { ...env, ...flags }, path);
  for (const name of filters) {
    if (own[name] !== undefined) place.searchParams.set(name, String(own[name]));
  }
  const text = await request(place, env);
  if (own.json !== true) return text;
  print(text);
  return undefined;
}

/**
 * @param file its path, or `-` for standard input
 * @throws AppError `not_found`, `too_large`
 */
export async function readDocument(file: string): Promise<Buffer<ArrayBuffer>> {
  if (file === '-') {
    const parts: Buffer[] = [];
    for await (const part of process.stdin as AsyncIterable<Buffer>) parts.push(part);
    return Buffer.concat(parts);
  }
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new AppError('not_found', `there is no file "${file}"`);
  if (found.size > limits.inventoryBytes) {
    const message = `"${file}" has ${found.size} bytes; an inventory has at most ${limits.inventoryBytes}`;
    throw new AppError('too_large', message);
  }
  return await readFile(file);
}

/** The command's result, on standard output, where a script reads it. */
export const print = (text: string): boolean => process.stdout.write(`${text}\n`);
/** Remarks for a person, on standard error. */
export const remark = (text: string): boolean => process.stderr.write(`${text}\n`);
