import { Agent, request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runToEnd, temporaryFolder } from '../process.ts';
import {
  type Door,
  jsonTraces,
  jsonType,
  openDoor,
  partialOf,
  protobufType,
  rawExchange,
  statusOf,
  traces,
} from './door.ts';

/** OTLP.md 1.1: transport, paths, methods. */
let door: Door;

beforeAll(async () => {
  door = await openDoor();
});

afterAll(() => door.close());

/** The number of calls that `act` had stored. */
async function storedBy(act: () => Promise<unknown>): Promise<number> {
  const before = await door.stored();
  await act();
  return (await door.stored()) - before;
}

test('H1 a port in use ends the start with one clear line', async () => {
  const folder = temporaryFolder();
  const { code, output } = await runToEnd('collector/main.ts', {
    ROLLCALL_STORE: `sqlite:${folder.path}/other.db`,
    ROLLCALL_OTLP_HTTP_PORT: String(door.port),
  });
  folder.remove();
  expect(code).toBe(1);
  expect(output.trim().split('\n')).toHaveLength(1);
  expect(output).toMatch(new RegExp(`127.0.0.1:${door.port} .*in use`));
});

test('H2 protobuf and JSON on one path', async () => {
  const stored = await storedBy(async () => {
    const protobuf = await door.post(traces(2));
    expect([protobuf.status, protobuf.headers['content-type']]).toEqual([200, protobufType]);
    const json = await door.post(jsonTraces(3), { type: jsonType });
    expect([json.status, json.headers['content-type']]).toEqual([200, jsonType]);
  });
  expect(stored).toBe(5);
});

test.each([
  ['APPLICATION/JSON', jsonType],
  ['application/json; charset=utf-8', jsonType],
  ['Application/X-Protobuf;v=1', protobufType],
  ['application/protobuf', protobufType],
])('H3 Content-Type %s', async (type, answered) => {
  const body = answered === jsonType ? jsonTraces(1) : traces(1);
  const stored = await storedBy(async () => {
    const answer = await door.post(body, { type });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, answered]);
  });
  expect(stored).toBe(1);
});

test.each([null, 'text/plain', 'application/x-protobufx', ''])(
  'H4 Content-Type %s is 415',
  async (type) => {
    const answer = await door.post(traces(1), { type });
    expect(answer.status).toBe(415);
    expect(answer.headers['content-type']).toBe('text/plain');
    expect(answer.body.toString()).toBe(
      '415 unsupported media type, supported: [application/json, application/x-protobuf]',
    );
  },
);

test.each(['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'])('H5 %s is 405', async (method) => {
  for (const path of ['/v1/traces', '/v1/logs', '/']) {
    const answer = await door.post('', { method, path });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
    expect(answer.headers['content-type']).toBe('text/plain');
  }
});

test.each(['/v1/trace', '/v2/traces', '/v1/traces/x', '/api/v2/spans', '//v1/traces'])(
  'H6 %s is 404',
  async (path) => {
    const answer = await door.post(traces(1), { path });
    expect(answer.status).toBe(404);
    expect(statusOf(answer)).toMatchObject({
      code: 12,
      message: expect.stringContaining('/v1/traces'),
    });
    expect((await door.post('', { path, method: 'GET', type: null })).status).toBe(404);
  },
);

/** Two resources, the second with two metrics; three points in all. Field numbers of opentelemetry-proto. */
const points = {
  gauge: '0a0412021200',
  json: JSON.stringify({
    resourceMetrics: [
      { scopeMetrics: [{ metrics: [{ gauge: { dataPoints: [{}] } }] }] },
      { scope_metrics: [{ metrics: [{ sum: { dataPoints: [{}, {}] } }, { name: 'empty' }] }] },
    ],
  }),
};

/** A protobuf message field. */
function message(number: number, ...content: Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

test('H7 metrics, logs and profiles are accepted and said not to be stored, once an hour', async () => {
  const gauge = message(2, message(5, message(1), message(1)));
  const histogram = message(2, message(9, message(1)));
  const cases: [string, Buffer | string, string, string][] = [
    ['/v1/metrics', message(1, message(2, gauge, histogram)), protobufType, '3'],
    [
      '/v1/logs',
      JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{}, {}] }] }] }),
      jsonType,
      '2',
    ],
    ['/v1development/profiles', message(1, message(2, message(2))), protobufType, '1'],
  ];
  for (const [path, body, type, rejected] of cases) {
    const first = await door.post(body, { path, type });
    expect([first.status, first.headers['content-type']]).toEqual([200, type]);
    expect(partialOf(first)).toEqual({
      rejected,
      errorMessage: expect.stringContaining('not store'),
    });
    const second = await door.post(body, { path, type });
    expect(second.status).toBe(200);
    expect(partialOf(second)).toBeUndefined();
    const garbage = await door.post('{"resourceLogs":7,"resourceMetrics":7,"x"', { path, type });
    expect(garbage.status).toBe(400);
  }
  const json = await openDoor();
  const answer = await json.post(points.json, { path: '/v1/metrics/', type: jsonType });
  expect(JSON.parse(answer.body.toString())).toEqual({
    partialSuccess: { rejectedDataPoints: '3', errorMessage: expect.any(String) },
  });
  await json.close();
});

