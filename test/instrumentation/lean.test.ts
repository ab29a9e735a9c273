import { get } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type App, said, startApp } from './app.ts';
import { type Sink, startSink } from './sink.ts';
import { installed, nodeBinary, nodeMajors } from './workshop.ts';

/** Spans of lean mode for each way a request can end. */
const register = ['--require', '@rollcall/instrumentation/register'];
let folder: string;
let sink: Sink;

beforeAll(async () => {
  folder = await installed('lean', { express: '5.2.1', fastify: '5.12.8' });
  sink = await startSink();
});
afterAll(() => sink.close());
beforeEach(() => {
  sink.spans.length = 0;
});

async function withApp<T>(
  env: Record<string, string>,
  work: (app: App) => Promise<T>,
  node = process.execPath,
  script = 'plain.cjs',
): Promise<T> {
  const app = await startApp(folder, [node, ...register, script], {
    ROLLCALL_ENDPOINT: sink.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    WATCH_WARNINGS: '1',
    ...env,
  });
  try {
    return await work(app);
  } finally {
    await app.stop('SIGKILL');
    expect(app.output()).not.toMatch(/UNCAUGHT|UNHANDLED/);
  }
}

describe.each(nodeMajors)('Node %i', (major) => {
  it('a call over HTTP/1.1 has every attribute that is known of it', async () => {
    await withApp(
      {},
      async ({ url }) => {
        const headers = { 'user-agent': 'test/1', traceparent: 'nonsense' };
        await fetch(`${url}/users/7?token=secret`, { method: 'POST', body: 'four', headers });
        const [span] = await sink.servers(1);
        const { port } = new URL(url);
        expect(span).toMatchObject({
          name: 'POST',
          kind: 2,
          parentSpanId: '',
          traceState: '',
          flags: 0x101,
          isError: false,
          attributes: {
            'http.request.method': 'POST',
            'url.path': '/users/7',
            'url.scheme': 'http',
            'network.protocol.version': '1.1',
            'http.response.status_code': 200,
            'server.address': '127.0.0.1',
            'server.port': Number(port),
            'network.peer.address': '127.0.0.1',
            'client.address': '127.0.0.1',
            'user_agent.original': 'test/1',
            'http.request.body.size': 4,
          },
          resource: { 'service.name': 'installed-app', 'service.version': '1.2.3' },
        });
        expect(JSON.stringify(span)).not.toContain('secret');
        expect(span!.traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/);
      },
      await nodeBinary(major),
    );
  });

  it('HTTP/2: answered, failed, cancelled and gone with its connection', async () => {
    await withApp(
      { HTTP2: '1' },
      async (app) => {
        const { url } = app;
        const session = connectHttp2(url);
        const ask = (path: string, method = 'GET') => {
          const stream = session.request({ ':path': path, ':method': method, 'user-agent': 'h2' });
          stream.on('error', () => {});
          stream.resume();
          stream.end();
          return stream;
        };
        const ended = (path: string) =>
          new Promise((resolve) => ask(path).on('close', () => resolve(undefined)));
        await ended('/a?x=1');
        await ended('/error');
        const cancelled = ask('/never');
        await said(app, 'never answered');
        cancelled.close(8);
        await sink.servers(3);
        ask('/half').on('data', () => session.destroy());
        const spans = await sink.servers(4);
        expect(spans.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([
          ...[200, 503, undefined, 200],
        ]);
        expect(spans.map(({ attributes }) => attributes['error.type'])).toEqual([
          ...[undefined, '503', 'aborted', 'aborted'],
        ]);
        expect(spans[0]!.attributes).toMatchObject({
          'url.path': '/a',
          'network.protocol.version': '2',
          'server.address': '127.0.0.1',
          'network.peer.address': '127.0.0.1',
        });
      },
      await nodeBinary(major),
    );
  });
});

it('an incoming trace is continued, its parent remote, its tracestate kept', async () => {
  await withApp({}, async ({ url }) => {
    const traceId = '9a576f2d0c4724fefba7c1f63f2d00a9';
    await fetch(url, {
      headers: {
        traceparent: `00-${traceId}-00f067aa0ba902b7-00`,
        tracestate: 'vendor=1,ot=th:8;rv:abcdef01234567',
      },
    });
    const [span] = await sink.servers(1);
    expect(span).toMatchObject({
      traceId,
      parentSpanId: '00f067aa0ba902b7',
      flags: 0x301,
      // All calls count: the caller's threshold is not ours.
      traceState: 'ot=th:0;rv:abcdef01234567,vendor=1',
    });
  });
});

it('OTEL_TRACES_SAMPLER leaves out what it says, with the threshold of those that stay', async () => {
  const env = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' };
  await withApp(env, async ({ url }) => {
    const kept = 'c0ffee000000000000ffffffffffffff';
    const left = 'c0ffee00000000000000000000000001';
    for (const id of [left, kept, left]) {
      await fetch(url, { headers: { traceparent: `00-${id}-00f067aa0ba902b7-01` } });
    }
    const [span] = await sink.servers(1);
    expect(span).toMatchObject({ traceId: kept, traceState: 'ot=th:c' });
    expect(sink.spans.filter(({ kind }) => kind === 2)).toHaveLength(1);
  });
});

it('aborted calls: no status before a head was sent, the one that was sent after it', async () => {
  await withApp({}, async (app) => {
    const { port } = new URL(app.url);
    const abort = (path: string, until: 'asked' | 'data') =>
      new Promise<void>((resolve) => {
        const socket = connect(Number(port), '127.0.0.1', async () => {
          socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
          if (until === 'asked') await said(app, 'never answered');
          if (until === 'asked') socket.destroy();
        });
        socket.on('data', () => socket.destroy());
        socket.on('close', () => resolve());
      });
    await abort('/never', 'asked');
    await abort('/half', 'data');
    await abort('/destroy', 'data');
    const spans = await sink.servers(3);
    expect(spans.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([
      ...[undefined, 200, undefined],
    ]);
    for (const { attributes, isError } of spans) {
      expect(attributes['error.type']).toBe('aborted');
      expect(isError).toBe(false);
    }
  });
});

it('one connection: pipelined calls, HEAD, an unknown method, a whole URL', async () => {
  await withApp({}, async ({ url }) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const lines = [
      'GET /slow HTTP/1.1',
      'HEAD /head HTTP/1.1',
      'PURGE /odd HTTP/1.1',
      'GET http://example.test/absolute?q HTTP/1.1',
    ];
    socket.write(lines.map((line) => `${line}\r\nHost: [::1]:81\r\n\r\n`).join(''));
    socket.resume();
    const spans = await sink.servers(4);
    socket.destroy();
    expect(spans.map(({ name }) => name)).toEqual(['GET', 'HEAD', 'HTTP', 'GET']);
    expect(spans[0]!.durationMs).toBeGreaterThan(45);
    expect(spans[2]!.attributes).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'PURGE',
      'server.address': '::1',
      'server.port': 81,
    });
    expect(spans[3]!.attributes['url.path']).toBe('/absolute');
    expect(spans[1]!.attributes).not.toHaveProperty('http.response.body.size');
  });
});

