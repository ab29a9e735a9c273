import { readConfig } from '../core/config/config.ts';
import { AppError, asAppError } from '../core/error.ts';
import { newKey, projectPattern, projectRule, type Scope, scopes } from '../core/key.ts';
import { storePlace } from '../core/store/engine.ts';
import type { KeyRecord, KeyStore } from '../core/store/keys.ts';
import { isoTime } from '../core/window.ts';
import { readFlags, UsageError } from './flags.ts';

/**
 * `rollcall keys …`: projects' keys, on the store itself, also while services run on it. Whoever can write
 * the store's file needs no key to do so; it is how the first one is made.
 * @returns the exit code
 */
export async function keys(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [first = '', ...more] = args;
  const [action, rest] = first.startsWith('-') ? ['', args] : [first, more];
  switch (action) {
    case 'create':
      return await create(rest, env);
    case 'list':
      return await list(rest, env);
    case 'rotate':
      return await withId(rest, env, rotate);
    case 'revoke':
      return await withId(rest, env, revoke);
    default:
      throw new UsageError(
        `keys ${action === '' ? 'needs' : `has no "${action}", it needs`} one of create, list, rotate, revoke`,
      );
  }
}

async function create(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, {
    project: { type: 'string' },
    scope: { type: 'string' },
  });
  const project = projectOf(own.project);
  const scope = scopeOf(own.scope);
  const { id, text, digest, prefix } = newKey();
  await onStore({ ...env, ...flags }, 'made where absent', async (store) => {
    await ensureProject(store, project);
    await store.createKey(project, { id, scope, digest, prefix, createdS: nowS() });
  });
  tell(`key ${id} of project ${project} may ${scope}; this is the only time it is shown:`);
  say(text);
  return 0;
}

async function list(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, { project: { type: 'string' } });
  const asked = own.project === undefined ? undefined : projectOf(own.project);
  await onStore({ ...env, ...flags }, 'there', async (store) => {
    const projects = asked ? [asked] : (await store.projects()).map(({ name }) => name);
    const records: KeyRecord[] = [];
    for (const project of projects) records.push(...(await store.listKeys(project)));
    if (records.length > 0) say(table(records));
    else
      tell('there are no keys yet: rollcall keys create --project NAME --scope ingest makes one');
  });
  return 0;
}

async function rotate(store: KeyStore, project: string, id: string): Promise<void> {
  const { text, digest, prefix } = newKey();
  await store.rotate(project, id, { digest, prefix }, nowS());
  tell(
    `key ${id} has another secret, the old one is refused within a second; this is the only time it is shown:`,
  );
  say(text);
}

async function revoke(store: KeyStore, project: string, id: string): Promise<void> {
  await store.revoke(project, id, nowS());
  tell(`key ${id} of project ${project} is revoked, and refused within a second`);
}

/** @param work on the key that the first argument names */
async function withId(
  [id = '', ...args]: string[],
  env: NodeJS.ProcessEnv,
  work: (store: KeyStore, project: string, id: string) => Promise<void>,
): Promise<number> {
  if (!/^key_[0-9a-f]{16}$/.test(id)) {
    throw new UsageError(
      `"${id}" is no key's id, such as key_0123456789abcdef; keys list shows them`,
    );
  }
  await onStore({ ...env, ...readFlags(args).env }, 'there', async (store) => {
    const project = await store.projectOf(id);
    if (project === undefined) throw new AppError('not_found', `there is no key ${id}`);
    await work(store, project, id);
  });
  return 0;
}

async function onStore(
  env: NodeJS.ProcessEnv,
  // A first key is often made before a first start; to look into a store that is not there is a mistake.
  expected: 'there' | 'made where absent',
  work: (store: KeyStore) => Promise<void>,
): Promise<void> {
  const place = storePlace(readConfig(env).store);
  if (expected === 'there' && !(await place.exists())) {
    throw new AppError('not_found', `there is no store at ${place.name}`);
  }
  const store = await place.openKeys();
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

async function ensureProject(store: KeyStore, project: string): Promise<void> {
  const isThere = (await store.projects()).some(({ name }) => name === project);
  if (isThere) return;
  try {
    await store.createProject(project);
  } catch (error) {
    // Another process was faster, unless there are too many.
    const isThereNow = (await store.projects()).some(({ name }) => name === project);
    if (asAppError(error).code !== 'conflict' || !isThereNow) throw error;
    return;
  }
  tell(`project ${project} is created`);
}

function projectOf(given: string | boolean | undefined): string {
  if (given === undefined) throw new UsageError('keys create needs --project NAME');
  if (projectPattern.test(String(given))) return String(given);
  throw new UsageError(`--project "${given}" must be ${projectRule}`);
}

function scopeOf(given: string | boolean | undefined): Scope {
  const scope = scopes.find((known) => known === given);
  if (scope !== undefined) return scope;
  const shown = given === undefined ? 'keys create needs --scope' : `--scope "${given}" must be`;
  throw new UsageError(`${shown} one of ${scopes.join(', ')}`);
}

function table(records: readonly KeyRecord[]): string {
  const rows = [
    ['ID', 'PROJECT', 'SCOPE', 'PREFIX', 'CREATED', 'ROTATED', 'LAST USED', 'REVOKED'],
    ...records.map(({ id, project, scope, prefix, ...at }) => {
      const times = [at.createdS, at.rotatedS, at.lastUsedS, at.revokedS];
      return [id, project, scope, prefix, ...times.map(timeText)];
    }),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]) => row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

const timeText = (s: number | null): string => {
  return s === null ? '-' : `${isoTime(s * 1000).slice(0, 16)}Z`;
};

const nowS = (): number => Math.floor(Date.now() / 1000);

/** What the command answers; a script takes the key from here. */
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
/** What a person wants to know beside it. */
const tell = (text: string): boolean => process.stderr.write(`${text}\n`);
