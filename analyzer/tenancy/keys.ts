import { z } from 'zod';
import type { Administrator } from '../../core/auth/authorizer.ts';
import { AppError } from '../../core/error.ts';
import { newKey, scopes } from '../../core/key.ts';
import type { KeyRecord, KeyStore } from '../../core/store/keys.ts';
import { isoTime } from '../../core/window.ts';
import type { Order } from '../query/page.ts';
import { pageParameters } from '../query/parameters.ts';
import { named, nextCursor, time } from '../query/schema.ts';
import { tableOf } from '../query/table.ts';
import { defineCommand, pageOfRows } from './command.ts';
import { projectName } from './projects.ts';

/** A key as it is listed, without its text. */
const keyTable = tableOf<KeyRecord>()('KeyRow', {
  id: {
    type: z.string(),
    about: 'names the key; opens nothing',
    value: ({ id }) => id,
    brief: true,
  },
  project: {
    type: z.string(),
    about: 'the project it belongs to',
    value: ({ project }) => project,
    brief: true,
  },
  scope: {
    type: z.enum(scopes),
    about: `what it may do: ${scopes.join(', ')}`,
    value: ({ scope }) => scope,
    brief: true,
  },
  prefix: {
    type: z.string(),
    about: 'the first characters of the key',
    value: ({ prefix }) => prefix,
    brief: true,
  },
  created_at: {
    type: time,
    about: 'when it was made',
    value: ({ createdS }) => isoTime(createdS * 1000),
    brief: true,
  },
  rotated_at: {
    type: time.nullable(),
    about: 'when it got its present secret, unless the first',
    value: ({ rotatedS }) => timeOf(rotatedS),
  },
  last_used_at: {
    type: time.nullable(),
    about: 'when its secret was used last, up to a minute behind; null when never',
    value: ({ lastUsedS }) => timeOf(lastUsedS),
    brief: true,
  },
  revoked_at: {
    type: time.nullable(),
    about: 'when it was revoked; null in use',
    value: ({ revokedS }) => timeOf(revokedS),
    brief: true,
  },
});

const timeOf = (s: number | null): string | null => (s === null ? null : isoTime(s * 1000));

const newKeySchema = named(
  'NewKey',
  keyTable.schema.extend({
    key: z.string().describe('the key itself: shown here and never again'),
  }),
);

export const createKey = defineCommand({
  name: 'createKey',
  method: 'POST',
  path: '/keys',
  about: 'Makes a key of a project and answers it, this once',
  by: 'administrator',
  parameters: z.strictObject({}),
  input: z.strictObject({
    project: projectName("the project; an admin key's own unless told").optional(),
    scope: z.enum(scopes).describe(`what the key may do: ${scopes.join(', ')}`),
  }),
  status: 201,
  schema: newKeySchema,
  async run({ keys, administrator, nowS, input }) {
    const project = projectFor(administrator, input.project);
    const { id, text, digest, prefix } = newKey();
    const { scope } = input;
    const made = await keys.createKey(project, { id, scope, digest, prefix, createdS: nowS });
    return { ...keyTable.row(made), key: text };
  },
});

const oldestFirst: Order<KeyRecord> = {
  value: ({ createdS }) => createdS,
  descending: false,
  key: ({ id }) => id,
};

export const listKeys = defineCommand({
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
  schema: z.object({ keys: z.array(keyTable.schema), next_cursor: nextCursor }),
  list: {
    title: 'Rollcall keys',
    noun: 'keys',
    table: keyTable,
    prose: (body: { keys: unknown[] }) => `${body.keys.length} keys.`,
  },
  async run({ keys, administrator, parameters }) {
    const records: KeyRecord[] = [];
    for (const project of await projectsFor(keys, administrator, parameters.project)) {
      records.push(...(await keys.listKeys(project)));
    }
    const page = pageOfRows('keys', records, oldestFirst, parameters);
    return { keys: page.rows.map((record) => keyTable.row(record)), next_cursor: page.next_cursor };
  },
});

export const rotateKey = defineCommand({
  name: 'rotateKey',
  method: 'POST',
  path: '/keys/:id/rotate',
  about:
    'Gives a key another secret and answers it, this once; the old one is refused within a second',
  by: 'administrator',
  parameters: z.strictObject({}),
  status: 200,
  schema: newKeySchema,
  async run({ keys, administrator, nowS, path }) {
    const { id, project } = await keyOf(keys, administrator, path);
    const { text, digest, prefix } = newKey();
    const rotated = await keys.rotate(project, id, { digest, prefix }, nowS);
    return { ...keyTable.row(rotated), key: text };
  },
});

export const revokeKey = defineCommand({
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
 * The key of the path and its project. An administrator finds keys of its own project only.
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
