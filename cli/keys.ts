import { readConfig } from '../core/config/config.ts';
import { AppError, asAppError } from '../core/error.ts';
import { newKey, projectPattern, projectRule, type Scope, scopes } from '../core/key.ts';
import { storePlace } from '../core/store/engine.ts';
import type { KeyRecord, KeyStore } from '../core/store/keys.ts';
import { isoTime } from '../core/window.ts';
import { readFlags, UsageError } from './flags.ts';
import { textTable } from './table.ts';

/**
 * `rollcall keys …`: manages keys directly in the store, also while services run on it. It needs no key, only
 * write access to the store: so the first key can be created.
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
  await onStore({ ...env, ...flags }, 'created if absent', async (store) => {
    await ensureProject(store, project);
    await store.createKey(project, { id, scope, digest, prefix, createdS: nowS() });
  });
  remark(`key ${id} of project ${project}, scope ${scope}; this is the only time it is shown:`);
  print(text);
  return 0;
}

async function list(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, { project: { type: 'string' } });
  const given = own.project === undefined ? undefined : projectOf(own.project);
  await onStore({ ...env, ...flags }, 'must exist', async (store) => {
    const projects = given ? [given] : (await store.projects()).map(({ name }) => name);
    const records: KeyRecord[] = [];
    for (const project of projects) records.push(...(await store.listKeys(project)));
    if (records.length > 0) print(table(records));
    else
      remark(
        'there are no keys yet: create one with rollcall keys create --project NAME --scope ingest',
      );
  });
  return 0;
}

async function rotate(store: KeyStore, project: string, id: string): Promise<void> {
  const { text, digest, prefix } = newKey();
  await store.rotate(project, id, { digest, prefix }, nowS());
  remark(
    `key ${id} has a new secret, the old one is refused within a second; this is the only time it is shown:`,
  );
  print(text);
}

async function revoke(store: KeyStore, project: string, id: string): Promise<void> {
  await store.revoke(project, id, nowS());
  remark(`key ${id} of project ${project} is revoked: it is refused within a second`);
}

/** Runs `work` on the key whose id is the first argument. */
async function withId(
  [id = '', ...args]: string[],
  env: NodeJS.ProcessEnv,
  work: (store: KeyStore, project: string, id: string) => Promise<void>,
): Promise<number> {
  if (!/^key_[0-9a-f]{16}$/.test(id)) {
    throw new UsageError(
      `"${id}" is not the id of a key, such as key_0123456789abcdef; keys list prints them`,
    );
  }
  await onStore({ ...env, ...readFlags(args).env }, 'must exist', async (store) => {
    const project = await store.projectOf(id);
    if (project === undefined) throw new AppError('not_found', `there is no key ${id}`);
    await work(store, project, id);
  });
  return 0;
}

async function onStore(
  env: NodeJS.ProcessEnv,
  // A first key is often created before the first start, so `create` may make the store. Listing a store
  // that does not exist is a mistake.
  expected: 'must exist' | 'created if absent',
  work: (store: KeyStore) => Promise<void>,
): Promise<void> {
  const place = storePlace(readConfig(env).store);
  if (expected === 'must exist' && !(await place.exists())) {
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
    // `conflict`: another process created the project meanwhile, or the store has its maximum of projects.
    const isThereNow = (await store.projects()).some(({ name }) => name === project);
    if (asAppError(error).code !== 'conflict' || !isThereNow) throw error;
    return;
  }
  remark(`project ${project} is created`);
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
  const head = ['ID', 'PROJECT', 'SCOPE', 'PREFIX', 'CREATED', 'ROTATED', 'LAST USED', 'REVOKED'];
  const rows = records.map(({ id, project, scope, prefix, ...at }) => {
    const times = [at.createdS, at.rotatedS, at.lastUsedS, at.revokedS];
    return [id, project, scope, prefix, ...times.map(timeText)];
  });
  return textTable(head, rows);
}

const timeText = (s: number | null): string => {
  return s === null ? '-' : `${isoTime(s * 1000).slice(0, 16)}Z`;
};

const nowS = (): number => Math.floor(Date.now() / 1000);

/** The command's result, on standard output, where a script reads it. */
const print = (text: string): boolean => process.stdout.write(`${text}\n`);
/** Remarks for a person, on standard error. */
const remark = (text: string): boolean => process.stderr.write(`${text}\n`);
