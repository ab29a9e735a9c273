import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { SpanKind, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { counterOf, exchange, storedSpans } from '../../conformance/exchange.ts';
import { retrySecondsOf } from '../../conformance/export-answer.ts';
import {
  answerOf,
  exportPath,
  framed,
  type GrpcConnection,
  openGrpc,
} from '../../labs/load/grpc-call.ts';
import { encodeSpans, serverSpan, traces } from '../../support/export-request.ts';
import {
  launch,
  type Running,
  startCollectorProcess,
  temporaryFolder,
} from '../../support/process.ts';
import { waitFor } from '../../support/wait.ts';

/** The gRPC door of a real collector, by gRPC's own client, by OpenTelemetry's exporter, and frame by frame. */
const mib = 2 ** 20;
const healthCheck = '/grpc.health.v1.Health/Check';
const folder = temporaryFolder();
let collector: Running & { url: string; grpcUrl: string };
let connection: GrpcConnection;

beforeAll(async () => {
  const env = { ROLLCALL_MAX_BODY_MIB: '1', ROLLCALL_LOG: 'warn' };
  collector = await startCollectorProcess(`${folder.path}/rollcall.db`, env);
  connection = await openGrpc(collector.grpcUrl);
});

afterAll(async () => {
  connection.session.destroy();
  await collector.stop();
  folder.remove();
});

let askedMs = Number.NEGATIVE_INFINITY;
/** A collector makes at most five texts of /metrics a second; who asks sooner gets the last one again. */
async function counter(name: string, { url } = collector): Promise<number> {
  await pause(Math.max(0, askedMs + 220 - performance.now()));
  askedMs = performance.now();
  return counterOf(url, name);
}

async function newlyStored(act: () => Promise<unknown>): Promise<number> {
  const before = await counter(storedSpans);
  await act();
  return (await counter(storedSpans)) - before;
}

describe('deliveries', () => {
  test('a recorded export is taken as it stood on the wire, and counts 25 calls', async () => {
    const at = new URL('../../fixtures/node-express5-grpc/', import.meta.url);
    const names = readdirSync(at).filter((name) => name.endsWith('.bin'));
    const streams = names.map((name) => readFileSync(new URL(name, at)));
    const stored = await newlyStored(async () => {
      for (const stream of streams) {
        const { code, data, headers, trailers } = await connection.call(stream);
        expect([code, data]).toEqual([0, Buffer.alloc(5)]);
        expect(headers['grpc-status']).toBeUndefined();
        expect(trailers).toMatchObject({ 'grpc-status': '0' });
      }
    });
    expect(stored).toBe(25);
    const again = await newlyStored(async () => {
      for (const stream of streams) {
        const { status } = await exchange(collector.url, stream.subarray(5));
        expect(status).toBe(200);
      }
    });
    expect(again).toBe(0);
  });

  test.each([
    ['gzip', (bytes: Buffer) => gzipSync(bytes)],
    ['zstd', (bytes: Buffer) => zstdCompressSync(bytes)],
  ])('the same message over HTTP, over gRPC and below %s counts once', async (name, pack) => {
    const message = traces(7);
    const stored = await newlyStored(async () => {
      expect((await exchange(collector.url, message)).status).toBe(200);
      expect((await connection.call(framed(message))).code).toBe(0);
      const headers = { 'grpc-encoding': name };
      expect((await connection.call(framed(pack(message), 1), { headers })).code).toBe(0);
    });
    expect(stored).toBe(7);
  });

  test('a partial success is the message that HTTP answers', async () => {
    const message = encodeSpans([serverSpan(), serverSpan({ spanId: Buffer.alloc(3, 1) })]);
    const overHttp = await exchange(collector.url, message);
    const { code, data } = await connection.call(framed(message));
    expect(code).toBe(0);
    expect(overHttp.body.length).toBeGreaterThan(10);
    expect(data).toEqual(framed(overHttp.body));
  });

  test('signals that are not stored are counted, told once, and answered OK', async () => {
    const path = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';
    // ResourceLogs { ScopeLogs { LogRecord, LogRecord } }
    const message = framed(Buffer.from([0x0a, 6, 0x12, 4, 0x12, 0, 0x12, 0]));
    const first = await connection.call(message, { path });
    expect([first.code, first.data.toString()]).toEqual([
      0,
      expect.stringContaining('does not store logs'),
    ]);
    expect((await connection.call(message, { path })).data).toEqual(Buffer.alloc(5));
  });
});

describe('clients', () => {
  test.each(['none', 'gzip'])(
    'the OpenTelemetry SDK and exporter, compression %s',
    async (name) => {
      const traceExporter = new OTLPTraceExporter({
        url: collector.grpcUrl,
        compression: name as never,
      });
      const sdk = new NodeSDK({ traceExporter, autoDetectResources: false });
      const stored = await newlyStored(async () => {
        sdk.start();
        const tracer = trace.getTracer('test');
        for (let n = 0; n < 40; n += 1) {
          const attributes = { 'http.request.method': 'GET', 'http.route': '/things/{id}' };
          tracer.startSpan('GET', { kind: SpanKind.SERVER, root: true, attributes }).end();
        }
        await sdk.shutdown();
        trace.disable();
      });
      expect(stored).toBe(40);
    },
  );

  test("gRPC's own client: 100 calls at once, health, and what it makes of errors", async () => {
    const client = grpcClient(collector.grpcUrl);
    const stored = await newlyStored(async () => {
      const calls = Array.from({ length: 100 }, () => client.call(exportPath, traces(3)));
      const replies = await Promise.all(calls);
      expect(replies.every((reply) => reply.length === 0)).toBe(true);
    });
    expect(stored).toBe(300);
    expect(await client.call(healthCheck, Buffer.alloc(0))).toEqual(Buffer.from([8, 1]));
    const service = Buffer.from('opentelemetry.proto.collector.trace.v1.TraceService');
    const named = Buffer.concat([Buffer.from([0x0a, service.length]), service]);
    expect(await client.call(healthCheck, named)).toEqual(Buffer.from([8, 1]));
    const unknown = Buffer.from([0x0a, 1, 0x41]);
    const { status } = grpc;
    await expect(client.call(healthCheck, unknown)).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    await expect(client.call('/a.B/C', unknown)).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
    });
    const failure = await client.call(exportPath, Buffer.from([0x0a, 99])).catch((error) => error);
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(failure.details).toContain('malformed protobuf');
    const tooLarge = client.call(exportPath, Buffer.alloc(mib + 1));
    await expect(tooLarge).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    client.close();
  });

  test('whoever speaks HTTP/1.1 here is told in HTTP/1.1; noise is hung up on', async () => {
    const answer = await fetch(collector.grpcUrl, { method: 'POST', body: traces(1) });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('4318')]);
    const socket = connectTcp(Number(new URL(collector.grpcUrl).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.resume().write(Buffer.from([0x16, 3, 1, 0, 5]));
    await once(socket, 'close');
    expect((await connection.call(framed(traces(1)))).code).toBe(0);
  });
});