it('pipelined requests that are handled at once: each has its own route and error', async () => {
  const pipelined = async ({ url }: App) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    const paths = ['/slow/1', '/users/2', '/boom', '/nothing', '/users/3'];
    socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''));
    socket.resume();
    const spans = await sink.servers(paths.length);
    socket.destroy();
    expect(spans.map(({ attributes }) => attributes['url.path'])).toEqual(paths);
    expect(spans.map(({ attributes }) => attributes['http.route'])).toEqual([
      ...['/slow/:id', '/users/:id', '/boom', undefined, '/users/:id'],
    ]);
    expect(spans.map(({ attributes }) => attributes['error.type'])).toEqual([
      ...[undefined, undefined, 'RangeError', undefined, undefined],
    ]);
  };
  await withApp({}, pipelined, process.execPath, 'pipelined.cjs');
});

it('an upgrade has no span; an upgrade request without a listener has one', async () => {
  const upgrade = (url: string) =>
    new Promise<void>((resolve) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.write('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
      socket.once('data', () => socket.destroy());
      socket.on('close', () => resolve());
    });
  await withApp({ UPGRADES: '1' }, async ({ url }) => {
    await upgrade(url);
    await fetch(`${url}/after`);
    const spans = await sink.servers(1);
    expect(spans.map(({ attributes }) => attributes['url.path'])).toEqual(['/after']);
  });
  sink.spans.length = 0;
  await withApp({}, async ({ url }) => {
    await upgrade(url);
    const [span] = await sink.servers(1);
    expect(span!.attributes['url.path']).toBe('/ws');
  });
});

