import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';

/** Uploads that are made to harm, against a real analyzer: each gets a clear answer, in bounded time and memory. */

const folder = temporaryFolder();
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(join(folder.path, 'rollcall.db'));
});
afterAll(async () => {
  await rollcall.stop();
  folder.remove();
});

const paths = (more: string) => `openapi: 3.1.0\npaths:\n${more}`;
const json = (document: object) => JSON.stringify({ openapi: '3.1.0', ...document });

async function put(
  body: string,
  service = 'hostile',
): Promise<{ status: number; message: string; routes: string[]; notes: string[] }> {
  const url = `${rollcall.addresses.analyzer}/api/v1/services/${service}/inventory?dry_run=true`;
  const response = await fetch(url, { method: 'PUT', body });
  const answer = (await response.json()) as {
    error?: { message: string };
    routes?: { method: string; route: string }[];
    notes?: string[];
  };
  return {
    status: response.status,
    message: answer.error?.message ?? '',
    routes: (answer.routes ?? []).map(({ method, route }) => `${method} ${route}`),
    notes: answer.notes ?? [],
  };
}

/** Each line is nine times the one before. */
function laughs(lines: number): string {
  const names = Array.from({ length: lines }, (_, n) => `a${n}`);
  const first = 'a0: &a0 {get: {}}';
  const rest = names
    .slice(1)
    .map((name, n) => `${name}: &${name} [${Array(9).fill(`*a${n}`).join(', ')}]`);
  return [first, ...rest].join('\n');
}

describe('documents that expand', () => {
  it('billion laughs beside the paths stay as small as their text', async () => {
    const found = await put(`${laughs(40)}\n${paths('  /a: *a0\n  /b: {get: {}}\n')}`);
    expect(found).toMatchObject({ status: 200, routes: ['GET /a', 'GET /b'] });
  });

  it('billion laughs as the paths are refused', async () => {
    const found = await put(`${laughs(40)}\nopenapi: 3.1.0\npaths: *a39\n`);
    expect(found).toMatchObject({ status: 400, message: 'paths of the document is no object' });
    const item = await put(`${laughs(40)}\n${paths('  /a: *a39\n')}`);
    expect(item).toMatchObject({ status: 400, message: 'paths "/a" is no object' });
  });

  it('100,000 nested brackets are refused', async () => {
    expect((await put(`{"openapi": "3.1.0", "paths": ${'['.repeat(100_000)}`)).status).toBe(400);
    expect((await put(paths(`  /a: ${'['.repeat(100_000)}\n`))).status).toBe(400);
  });
});

describe('references', () => {
  it.each([
    [
      'in a circle',
      { paths: { '/a': { $ref: '#/paths/~1b' }, '/b': { $ref: '#/paths/~1a' } } },
      /more than 16 references/,
    ],
    ['to themselves', { paths: { '/a': { $ref: '#/paths/~1a' } } }, /more than 16 references/],
    ['to files', { paths: { '/a': { $ref: 'file:///etc/passwd' } } }, /leads out of the document/],
    [
      'to hosts',
      { paths: { '/a': { $ref: 'http://169.254.169.254/latest' } } },
      /leads out of the document/,
    ],
    ['to nothing', { paths: { '/a': { $ref: '#/components/x' } } }, /is not in the document/],
    [
      'to a prototype',
      { paths: { '/a': { $ref: '#/__proto__/constructor' } } },
      /is not in the document/,
    ],
  ])('%s are refused', async (_what, document, message) => {
    const found = await put(json(document));
    expect(found.status).toBe(400);
    expect(found.message).toMatch(message);
  });
});

describe('wrong types', () => {
  it.each([
    ['paths are a list', '{"openapi": "3.1.0", "paths": []}'],
    ['paths are a text', '{"openapi": "3.1.0", "paths": "x"}'],
    ['a path item is a number', '{"openapi": "3.1.0", "paths": {"/a": 1}}'],
    ['the version is an object', '{"openapi": {}, "paths": {"/a": {"get": {}}}}'],
    ['routes are no list', '{"routes": 7}'],
    ['the whole is a number', '7'],
    ['the whole is null', 'null'],
    ['binary', '\u0000\u0001\u0002'],
  ])('%s: 400', async (_what, body) => {
    const { status, message } = await put(body);
    expect(status).toBe(400);
    expect(message.length).toBeGreaterThan(10);
    expect(message.length).toBeLessThan(1_000);
  });

  it('wrong fields of operations and servers are left out, and the rest is read', async () => {
    const found = await put(
      json({
        servers: [7, null, { url: {} }, { url: 'https://{host}/v1', variables: 'x' }],
        paths: {
          '/a': {
            get: 'x',
            post: { tags: 'x', operationId: {}, 'x-owner': [], deprecated: 'yes' },
          },
          constructor: { get: {} },
          'no-slash': { get: {} },
        },
      }),
    );
    expect(found.routes).toEqual(['POST /a']);
    expect(found.notes.join()).toContain('get of path "/a" is no object');
  });
});

describe('names', () => {
  it('an operation that is declared twice is one', async () => {
    const found = await put('GET /a/{x}\nGET /a/{x}\nget /a/{x}\n');
    expect(found.routes).toEqual(['GET /a/{x}']);
    const yaml = await put(paths('  /a: {get: {}}\n  /a: {post: {}}\n'));
    expect(yaml).toMatchObject({ status: 400, message: expect.stringMatching(/duplicat/) });
  });

  it('paths are texts: dots, queries, markup and control characters do nothing', async () => {
    const names = [
      '/../../etc/passwd',
      "/a'; DROP TABLE inventory;--",
      '/<script>alert(1)</script>',
      '/a\u0000b',
      '/%2e%2e/x',
    ];
    const document = json({ paths: Object.fromEntries(names.map((name) => [name, { get: {} }])) });
    const found = await put(document);
    expect(found.status).toBe(200);
    expect(found.routes).toHaveLength(names.length);
    const stored = await fetch(
      `${rollcall.addresses.analyzer}/api/v1/services/${encodeURIComponent("../x'<b>")}/inventory`,
      { method: 'PUT', body: document },
    );
    expect(stored.status).toBe(200);
    const report = await fetch(
      `${rollcall.addresses.analyzer}/api/v1/report?service=${encodeURIComponent("../x'<b>")}`,
    );
    expect(((await report.json()) as { endpoints: object[] }).endpoints).toHaveLength(names.length);
  });

  it('a method that is no method is left out', async () => {
    const found = await put(
      json({ paths: { '/a': { __proto__: null, get: {}, 'GET\r\nX: y': {} } } }),
    );
    expect(found.routes).toEqual(['GET /a']);
  });
});

it('100 MB are refused while the analyzer answers others', async () => {
  const piece = new TextEncoder().encode(`${'x'.repeat(1024 * 1024 - 1)}\n`);
  let left = 100;
  const body = new ReadableStream({
    pull(controller) {
      if (left === 0) controller.close();
      else controller.enqueue(piece);
      left -= 1;
    },
  });
  const url = `${rollcall.addresses.analyzer}/api/v1/services/hostile/inventory`;
  const refused = fetch(url, { method: 'PUT', body, duplex: 'half' } as RequestInit).then(
    ({ status }) => status,
    // The analyzer closes the connection on the rest of the body, which may come before its answer is read.
    () => 413,
  );
  const health = await fetch(`${rollcall.addresses.analyzer}/healthz`);
  expect(health.status).toBe(200);
  expect(await refused).toBe(413);
  expect((await put('GET /still-there\n')).routes).toEqual(['GET /still-there']);
});
