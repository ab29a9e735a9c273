import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Owners, parseOwners, readOwners } from '../../../analyzer/inventory/owners.ts';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { callTo, protobufType, serverSpan } from '../../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../../support/process.ts';
import { checkDocumented } from '../support/documented.ts';

const folder = temporaryFolder();
const path = join(folder.path, 'owners');

const file = `
# the last rule that matches gives the owners
/*                     @platform
/orders/:id            @orders
POST /orders*          @checkout @payments   # two of them
/admin/                @backoffice
/admin/health
legacy-*:/*            Archive
/teams/{team}/*/log    @teams
`;

const owners = new Owners(parseOwners(file).rules);
const of = (method: string, route: string, service = 'shop') =>
  owners.of({ service, method, route });

describe('the file of owners', () => {
  it.each([
    ['GET', '/orders/{order_id}', ['@orders']],
    ['GET', '/orders', ['@platform']],
    ['POST', '/orders', ['@checkout', '@payments']],
    ['POST', '/orders/{id}/items', ['@checkout', '@payments']],
    ['GET', '/orders/{id}/items', ['@platform']],
    ['GET', '/admin/users/{id}', ['@backoffice']],
    ['GET', '/admin', ['@platform']],
    ['GET', '/admin/health', []],
    ['GET', '/teams/{team_id}/x/log', ['@teams']],
    ['GET', 'graphql', undefined],
  ])('%s %s is owned as its last matching rule says', (method, route, expected) => {
    expect(of(method, route)).toEqual(expected);
  });

  it('a comment begins at a # after a space; another # is a letter of the owner', () => {
    const { rules, mistakes } = parseOwners('# all\n/a team#1 #2 and a note\n');
    expect(mistakes).toEqual([]);
    expect(rules).toEqual([{ method: '', service: '', route: '/a', owners: ['team#1'] }]);
  });

  it('a rule of a service is for that service', () => {
    expect(of('POST', '/orders', 'legacy-shop')).toEqual(['Archive']);
    expect(of('POST', '/orders', 'legacy')).toEqual(['@checkout', '@payments']);
  });

  it('without rules no endpoint has an owner', () => {
    expect(new Owners([]).of({ service: 'shop', method: 'GET', route: '/a' })).toBeUndefined();
  });

  it('every wrong line is named, and a rule too many', async () => {
    const many = Array.from({ length: 2_001 }, (_, n) => `/r${n} @a`);
    const wrong = ['orders @a', 'GET', `/x ${'@a '.repeat(11)}`, `/x ${'a'.repeat(101)}`];
    writeFileSync(path, [...wrong, ...many].join('\n'));
    await expect(readOwners(path)).rejects.toThrow(
      [
        `ROLLCALL_OWNERS=${path}:`,
        '  line 1 holds "orders" where a route is expected, such as /orders/* or shop:/orders/*',
        '  line 2 holds "" where a route is expected, such as /orders/* or shop:/orders/*',
        '  line 3 names 11 owners; at most 10 are allowed',
        '  line 4 names an owner of 101 characters; at most 100 are allowed',
        '  has 2001 rules; at most 2000 are allowed',
      ].join('\n'),
    );
  });

  it('a file that is too large or missing is refused', async () => {
    writeFileSync(path, '#'.repeat(1024 * 1024 + 1));
    await expect(readOwners(path)).rejects.toThrow('has 1048577 bytes; at most 1048576 are read');
    await expect(readOwners(`${path}-none`)).rejects.toThrow('cannot be read: ENOENT');
  });

  it('5,000 endpoints are held against 2,000 rules of stars in less than 10 seconds', () => {
    const text = Array.from({ length: 2_000 }, (_, n) => `*/a*b*c${n} @a`).join('\n');
    const { rules } = parseOwners(text);
    const large = new Owners(rules);
    const startMs = performance.now();
    for (let n = 0; n < 5_000; n += 1) {
      large.of({ service: 's', method: 'GET', route: `/aaaa/abab/${n}` });
    }
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});

describe('an analyzer with a file of owners', () => {
  let rollcall: Running;
  beforeAll(async () => {
    writeFileSync(path, file);
    const env = { ROLLCALL_OWNERS: path };
    rollcall = await startRollcall(join(folder.path, 'rollcall.db'), env);
  });
  afterAll(async () => {
    await rollcall.stop();
    folder.remove();
  });

  async function get(query: string): Promise<Response> {
    const response = await fetch(`${rollcall.addresses.analyzer}/api/v1${query}`);
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    if (isJson) checkDocumented('GET', query, response.status, await response.clone().json());
    return response;
  }
  /** `route owner` of each row. */
  async function owned(query: string): Promise<string[]> {
    const { endpoints } = (await (await get(query)).json()) as {
      endpoints: { route: string; owner: string | null }[];
    };
    return endpoints.map(({ route, owner }) => `${route} ${owner}`).sort();
  }

  it('rows of the report, the dead list and the plan have the owners of the file before those of the inventory', async () => {
    const spans = ['/orders/{id}', '/admin/health'].map((route) =>
      serverSpan({ attributes: callTo(route) }),
    );
    const attributes = [{ key: 'service.name', value: 'shop' }];
    const body = encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
    const headers = { 'content-type': protobufType };
    await fetch(`${rollcall.addresses.otlp_http}/v1/traces`, { method: 'POST', headers, body });
    const routes = [
      { method: 'GET', route: '/orders/{id}', owner: 'the document' },
      { method: 'GET', route: 'other', owner: 'the document' },
      { method: 'POST', route: '/orders', owner: 'the document' },
      { method: 'GET', route: '/admin/health', owner: 'the document' },
    ];
    const put = await fetch(`${rollcall.addresses.analyzer}/api/v1/services/shop/inventory`, {
      method: 'PUT',
      body: JSON.stringify({ routes }),
    });
    expect(put.status).toBe(200);
    expect(await owned('/report')).toEqual([
      '/admin/health null',
      '/orders @checkout, @payments',
      '/orders/{id} @orders',
      '/other @platform',
    ]);
    expect(await owned('/report?owner=@payments')).toEqual(['/orders @checkout, @payments']);
    expect(await owned('/report?owner=')).toEqual(['/admin/health null']);
    expect(await owned('/report/dead?owner=@orders')).toEqual([]);
    expect(await owned('/report/dead?owner=@checkout')).toEqual(['/orders @checkout, @payments']);
    const requests = async (owner: string) => {
      const answer = await get(`/summary?owner=${owner}`);
      return ((await answer.json()) as { summary: { total_requests: number } }).summary
        .total_requests;
    };
    expect(await Promise.all(['@orders', '@checkout', ''].map(requests))).toEqual([1, 0, 1]);
    const plan = await (await get('/report/dead?format=md&owner=@checkout')).text();
    expect(plan).toContain('## @checkout, @payments\n\n### shop\n');
    const csv = await (await get('/report?fields=route,owner&format=csv&sort=owner')).text();
    expect(csv).toContain(`/orders,"'@checkout, @payments"`);
  });
});