it('one hop of X-Forwarded-For is client.address; several hops and Forwarded are sent as headers', async () => {
  await withApp({}, async ({ url }) => {
    const send = (headers: Record<string, string>) => fetch(url, { headers });
    await send({ 'x-forwarded-for': '203.0.113.7' });
    await send({ 'x-forwarded-for': '6.6.6.6, 203.0.113.7' });
    await send({ forwarded: 'for=203.0.113.7' });
    const [one, several, forwarded] = await sink.servers(3);
    expect(one!.attributes['client.address']).toBe('203.0.113.7');
    expect(several!.attributes).not.toHaveProperty('client.address');
    expect(several!.attributes['http.request.header.x-forwarded-for']).toEqual([
      '6.6.6.6, 203.0.113.7',
    ]);
    expect(forwarded!.attributes['http.request.header.forwarded']).toEqual(['for=203.0.113.7']);
  });
});

it('hooks: consumer, ignore and headers, of which secrets are never taken', async () => {
  await withApp({ HOOKS: '1' }, async (app) => {
    const secrets = {
      authorization: 'Bearer hush-1',
      cookie: 'hush-2',
      'set-cookie': 'hush-3',
      'proxy-authorization': 'hush-4',
      'x-api-key': 'hush-5',
      'x-auth-token': 'hush-6',
      'x-csrf-token': 'hush-7',
    };
    await fetch(`${app.url}/health`);
    const headers = { ...secrets, 'x-request-id': 'r-1', 'x-tenant': 'acme' };
    await fetch(`${app.url}/a`, { headers });
    await fetch(`${app.url}/b`, { headers: { 'x-tenant': 'throw' } });
    await fetch(`${app.url}/c`, { headers: { 'x-tenant': 'throw' } });
    const spans = await sink.servers(3);
    expect(spans.map(({ attributes }) => attributes['url.path'])).toEqual(['/a', '/b', '/c']);
    expect(spans[0]!.attributes).toMatchObject({
      'enduser.id': 'acme',
      'http.request.header.x-request-id': ['r-1'],
    });
    expect(JSON.stringify(sink.spans)).not.toContain('hush');
    expect(app.output().match(/consumer failed/g)).toHaveLength(1);
    expect(app.output()).toContain('header authorization holds secrets');
  });
});

it('forwarding lists of any length: the last hops are kept, each of them whole', async () => {
  const hops = Array.from({ length: 400 }, (_, hop) => `203.0.${hop % 256}.${hop % 250}`);
  await withApp({}, async ({ url }) => {
    await fetch(url, { headers: { 'x-forwarded-for': hops.join(', ') } });
    const forwarded = hops.map((hop) => `for=${hop}`);
    await fetch(url, { headers: { forwarded: forwarded.join(', ') } });
    const [first, second] = await sink.servers(2);
    const kept = (span: typeof first, name: string, all: string[]) => {
      const [list] = span!.attributes[`http.request.header.${name}`] as string[];
      const ends = list!.trim().split(', ');
      expect(list!.length).toBeLessThanOrEqual(512);
      expect(ends.length).toBeGreaterThan(25);
      expect(ends).toEqual(all.slice(-ends.length));
    };
    kept(first, 'x-forwarded-for', hops);
    kept(second, 'forwarded', forwarded);
    for (const span of [first, second]) {
      expect(span!.attributes).not.toHaveProperty('client.address');
    }
  });
});

