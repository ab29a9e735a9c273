import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cors } from '../../../collector/http/cors.ts';
import { readConfig } from '../../../core/config/config.ts';
import { type ListenOptions, openDoor } from '../../conformance/door.ts';
import { exchange } from '../../conformance/exchange.ts';
import { jsonTraces, jsonType, traces } from '../../support/export-request.ts';
import { startRollcall, temporaryFolder } from '../../support/process.ts';

/** docs/conformance.md A3: exporters in browsers, as one sees them that asks like a browser. */
const app = 'https://app.example.com';
const asking = {
  origin: app,
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'content-type,traceparent',
};

function corsHeaders(headers: object): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'));
}

describe('A3 with origins', () => {
  let door: ListenOptions;

  beforeAll(async () => {
    door = await openDoor({ ROLLCALL_CORS_ORIGINS: `${app}, http://localhost:*` });
  });

  afterAll(() => door.close());

  test.each(['/v1/traces', '/', '/v1/logs'])('a preflight of %s is 204', async (path) => {
    const answer = await door.post('', { method: 'OPTIONS', path, type: null, headers: asking });
    expect(answer.status).toBe(204);
    expect(answer.body).toHaveLength(0);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': app,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-max-age': '7200',
      vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    });
    expect(answer.headers['access-control-allow-headers']!.split(', ').sort()).toEqual([
      'authorization',
      'baggage',
      'content-encoding',
      'content-type',
      'traceparent',
      'tracestate',
      'x-api-key',
    ]);
  });

  test('an answer may be read by the page, a refusal too', async () => {
    const before = await door.stored();
    for (const origin of [app, 'http://localhost:5173']) {
      const taken = await door.post(jsonTraces(1), { type: jsonType, headers: { origin } });
      expect([taken.status, taken.headers]).toMatchObject([
        200,
        {
          'access-control-allow-origin': origin,
          'access-control-allow-credentials': 'true',
          'access-control-expose-headers': 'Retry-After',
          vary: 'Origin',
        },
      ]);
    }
    expect(await door.stored()).toBe(before + 2);
    const refused = await door.post('nothing', { type: jsonType, headers: { origin: app } });
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([400, app]);
  });

  test.each([
    'https://evil.example.com',
    'https://app.example.com.evil.org',
    'http://app.example.com',
    'https://app.example.com:8443',
    'null',
    `https://${'a'.repeat(5000)}`,
  ])('an origin that is not allowed gets no CORS header: %s', async (origin) => {
    const headers = { ...asking, origin };
    const preflight = await door.post('', { method: 'OPTIONS', type: null, headers });
    expect([preflight.status, corsHeaders(preflight.headers)]).toEqual([204, []]);
    const sent = await door.post(traces(1), { headers: { origin } });
    expect([sent.status, corsHeaders(sent.headers)]).toEqual([200, []]);
  });

  test('H5 an OPTIONS that is no preflight is still 405; other paths know no CORS', async () => {
    const plain = await door.post('', { method: 'OPTIONS', type: null });
    expect([plain.status, plain.headers.allow]).toEqual([405, 'POST']);
    const metrics = await door.post('', {
      method: 'GET',
      path: '/metrics',
      type: null,
      headers: { origin: app },
    });
    expect([metrics.status, corsHeaders(metrics.headers)]).toEqual([200, []]);
  });
});

test('A3 off by default: a preflight is 405 and nothing says otherwise', async () => {
  const door = await openDoor();
  const preflight = await door.post('', { method: 'OPTIONS', type: null, headers: asking });
  expect([preflight.status, corsHeaders(preflight.headers)]).toEqual([405, []]);
  const sent = await door.post(traces(1), { headers: { origin: app } });
  expect([sent.status, corsHeaders(sent.headers), sent.headers.vary]).toEqual([200, [], undefined]);
  await door.close();
});

test('A3 a preflight has no key and needs none; a page may read that its key is missing', async () => {
  const door = await openDoor({ ROLLCALL_CORS_ORIGINS: app, ROLLCALL_AUTH: 'keys' });
  const preflight = await door.post('', { method: 'OPTIONS', type: null, headers: asking });
  expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([204, app]);
  const sent = await door.post(traces(1), { headers: { origin: app } });
  expect([sent.status, sent.headers['access-control-allow-origin']]).toEqual([401, app]);
  await door.close();
});

test('A4 no answer names the software that gave it', async () => {
  const door = await openDoor();
  for (const path of ['/v1/traces', '/healthz', '/nowhere']) {
    const { headers } = await door.post(traces(1), { path });
    expect(Object.keys(headers)).not.toContain('server');
    expect(Object.keys(headers)).not.toContain('x-powered-by');
  }
  await door.close();
});

test('A4 headers that are asked for are on every answer', async () => {
  const folder = temporaryFolder();
  const running = await startRollcall(`${folder.path}/rollcall.db`, {
    ROLLCALL_RESPONSE_HEADERS: 'Strict-Transport-Security=max-age=31536000, x-note=a%2C%20b',
  });
  const { otlp_http: collector, analyzer } = running.addresses;
  const asked: [string, string][] = [
    [collector!, '/v1/traces'],
    [collector!, '/healthz'],
    [collector!, '/nowhere'],
    [analyzer!, '/api/v1/report'],
    [analyzer!, '/nowhere'],
  ];
  for (const [url, path] of asked) {
    const { headers } = await exchange(url, '', { method: 'GET', path });
    expect(headers).toMatchObject({
      'strict-transport-security': 'max-age=31536000',
      'x-note': 'a, b',
    });
  }
  await running.stop();
  folder.remove();
});

test.each([
  ['https://*.example.com', 'https://a.example.com', true],
  ['https://*.example.com', 'https://A.B.example.com', true],
  ['https://*.example.com', 'https://example.com', false],
  ['https://*.example.com', 'https://.example.com.evil.org', false],
  ['https://*.example.com', 'http://a.example.com', false],
  ['https://pr-*.*.example.com', 'https://pr-7.dev.example.com', true],
  ['https://pr-*.*.example.com', 'https://pr-7.example.com', false],
  ['https://aba*aba', 'https://ababa', false],
  ['https://aba*aba', 'https://abaaba', true],
  ['http://localhost:*', 'http://localhost:5173', true],
  ['http://[::1]:5173', 'http://[::1]:5173', true],
  ['*', 'null', true],
  ['*', 'chrome-extension://abcdef', true],
])('A3 %s and %s: %s', (pattern, origin, allowed) => {
  const { corsOrigins } = readConfig({ ROLLCALL_CORS_ORIGINS: pattern });
  expect(new Cors(corsOrigins).allows(origin)).toBe(allowed);
});

test.each(['example.com', 'https://example.com/', 'https://a/b', 'null', 'https://', '*.com'])(
  'A3 %s is no origin',
  (text) => {
    expect(() => readConfig({ ROLLCALL_CORS_ORIGINS: text })).toThrow(
      `ROLLCALL_CORS_ORIGINS=${text} holds "${text}"`,
    );
  },
);