describe('bounds', () => {
  test('too large is RESOURCE_EXHAUSTED for good, full is UNAVAILABLE for a second', async () => {
    const headers = { 'grpc-encoding': 'gzip' };
    for (const [bytes, options] of [
      [framed(Buffer.alloc(mib + 1)), {}],
      [framed(gzipSync(Buffer.alloc(2 * mib)), 1), { headers }],
    ] as const) {
      const refused = await connection.call(bytes, options);
      expect([refused.code, refused.trailers]).toEqual([8, undefined]);
      expect(retrySecondsOf(refused.headers)).toEqual({ details: undefined, trailer: undefined });
    }
    // Large messages of which all but the last byte comes: 48 MiB, the part of large bodies, and one that may pass it.
    const holding = [await openGrpc(collector.grpcUrl), await openGrpc(collector.grpcUrl)];
    const message = framed(Buffer.alloc(mib)).subarray(0, -1);
    const held = Array.from({ length: 49 }, (_, number) => {
      const stream = holding[number % 2]!.begin();
      stream.on('error', () => {});
      stream.write(message);
      return stream;
    });
    const queue = 'rollcall_queue_bytes';
    await waitFor('49 messages in flight', async () => (await counter(queue)) === 49 * (mib - 1));
    const refused = await connection.call(framed(Buffer.alloc(mib, 0x50)));
    expect(refused.code).toBe(14);
    expect(retrySecondsOf(refused.trailers ?? refused.headers)).toEqual({ details: 1, trailer: 1 });
    // Small messages have room of their own.
    expect((await connection.call(framed(traces(1)))).code).toBe(0);
    // Health is known even so, and what is cut off gives its room back and leaves nothing.
    expect((await connection.call(framed(Buffer.alloc(0)), { path: healthCheck })).code).toBe(0);
    const aborted = 'rollcall_requests_total{transport="grpc",code="aborted"}';
    const before = await counter(aborted);
    const stored = await newlyStored(async () => {
      for (const { session } of holding) session.socket.destroy();
      await waitFor('an empty queue', async () => (await counter(queue)) === 0);
    });
    expect([stored, (await counter(aborted)) - before]).toEqual([0, held.length]);
    expect((await connection.call(framed(traces(1)))).code).toBe(0);
  });

  test('headers beyond the bound do not end the connection', async () => {
    const headers = { 'x-long': 'x'.repeat(40_000) };
    const refused = await connection.call(framed(traces(1)), { headers }).catch(() => 'reset');
    expect(refused).toBe('reset');
    expect((await connection.call(framed(traces(1)))).code).toBe(0);
  });

  test('a message that does not come in its time is given up; others pass it', async () => {
    const slow = connection.begin({ headers: { 'grpc-timeout': '300m' } });
    const answered = answerOf(slow);
    const message = framed(traces(2));
    slow.write(message.subarray(0, 50));
    const stored = await newlyStored(async () => {
      expect((await connection.call(framed(traces(4)))).code).toBe(0);
      expect((await answered).code).toBe(4);
    });
    expect(stored).toBe(4);
  });

  test('work that is too late is told so, and counts once when it is sent again', async () => {
    const message = framed(traces(3));
    const stored = await newlyStored(async () => {
      const late = await connection.call(message, { headers: { 'grpc-timeout': '1n' } });
      expect(late.code).toBe(4);
      expect((await connection.call(message)).code).toBe(0);
      expect((await connection.call(message)).code).toBe(0);
    });
    expect(stored).toBe(3);
  });
});