it.each(['0', '1'])('HTTP2=%s: from 500 on a status is an error of the service', async (HTTP2) => {
  const statuses = [200, 204, 302, 400, 404, 429, 499, 500, 501, 503];
  await withApp({ HTTP2 }, async ({ url }) => {
    const session = HTTP2 === '1' ? connectHttp2(url) : undefined;
    for (const status of statuses) {
      const path = `/status/${status}`;
      if (session === undefined) {
        await (await fetch(url + path, { redirect: 'manual' })).text();
        continue;
      }
      const asked = session.request({ ':path': path });
      asked.resume();
      await new Promise((resolve) => asked.on('close', resolve).end());
    }
    const spans = await sink.servers(statuses.length);
    session?.close();
    for (const [index, status] of statuses.entries()) {
      const { attributes, isError, name } = spans[index]!;
      expect(attributes['http.response.status_code']).toBe(status);
      expect([status, isError]).toEqual([status, status >= 500]);
      expect(attributes['error.type']).toBe(status >= 500 ? String(status) : undefined);
      expect(name).toBe('GET');
    }
  });
});

it.each(['0', '1'])(
  'HTTP2=%s: the response headers of streams and of endpoints that end',
  async (HTTP2) => {
    await withApp({ HTTP2 }, async ({ url }) => {
      const call = async (path: string) => {
        if (HTTP2 === '0') return void (await (await fetch(url + path)).text());
        const session = connectHttp2(url);
        const asked = session.request({ ':path': path });
        asked.resume();
        await new Promise((resolve) => asked.on('close', resolve).end());
        session.close();
      };
      const paths = ['/events-that-end', '/deprecated', '/set', '/page', '/plain'];
      for (const path of paths) await call(path);
      const spans = await sink.servers(paths.length);
      const headers = spans.map(({ attributes }) =>
        Object.fromEntries(
          Object.entries(attributes)
            .filter(([name]) => name.startsWith('http.response.header.'))
            .map(([name, value]) => [name.slice('http.response.header.'.length), value]),
        ),
      );
      expect(headers).toEqual([
        { 'content-type': ['text/event-stream'] },
        {
          deprecation: ['@1688169599'],
          sunset: ['Sun, 30 Jun 2030 00:00:00 GMT'],
          link: ['</docs/2027>; rel="deprecation"; type="text/html"'],
        },
        { deprecation: ['true'] },
        {},
        {},
      ]);
      expect(JSON.stringify(spans)).not.toContain('hush');
    });
  },
);

it('an event stream that its reader leaves has its content type, however many there were', async () => {
  await withApp({}, async ({ url }) => {
    const count = 40;
    for (let stream = 0; stream < count; stream += 1) {
      const leaving = new AbortController();
      const { body } = await fetch(`${url}/events`, { signal: leaving.signal });
      await body!.getReader().read();
      leaving.abort();
    }
    const spans = await sink.servers(count);
    for (const { attributes } of spans) {
      expect(attributes['http.response.header.content-type']).toEqual(['text/event-stream']);
    }
  });
});

it('Deprecation and Sunset are read from the first 8 answers of a route and then from one in 32', async () => {
  await withApp({}, async ({ url }) => {
    const count = 70;
    for (let call = 0; call < count; call += 1) await (await fetch(`${url}/deprecated`)).text();
    const spans = await sink.servers(count);
    const deprecated = spans.filter(
      ({ attributes }) => 'http.response.header.sunset' in attributes,
    );
    expect(deprecated).toHaveLength(10);
  });
});

