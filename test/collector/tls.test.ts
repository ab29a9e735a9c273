import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestTls } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { credentials } from '@grpc/grpc-js';
import { SpanKind } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { counterIn, storedSpans } from '../conformance/exchange.ts';
import { type Authority, authority, writePair } from '../support/certificates.ts';
import {
  callAttributes,
  jsonTraces,
  jsonType,
  protobufType,
  traces,
} from '../support/export-request.ts';
import {
  type Running,
  startCollectorProcess,
  startRollcall,
  temporaryFolder,
} from '../support/process.ts';
import { http1Client, http2Client, type SecureClient } from '../support/secure-client.ts';
import { waitFor } from '../support/wait.ts';

/** docs/conformance.md A1 and H9: every port over TLS, with real clients against real processes. */
const folder = temporaryFolder();
let ca: Authority;
let ours: Record<string, string>;

beforeAll(() => {
  ca = authority('Test authority');
  ours = writePair(`${folder.path}/ours`, ca.issue('first'));
});

afterAll(() => folder.remove());

async function metric(client: SecureClient, name: string): Promise<number> {
  return counterIn((await client.send('/metrics', { method: 'GET' })).body, name);
}

describe('one collector', () => {
  let collector: Running & { url: string; grpcUrl: string };
  let tls: ConnectionOptions;
  const clients: Record<string, SecureClient> = {};

  beforeAll(async () => {
    collector = await startCollectorProcess(`${folder.path}/one.db`, ours);
    tls = { ca: ca.cert };
    clients['HTTP/1.1'] = http1Client(collector.url, tls);
    clients['HTTP/2'] = await http2Client(collector.url, tls);
  });

  afterAll(async () => {
    for (const client of Object.values(clients)) client.close();
    await collector.stop();
  });

  test('A1 the listening line says https', () => {
    expect(collector.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(collector.grpcUrl).toMatch(/^https:/);
  });

  describe.each(['HTTP/1.1', 'HTTP/2'])('H9 %s', (version) => {
    test('exports are answered as in the clear, and counted', async () => {
      const client = clients[version]!;
      const before = await metric(client, storedSpans);
      const protobuf = await client.send('/v1/traces', {
        headers: { 'content-type': protobufType },
        body: traces(3),
      });
      expect([protobuf.status, protobuf.headers['content-type'], protobuf.body]).toEqual([
        200,
        protobufType,
        Buffer.alloc(0),
      ]);
      const json = await client.send('/v1/traces', {
        headers: { 'content-type': jsonType },
        body: jsonTraces(2),
      });
      expect([json.status, json.body.toString()]).toEqual([200, '{}']);
      const packed = await client.send('/v1/traces', {
        headers: { 'content-type': protobufType, 'content-encoding': 'gzip' },
        body: gzipSync(traces(4)),
      });
      expect(packed.status).toBe(200);
      expect(await metric(client, storedSpans)).toBe(before + 9);
    });

    test('a body of 16 MiB arrives whole', async () => {
      const client = clients[version]!;
      const padding = [{ key: 'padding', value: 'x'.repeat(16 * 2 ** 20) }];
      const body = traces(1, { attributes: [...callAttributes, ...padding] });
      const before = await metric(client, storedSpans);
      const plain = await client.send('/v1/traces', {
        headers: { 'content-type': protobufType },
        body,
      });
      const packed = await client.send('/v1/traces', {
        headers: { 'content-type': protobufType, 'content-encoding': 'gzip' },
        body: gzipSync(traces(1, { attributes: [...callAttributes, ...padding] })),
      });
      expect([plain.status, packed.status]).toEqual([200, 200]);
      expect(await metric(client, storedSpans)).toBe(before + 2);
    });

    test('mistakes get the same answers', async () => {
      const client = clients[version]!;
      const status = async (path: string, method: string, type: string, body = '') => {
        const headers = { 'content-type': type };
        return (await client.send(path, { method, headers, body })).status;
      };
      expect(await status('/v1/traces', 'POST', 'text/plain', 'x')).toBe(415);
      expect(await status('/v1/traces', 'POST', jsonType, 'nothing')).toBe(400);
      expect(await status('/v1/traces', 'PUT', jsonType)).toBe(405);
      expect(await status('/nowhere', 'POST', jsonType)).toBe(404);
      expect(await status('/readyz', 'GET', jsonType)).toBe(200);
    });

    test('E7 a body over the bound is 413, and the next request is answered', async () => {
      const client = clients[version]!;
      const headers = { 'content-type': protobufType, 'content-length': String(65 * 2 ** 20) };
      const over = await client.send('/v1/traces', { headers, body: Buffer.alloc(65 * 2 ** 20) });
      expect(over.status).toBe(413);
      expect((await client.send('/healthz', { method: 'GET' })).status).toBe(200);
    });
  });

  test('H9 a hundred requests at once on one HTTP/2 connection', async () => {
    const client = clients['HTTP/2']!;
    const before = await metric(client, storedSpans);
    const headers = { 'content-type': protobufType };
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => client.send('/v1/traces', { headers, body: traces(5) })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await metric(client, storedSpans)).toBe(before + 500);
  });

  test.each([
    ['NO_ERROR', 0],
    ['CANCEL', 8],
    ['nothing but the end of its connection', undefined],
  ])('R11 HTTP/2: a body taken back half-way with %s is not counted', async (_, code) => {
    const client = clients['HTTP/2']!;
    const before = await metric(client, storedSpans);
    const aborted = 'rollcall_requests_total{transport="http",code="aborted"}';
    const abortedBefore = await metric(client, aborted);
    const { hostname: host, port } = new URL(collector.url);
    const socket = connect({ host, port: Number(port), ...tls, ALPNProtocols: ['h2'] });
    socket.on('error', () => {}).resume();
    // Whole calls, but the sender takes the message back instead of ending it.
    socket.write(unendedRequest(traces(2)));
    await waitFor('bytes in flight', async () => {
      return (await metric(client, 'rollcall_queue_bytes')) > 0;
    });
    if (code === undefined) socket.destroy();
    else socket.write(frame(3, 0, 1, Buffer.from([0, 0, 0, code])));
    await waitFor(
      'an aborted request',
      async () => (await metric(client, aborted)) > abortedBefore,
    );
    expect([
      await metric(client, storedSpans),
      await metric(client, 'rollcall_queue_bytes'),
    ]).toEqual([before, 0]);
    socket.destroy();
  });

  test('A1 nothing older than TLS 1.2; ALPN chooses h2 before http/1.1', async () => {
    const { hostname: host, port } = new URL(collector.url);
    const shake = (options: ConnectionOptions): Promise<TLSSocket> => {
      return new Promise((resolve, reject) => {
        const socket = connect({ host, port: Number(port), ...tls, ...options }, () => {
          resolve(socket.end());
        });
        socket.on('error', reject);
      });
    };
    const old = {
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    } as const;
    await expect(shake(old)).rejects.toThrow(/protocol|version|alert/i);
    expect((await shake({ maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2');
    expect((await shake({})).getProtocol()).toBe('TLSv1.3');
    const chosen = async (...names: string[]) =>
      (await shake({ ALPNProtocols: names })).alpnProtocol;
    expect(await chosen('http/1.1', 'h2')).toBe('h2');
    expect(await chosen('http/1.1')).toBe('http/1.1');
    expect(await chosen()).toBe(false);
  });

  test('plain HTTP and noise on the port end, and disturb nobody', async () => {
    const { hostname, port } = new URL(collector.url);
    const plain = new Promise((_, reject) => {
      request({ hostname, port, path: '/healthz' }).on('error', reject).end();
    });
    await expect(plain).rejects.toThrow();
    const noise = connectTcp(Number(port), hostname);
    noise.on('error', () => {}).resume();
    noise.write('\x16\x03\x01nothing that is TLS, and more of it than a record header');
    await new Promise((resolve) => noise.once('close', resolve));
    expect((await clients['HTTP/1.1']!.send('/healthz', { method: 'GET' })).status).toBe(200);
  });

  test.each(['JSON', 'protobuf', 'gRPC'])('the SDK exports %s over TLS', async (kind) => {
    const client = clients['HTTP/1.1']!;
    // A collector makes at most five texts of /metrics a second; who asks sooner gets the last one again.
    const stored = async () => {
      await pause(220);
      return metric(client, storedSpans);
    };
    const before = await stored();
    await exportBy(kind, collector, { ca: ca.cert });
    expect(await stored()).toBe(before + 3);
  });
});

/** One frame of HTTP/2 (RFC 9113, 4.1). */
function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A connection's beginning and a POST whose body does not end; Node's client would end it. */
function unendedRequest(body: Buffer): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  const headers = {
    ':method': 'POST',
    ':scheme': 'https',
    ':path': '/v1/traces',
    ':authority': 'x',
    'content-type': protobufType,
  };
  const fields = Object.entries(headers).map(([name, value]) => {
    return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
  });
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(4, 0, 0, Buffer.alloc(0)),
    frame(1, 4, 1, Buffer.concat(fields)),
    frame(0, 0, 1, body),
  ]);
}

/** Three calls by the SDK's own exporter. @throws Error when they were not taken */
async function exportBy(
  kind: string,
  { url, grpcUrl }: { url: string; grpcUrl: string },
  tls: { ca: string; cert?: string; key?: string },
): Promise<void> {
  const httpAgentOptions = { ...tls, keepAlive: true };
  const bytes = (text?: string) => (text === undefined ? null : Buffer.from(text));
  const exporter =
    kind === 'gRPC'
      ? new GrpcExporter({
          url: grpcUrl,
          credentials: credentials.createSsl(bytes(tls.ca), bytes(tls.key), bytes(tls.cert)),
          timeoutMillis: 5000,
        })
      : new (kind === 'JSON' ? JsonExporter : ProtobufExporter)({
          url: `${url}/v1/traces`,
          httpAgentOptions,
          timeoutMillis: 5000,
        });
  const spans = Array.from({ length: 3 }, () => finishedSpan(`/tls/${kind}`));
  await new Promise<void>((resolve, reject) => {
    exporter.export(spans, ({ code, error }) => (code === 0 ? resolve() : reject(error)));
  });
  await exporter.shutdown();
}

/** As the SDK hands a span to its exporter. */
function finishedSpan(route: string): never {
  const nowS = Math.floor(Date.now() / 1000);
  return {
    name: 'GET',
    kind: SpanKind.SERVER,
    spanContext: () => ({
      traceId: randomBytes(16).toString('hex'),
      spanId: randomBytes(8).toString('hex'),
      traceFlags: 1,
    }),
    startTime: [nowS - 1, 0],
    endTime: [nowS - 1, 5_000_000],
    status: { code: 0 },
    attributes: { 'http.request.method': 'GET', 'http.route': route },
    links: [],
    events: [],
    resource: { attributes: { 'service.name': 'shop' } },
    instrumentationScope: { name: 'test' },
  } as never;
}

test('A1 mutual TLS: only a certificate of the authority gets in, on both ports of OTLP', async () => {
  const clientCa = authority('Clients');
  const stranger = authority('Clients').issue('stranger');
  const known = clientCa.issue('known');
  const path = `${folder.path}/clients.pem`;
  writeFileSync(path, clientCa.cert);
  const running = await startRollcall(`${folder.path}/mutual.db`, {
    ...ours,
    ROLLCALL_TLS_CLIENT_CA: path,
  });
  const { otlp_http: url, otlp_grpc: grpcUrl, analyzer } = running.addresses;
  const doors = { url: url!, grpcUrl: grpcUrl! };
  for (const kind of ['JSON', 'protobuf', 'gRPC']) {
    await exportBy(kind, doors, { ca: ca.cert, ...known });
    await expect(exportBy(kind, doors, { ca: ca.cert })).rejects.toThrow();
    await expect(exportBy(kind, doors, { ca: ca.cert, ...stranger })).rejects.toThrow();
  }
  await expect(http1Client(url!, { ca: ca.cert }).send('/healthz')).rejects.toThrow();
  // Answers are for people: no certificate is asked of them.
  for (const client of [
    http1Client(analyzer!, { ca: ca.cert }),
    await http2Client(analyzer!, { ca: ca.cert }),
  ]) {
    const report = await client.send('/api/v1/report', { method: 'GET' });
    const { summary } = JSON.parse(report.body.toString());
    expect(summary).toMatchObject({ total_endpoints: 3, total_requests: 9 });
    expect((await client.send('/healthz', { method: 'GET' })).status).toBe(200);
    expect((await client.send('/nowhere', { method: 'GET' })).status).toBe(404);
    client.close();
  }
  expect(await running.stop()).toMatchObject({ code: 0 });
});

test('L6 the end over TLS: bodies under way are taken in both versions, nobody new gets in', async () => {
  const collector = await startCollectorProcess(`${folder.path}/end.db`, ours);
  const { hostname, port } = new URL(collector.url);
  const watching = http1Client(collector.url, { ca: ca.cert });
  const body = traces(4);
  const headers = { 'content-type': protobufType, 'content-length': String(body.length) };
  const session = connectHttp2(collector.url, { ca: ca.cert });
  const stream = session.request({ ':path': '/v1/traces', ':method': 'POST', ...headers });
  const status2 = new Promise((resolve, reject) => {
    stream.once('response', (answer) => resolve(answer[':status']));
    stream.once('error', reject);
  });
  const sent = requestTls({
    hostname,
    port,
    ca: ca.cert,
    path: '/v1/traces',
    method: 'POST',
    headers,
  });
  const status1 = new Promise((resolve, reject) => {
    sent.once('response', (answer) => resolve(answer.resume().statusCode));
    sent.once('error', reject);
  });
  for (const each of [stream, sent]) each.write(body.subarray(0, 100));
  await waitFor('200 bytes in flight', async () => {
    return (await metric(watching, 'rollcall_queue_bytes')) === 200;
  });
  watching.close();
  const ended = collector.stop();
  await new Promise((resolve) => session.once('goaway', resolve));
  await expect(http2Client(collector.url, { ca: ca.cert })).rejects.toThrow();
  for (const each of [stream, sent]) each.end(body.subarray(100));
  expect([await status1, await status2]).toEqual([200, 200]);
  expect(await ended).toMatchObject({ code: 0 });
});
