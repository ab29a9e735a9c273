import { gzipSync } from 'node:zlib';
import { framed } from '../../labs/load/grpc-call.ts';
import { encodeSpans, serverSpan, traces } from '../../support/export-request.ts';
import { startCollectorProcess, temporaryFolder } from '../../support/process.ts';
import { CaseList } from '../case.ts';
import { among, atLeast, equal, holds, inTime, matches, waitFor } from '../check.ts';
import { crowded } from '../crowd.ts';
import { counterOf, duplicateSpans, exchange, storedSpans } from '../exchange.ts';
import { retrySecondsOf, statusOf } from '../export-answer.ts';
import { GrpcConnection, type Reply, reply } from '../grpc-client.ts';
import { addressOf, storing } from '../own-target.ts';
import { post } from '../post.ts';
import { rawConnection, requestHead } from '../raw-connection.ts';
import { holdStore } from '../store-lock.ts';
import type { GrpcTarget } from '../target.ts';

/** docs/conformance.md L: limits, overload, durability, start and end. */
const list = new CaseList();
export const lifecycleCases = list.cases;
const mib = 2 ** 20;
const queueBytes = 'rollcall_queue_bytes';

async function grpcCall(address: string, body: Uint8Array): Promise<Reply> {
  const connection = await GrpcConnection.open(address);
  return connection.call(framed(body)).finally(() => connection.close());
}

list.http('L1', 'senders that stop half-way do not hold up others', async (target) => {
  const stalled = ['POST /v1/tra', requestHead(5000), `${requestHead(5000)}abc`, ''].map((text) =>
    rawConnection(target.httpUrl, text),
  );
  await storing(target, 20, async () => {
    for (let n = 0; n < 20; n += 1) equal((await post(target, traces(1))).status, 200);
  });
  for (const { socket } of stalled) socket.destroy();
});

list.grpc('L1', 'nor do streams that stop half-way', async (target) => {
  const stalled = await GrpcConnection.open(target.grpcAddress);
  for (const bytes of [[], [0], [0, 0, 0, 19, 136], [0, 0, 0, 19, 136, 1, 2]]) {
    const stream = stalled.begin();
    stream.on('error', () => {});
    stream.write(Buffer.from(bytes));
  }
  await storing(target, 5, async () => {
    for (let n = 0; n < 5; n += 1) {
      equal((await grpcCall(target.grpcAddress, traces(1))).status, 0);
    }
  });
  await stalled.close();
});

list.http('L1', 'headers of 15 KiB pass', async (target) => {
  const answer = await post(target, traces(1), { headers: { x: 'x'.repeat(15 * 1024) } });
  equal(answer.status, 200);
});

list.inside('L1', 'headers beyond their bound are 431', async (target) => {
  const head = requestHead(1, `x: ${'x'.repeat(40_000)}\r\n`);
  matches(await rawConnection(target.httpUrl, head).closed(), /^HTTP\/1\.1 431 /);
});

list.http('L2', '100 requests at once', async (target) => {
  await storing(target, 700, async () => {
    const all = Array.from({ length: 100 }, () => post(target, traces(7)));
    for (const { status } of await Promise.all(all)) equal(status, 200);
  });
});

list.http('L2', 'small requests are answered while one of 16 MiB is taken', async (target) => {
  // The attribute is skipped by its length; the spans around it are what takes time.
  const spans = encodeSpans([serverSpan()]);
  const bytes = Math.min(target.bodyBytesMax, 16 * mib) * 0.9;
  const count = Math.floor(bytes / spans.length);
  const huge = Buffer.concat(Array.from({ length: count }, () => spans));
  let answered = false;
  const taken = post(target, huge).finally(() => {
    answered = true;
  });
  let small = 0;
  while (!answered) {
    equal((await post(target, traces(1))).status, 200, 'a small request');
    small += 1;
  }
  equal((await taken).status, 200, 'the large request');
  holds(small > 0, 'expected small requests to be answered meanwhile, got none');
});

