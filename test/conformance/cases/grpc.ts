import { gzipSync } from 'node:zlib';
import { framed } from '../../labs/load/grpc-call.ts';
import { encodeSpans, serverSpan, traces } from '../../support/export-request.ts';
import { startCollectorProcess, temporaryFolder } from '../../support/process.ts';
import { CaseList } from '../case.ts';
import { among, atLeast, equal, holds, inTime, matches, waitFor } from '../check.ts';
import { crowded } from '../crowd.ts';
import { detailsOf, retrySecondsOf } from '../export-answer.ts';
import {
  type CallOptions,
  GrpcConnection,
  logsExport,
  messageOf,
  metricsExport,
  partialSuccessOf,
  type Reply,
  reply,
} from '../grpc-client.ts';
import { addressOf, storing } from '../own-target.ts';
import { holdStore } from '../store-lock.ts';
import type { GrpcTarget } from '../target.ts';

/** docs/conformance.md G: gRPC, frame by frame. */
const list = new CaseList();
export const grpcCases = list.cases;
const mib = 2 ** 20;
const gzip = { 'grpc-encoding': 'gzip' };

/** One call on a connection of its own. */
async function called(
  target: GrpcTarget,
  bytes: Uint8Array,
  options?: CallOptions,
): Promise<Reply> {
  const connection = await GrpcConnection.open(target.grpcAddress);
  try {
    return await connection.call(bytes, options);
  } finally {
    await connection.close();
  }
}

/** A call that stores so many calls and is OK. */
async function taken(
  target: GrpcTarget,
  calls: number,
  bytes: Uint8Array,
  options?: CallOptions,
): Promise<void> {
  const replied = await storing(target, calls, () => called(target, bytes, options));
  equal([replied.httpStatus, replied.status], [200, 0], replied.message);
}

async function refused(
  target: GrpcTarget,
  statuses: number[],
  bytes: Uint8Array,
  options?: CallOptions,
): Promise<Reply> {
  const replied = await storing(target, 0, () => called(target, bytes, options));
  among(replied.status, statuses, 'grpc-status');
  equal(replied.httpStatus, 200);
  return replied;
}

for (const type of ['application/grpc', 'application/grpc+proto']) {
  list.grpc('G1', `Export as ${type}`, (target) => taken(target, 3, framed(traces(3)), { type }));
}

for (const path of [
  '/opentelemetry.proto.collector.trace.v1.TraceService/Import',
  '/opentelemetry.proto.collector.trace.v2.TraceService/Export',
  '/nothing',
]) {
  list.grpc('G1', `${path} is 12`, async (target) => {
    await refused(target, [12], framed(traces(1)), { path });
  });
}

for (const type of ['application/json', 'application/x-protobuf', null]) {
  list.grpc('G1', `${type ?? 'no Content-Type'} is HTTP 415`, async (target) => {
    equal((await called(target, framed(traces(1)), { type })).httpStatus, 415);
  });
}

for (const [signal, path] of [
  ['metrics', metricsExport],
  ['logs', logsExport],
] as const) {
  list.grpc('G1', `${signal} are OK (ours, as H7)`, async (target) => {
    await taken(target, 0, framed(Buffer.alloc(0)), { path });
  });
}

list.grpc('G2', 'gzip', (target) =>
  taken(target, 3, framed(gzipSync(traces(3)), 1), { headers: gzip }),
);

list.grpc('G2', 'identity, and a message that is not compressed below gzip', async (target) => {
  await taken(target, 1, framed(traces(1)), { headers: { 'grpc-encoding': 'identity' } });
  await taken(target, 1, framed(traces(1)), { headers: gzip });
});

list.grpc('G2', 'an unknown coding is 12, and the known ones are named', async (target) => {
  const headers = { 'grpc-encoding': 'nonsense' };
  const replied = await refused(target, [12], framed(traces(1), 1), { headers });
  const accepted = { ...replied.headers, ...replied.trailers }['grpc-accept-encoding'];
  matches(String(accepted), /\bgzip\b/, 'grpc-accept-encoding');
});

list.grpc('G2', 'compressed, and no coding: 13', async (target) => {
  await refused(target, [13], framed(gzipSync(traces(1)), 1));
});

