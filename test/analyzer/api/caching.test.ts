import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, type ListenOptions, minuteMs, nowMs, openDoor, repeat } from '../support/door.ts';
import { oracleReader, type PlainCall } from '../support/oracle.ts';

const calls: PlainCall[] = repeat(20, (n) => call({ route: `/r${n}` }));
let clockMs = nowMs;
let door: ListenOptions;
beforeAll(async () => {
  const reader = {
    ...oracleReader([]),
    snapshot: ((project, query) => oracleReader(calls).snapshot(project, query)) as ReturnType<
      typeof oracleReader
    >['snapshot'],
  };
  door = await openDoor(reader, nowMs, undefined, undefined, { now: () => clockMs });
});
afterAll(() => door.close());

/** Without fetch, which decodes bodies by itself. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>(
    (resolve, reject) => {
      const sent = request(`${door.url}${path}`, { method, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            body: Buffer.concat(parts),
          }),
        );
      });
      sent.on('error', reject);
      sent.end();
    },
  );
}

test.each([
  ['br, gzip', 'br', brotliDecompressSync],
  ['gzip, deflate', 'gzip', gunzipSync],
  ['zstd;q=0.5, gzip', 'zstd', zstdDecompressSync],
  ['BR;q=0, GZIP', 'gzip', gunzipSync],
])('Accept-Encoding: %s is answered in %s', async (accept, coding, decode) => {
  for (const path of ['/api/v1/report', '/api/v1/report?format=csv', '/api/v1/openapi.json']) {
    const plain = await get(path);
    const small = await get(path, { 'accept-encoding': accept });
    expect(small.headers['content-encoding'], path).toBe(coding);
    expect(small.headers.vary).toContain('Accept-Encoding');
    expect(Number(small.headers['content-length'])).toBe(small.body.length);
    expect(small.body.length).toBeLessThan(plain.body.length / 2);
    expect(decode(small.body)).toEqual(plain.body);
  }
});

test('small answers, and clients that take no coding of ours, get the plain bytes', async () => {
  for (const accept of ['', 'identity', 'deflate', 'br;q=0']) {
    const { headers } = await get('/api/v1/report', { 'accept-encoding': accept });
    expect(headers['content-encoding'], accept).toBeUndefined();
  }
  const small = await get('/api/v1/services', { 'accept-encoding': 'br' });
  expect(small.body.length).toBeLessThan(1024);
  expect(small.headers['content-encoding']).toBeUndefined();
});

test('an answer that has not changed is 304, whenever it is asked for within its minute', async () => {
  for (const path of ['/api/v1/report', '/api/v1/summary', '/api/v1/report?format=md']) {
    const first = await get(path);
    const etag = String(first.headers.etag);
    expect(etag).toMatch(/^W\/"[\w-]{22}"$/);
    expect(first.headers['cache-control']).toBe('private, no-cache');
    clockMs += 1000;
    for (const sent of [etag, `"other", ${etag}`, etag.slice(2), '*']) {
      const again = await get(path, { 'if-none-match': sent, 'accept-encoding': 'br' });
      expect([again.status, again.body.length], `${path} ${sent}`).toEqual([304, 0]);
      expect(again.headers.etag).toBe(etag);
    }
    expect((await get(path, { 'if-none-match': 'W/"other"' })).status).toBe(200);
  }
  const { headers } = await get('/api/v1/report');
  calls.push(call({ route: '/r0' }));
  const changed = await get('/api/v1/report', { 'if-none-match': String(headers.etag) });
  expect(changed.status).toBe(200);
  expect(changed.headers.etag).not.toBe(headers.etag);
  clockMs += minuteMs;
});

test('every answer has the security headers', async () => {
  const paths = ['/api/v1/report', '/api/v1/report?x=1', '/api/v1/nothing', '/healthz', '/metrics'];
  for (const path of [...paths, '/api/v1/openapi.json', '/api/v1/report?format=csv']) {
    const { headers } = await get(path);
    expect(headers, path).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      'cross-origin-resource-policy': 'same-origin',
    });
  }
  // What must not be kept is not: errors and the process's own state.
  for (const path of ['/api/v1/report?x=1', '/api/v1/nothing', '/healthz', '/metrics']) {
    expect((await get(path)).headers['cache-control'], path).toBe('no-store');
  }
});
