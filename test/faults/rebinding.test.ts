import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { protobufType, traces } from '../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';

/** A page whose name resolves to 127.0.0.1 is taken by a browser for the server of its own name. */

const folder = temporaryFolder();
let open: Running;
let named: Running;
let keyed: Running;

beforeAll(async () => {
  open = await startRollcall(join(folder.path, 'open.db'));
  named = await startRollcall(join(folder.path, 'named.db'), {
    ROLLCALL_ALLOWED_HOSTS: 'rollcall.example',
  });
  keyed = await startRollcall(join(folder.path, 'keyed.db'), { ROLLCALL_AUTH: 'keys' });
}, 60_000);
afterAll(async () => {
  await Promise.all([open.stop(), named.stop(), keyed.stop()]);
  folder.remove();
});

function ask(
  url: string,
  headers: IncomingHttpHeaders,
  body?: Buffer,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: body ? 'POST' : 'GET', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

describe('the analyzer', () => {
  const status = async ({ addresses }: Running, host: string, path = '/api/v1/report') =>
    (await ask(`${addresses.analyzer}${path}`, { host })).status;

  it.each([
    'localhost:4380',
    'LOCALHOST',
    'app.localhost',
    '127.0.0.1',
    '[::1]:80',
    '10.1.2.3:4380',
    '',
  ])('serves a request to "%s"', async (host) => {
    expect(await status(open, host)).toBe(200);
  });

  it.each([
    'evil.example',
    'evil.example:4380',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'a:b:c',
  ])('refuses a request to "%s", whatever it asks for', async (host) => {
    for (const path of ['/api/v1/report', '/', '/metrics', '/healthz', '/session']) {
      expect(await status(open, host, path), path).toBe(403);
    }
  });

  it('says why, as an error of the API', async () => {
    const { text } = await ask(`${open.addresses.analyzer}/api/v1/report`, {
      host: 'evil.example',
    });
    expect(JSON.parse(text)).toEqual({
      error: {
        code: 'forbidden',
        message:
          'the request is to the host "evil.example"; without keys only localhost, addresses and the names of ROLLCALL_ALLOWED_HOSTS are served',
        field: null,
      },
    });
  });

  it('serves a name that is allowed, and with keys any name that has one', async () => {
    expect(await status(named, 'rollcall.example')).toBe(200);
    expect(await status(named, 'Rollcall.Example.:443')).toBe(200);
    expect(await status(named, 'evil.example')).toBe(403);
    expect(await status(keyed, 'evil.example')).toBe(401);
  });
});

describe('the collector', () => {
  const send = async ({ addresses }: Running, headers: IncomingHttpHeaders) => {
    const all = { 'content-type': protobufType, ...headers };
    return (await ask(`${addresses.otlp_http}/v1/traces`, all, traces(1))).status;
  };

  it('refuses what a page sends to its own name', async () => {
    expect(await send(open, { host: 'evil.example', origin: 'http://evil.example' })).toBe(403);
    expect(await send(named, { host: 'rollcall.example', origin: 'http://a.example' })).toBe(200);
  });

  it('takes what exporters send, whatever they call this machine', async () => {
    expect(await send(open, { host: 'collector.internal:4318' })).toBe(200);
    expect(await send(open, { host: 'localhost:4318', origin: 'http://app.example' })).toBe(200);
  });
});
