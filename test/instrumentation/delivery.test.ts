import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { authority } from '../support/certificates.ts';
import { temporaryFolder } from '../support/process.ts';
import { type App, said, startApp } from './app.ts';
import { decoded, spansOf } from './seen-span.ts';
import { startSink } from './sink.ts';
import { installed, nodeBinary, nodeMajors } from './workshop.ts';

/** How lean mode sends: what a try that fails costs, how connections and certificates are used. */
let folder: string;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  folder = await installed('lean', { express: '5.2.1' });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Body {
  bytes: Buffer;
  port: number | undefined;
  atMs: number;
  headers: IncomingMessage['headers'];
}

/** Room for a machine that is busy with other tests. */
const busyMs = 1_500;

/** Answers of a Rollcall, one a request: a status, the connection dropped without an answer, or nothing at all. */
type Answer = number | { status: number; retryAfter: string } | 'drop' | 'hang';

interface Scripted {
  url: string;
  /** Bodies that came, in order, and from which port of the client. */
  bodies: Body[];
}

async function scripted(answers: Answer[], tls?: { cert: string; key: string }): Promise<Scripted> {
  const bodies: Body[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { headers, socket } = request;
    const bytes = Buffer.concat(parts);
    bodies.push({ bytes, port: socket.remotePort, atMs: performance.now(), headers });
    const next = answers.shift() ?? 200;
    if (next === 'hang') return;
    if (next === 'drop') return void request.socket.destroy();
    if (typeof next === 'number') response.writeHead(next).end();
    else response.writeHead(next.status, { 'retry-after': next.retryAfter }).end();
  };
  const server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, bodies };
}

async function start(url: string, env: Record<string, string> = {}, node = process.execPath) {
  const register = ['--require', '@rollcall/instrumentation/register'];
  const app = await startApp(folder, [node, ...register, 'plain.cjs'], {
    ROLLCALL_ENDPOINT: url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    WATCH_WARNINGS: '1',
    ...env,
  });
  closing.push(() => app.stop('SIGKILL'));
  return app;
}

function linesOf(app: App): string[] {
  return app
    .output()
    .split('\n')
    .filter((line) => line.startsWith('rollcall: ') || /UNCAUGHT|UNHANDLED/.test(line));
}

describe.each(nodeMajors)('Node %i', (major) => {
  it('nothing is loaded that sending by HTTP does not need: no undici, no HTTP/2', async () => {
    const sink = await startSink();
    closing.push(() => sink.close());
    const app = await start(sink.url, {}, await nodeBinary(major));
    await fetch(`${app.url}/one`);
    await sink.servers(1);
    const loaded = await (await fetch(`${app.url}/modules`)).text();
    expect(loaded).toContain('NativeModule http');
    expect(loaded.split('\n').filter((name) => /undici|http2/.test(name))).toEqual([]);
  });
});

it('one connection serves all deliveries, and memory that serves again holds the next one whole', async () => {
  const sink = await startSink();
  closing.push(() => sink.close());
  const app = await start(sink.url, { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '3' });
  // Of falling and rising lengths, so that a delivery before it leaves bytes behind.
  const paths = Array.from({ length: 40 }, (_, i) => `/${'x'.repeat((i * 37) % 200)}${i}`);
  for (const path of paths) await fetch(app.url + path);
  const spans = await sink.servers(paths.length);
  expect(spans.map(({ attributes }) => attributes['url.path'])).toEqual(paths);
  expect(sink.requests).toBeGreaterThan(10);
  expect(sink.connections).toBe(1);
  await app.stop();
  expect(linesOf(app)).toEqual([]);
});

/** Milliseconds between one body and the next. */
function gapsOf({ bodies }: Scripted): number[] {
  return bodies.slice(1).map(({ atMs }, index) => atMs - bodies[index]!.atMs);
}

it('408, 429, 500, 502, 503 and 504: the same bytes again; one alone is not worth a line', async () => {
  const tried = [408, 429, 500, 502, 503, 504].map(async (status) => {
    const rollcall = await scripted([status, 200]);
    const app = await start(rollcall.url);
    await fetch(`${app.url}/one`);
    await expect.poll(() => rollcall.bodies.length, { timeout: 20_000 }).toBe(2);
    expect(rollcall.bodies[1]!.bytes, String(status)).toEqual(rollcall.bodies[0]!.bytes);
    expect(gapsOf(rollcall)[0]).toBeGreaterThan(950);
    await app.stop();
    expect(rollcall.bodies).toHaveLength(2);
    expect(linesOf(app)).toEqual([]);
  });
  await Promise.all(tried);
});