test.each(['/', '/v1/traces/', '/v1/traces?a=b', '/?x', '/v1/traces/?token=1#x'])(
  'H8, H12 POST %s takes traces',
  async (path) => {
    const stored = await storedBy(async () => {
      expect((await door.post(traces(1), { path })).status).toBe(200);
    });
    expect(stored).toBe(1);
  },
);

test('H9 HTTP/1.1, and HTTP/1.0 too', async () => {
  const body = traces(1);
  const head = `POST /v1/traces HTTP/1.0\r\ncontent-type: ${protobufType}\r\ncontent-length: ${body.length}\r\n\r\n`;
  const stored = await storedBy(async () => {
    expect(await rawExchange(door.port, head, body)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
  expect(stored).toBe(1);
});

test('H10 an HTTP/2 client is told where to go, at once', async () => {
  const said = await rawExchange(door.port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  expect(said).toMatch(/^HTTP\/1\.1 505 /);
  expect(said).toContain('4317');
  const client = connectHttp2(door.url);
  await new Promise<void>((resolve) => {
    client.on('error', () => {});
    client.on('close', () => resolve());
  });
});

test('H11 a connection is kept for more than 95 s, and used again', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number>();
  let keepAlive = '';
  for (let n = 0; n < 3; n += 1) {
    await new Promise<void>((resolve, reject) => {
      const headers = { 'content-type': protobufType };
      const sent = request(
        `${door.url}/v1/traces`,
        { method: 'POST', agent, headers },
        (answer) => {
          keepAlive = String(answer.headers['keep-alive']);
          answer.resume().on('end', resolve);
        },
      );
      sent.on('socket', (socket) => {
        socket.once('connect', () => ports.add(socket.localPort!));
      });
      sent.on('error', reject);
      sent.end(traces(1));
    });
    await new Promise((resolve) => setImmediate(resolve));
  }
  agent.destroy();
  expect(ports.size).toBe(1);
  expect(Number(/timeout=(\d+)/.exec(keepAlive)![1])).toBeGreaterThanOrEqual(95);
});

test('H12 Expect: 100-continue, chunked, absolute form, and a body that comes slowly', async () => {
  const stored = await storedBy(async () => {
    expect((await door.post(traces(2), { chunked: true })).status).toBe(200);
    const body = traces(1);
    const head = (target: string, more: string) =>
      `POST ${target} HTTP/1.1\r\nhost: x\r\ncontent-type: ${protobufType}\r\ncontent-length: ${body.length}\r\n${more}connection: close\r\n\r\n`;
    const expecting = await rawExchange(
      door.port,
      head('/v1/traces', 'expect: 100-continue\r\n'),
      body,
    );
    expect(expecting).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    const absolute = traces(1);
    absolute.copy(body);
    const said = await rawExchange(
      door.port,
      head(`http://example.com:4318/v1/traces?x=1`, ''),
      body,
    );
    expect(said).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
  expect(stored).toBe(4);
  expect(await storedBy(slowly)).toBe(1);
});

/** One byte of the head at a time, then the body in three pieces, each in a packet of its own. */
async function slowly(): Promise<void> {
  const body = traces(1);
  const socket = connect({ port: door.port, host: '127.0.0.1', noDelay: true });
  const answered = new Promise<string>((resolve) => {
    socket.once('data', (data) => resolve(data.toString('latin1')));
  });
  const head = `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${protobufType}\r\ncontent-length: ${body.length}\r\n\r\n`;
  for (const byte of head) {
    socket.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [from, to] of [
    [0, 1],
    [1, 100],
    [100, body.length],
  ]) {
    socket.write(body.subarray(from, to));
    await delay(5);
  }
  expect(await answered).toMatch(/^HTTP\/1\.1 200 OK/);
  socket.destroy();
}

test('health, readiness and metrics on the same port', async () => {
  for (const [path, text] of [
    ['/healthz', 'ok'],
    ['/readyz', 'ready'],
  ] as const) {
    const answer = await door.post('', { method: 'GET', path, type: null });
    expect([answer.status, answer.body.toString()]).toEqual([200, text]);
    expect((await door.post('', { method: 'POST', path })).status).toBe(405);
  }
  const { body, headers } = await door.post('', { method: 'GET', path: '/metrics', type: null });
  expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  for (const name of [
    'rollcall_spans_total{outcome="stored",reason=""}',
    'rollcall_requests_total{transport="http",code="200"}',
    'rollcall_body_bytes_total',
    'rollcall_commit_seconds_count',
    'rollcall_queue_bytes',
    'process_resident_memory_bytes',
  ]) {
    expect(body.toString()).toContain(`\n${name} `);
  }
});