list.inside('L3', 'beyond the budget 429 before the body is read', async (target) => {
  for (const more of ['', 'expect: 100-continue\r\n']) {
    await crowded(target, async () => {
      const { socket, answered } = rawConnection(target.httpUrl, requestHead(10 * mib, more));
      const said = await answered();
      socket.destroy();
      matches(said, /^HTTP\/1\.1 429 [\s\S]*retry-after: 1\r\n/i, more);
    });
  }
  await crowded(target, async () => {
    equal((await post(target, traces(1))).status, 200, 'a small request');
    const refused = await post(target, Buffer.alloc(10 * mib));
    equal([refused.status, statusOf(refused).code], [429, 8]);
  });
  equal((await post(target, Buffer.alloc(10 * mib))).status, 400, 'when there is room again');
});

list.inside('L3', 'over gRPC 14 by the length of the message alone', async (target) => {
  await crowded(target, async () => {
    const connection = await GrpcConnection.open(target.grpcAddress);
    const stream = connection.begin();
    const replied = reply(stream);
    stream.write(framed(Buffer.alloc(10 * mib)).subarray(0, 1000));
    equal((await replied).status, 14);
    await connection.close();
    equal((await grpcCall(target.grpcAddress, traces(1))).status, 0, 'a small request');
  });
});

/** Calls on their way over both transports. */
function sent(target: GrpcTarget, bodies: readonly Buffer[]): Promise<(number | undefined)[]> {
  return Promise.all(
    bodies.map(async (body, n) => {
      if (n % 2 === 0) return (await post(target, body)).status;
      return (await grpcCall(target.grpcAddress, body)).status === 0 ? 200 : undefined;
    }),
  );
}

for (const id of ['L4', 'L5'] as const) {
  const name =
    id === 'L4'
      ? 'what was answered 200 is there after kill -9'
      : 'sent again after kill -9 it counts once';
  list.inside(id, name, async () => {
    const folder = temporaryFolder();
    const path = `${folder.path}/rollcall.db`;
    const bodies = Array.from({ length: 20 }, () => traces(5));
    const first = await started(path);
    equal(new Set(await sent(first, bodies)), new Set([200]));
    await first.running.stop('SIGKILL');
    const second = await started(path);
    try {
      equal(new Set(await sent(second, bodies)), new Set([200]));
      equal(await counterOf(second.httpUrl, duplicateSpans), 100, 'calls found to be there');
      equal(await counterOf(second.httpUrl, storedSpans), 0, 'calls stored again');
    } finally {
      await second.running.stop();
      folder.remove();
    }
  });
}

/** A collector of the case's own, to be ended by it. */
async function started(storePath: string) {
  const running = await startCollectorProcess(storePath, { ROLLCALL_OTLP_GRPC_PORT: '0' });
  const grpcAddress = addressOf(running)!;
  return { httpUrl: running.url, grpcAddress, bodyBytesMax: 64 * mib, inside: undefined, running };
}

list.inside('L4', 'nothing is answered while the store cannot commit', async () => {
  const folder = temporaryFolder();
  const target = await started(`${folder.path}/rollcall.db`);
  const lock = await holdStore(`${folder.path}/rollcall.db`);
  const stream = await GrpcConnection.open(target.grpcAddress);
  const early = [post(target, traces(1)).then(({ status }) => status)];
  early.push(stream.call(framed(traces(1))).then(({ status }) => status!));
  const first = await Promise.race([...early, calm(300)]);
  lock.release();
  equal(first, 'nothing');
  equal(await Promise.all(early), [200, 0], 'after the store is free again');
  await stream.close();
  await target.running.stop();
  folder.remove();
});

function calm(ms: number): Promise<'nothing'> {
  return new Promise((resolve) => setTimeout(() => resolve('nothing'), ms));
}