it('400, 401, 403, 404, 413 and 501: sent once, and counted as lost in a line that names the status', async () => {
  const tried = [400, 401, 403, 404, 413, 501].map(async (status) => {
    const rollcall = await scripted([status, 200]);
    const app = await start(rollcall.url);
    await fetch(`${app.url}/one`);
    await said(app, 'takes no spans');
    await fetch(`${app.url}/two`);
    await said(app, 'takes spans again');
    await app.stop();
    expect(rollcall.bodies).toHaveLength(2);
    expect(rollcall.bodies[1]!.bytes).not.toEqual(rollcall.bodies[0]!.bytes);
    expect(linesOf(app)).toEqual([
      expect.stringMatching(new RegExp(`takes no spans \\(it answers ${status} `)),
      expect.stringMatching(/takes spans again; lost meanwhile: 1$/),
    ]);
  });
  await Promise.all(tried);
});

it('Retry-After in seconds or as a date: the next try comes no sooner', async () => {
  const inThreeSeconds = () => new Date(Date.now() + 4_000).toUTCString();
  const tried = [() => '3', inThreeSeconds].map(async (retryAfter) => {
    const rollcall = await scripted([{ status: 429, retryAfter: retryAfter() }, 200]);
    const app = await start(rollcall.url);
    await fetch(`${app.url}/one`);
    await expect.poll(() => rollcall.bodies.length, { timeout: 20_000 }).toBe(2);
    expect(gapsOf(rollcall)[0]).toBeGreaterThan(2_000);
    await app.stop('SIGKILL');
  });
  await Promise.all(tried);
});

it('the pause doubles with each failure, and begins anew after a success', async () => {
  const rollcall = await scripted([503, 503, 200, 503, 200]);
  const app = await start(rollcall.url);
  await fetch(`${app.url}/one`);
  await said(app, 'takes spans again');
  await fetch(`${app.url}/two`);
  await expect.poll(() => rollcall.bodies.length, { timeout: 20_000 }).toBe(5);
  const [first, second, , fourth] = gapsOf(rollcall);
  expect(first).toBeGreaterThan(950);
  expect(second).toBeGreaterThan(1_950);
  expect(fourth).toBeGreaterThan(950);
  // Without a new beginning it would be four seconds.
  expect(fourth).toBeLessThan(3_500);
  await app.stop('SIGKILL');
});

it('an address with a password: in no line, and sent as the request needs it', async () => {
  const rollcall = await scripted([401, 200]);
  const withPassword = rollcall.url.replace('//', '//user:s3cret@');
  for (const name of ['ROLLCALL_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']) {
    rollcall.bodies.length = 0;
    const app = await start('', { ROLLCALL_ENDPOINT: '', [name]: `${withPassword}?token=s3cret` });
    await fetch(`${app.url}/one`);
    await expect.poll(() => rollcall.bodies.length, { timeout: 10_000 }).toBeGreaterThan(0);
    const { authorization } = rollcall.bodies[0]!.headers;
    expect(authorization).toBe(`Basic ${Buffer.from('user:s3cret').toString('base64')}`);
    await app.stop();
    expect(app.output()).not.toContain('s3cret');
  }
  const away = await start('http://user:s3cret@127.0.0.1:9');
  await fetch(`${away.url}/one`);
  await said(away, 'takes no spans');
  await away.stop();
  expect(linesOf(away)).toEqual([
    expect.stringContaining('http://127.0.0.1:9 takes no spans'),
    expect.stringMatching(/spans not delivered to http:\/\/127\.0\.0\.1:9: 1$/),
  ]);
  expect(away.output()).not.toContain('s3cret');
});

