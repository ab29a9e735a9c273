import { readFile, stat } from 'node:fs/promises';
import { keyVariable, readConfig } from '../core/config/config.ts';
import { AppError } from '../core/error.ts';
import { limits } from '../core/limits.ts';
import { readFlags, UsageError } from './flags.ts';
import { textTable } from './table.ts';

/**
 * `rollcall inventory …`: declares a service's routes over the REST API of an analyzer, here or elsewhere. The key,
 * where one is needed, comes from ROLLCALL_KEY: a flag would show it to every user of the machine.
 * @returns the exit code
 */
export async function inventory(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [first = '', ...rest] = args;
  switch (first) {
    case 'put':
      return await put(rest, env);
    case 'show':
      return await show(rest, env);
    case 'remove':
      return await remove(rest, env);
    default: {
      const said = first === '' || first.startsWith('-') ? 'needs' : `has no "${first}", it needs`;
      throw new UsageError(`inventory ${said} one of put, show, remove`);
    }
  }
}

/** Flags of every action. */
const shared = {
  service: { type: 'string' },
  environment: { type: 'string' },
  url: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** What the API answers, as far as it is printed. */
interface Answer {
  version: number;
  dry_run: boolean;
  declared_routes: number;
  added_routes: number;
  removed_routes: number;
  called_routes: number;
  never_called_routes: number;
  notes: string[];
  routes: { method: string; route: string; deprecated: boolean; endpoints: Endpoint[] }[];
  undocumented: Endpoint[];
}

interface Endpoint {
  environment: string;
  method: string;
  route: string;
  guessed: boolean;
}

async function put(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, {
    ...shared,
    file: { type: 'string' },
    prefix: { type: 'string' },
    author: { type: 'string' },
    'dry-run': { type: 'boolean' },
  });
  const place = placeOf(own, { ...env, ...flags });
  const body = await readDocument(own.file);
  for (const name of ['prefix', 'author'] as const) {
    if (own[name] !== undefined) place.searchParams.set(name, String(own[name]));
  }
  if (own['dry-run']) place.searchParams.set('dry_run', 'true');
  const text = await request(place, env, { method: 'PUT', body });
  return report(text, own.json === true);
}

async function show(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, shared);
  const text = await request(placeOf(own, { ...env, ...flags }), env, {});
  return report(text, own.json === true);
}

async function remove(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, shared);
  const place = placeOf(own, { ...env, ...flags });
  await request(place, env, { method: 'DELETE' });
  remark(`the inventory of ${own.service} is removed; what was observed stays`);
  return 0;
}

/** The inventory's URL; by default on an analyzer on this machine. */
function placeOf(own: Record<string, string | boolean | undefined>, env: NodeJS.ProcessEnv): URL {
  const { service, environment } = own;
  if (service === undefined) throw new UsageError('inventory needs --service NAME');
  const base = String(own.url ?? `http://127.0.0.1:${readConfig(env).analyzerPort}`);
  if (!URL.canParse(base) || !/^https?:/.test(base)) {
    throw new UsageError(`--url "${base}" must be the URL of an analyzer`);
  }
  const path = `api/v1/services/${encodeURIComponent(String(service))}/inventory`;
  const place = new URL(path, base.endsWith('/') ? base : `${base}/`);
  if (environment !== undefined) place.searchParams.set('environment', String(environment));
  return place;
}

/** @param file its path, or `-` for standard input */
async function readDocument(file: string | boolean | undefined): Promise<Buffer<ArrayBuffer>> {
  if (file === undefined) throw new UsageError('inventory put needs --file FILE, or - for stdin');
  if (file === '-') {
    const parts: Buffer[] = [];
    for await (const part of process.stdin as AsyncIterable<Buffer>) parts.push(part);
    return Buffer.concat(parts);
  }
  const path = String(file);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw new AppError('not_found', `there is no file "${path}"`);
  if (found.size > limits.inventoryBytes) {
    const message = `"${path}" has ${found.size} bytes; an inventory has at most ${limits.inventoryBytes}`;
    throw new AppError('too_large', message);
  }
  return await readFile(path);
}

/** @throws AppError with the API's message, or `unavailable` without an answer */
async function request(place: URL, env: NodeJS.ProcessEnv, init: RequestInit): Promise<string> {
  const key = env[keyVariable] ?? '';
  const headers: Record<string, string> = key === '' ? {} : { 'x-api-key': key };
  const response = await fetch(place, { ...init, headers }).catch((error: Error) => {
    const reason = (error.cause as Error | undefined)?.message || error.message;
    throw new AppError('unavailable', `no analyzer answers at ${place.origin}: ${reason}`);
  });
  const text = await response.text();
  if (response.ok) return text;
  throw new AppError('invalid', `${messageOf(text)} (HTTP ${response.status} of ${place.origin})`);
}

function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { error: { message: string } }).error.message;
  } catch {
    return 'the answer is not one of Rollcall';
  }
}

function report(text: string, asJson: boolean): number {
  if (asJson) {
    print(text);
    return 0;
  }
  const answer = JSON.parse(text) as Answer;
  const rows = [
    ...answer.routes.map(({ method, route, deprecated, endpoints }) => [
      endpoints.length === 0 ? 'never called' : 'called',
      method,
      route,
      [deprecated ? 'deprecated' : '', ...endpoints.map(observed)].filter(Boolean).join(', '),
    ]),
    ...answer.undocumented.map(({ environment, method, route }) => [
      'undocumented',
      method,
      route,
      environment === '' ? '' : `in ${environment}`,
    ]),
  ];
  print(textTable(['STATE', 'METHOD', 'ROUTE', 'OBSERVED AS'], rows));
  for (const note of answer.notes) remark(`note: ${note}`);
  const { version, declared_routes, added_routes, removed_routes } = answer;
  remark(
    `${answer.dry_run ? 'would be version' : 'version'} ${version}: ${declared_routes} routes declared (${added_routes} added, ${removed_routes} removed), ${answer.called_routes} called, ${answer.never_called_routes} never called, ${answer.undocumented.length} undocumented`,
  );
  return 0;
}

const observed = ({ environment, route, guessed }: Endpoint): string =>
  `${route}${environment === '' ? '' : ` in ${environment}`}${guessed ? ' (guessed)' : ''}`;

/** The command's result, on standard output, where a script reads it. */
const print = (text: string): boolean => process.stdout.write(`${text}\n`);
/** Remarks for a person, on standard error. */
const remark = (text: string): boolean => process.stderr.write(`${text}\n`);