list.inside('L5', 'a store that cannot commit is 503 or 14, then works again', async () => {
  const folder = temporaryFolder();
  const target = await started(`${folder.path}/rollcall.db`);
  // For longer than anyone waits.
  const lock = await holdStore(`${folder.path}/rollcall.db`);
  const body = traces(2);
  const refused = await post(target, body);
  equal([refused.status, refused.headers['retry-after']], [503, '1']);
  equal(statusOf(refused).code, 14);
  const replied = await grpcCall(target.grpcAddress, traces(2));
  equal(replied.status, 14);
  equal(retrySecondsOf(replied.trailers), { details: 1, trailer: 1 }, 'RetryInfo');
  const get = { method: 'GET', type: null };
  equal((await post(target, '', { ...get, path: '/readyz' })).status, 503, '/readyz');
  equal((await post(target, '', { ...get, path: '/healthz' })).status, 200, '/healthz');
  lock.release();
  equal((await post(target, body)).status, 200, 'when the store is free again');
  matches(target.running.output(), /senders are asked to try again[\s\S]*the store commits again/);
  await target.running.stop();
  folder.remove();
});

list.inside('L6', 'the body under way is taken, the next is 503, exit 0', async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/rollcall.db`;
  const target = await started(path);
  const { httpUrl, running } = target;
  const idle = rawConnection(httpUrl, requestHead(0));
  await idle.answered();
  const body = traces(4);
  const underWay = rawConnection(httpUrl, requestHead(body.length), body.subarray(0, 100));
  const late = rawConnection(httpUrl, requestHead(body.length).slice(0, 20));
  await waitFor('the body under way', async () => (await counterOf(httpUrl, queueBytes)) === 100);
  const ended = running.stop();
  await idle.closed();
  // From here on nobody new gets in.
  const turnedAway = await exchange(httpUrl, body).then(
    ({ status }) => status,
    () => 'no connection',
  );
  equal(turnedAway, 'no connection');
  late.socket.write(Buffer.concat([Buffer.from(requestHead(body.length).slice(20)), body]));
  matches(await late.answered(), /^HTTP\/1\.1 503 [\s\S]*retry-after: 1\r\n/i);
  underWay.socket.write(body.subarray(100));
  matches(await underWay.closed(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n/i);
  const { code, signal } = await ended;
  equal([code, signal], [0, null]);
  const again = await started(path);
  equal((await post(again, body)).status, 200);
  equal(await counterOf(again.httpUrl, duplicateSpans), 4, 'calls found to be there');
  await again.running.stop();
  folder.remove();
});

list.inside('L6', 'GOAWAY, the call under way is taken, exit 0', async () => {
  const folder = temporaryFolder();
  const target = await started(`${folder.path}/rollcall.db`);
  const connection = await GrpcConnection.open(target.grpcAddress);
  const body = framed(traces(4));
  const underWay = connection.begin();
  const replied = reply(underWay);
  underWay.write(body.subarray(0, 100));
  await waitFor(
    'the message under way',
    async () => (await counterOf(target.httpUrl, queueBytes)) > 0,
  );
  const goaway = new Promise<void>((resolve) => connection.session.once('goaway', () => resolve()));
  const ended = target.running.stop();
  await inTime(goaway, 'GOAWAY');
  underWay.end(body.subarray(100));
  equal((await replied).status, 0);
  const { code, signal } = await ended;
  equal([code, signal], [0, null]);
  await connection.close();
  const again = await started(`${folder.path}/rollcall.db`);
  equal((await grpcCall(again.grpcAddress, body.subarray(5))).status, 0);
  equal(await counterOf(again.httpUrl, duplicateSpans), 4, 'calls found to be there');
  await again.running.stop();
  folder.remove();
});

list.inside('L6', 'under load every acknowledged call is in the store, exit 0', async () => {
  const folder = temporaryFolder();
  const target = await started(`${folder.path}/rollcall.db`);
  const acknowledged: Buffer[] = [];
  const refused = new Set<string>();
  const senders = Array.from({ length: 8 }, async (_, n) => {
    for (;;) {
      const body = traces(50);
      try {
        const answer =
          n % 2 === 0
            ? `HTTP ${(await exchange(target.httpUrl, body)).status}`
            : `gRPC ${(await grpcCall(target.grpcAddress, body)).status}`;
        if (answer === 'HTTP 200' || answer === 'gRPC 0') acknowledged.push(body);
        else refused.add(answer);
      } catch {
        return;
      }
    }
  });
  await waitFor('calls under way', () => acknowledged.length > 50);
  equal((await target.running.stop()).code, 0, 'exit code');
  await Promise.all(senders);
  for (const answer of refused) among(answer, ['HTTP 503', 'gRPC 14']);
  const again = await started(`${folder.path}/rollcall.db`);
  for (const body of acknowledged) await post(again, body);
  equal(
    await counterOf(again.httpUrl, duplicateSpans),
    acknowledged.length * 50,
    'calls in the store',
  );
  await again.running.stop();
  folder.remove();
});

list.inside('L7', 'every span received is in exactly one counter', async (target) => {
  const names = [
    ...['stored', 'not_server', 'not_http'].map((name) => [name, '']),
    ['excluded', 'method'],
    ['duplicate', ''],
    ...['trace_id', 'span_id', 'time_zero', 'future', 'too_old'].map((why) => ['rejected', why]),
  ].map(([outcome, reason]) => `rollcall_spans_total{outcome="${outcome}",reason="${reason}"}`);
  const all = () => Promise.all(names.map((name) => target.inside.counter(name)));
  const before = await all();
  const since = async () => (await all()).map((count, at) => count - before[at]!);
  const body = encodeSpans([
    serverSpan(),
    serverSpan({ kind: 1 }),
    serverSpan({ kind: 3 }),
    serverSpan({ attributes: [] }),
    serverSpan({ attributes: [{ key: 'http.request.method', value: 'OPTIONS' }] }),
    serverSpan({ traceId: Buffer.alloc(3, 1) }),
    serverSpan({ spanId: Buffer.alloc(3, 1) }),
    serverSpan({ endTimeUnixNano: 0n }),
    serverSpan({ endTimeUnixNano: 10n ** 19n }),
    serverSpan({ startTimeUnixNano: 1n, endTimeUnixNano: 2n }),
  ]);
  await post(target, body);
  equal(await since(), [1, 2, 1, 1, 0, 1, 1, 1, 1, 1]);
  await grpcCall(target.grpcAddress, body);
  equal(await since(), [1, 4, 2, 2, 1, 2, 2, 2, 2, 2]);
});

list.inside('L7', 'requests by transport and outcome, and their bytes', async (target) => {
  const { counter } = target.inside;
  const request = (transport: string, code: string) =>
    counter(`rollcall_requests_total{transport="${transport}",code="${code}"}`);
  const all = async () => [
    await request('http', '200'),
    await request('http', '400'),
    await request('grpc', '0'),
    await request('grpc', '3'),
    await counter('rollcall_body_bytes_total'),
  ];
  const before = await all();
  const body = traces(2);
  await post(target, gzipSync(body), { headers: { 'content-encoding': 'gzip' } });
  await post(target, gzipSync(body));
  await grpcCall(target.grpcAddress, body);
  await grpcCall(target.grpcAddress, Buffer.from([0xff]));
  const [ok, bad, grpcOk, grpcBad, bytes] = (await all()).map((count, n) => count - before[n]!);
  equal([ok, bad, grpcOk, grpcBad], [1, 1, 1, 1]);
  atLeast(bytes!, 2 * body.length, 'bytes after decompression');
});

list.inside('L7', 'health, readiness and metrics on the HTTP port', async (target) => {
  const get = { method: 'GET', type: null };
  for (const [path, text] of [
    ['/healthz', 'ok'],
    ['/readyz', 'ready'],
  ] as const) {
    const answer = await post(target, '', { ...get, path });
    equal([answer.status, answer.body.toString()], [200, text]);
    equal((await post(target, '', { path })).status, 405, `POST ${path}`);
  }
  const { body, headers } = await post(target, '', { ...get, path: '/metrics' });
  matches(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  for (const name of [
    'rollcall_commit_seconds_count',
    'rollcall_queue_bytes',
    'process_resident_memory_bytes',
  ]) {
    matches(body.toString(), new RegExp(`\n${name} `));
  }
});