it('every word of a secret, wherever it stands in a header name, keeps the header out', async () => {
  const words = [
    ...['api-key', 'api_key', 'apikey', 'key', 'token', 'secret', 'password', 'passwd', 'auth'],
    ...['session', 'credential', 'credentials', 'signature', 'jwt', 'csrf', 'xsrf'],
  ];
  const secrets = [
    ...['authorization', 'proxy-authorization', 'authentication-info'],
    ...['cookie', 'cookie2', 'set-cookie', 'set-cookie2'],
    ...words.flatMap((word) => [word, `x-${word}`, `${word}-x`, `x_${word}_y`, `X-${word}-Y`]),
  ];
  const harmless = ['x-keyboard', 'x-monkey', 'x-author', 'x-tokens-left', 'x-obsession'];
  const headers = Object.fromEntries(secrets.map((name, n) => [name.toLowerCase(), `hush-${n}`]));
  for (const name of harmless) headers[name] = 'harmless';
  const env = { HOOKS: '1', TAKEN_HEADERS: [...secrets, ...harmless].join(',') };
  await withApp(env, async (app) => {
    const { port } = new URL(app.url);
    await new Promise((resolve) => get({ port, host: '127.0.0.1', headers }, resolve));
    const [span] = await sink.servers(1);
    expect(JSON.stringify(span)).not.toContain('hush');
    for (const name of harmless) {
      expect(span!.attributes[`http.request.header.${name}`], name).toEqual(['harmless']);
    }
    for (const name of secrets) {
      expect(app.output()).toContain(`header ${name.toLowerCase()} holds secrets`);
    }
  });
});

describe('the end', () => {
  it.each([
    ['SIGTERM without a handler', {}, 'SIGTERM'],
    ['SIGINT without a handler', {}, 'SIGINT'],
    ['SIGTERM with a handler of the app', { OWN_SIGTERM: '1' }, 'SIGTERM'],
  ] as const)(
    '%s: what waits is sent, the process ends as it would have',
    async (_, env, signal) => {
      await withApp({ OTEL_BSP_SCHEDULE_DELAY: '60000', ...env }, async (app) => {
        await fetch(`${app.url}/last`);
        const ended = await app.stop(signal);
        expect(sink.spans.filter(({ kind }) => kind === 2)).toHaveLength(1);
        const isOwn = 'OWN_SIGTERM' in env;
        expect(ended).toMatchObject(isOwn ? { code: 0, signal: null } : { code: null, signal });
        expect(app.output().includes('own handler')).toBe(isOwn);
      });
    },
  );

  it('nothing left to do: what waits is sent', async () => {
    await withApp({ OTEL_BSP_SCHEDULE_DELAY: '60000' }, async ({ url }) => {
      await fetch(`${url}/close`, { headers: { connection: 'close' } });
      await sink.servers(1);
    });
  });

  it('process.exit() while Rollcall is away: the number of lost spans is logged', async () => {
    const env = { OTEL_BSP_SCHEDULE_DELAY: '60000', ROLLCALL_ENDPOINT: 'http://127.0.0.1:9' };
    await withApp(env, async (app) => {
      await fetch(`${app.url}/exit`).catch(() => {});
      await app.stop('SIGCONT');
      expect(app.output()).toMatch(/spans not delivered to .*: 1$/m);
    });
  });
});

it('OTEL_ variables: name, attributes, headers, gzip, limits; OTEL_SDK_DISABLED starts nothing', async () => {
  const env = {
    ROLLCALL_ENDPOINT: '',
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-one=1',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_SERVICE_NAME: 'named',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.version=9',
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '5',
  };
  await withApp(env, async ({ url }) => {
    await fetch(`${url}/a-long-path-é`);
    const [span] = await sink.servers(1);
    expect(span!.resource).toMatchObject({
      'service.name': 'named',
      'service.version': '9',
      'deployment.environment.name': 'test',
    });
    expect(span!.attributes['url.path']).toBe('/a-lo');
    expect(sink.headers).toMatchObject({ 'x-one': '1', 'content-encoding': 'gzip' });
  });
  sink.spans.length = 0;
  await withApp({ ...env, OTEL_SDK_DISABLED: 'true' }, async (app) => {
    await fetch(app.url);
    await app.stop();
    expect(sink.spans).toEqual([]);
  });
});

it('a key goes along as Authorization', async () => {
  await withApp({ ROLLCALL_KEY: 'rk_test' }, async ({ url }) => {
    await fetch(url);
    await sink.servers(1);
    expect(sink.headers.authorization).toBe('Bearer rk_test');
  });
});

it('ROLLCALL_LEAN=off without its packages: said, and the app runs', async () => {
  await withApp({ ROLLCALL_LEAN: 'off' }, async (app) => {
    expect(await (await fetch(`${app.url}/x`)).text()).toBe('GET /x');
    expect(app.output()).toContain('npm install @opentelemetry/sdk-node');
  });
});
