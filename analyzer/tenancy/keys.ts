import { z } from 'zod';
import type { Administrator } from '../../core/auth/authorizer.ts';
import { AppError } from '../../core/error.ts';
import { newKey, scopes } from '../../core/key.ts';
import type { KeyRecord, KeyStore } from '../../core/store/keys.ts';
import { isoTime } from '../../core/window.ts';
import { pageParameters } from '../query/parameters.ts';
import { jsonAnswer } from '../query/query.ts';
import type { Column } from '../query/table.ts';
import { command, listOf } from './command.ts';
import { projectName } from './projects.ts';

/** A key as it is listed; its text is in no row but the one that made it. */
interface KeyRow {
  id: string;
  project: string;
  scope: string;
  prefix: string;
  created_at: string;
  rotated_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
}

const columns: Column<KeyRow>[] = [
  { name: 'id', type: 'string', about: 'names the key; opens nothing', brief: true },
  { name: 'project', type: 'string', about: 'the project it belongs to', brief: true },
  { name: 'scope', type: 'string', about: `what it may do: ${scopes.join(', ')}`, brief: true },
  { name: 'prefix', type: 'string', about: 'the first characters of the key', brief: true },
  { name: 'created_at', type: 'string', about: 'when it was made', brief: true },
  { name: 'rotated_at', type: 'string', about: 'when it got its present secret, unless the first' },
  {
    name: 'last_used_at',
    type: 'string',
    about: 'when its secret was used last, up to a minute behind; null when never',
    brief: true,
  },
  { name: 'revoked_at', type: 'string', about: 'when it was revoked; null in use', brief: true },
];

/** With the key itself, once. */
const madeColumns: Column<KeyRow & { key: string }>[] = [
  ...columns,
  { name: 'key', type: 'string', about: 'the key itself: shown here and never again' },
];

export const createKey = command({
  name: 'createKey',
  method: 'POST',
  path: '/keys',
  about: 'Makes a key of a project and answers it, this once',
  by: 'administrator',
  parameters: z.strictObject({}),
  body: z.strictObject({
    project: projectName("the project; an admin key's own unless told").optional(),
    scope: z.enum(scopes).describe(`what the key may do: ${scopes.join(', ')}`),
  }),
  status: 201,
  row: madeColumns,
  async run({ keys, administrator, nowS, body: { project: asked, scope } }) {
    const project = projectFor(administrator, asked);
    const { id, text, digest, prefix } = newKey();
    const made = await keys.createKey(project, { id, scope, digest, prefix, createdS: nowS });
    return jsonAnswer({ ...keyRow(made), key: text });
  },
});

export const listKeys = command({
  name: 'listKeys',
  method: 'GET',
  path: '/keys',
  about: 'Keys, in use and lately revoked, oldest first',
  by: 'administrator',
  parameters: z.strictObject({
    project: projectName("the project; an admin key's own, or every one, unless told").optional(),
    ...pageParameters(),
  }),
  status: 200,
  list: { noun: 'keys', columns },
  async run({ keys, administrator, parameters }) {
    const rows: KeyRow[] = [];
    for (const project of await projectsFor(keys, administrator, parameters.project)) {
      for (const record of await keys.listKeys(project)) rows.push(keyRow(record));
    }
    const order = { field: 'created_at', descending: false, key: ({ id }: KeyRow) => id } as const;
    return listOf({ list: { noun: 'keys', columns }, rows, order }, parameters);
  },
});

export const rotateKey = command({
  name: 'rotateKey',
  method: 'POST',
  path: '/keys/:id/rotate',
  about:
    'Gives a key another secret and answers it, this once; the old one is refused within a second',
  by: 'administrator',
  parameters: z.strictObject({}),
  status: 200,
  row: madeColumns,
  async run({ keys, administrator, nowS, path }) {
    const { id, project } = await keyOf(keys, administrator, path);
    const { text, digest, prefix } = newKey();
    const rotated = await keys.rotate(project, id, { digest, prefix }, nowS);
    return jsonAnswer({ ...keyRow(rotated), key: text });
  },
});

export const revokeKey = command({
  name: 'revokeKey',
  method: 'DELETE',
  path: '/keys/:id',
  about: 'Revokes a key: it is refused within a second',
  by: 'administrator',
  parameters: z.strictObject({}),
  status: 204,
  async run({ keys, administrator, nowS, path }) {
    const { id, project } = await keyOf(keys, administrator, path);
    await keys.revoke(project, id, nowS);
    return undefined;
  },
});

/** @throws AppError `forbidden` for another project than the key's, `invalid` when none is named */
function projectFor(administrator: Administrator, asked: string | undefined): string {
  if (administrator.isOperator) {
    if (asked !== undefined) return asked;
    throw new AppError('invalid', 'ROLLCALL_ADMIN_KEY belongs to no project: name the project', {
      field: 'project',
    });
  }
  const { project } = administrator;
  if (asked === undefined || asked === project) return project;
  throw new AppError('forbidden', `this key administers project "${project}" alone`, {
    field: 'project',
  });
}

/** @throws AppError `forbidden` for another project than the key's */
async function projectsFor(
  keys: KeyStore,
  administrator: Administrator,
  asked: string | undefined,
): Promise<string[]> {
  if (!administrator.isOperator || asked !== undefined) return [projectFor(administrator, asked)];
  return (await keys.projects()).map(({ name }) => name);
}

/**
 * The key of the path, and where it is to be looked for: an administrator's own project, whatever the id.
 * @throws AppError `not_found`
 */
async function keyOf(
  keys: KeyStore,
  administrator: Administrator,
  { id = '' }: Record<string, string>,
): Promise<{ id: string; project: string }> {
  if (!/^key_[0-9a-f]{16}$/.test(id)) throw new AppError('not_found', 'there is no key of this id');
  if (!administrator.isOperator) return { id, project: administrator.project };
  const project = await keys.projectOf(id);
  if (project === undefined) throw new AppError('not_found', `there is no key ${id}`);
  return { id, project };
}

function keyRow(record: KeyRecord): KeyRow {
  const { id, project, scope, prefix, createdS, rotatedS, lastUsedS, revokedS } = record;
  return {
    id,
    project,
    scope,
    prefix,
    created_at: isoTime(createdS * 1000),
    rotated_at: timeOf(rotatedS),
    last_used_at: timeOf(lastUsedS),
    revoked_at: timeOf(revokedS),
  };
}

const timeOf = (s: number | null): string | null => (s === null ? null : isoTime(s * 1000));