list.grpc('G2', 'a message in DATA frames of 7 bytes', (target) =>
  taken(target, 1, framed(traces(1)), { pieceBytes: 7 }),
);

list.grpc('G2', 'a message that ends too early, and none at all', async (target) => {
  const failures = [2, 3, 12, 13];
  await refused(target, failures, framed(traces(1)).subarray(0, -1));
  await refused(target, failures, framed(traces(1)).subarray(0, 3));
  await refused(target, failures, Buffer.alloc(0));
});

list.grpc('G2', 'many messages on one connection', async (target) => {
  const connection = await GrpcConnection.open(target.grpcAddress);
  await storing(target, 20, async () => {
    for (let n = 0; n < 20; n += 1) equal((await connection.call(framed(traces(1)))).status, 0);
  });
  await connection.close();
});

list.grpc('G3', 'OK has a message, then trailers', async (target) => {
  const replied = await called(target, framed(traces(1)));
  matches(String(replied.headers['content-type']), /^application\/grpc(\+proto)?$/);
  equal(replied.trailersOnly, false, 'trailers only');
  equal(replied.headers['grpc-status'], undefined, 'grpc-status in the headers');
  equal(replied.trailers['grpc-status'], '0');
  equal(replied.data.length, 5 + messageOf(replied).length, 'bytes of the reply');
});

list.inside('G3', 'the message is five zero bytes when all was taken', async (target) => {
  equal((await called(target, framed(traces(1)))).data, Buffer.alloc(5));
});

list.grpc('G3', 'an error has no message', async (target) => {
  for (const replied of [
    await called(target, framed(Buffer.from([0xff]))),
    await called(target, framed(traces(1)), { path: '/nothing' }),
  ]) {
    holds(replied.status !== undefined && replied.status > 0, 'expected an error, got none');
    equal(replied.data.length, 0, 'bytes of the reply');
  }
});

list.grpc('G4', 'the message is printable ASCII', async (target) => {
  const { trailers } = await refused(target, [3, 13], framed(Buffer.from([0xff])));
  matches(String(trailers['grpc-message']), /^[\x20-\x7e]+$/);
});

list.grpc('G4', 'details, where there are any, are a Status of the same code', async (target) => {
  const replied = await refused(target, [3, 13], framed(Buffer.from([0xff])));
  const details = detailsOf(replied.trailers);
  if (details === undefined) return;
  equal(details.code, replied.status);
  equal(details.message, replied.message);
});

list.inside('G4', 'bad data is told in details too, in base64 without padding', async (target) => {
  const replied = await refused(target, [3], framed(Buffer.from([0xff])));
  matches(String(replied.trailers['grpc-status-details-bin']), /^[\w+/]+$/);
  matches(detailsOf(replied.trailers)?.details?.[0]?.typeUrl, /google\.rpc\.BadRequest$/);
  equal(retrySecondsOf(replied.trailers), { details: undefined, trailer: undefined }, 'RetryInfo');
});

/** An empty request of exactly so many bytes: an unknown field. */
function sized(bytes: number): Buffer {
  const body = Buffer.alloc(bytes);
  let rest = bytes - 6;
  body[0] = 0x3a;
  for (let at = 1; at < 6; at += 1) {
    body[at] = at < 5 ? (rest & 127) | 128 : rest;
    rest >>>= 7;
  }
  return body;
}

list.grpc(
  'G5',
  'exactly the limit passes',
  (target) => taken(target, 0, framed(sized(target.bodyBytesMax))),
  'small',
);

list.grpc(
  'G5',
  'one byte more is 8 without RetryInfo, plain and packed; so is a bomb',
  async (target) => {
    const most = target.bodyBytesMax;
    const messages: [string, Buffer, CallOptions][] = [
      ['plain', framed(sized(most + 1)), {}],
      ['packed', framed(gzipSync(sized(most + 1)), 1), { headers: gzip }],
      ['a bomb', framed(gzipSync(Buffer.alloc(4 * most)), 1), { headers: gzip }],
    ];
    for (const [what, bytes, options] of messages) {
      const replied = await storing(target, 0, () => called(target, bytes, options));
      equal(replied.status, 8, what);
      equal(retrySecondsOf(replied.trailers), { details: undefined, trailer: undefined }, what);
    }
  },
  'small',
);

