import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDashboard } from '../../../analyzer/api/dashboard.ts';
import { temporaryFolder } from '../../support/process.ts';
import { call, type ListenOptions, nowMs, openDoor, repeat } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

const prefix = '/rollcall';
const folder = temporaryFolder();
const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
  folder.remove();
});

/** A reverse proxy that serves an analyzer below `/rollcall/` and nothing else. */
async function openProxy(
  analyzer: string,
  { strips, headers = {} }: { strips: boolean; headers?: Record<string, string> },
): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const { url = '', method } = incoming;
    if (url !== prefix && !url.startsWith(`${prefix}/`)) return void outgoing.writeHead(502).end();
    const path = strips ? url.slice(prefix.length) || '/' : url;
    const forwarded = request(
      `${analyzer}${path}`,
      { method, headers: { ...incoming.headers, ...headers } },
      (answer: IncomingMessage) => {
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(forwarded);
  });
  return listen(server);
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function openAnalyzer(options: {
  basePath?: string;
  trustedProxies?: string[];
}): Promise<ListenOptions> {
  mkdirSync(join(folder.path, 'assets'), { recursive: true });
  const script = '<!doctype html><script type="module" src="./assets/index-1a2b.js"></script>';
  writeFileSync(join(folder.path, 'index.html'), script);
  writeFileSync(join(folder.path, 'build.json'), '{"hash":"abc"}');
  writeFileSync(join(folder.path, 'assets/index-1a2b.js'), 'console.log("dashboard")');
  const calls = repeat(5, (n) => call({ route: `/${n}` }));
  const dashboard = openDashboard(folder.path);
  const door = await openDoor(oracleReader(calls), nowMs, undefined, dashboard, options);
  closers.push(door.close);
  return door;
}

describe.each([
  { name: 'strips the prefix and says nothing', strips: true, headers: {}, options: {} },
  {
    name: 'strips the prefix and sends X-Forwarded-Prefix',
    strips: true,
    headers: { 'x-forwarded-prefix': prefix },
    options: { trustedProxies: ['private'] },
  },
  {
    name: 'passes the prefix on to ROLLCALL_BASE_PATH',
    strips: false,
    headers: {},
    options: { basePath: prefix },
  },
  {
    name: 'passes the prefix on and sends X-Forwarded-Prefix',
    strips: false,
    headers: { 'x-forwarded-prefix': prefix },
    options: { trustedProxies: ['127.0.0.1/32'] },
  },
  {
    name: 'passes the prefix on to ROLLCALL_BASE_PATH and repeats it in the header',
    strips: false,
    headers: { 'x-forwarded-prefix': `${prefix}/` },
    options: { basePath: prefix, trustedProxies: ['private'] },
  },
])('behind a proxy that $name', ({ strips, headers, options }) => {
  let proxy: string;
  let direct: string;
  beforeAll(async () => {
    direct = (await openAnalyzer(options)).url;
    proxy = await openProxy(direct, { strips, headers });
  });

  test('every reference of the dashboard leads to its file', async () => {
    for (const path of ['/', '/endpoints', '/endpoints/12', '/sign-in?then=%2F']) {
      const at = `${proxy}${prefix}${path}`;
      const page = await (await fetch(at)).text();
      const [, source = ''] = /src="([^"]+)"/.exec(page) ?? [];
      const asset = await fetch(new URL(source, at));
      expect([asset.status, await asset.text()], at).toEqual([200, 'console.log("dashboard")']);
    }
  });

  test('the Link header leads through all pages of a list', async () => {
    let at: string | undefined = `${proxy}${prefix}/api/v1/report?limit=2&format=csv&sort=route`;
    const rows: string[] = [];
    while (at !== undefined) {
      const response: Response = await fetch(at);
      expect(response.status, at).toBe(200);
      const lines = (await response.text()).trim().split('\r\n').slice(1);
      rows.push(...lines.map((line) => line.split(',')[4]!));
      const [, next] = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '') ?? [];
      at = next && String(new URL(next, at));
    }
    expect(rows).toEqual(['/0', '/1', '/2', '/3', '/4']);
  });

  test('the OpenAPI document’s server leads to the API', async () => {
    const at = `${proxy}${prefix}/api/v1/openapi.json`;
    const { servers } = (await (await fetch(at)).json()) as { servers: { url: string }[] };
    const server = new URL(servers[0]!.url, at).href;
    expect(server).toBe(`${proxy}${prefix}/api/v1`);
    expect((await fetch(`${server}/services`)).status).toBe(200);
  });

  test('the analyzer still answers on its own port without the prefix', async () => {
    expect((await fetch(`${direct}/healthz`)).status).toBe(200);
    expect((await fetch(`${direct}/api/v1/services`)).status).toBe(200);
    expect(await (await fetch(`${direct}/endpoints/12`)).text()).toContain('"../assets/');
  });
});

test('the bare prefix leads to the page below it', async () => {
  const { url } = await openAnalyzer({ basePath: prefix });
  const response = await fetch(`${url}${prefix}`, {
    redirect: 'manual',
    headers: { accept: 'text/html' },
  });
  expect([response.status, response.headers.get('location')]).toEqual([308, '/rollcall/']);
});

test('a proxy that is not trusted, and a header that is no path, change nothing', async () => {
  const untrusted = await openAnalyzer({ trustedProxies: ['192.0.2.0/24'] });
  const headers = { 'x-forwarded-prefix': prefix };
  const page = await untrusted.fetch('/endpoints', { headers });
  expect(await page.text()).toContain('"./assets/');
  const trusting = await openAnalyzer({ trustedProxies: ['private'] });
  for (const text of ['//evil.example', '/a"><script>', '/a/../b', '/a b', `/${'x'.repeat(200)}`]) {
    const response = await trusting.fetch('/endpoints', {
      headers: { 'x-forwarded-prefix': text },
    });
    expect(await response.text(), text).toContain('"./assets/');
  }
});

test('the prefixes of two proxies are joined, the outer one first', async () => {
  const { fetch: ask } = await openAnalyzer({ trustedProxies: ['private'] });
  const headers = { 'x-forwarded-prefix': '/tools, /rollcall/' };
  const { servers } = (await (await ask('/api/v1/openapi.json', { headers })).json()) as {
    servers: { url: string }[];
  };
  expect(servers[0]!.url).toBe('/tools/rollcall/api/v1');
});
