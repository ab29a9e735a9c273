import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDashboard } from '../../../analyzer/api/dashboard.ts';
import { temporaryFolder } from '../../support/process.ts';
import { type ListenOptions, nowMs, openDoor } from '../support/door.ts';
import { oracleReader } from '../support/oracle.ts';

const script = 'console.log("dashboard")';

/** A build as analyzer/web/build.ts leaves it, with the least in it. */
function writeBuild(folder: string): void {
  mkdirSync(join(folder, 'assets'), { recursive: true });
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><script type="module" crossorigin src="./assets/index-1a2b.js"></script>',
  );
  writeFileSync(join(folder, 'build.json'), '{"hash":"abc"}');
  writeFileSync(join(folder, 'assets/index-1a2b.js'), script);
  writeFileSync(join(folder, 'assets/index-1a2b.js.br'), brotliCompressSync(script));
  writeFileSync(join(folder, 'assets/index-1a2b.js.gz'), gzipSync(script));
}

describe('the dashboard’s files', () => {
  const folder = temporaryFolder();
  let door: ListenOptions;
  beforeAll(async () => {
    writeBuild(folder.path);
    const dashboard = openDashboard(folder.path);
    expect(dashboard.build).toBe('abc');
    door = await openDoor(oracleReader([]), nowMs, undefined, dashboard);
  });
  afterAll(async () => {
    await door.close();
    folder.remove();
  });

  it('serves the page under every address of the dashboard, with references that fit its depth', async () => {
    for (const [path, assets] of [
      ['/', './assets/'],
      ['/endpoints', './assets/'],
      ['/endpoints/12', '../assets/'],
      ['/sign-in?then=%2F', './assets/'],
    ]) {
      const response = await door.fetch(path!);
      expect(response.status, path).toBe(200);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await response.text(), path).toContain(`src="${assets}index-1a2b.js"`);
    }
  });

  it('sends the page with a Content-Security-Policy that allows no inline script, style or other host', async () => {
    const { headers } = await door.fetch('/');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    );
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it.each([
    ['br, gzip', 'br', brotliDecompressSync],
    ['gzip;q=1.0', 'gzip', gunzipSync],
    ['br;q=0, gzip', 'gzip', gunzipSync],
    ['identity', null, (bytes: Buffer) => bytes],
  ])('sends an asset to a client that takes "%s" as %s', async (accept, encoding, decode) => {
    const { request } = await import('node:http');
    const { headers, body } = await new Promise<{
      headers: Record<string, unknown>;
      body: Buffer;
    }>((resolve, reject) => {
      const asked = request(
        `${door.url}/assets/index-1a2b.js`,
        { headers: { 'accept-encoding': accept } },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('end', () =>
            resolve({ headers: response.headers, body: Buffer.concat(parts) }),
          );
        },
      );
      asked.on('error', reject);
      asked.end();
    });
    expect(headers['content-encoding'] ?? null).toBe(encoding);
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers.vary).toBe('Accept-Encoding');
    expect(headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(decode(body).toString()).toBe(script);
  });

  it('answers 404 for a file of another build, and for one outside the folder', async () => {
    for (const name of [
      'index-0000.js',
      'index-1a2b.js.br',
      '..%2Findex.html',
      '%2e%2e%2fbuild.json',
    ]) {
      const response = await door.fetch(`/assets/${name}`);
      expect(response.status, name).toBe(404);
      expect(response.headers.get('content-type'), name).toBe('application/json; charset=utf-8');
    }
  });

  it('shows a person who followed a wrong link the page, and tells a program in JSON', async () => {
    const person = await door.fetch('/nothing', { headers: { accept: 'text/html,*/*' } });
    expect([person.status, person.headers.get('content-type')]).toEqual([
      404,
      'text/html; charset=utf-8',
    ]);
    for (const path of ['/nothing', '/api/v1/nothing']) {
      const accept = path === '/nothing' ? '*/*' : 'text/html';
      const program = await door.fetch(path, { headers: { accept } });
      expect(program.status, path).toBe(404);
      expect(await program.json(), path).toMatchObject({ error: { code: 'not_found' } });
    }
  });
});

it('without a build a page says how to make one and links the API', async () => {
  const folder = temporaryFolder();
  const dashboard = openDashboard(folder.path);
  expect(dashboard.build).toBeUndefined();
  const door = await openDoor(oracleReader([]), nowMs, undefined, dashboard);
  for (const path of ['/', '/endpoints/7']) {
    const response = await door.fetch(path);
    expect(response.status).toBe(200);
    const html = await response.text();
    expect(html).toContain('The dashboard is not built here');
    expect(html).toContain('<code>npm run build</code>');
    const root = path === '/' ? './' : '../';
    expect(html).toContain(`href="${root}api/v1/report"`);
  }
  await door.close();
  folder.remove();
});