list.inside('G5', 'the limit is 64 MiB unless told; 50,000 spans pass', async (target) => {
  await taken(target, 50_000, framed(traces(50_000)));
  await taken(target, 0, framed(sized(64 * mib)));
  await refused(target, [8], framed(sized(64 * mib + 1)));
});

list.inside('G6', 'overload is 14 with 1 to 5 s in details and in the trailer', async (target) => {
  const replied = await crowded(target, () => called(target, framed(sized(10 * mib))));
  equal(replied.status, 14);
  for (const [where, delayS] of Object.entries(retrySecondsOf(replied.trailers))) {
    holds(delayS !== undefined && delayS >= 1 && delayS <= 5, `${where}: got ${delayS} s`);
  }
});

for (const [what, body] of [
  ['garbage', Buffer.from('GET / HTTP/1.1')],
  ['a message cut short', traces(5).subarray(0, -1)],
  ['a length beyond the end', Buffer.from('0affffffff0f', 'hex')],
] as const) {
  list.grpc('G7', `${what} is 3`, async (target) => {
    await refused(target, [3], framed(body));
  });
}

list.grpc('G7', 'what is no gzip, or cut short, is no error to be repeated', async (target) => {
  const packed = gzipSync(traces(3));
  for (const body of [traces(1), packed.subarray(0, -1), Buffer.alloc(0)]) {
    await refused(target, [3, 13], framed(body, 1), { headers: gzip });
  }
});

list.grpc(
  'G8',
  'spans that were not taken are told in an OK reply (ours, as P4)',
  async (target) => {
    const bad = serverSpan({ traceId: Buffer.alloc(15, 1) });
    const body = framed(encodeSpans([serverSpan(), bad]));
    const replied = await storing(target, 1, () => called(target, body));
    equal(replied.status, 0);
    const partial = partialSuccessOf(replied);
    equal(partial?.rejected, 1);
    matches(partial?.errorMessage, /16 bytes/);
  },
);

list.grpc('G9', 'a call with a generous grpc-timeout is taken', (target) =>
  taken(target, 1, framed(traces(1)), { headers: { 'grpc-timeout': '30S' } }),
);

list.inside('G9', 'work that is not durable in time is given up: 4', async (target) => {
  const lock = await holdStore(target.inside.storePath);
  const replied = await called(target, framed(traces(1)), {
    headers: { 'grpc-timeout': '200m' },
  }).finally(() => lock.release());
  equal(replied.status, 4);
});

list.grpc('G9', 'streams that are cancelled anywhere harm no other', async (target) => {
  const connection = await GrpcConnection.open(target.grpcAddress);
  const body = framed(traces(50));
  for (const end of [0, 3, 5, 1000, body.length]) {
    const stream = connection.begin();
    stream.on('error', () => {});
    const closed = new Promise((resolve) => stream.once('close', resolve));
    await new Promise((resolve) => stream.write(body.subarray(0, end), resolve));
    stream.close(8);
    await inTime(closed, 'the end of the stream');
  }
  equal((await connection.call(framed(traces(1)))).status, 0);
  await connection.close();
});

list.grpc('G10', '100 streams at once, finished in the opposite order', async (target) => {
  const connection = await GrpcConnection.open(target.grpcAddress);
  const { maxConcurrentStreams = 2 ** 32 - 1 } = connection.session.remoteSettings;
  atLeast(maxConcurrentStreams, 100, 'MAX_CONCURRENT_STREAMS');
  await storing(target, 200, async () => {
    const bodies = Array.from({ length: 100 }, () => framed(traces(2)));
    const streams = bodies.map((body) => {
      const stream = connection.begin();
      stream.write(body.subarray(0, 50));
      return { stream, replied: reply(stream), body };
    });
    for (const { stream, body } of streams.toReversed()) stream.end(body.subarray(50));
    for (const { replied } of streams) equal((await replied).status, 0);
  });
  await connection.close();
});

