import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Authorizer, authorizerOf, openAuthorizer } from '../../../core/auth/authorizer.ts';
import { credentialsOf } from '../../../core/auth/credentials.ts';
import { limits } from '../../../core/limits.ts';
import type { KeyStore } from '../../../core/store/keys.ts';
import { openSqliteKeys } from '../../../core/store/sqlite/keys.ts';
import { temporaryFolder } from '../../support/process.ts';
import { call, type ListenOptions, nowMs, openDoor } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

const adminKey = 'the-operator-has-chosen-this-one-well';
let folder: ReturnType<typeof temporaryFolder>;
let keys: KeyStore;
let authorizer: Authorizer;
let door: ListenOptions;

beforeAll(async () => {
  folder = temporaryFolder();
  keys = await openSqliteKeys(`${folder.path}/rollcall.db`);
  authorizer = authorizerOf({ auth: 'keys', adminKey, keys: async () => keys });
  door = await openDoor(oracleReader([call()]), nowMs, { authorizer, keys: async () => keys });
});
afterAll(async () => {
  await door.close();
  await authorizer.close();
  await keys.close();
  folder.remove();
});

interface Told {
  key?: string;
  type?: string;
  body?: unknown;
}

async function ask(method: string, path: string, { key = adminKey, type, body }: Told = {}) {
  const headers: Record<string, string> = { 'x-api-key': key };
  if (body !== undefined) headers['content-type'] = type ?? 'application/json';
  const text = typeof body === 'string' ? body : body && JSON.stringify(body);
  const answer = await door.fetch(`/api/v1${path}`, {
    method,
    headers,
    ...(text ? { body: text as string } : {}),
  });
  const said = await answer.text();
  const isJson = answer.headers.get('content-type')?.startsWith('application/json');
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(said) : said };
}