test('the 101st wrong key of an address is UNAVAILABLE with RetryInfo: exporters keep the batch and try again', async () => {
  const env = { ROLLCALL_AUTH: 'keys', ROLLCALL_LOG: 'warn' };
  const guarded = await startCollectorProcess(`${folder.path}/guarded.db`, env);
  const wrong = await openGrpc(guarded.grpcUrl);
  try {
    const codes: (number | undefined)[] = [];
    for (let n = 0; n < 100; n += 1) {
      const headers = { 'x-api-key': `rck_${n}` };
      codes.push((await wrong.call(framed(traces(1)), { headers })).code);
    }
    expect(codes).toEqual(Array(100).fill(16));
    const headers = { 'x-api-key': 'rck_100' };
    const { code, message, ...refused } = await wrong.call(framed(traces(1)), { headers });
    expect([code, message]).toEqual([
      14,
      expect.stringMatching(
        /^100 wrong keys came from 127\.0\.0\.1 within 60 s; try again in \d+ s$/,
      ),
    ]);
    const { details, trailer } = retrySecondsOf(refused.trailers ?? refused.headers);
    expect([details, trailer]).toEqual([Number(/(\d+) s$/.exec(message)![1]), details]);
    expect(details).toBeGreaterThanOrEqual(1);
    expect(details).toBeLessThanOrEqual(60);
    // OpenTelemetry's own rule: UNAVAILABLE is repeated, UNAUTHENTICATED is not.
    const http = await exchange(guarded.url, traces(1), { headers });
    expect([http.status, Number(http.headers['retry-after'])]).toEqual([
      429,
      expect.toSatisfy((s: number) => s >= 1 && s <= 60),
    ]);
  } finally {
    wrong.session.destroy();
    await guarded.stop();
  }
});

test('a port in use: one clear line, and exit 1', async () => {
  const { port } = new URL(collector.grpcUrl);
  const { ended } = launch(
    'collector/main.ts',
    {
      ROLLCALL_STORE: `sqlite:${folder.path}/other.db`,
      ROLLCALL_OTLP_HTTP_PORT: '0',
      ROLLCALL_OTLP_GRPC_PORT: port,
    },
    [],
  );
  const { code, output } = await ended;
  expect(code).toBe(1);
  expect(output.trim().split('\n')).toHaveLength(1);
  expect(output).toMatch(new RegExp(`127.0.0.1:${port} for OTLP over gRPC: the port is in use`));
});

/** gRPC's own client with messages as bytes. */
function grpcClient(url: string) {
  const client = new grpc.Client(new URL(url).host, grpc.credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  return {
    call: (path: string, message: Buffer) =>
      new Promise<Buffer>((resolve, reject) => {
        client.makeUnaryRequest(path, same, same, message, (error, reply) => {
          if (error) reject(error);
          else resolve(reply!);
        });
      }),
    close: () => client.close(),
  };
}