list.grpc('G10', 'windows of at least 1 MiB (ours)', async (target) => {
  const connection = await GrpcConnection.open(target.grpcAddress);
  await connection.call(framed(traces(1)));
  const { remoteSettings, state } = connection.session;
  await connection.close();
  atLeast(remoteSettings.initialWindowSize ?? 65_535, mib, 'window of a stream');
  atLeast(state.remoteWindowSize ?? 0, mib, 'window of the connection');
});

list.grpc('G11', 'PINGs are answered, 100 of them without a call between', async (target) => {
  const connection = await GrpcConnection.open(target.grpcAddress);
  for (let n = 0; n < 100; n += 1) {
    const answered = new Promise<void>((resolve, reject) => {
      const sent = connection.session.ping((error) => (error ? reject(error) : resolve()));
      holds(sent, `PING ${n} could not be sent`);
    });
    await inTime(answered, `an answer to PING ${n}`);
  }
  equal((await connection.call(framed(traces(1)))).status, 0);
  await connection.close();
});

list.grpc('G11', 'a connection idle for 6 s takes the next call', async (target) => {
  const connection = await GrpcConnection.open(target.grpcAddress);
  equal((await connection.call(framed(traces(1)))).status, 0);
  await new Promise((resolve) => setTimeout(resolve, 6000));
  equal((await connection.call(framed(traces(1)))).status, 0);
  await connection.close();
});

list.inside('G11', 'a connection of the greatest age gets GOAWAY and drains', async () => {
  const folder = temporaryFolder();
  const running = await startCollectorProcess(`${folder.path}/rollcall.db`, {
    ROLLCALL_OTLP_GRPC_PORT: '0',
    ROLLCALL_GRPC_CONNECTION_AGE: '1s',
  });
  const connection = await GrpcConnection.open(addressOf(running));
  const goaway = new Promise<void>((resolve) => connection.session.once('goaway', () => resolve()));
  const body = framed(traces(1));
  const stream = connection.begin();
  const replied = reply(stream);
  stream.write(body.subarray(0, 50));
  await inTime(goaway, 'GOAWAY');
  stream.end(body.subarray(50));
  equal((await replied).status, 0, 'the call under way');
  await waitFor('the end of the connection', () => connection.session.destroyed);
  const next = await GrpcConnection.open(addressOf(running));
  equal((await next.call(framed(traces(1)))).status, 0, 'on the next connection');
  await next.close();
  await running.stop();
  folder.remove();
});

list.inside(
  'G1',
  'over TLS with ALPN h2',
  async ({ grpcAddress, inside }) => {
    const connection = await GrpcConnection.open(grpcAddress, { ca: inside.authority.cert });
    const replied = await connection.call(framed(traces(1))).finally(() => connection.close());
    equal([connection.session.alpnProtocol, replied.status], ['h2', 0]);
  },
  'tls',
);

list.inside(
  'G12',
  'keys in metadata: good, none, wrong, of another scope',
  async (target) => {
    const { ingest, read } = target.inside.keys;
    const bodies: [Record<string, string>, number][] = [
      [{ authorization: `Bearer ${ingest}` }, 0],
      [{ 'x-api-key': ingest }, 0],
      [{}, 16],
      [{ authorization: 'Bearer rck_nothing' }, 16],
      [{ 'x-api-key': read }, 7],
    ];
    for (const [headers, code] of bodies) {
      const calls = code === 0 ? 1 : 0;
      const call = () => called(target, framed(traces(1)), { headers });
      equal((await storing(target, calls, call)).status, code);
    }
    const health = await called(target, framed(Buffer.alloc(0)), { path: healthCheck });
    equal(health.status, 0, 'the health service asks for no key');
  },
  'keys',
);

const healthCheck = '/grpc.health.v1.Health/Check';

list.grpc('G12', 'the health service says SERVING (ours)', async (target) => {
  const replied = await called(target, framed(Buffer.alloc(0)), { path: healthCheck });
  equal([replied.status, messageOf(replied)], [0, Buffer.from([0x08, 0x01])]);
});

list.grpc('G13', '50 connections at once, twice', async (target) => {
  await storing(target, 100, async () => {
    for (let burst = 0; burst < 2; burst += 1) {
      const replies = await Promise.all(
        Array.from({ length: 50 }, () => called(target, framed(traces(1)))),
      );
      for (const { status } of replies) equal(status, 0);
    }
  });
});