it.each(['http://user:s3cret@', 's3cret@nowhere', 'ftp://s3cret@127.0.0.1'])(
  'an address that is none (%s): said without it, and the service runs',
  async (address) => {
    const app = await start(address);
    expect(await (await fetch(`${app.url}/one`)).text()).toBe('GET /one');
    await expect.poll(() => linesOf(app).length, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(app.output()).not.toContain('s3cret');
    expect(await app.stop()).toMatchObject({ signal: 'SIGTERM' });
  },
);

it('a kept connection that was closed meanwhile: the same bytes at once over a new one', async () => {
  const rollcall = await scripted([200, 'drop', 200]);
  const app = await start(rollcall.url);
  await fetch(`${app.url}/one`);
  await expect.poll(() => rollcall.bodies.length, { timeout: 10_000 }).toBe(1);
  await fetch(`${app.url}/two`);
  await expect.poll(() => rollcall.bodies.length, { timeout: 10_000 }).toBe(3);
  const [first, second, third] = rollcall.bodies;
  expect(second!.port).toBe(first!.port);
  expect(third!.port).not.toBe(first!.port);
  expect(third!.bytes).toEqual(second!.bytes);
  await app.stop();
  expect(linesOf(app)).toEqual([]);
});

it('a Rollcall that hangs on a kept connection is left its pause', async () => {
  const rollcall = await scripted([200, 'hang', 200]);
  const app = await start(rollcall.url, { OTEL_EXPORTER_OTLP_TIMEOUT: '300' });
  await fetch(`${app.url}/one`);
  await expect.poll(() => rollcall.bodies.length, { timeout: 10_000 }).toBe(1);
  await fetch(`${app.url}/two`);
  await expect.poll(() => rollcall.bodies.length, { timeout: 10_000 }).toBe(3);
  const [first, second, third] = rollcall.bodies;
  expect(second!.port).toBe(first!.port);
  expect(third!.bytes).toEqual(second!.bytes);
  expect(third!.atMs - second!.atMs).toBeGreaterThan(1_000);
  await app.stop();
  expect(linesOf(app)).toEqual([]);
});

it('SIGTERM while Rollcall is busy: tried again before the process ends', async () => {
  const rollcall = await scripted([{ status: 503, retryAfter: '1' }, 200]);
  const app = await start(rollcall.url, { OTEL_BSP_SCHEDULE_DELAY: '60000' });
  await fetch(`${app.url}/one`);
  expect(await app.stop()).toMatchObject({ code: null, signal: 'SIGTERM' });
  expect(rollcall.bodies).toHaveLength(2);
  expect(linesOf(app)).toEqual([]);
});

describe('process.exit() with a queue', () => {
  const queued = { OTEL_BSP_SCHEDULE_DELAY: '60000' };
  const exit = async (app: App) => {
    await (await fetch(`${app.url}/exit`, { headers: { connection: 'close' } })).text();
    const startMs = performance.now();
    const ended = await app.stop('SIGCONT');
    return { ...ended, durationMs: performance.now() - startMs };
  };

  it('over HTTPS with a private authority, compressed, with the key', async () => {
    const disk = temporaryFolder();
    closing.push(() => disk.remove());
    const known = authority('known');
    const file = `${disk.path}/authority.crt`;
    writeFileSync(file, known.cert);
    const rollcall = await scripted([], known.issue('rollcall'));
    const env = {
      OTEL_EXPORTER_OTLP_CERTIFICATE: file,
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      ROLLCALL_KEY: 'rk_exit',
    };
    // The first delivery of a process; then one whose connection settings are known already.
    const first = await start(rollcall.url, { ...queued, ...env });
    expect(await exit(first)).toMatchObject({ code: 0 });
    expect(rollcall.bodies).toHaveLength(1);
    const second = await start(rollcall.url, env);
    await fetch(`${second.url}/one`);
    await expect.poll(() => rollcall.bodies.length, { timeout: 10_000 }).toBe(2);
    expect(await exit(second)).toMatchObject({ code: 0 });
    expect(rollcall.bodies).toHaveLength(3);
    for (const { bytes, headers } of rollcall.bodies) {
      expect(gunzipSync(bytes).length).toBeGreaterThan(100);
      expect(headers).toMatchObject({
        authorization: 'Bearer rk_exit',
        'content-type': 'application/x-protobuf',
        'content-encoding': 'gzip',
      });
    }
    expect(linesOf(first)).toEqual([]);
    expect(linesOf(second)).toEqual([]);
  });

  it('several batches arrive in order, as the bytes of the try under way', async () => {
    const rollcall = await scripted(['hang']);
    const app = await start(rollcall.url, { ...queued, OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2' });
    for (const path of ['/1', '/2', '/3', '/4']) await fetch(app.url + path);
    await expect.poll(() => rollcall.bodies.length, { timeout: 10_000 }).toBe(1);
    expect(await exit(app)).toMatchObject({ code: 0 });
    const [tried, ...delivered] = rollcall.bodies.map(({ bytes }) => bytes);
    expect(delivered[0]).toEqual(tried);
    const spans = delivered.flatMap((bytes) => spansOf(decoded(bytes)));
    expect(spans.map(({ attributes }) => attributes['url.path'])).toEqual([
      ...['/1', '/2', '/3', '/4', '/exit'],
    ]);
    expect(linesOf(app)).toEqual([]);
  });

  it('a Rollcall that hangs holds the process for 2 s at most; the lost spans are counted', async () => {
    const rollcall = await scripted(['hang', 'hang']);
    const app = await start(rollcall.url, queued);
    await fetch(`${app.url}/one`);
    const { code, durationMs } = await exit(app);
    expect(code).toBe(0);
    expect(durationMs).toBeGreaterThan(1_000);
    expect(durationMs).toBeLessThan(2_000 + busyMs);
    expect(linesOf(app)).toEqual([
      expect.stringMatching(/^rollcall: spans not delivered to http:\S+: 2$/),
    ]);
  });

  it('an outage that is known does not hold the process', async () => {
    const app = await start('http://127.0.0.1:9');
    await fetch(`${app.url}/one`);
    await said(app, 'takes no spans');
    const { code, durationMs } = await exit(app);
    expect(code).toBe(0);
    expect(durationMs).toBeLessThan(busyMs);
    expect(linesOf(app).at(-1)).toMatch(/: spans not delivered to http:\S+: 2$/);
  });
});

it('a script that closes its server while Rollcall is away ends by itself, with code 0', async () => {
  const app = await start('http://127.0.0.1:9', { OTEL_BSP_SCHEDULE_DELAY: '60000' });
  await fetch(`${app.url}/close`, { headers: { connection: 'close' } });
  const startMs = performance.now();
  expect(await app.stop('SIGCONT')).toMatchObject({ code: 0, signal: null });
  expect(performance.now() - startMs).toBeLessThan(2_000 + busyMs);
  expect(linesOf(app)).toEqual([
    expect.stringMatching(/^rollcall: spans not delivered to http:\S+: 1$/),
  ]);
});

it('a script that closes its server while Rollcall hangs ends by itself within 2 s', async () => {
  const rollcall = await scripted(['hang', 'hang', 'hang']);
  const app = await start(rollcall.url, { OTEL_BSP_SCHEDULE_DELAY: '60000' });
  await fetch(`${app.url}/close`, { headers: { connection: 'close' } });
  const startMs = performance.now();
  expect(await app.stop('SIGCONT')).toMatchObject({ code: 0, signal: null });
  expect(performance.now() - startMs).toBeLessThan(2_000 + busyMs);
  expect(linesOf(app).at(-1)).toMatch(/: spans not delivered to http:\S+: 1$/);
});

it('SIGTERM a second time ends a process that waits for Rollcall at once', async () => {
  const rollcall = await scripted(['hang']);
  const app = await start(rollcall.url, { OTEL_BSP_SCHEDULE_DELAY: '60000' });
  await fetch(`${app.url}/one`);
  process.kill(app.pid, 'SIGTERM');
  await expect.poll(() => rollcall.bodies.length, { timeout: 10_000 }).toBe(1);
  const startMs = performance.now();
  expect(await app.stop()).toMatchObject({ code: null, signal: 'SIGTERM' });
  expect(performance.now() - startMs).toBeLessThan(1_000);
  expect(linesOf(app).at(-1)).toMatch(/: spans not delivered to http:\S+: 1$/);
});

it('HTTPS with the authority of OTEL_EXPORTER_OTLP_CERTIFICATE, and no other', async () => {
  const disk = temporaryFolder();
  closing.push(() => disk.remove());
  const known = authority('known');
  const file = `${disk.path}/authority.crt`;
  writeFileSync(file, known.cert);

  const rollcall = await scripted([], known.issue('rollcall'));
  const app = await start(rollcall.url, { OTEL_EXPORTER_OTLP_CERTIFICATE: file });
  await fetch(`${app.url}/one`);
  await expect.poll(() => rollcall.bodies.length, { timeout: 10_000 }).toBe(1);
  await app.stop();
  expect(linesOf(app)).toEqual([]);

  const stranger = await scripted([], authority('stranger').issue('rollcall'));
  const refusing = await start(stranger.url, { OTEL_EXPORTER_OTLP_CERTIFICATE: file });
  await fetch(`${refusing.url}/one`);
  await refusing.stop();
  expect(stranger.bodies).toEqual([]);
  expect(linesOf(refusing).at(-1)).toMatch(/spans not delivered to https:\S+: 1$/);
});