describe('administration over the API', () => {
  let serial = 0;
  let project: string;
  beforeEach(async () => {
    serial += 1;
    project = `project-${serial}`;
    expect((await ask('POST', '/projects', { body: { name: project } })).status).toBe(201);
  });

  it('creates, lists, rotates and revokes', async () => {
    const again = await ask('POST', '/projects', { body: { name: project } });
    expect(again).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
    const made = await ask('POST', '/keys', { body: { project, scope: 'ingest' } });
    const created_at = new Date(nowMs - (nowMs % 1000)).toISOString();
    const row = {
      id: expect.stringMatching(/^key_/),
      project,
      scope: 'ingest',
      prefix: made.body.key.slice(0, 12),
      created_at,
      rotated_at: null,
      last_used_at: null,
      revoked_at: null,
    };
    expect(made).toMatchObject({ status: 201 });
    expect(made.body).toEqual({ ...row, key: expect.stringMatching(/^rck_/) });
    const listed = await ask('GET', `/keys?project=${project}`);
    expect(listed).toMatchObject({ status: 200, body: { keys: [row], next_cursor: null } });
    expect(JSON.stringify(listed.body)).not.toContain(made.body.key);

    const rotated = await ask('POST', `/keys/${made.body.id}/rotate`);
    expect(rotated.status).toBe(200);
    expect(rotated.body).toMatchObject({ id: made.body.id, rotated_at: created_at });
    expect(rotated.body.key).not.toBe(made.body.key);

    expect(await ask('DELETE', `/keys/${made.body.id}`)).toMatchObject({ status: 204, body: '' });
    expect(await ask('DELETE', `/keys/${made.body.id}`)).toMatchObject({ status: 204 });
    const late = await ask('POST', `/keys/${made.body.id}/rotate`);
    expect(late).toMatchObject({ status: 409 });
    const after = await ask('GET', `/keys?project=${project}`);
    expect(after.body.keys).toMatchObject([{ id: made.body.id, revoked_at: created_at }]);
    const projects = await ask('GET', '/projects');
    expect(projects.body.projects).toContainEqual({ name: project, keys: 0 });
  });

  it('lists in pages and as tables, for the operator over all projects', async () => {
    for (const scope of ['ingest', 'read', 'admin']) {
      await ask('POST', '/keys', { body: { project, scope } });
    }
    const ids: string[] = [];
    for (let cursor = ''; ; ) {
      const { status, body, headers } = await ask(
        'GET',
        `/keys?project=${project}&limit=2${cursor}`,
      );
      expect(status).toBe(200);
      ids.push(...body.keys.map(({ id }: { id: string }) => id));
      if (body.next_cursor === null) break;
      expect(headers.get('link')).toContain('rel="next"');
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect(new Set(ids).size).toBe(3);
    const csv = await ask('GET', `/keys?project=${project}&format=csv`);
    expect(csv.body.split('\r\n')).toHaveLength(5);
    const all = await ask('GET', '/keys');
    expect(all.body.keys.map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining(ids));
    expect((await ask('GET', '/projects?format=md')).body).toContain(`| ${project} | 3 |`);
  });

  it('lets an admin key make keys of its own project without naming it', async () => {
    const { body: admin } = await ask('POST', '/keys', { body: { project, scope: 'admin' } });
    const made = await ask('POST', '/keys', { key: admin.key, body: { scope: 'read' } });
    expect(made).toMatchObject({ status: 201, body: { project, scope: 'read' } });
    const credentials = credentialsOf({ 'x-api-key': made.body.key }, '127.0.0.1');
    expect(await authorizer.project(credentials, 'read')).toBe(project);
    const elsewhere = { key: admin.key, body: { project: 'default', scope: 'read' } };
    expect(await ask('POST', '/keys', elsewhere)).toMatchObject({
      status: 403,
      body: { error: { code: 'forbidden', field: 'project' } },
    });
  });

  it.each([
    ['/projects', {}, 400, 'name'],
    ['/projects', { name: 'a b' }, 400, 'name'],
    ['/projects', { name: 'x', more: 1 }, 400, 'more'],
    ['/projects', [], 400, null],
    ['/projects', '{"name":', 400, null],
    ['/keys', { scope: 'read' }, 400, 'project'],
    ['/keys', { project: 'nobody', scope: 'read' }, 404, null],
    ['/keys', { project: 'default', scope: 'all' }, 400, 'scope'],
    ['/keys', { project: 'default' }, 400, 'scope'],
    ['/keys?project=default', { project: 'default', scope: 'read' }, 400, 'project'],
  ])('refuses POST %s with %j', async (path, body, status, field) => {
    const answer = await ask('POST', path, { body });
    expect(answer, JSON.stringify(answer.body)).toMatchObject({
      status,
      body: { error: { field } },
    });
    expect((await keys.projects()).map(({ name }) => name)).not.toContain('x');
  });

  it('refuses a body beyond the bound, declared or not', async () => {
    const body = { name: 'a'.repeat(limits.commandBytes) };
    const refused = { status: 413, body: { error: { code: 'too_large' } } };
    expect(await ask('POST', '/projects', { body })).toMatchObject(refused);
    const chunked = await door.fetch('/api/v1/projects', {
      method: 'POST',
      headers: { 'x-api-key': adminKey, 'content-type': 'application/json' },
      body: new Blob([JSON.stringify(body)]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(chunked.status).toBe(413);
  });

  it('takes JSON alone, so that no form of another site can reach it', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
      const body = { name: 'x' };
      expect(await ask('POST', '/projects', { type, body })).toMatchObject({ status: 415 });
    }
    const type = 'application/json; charset=utf-8';
    const body = { name: `${project}-again` };
    expect(await ask('POST', '/projects', { type, body })).toMatchObject({ status: 201 });
  });

  it.each(['key_0123456789abcdef', 'nothing', `rck_${'A'.repeat(43)}`])(
    'knows no key %s, and does not repeat what may be a secret',
    async (id) => {
      const answer = await ask('DELETE', `/keys/${id}`);
      expect(answer).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
      if (id.startsWith('rck_')) expect(JSON.stringify(answer.body)).not.toContain(id);
    },
  );

  it('names the methods that a path has', async () => {
    const answer = await ask('PUT', '/keys');
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
  });

  it('asks for a key before it reads anything else', async () => {
    const answer = await ask('POST', '/projects', { key: 'wrong', body: '{"name":' });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="rollcall"');
    expect((await ask('GET', '/report?window=x', { key: 'wrong' })).status).toBe(401);
  });
});

it('says that authentication is off, where it is', async () => {
  const open = await openDoor(oracleReader([call()]), nowMs, {
    authorizer: openAuthorizer,
    keys: async () => keys,
  });
  for (const [method, path] of [
    ['GET', '/projects'],
    ['POST', '/projects'],
    ['GET', '/keys'],
    ['POST', '/keys'],
    ['DELETE', '/keys/key_0123456789abcdef'],
    ['POST', '/keys/key_0123456789abcdef/rotate'],
  ]) {
    const answer = await open.fetch(`/api/v1${path}`, { method: method! });
    expect(answer.status, path).toBe(409);
    expect(await answer.json()).toMatchObject({
      error: { code: 'conflict', message: expect.stringContaining('authentication is off') },
    });
  }
  await open.close();
});

it('the OpenAPI document says who may', async () => {
  const { paths, components } = await door.get('/openapi.json');
  const roles = (path: string, method: string) => paths[path][method]['x-key-scopes'];
  expect(roles('/report', 'get')).toEqual(['read', 'admin']);
  expect(roles('/projects', 'post')).toEqual(['operator']);
  expect(roles('/keys/{id}', 'delete')).toEqual(['admin', 'operator']);
  expect(paths['/report'].get.description).toContain('a key of scope read or admin');
  expect(paths['/projects'].post.description).toContain('Needs ROLLCALL_ADMIN_KEY');
  // Either header does, for every operation.
  for (const operations of Object.values(paths) as Record<string, { security: object[] }>[]) {
    for (const { security } of Object.values(operations)) {
      expect(security).toEqual([{ bearer: [] }, { apiKey: [] }]);
    }
  }
  expect(components.securitySchemes).toMatchObject({
    bearer: { scheme: 'bearer' },
    apiKey: { in: 'header' },
  });
  const { schema } = paths['/keys'].post.requestBody.content['application/json'];
  expect(schema).toMatchObject({ required: ['scope'], additionalProperties: false });
  expect(schema.properties.scope.enum).toEqual(['ingest', 'read', 'admin']);
  expect(Object.keys(paths['/keys'].post.responses)).toEqual(
    expect.arrayContaining(['201', '401', '403', '409', '429']),
  );
});
