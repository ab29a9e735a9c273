import { Agent, request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import { variables } from '../../../core/config/variables.ts';
import { framed } from '../../labs/load/grpc-call.ts';
import { jsonTraces, jsonType, protobufType, traces } from '../../support/export-request.ts';
import { runToEnd, temporaryFolder } from '../../support/process.ts';
import { CaseList } from '../case.ts';
import { atLeast, Difference, equal, inTime, matches } from '../check.ts';
import { partialOf, statusOf } from '../export-answer.ts';
import { GrpcConnection } from '../grpc-client.ts';
import { storing } from '../own-target.ts';
import { post } from '../post.ts';
import { rawConnection, requestHead } from '../raw-connection.ts';

/** docs/conformance.md H: transport, paths, methods. */
const list = new CaseList();
export const transportCases = list.cases;

list.http('H1', 'OTLP over HTTP listens', async (target) => {
  equal((await storing(target, 1, () => post(target, traces(1)))).status, 200);
});

list.grpc('H1', 'OTLP over gRPC listens', async (target) => {
  const connection = await GrpcConnection.open(target.grpcAddress);
  const replied = await storing(target, 1, () => connection.call(framed(traces(1))));
  await connection.close();
  equal(replied.status, 0);
});

list.inside('H1', 'on 4318, 4317 and 127.0.0.1 unless told', async ({ httpUrl, grpcAddress }) => {
  equal(variables.ROLLCALL_OTLP_HTTP_PORT.fallback, '4318');
  equal(variables.ROLLCALL_OTLP_GRPC_PORT.fallback, '4317');
  equal(new URL(httpUrl).hostname, '127.0.0.1');
  equal(new URL(`http://${grpcAddress}`).hostname, '127.0.0.1');
});

list.inside('H1', 'a port in use ends the start with one clear line', async (target) => {
  const folder = temporaryFolder();
  const free = {
    ROLLCALL_STORE: `sqlite:${folder.path}/other.db`,
    ROLLCALL_OTLP_HTTP_PORT: '0',
    ROLLCALL_OTLP_GRPC_PORT: '0',
  };
  const used = {
    ROLLCALL_OTLP_HTTP_PORT: new URL(target.httpUrl).port,
    ROLLCALL_OTLP_GRPC_PORT: new URL(`http://${target.grpcAddress}`).port,
  };
  for (const [name, port] of Object.entries(used)) {
    const { code, output } = await runToEnd('collector/main.ts', { ...free, [name]: port });
    equal(code, 1, name);
    equal(output.trim().split('\n').length, 1, `lines said about ${name}`);
    matches(output, new RegExp(`127.0.0.1:${port} .*in use`));
  }
  folder.remove();
});

list.http('H2', 'protobuf and JSON on one path', async (target) => {
  const [protobuf, json] = await storing(target, 5, async () => [
    await post(target, traces(2)),
    await post(target, jsonTraces(3), { type: jsonType }),
  ]);
  equal([protobuf!.status, protobuf!.headers['content-type']], [200, protobufType]);
  equal([json!.status, json!.headers['content-type']], [200, jsonType]);
});

for (const [type, as] of [
  ['APPLICATION/JSON', jsonType],
  ['application/json; charset=utf-8', jsonType],
  ['Application/X-Protobuf;v=1', protobufType],
] as const) {
  list.http('H3', `"${type}"`, async (target) => {
    const body = as === jsonType ? jsonTraces(1) : traces(1);
    const answer = await storing(target, 1, () => post(target, body, { type }));
    equal([answer.status, answer.headers['content-type']], [200, as]);
  });
}

for (const type of [null, 'text/plain', 'application/xml', 'application/jsonx', '']) {
  list.http('H4', type === null ? 'no Content-Type' : `Content-Type "${type}"`, async (target) => {
    const answer = await storing(target, 0, () => post(target, traces(1), { type }));
    equal([answer.status, answer.headers['content-type']], [415, 'text/plain']);
    equal(
      answer.body.toString(),
      '415 unsupported media type, supported: [application/json, application/x-protobuf]',
    );
  });
}

list.http('H4', 'application/protobuf is tolerated (ours)', async (target) => {
  const answer = await post(target, traces(1), { type: 'application/protobuf' });
  equal([answer.status, answer.headers['content-type']], [200, protobufType]);
});

for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS']) {
  list.http('H5', `${method} is 405`, async (target) => {
    const answer = await post(target, '', { method });
    equal(answer.status, 405);
    matches(answer.headers['content-type'], /^text\/plain/);
  });
}

list.http('H5', 'with Allow: POST (ours)', async (target) => {
  for (const path of ['/v1/traces', '/v1/logs', '/']) {
    equal((await post(target, '', { method: 'PUT', path })).headers.allow, 'POST', path);
  }
});

for (const path of ['/v1/trace', '/v2/traces', '/v1/traces/x', '/api/v2/spans']) {
  list.http('H6', `${path} is 404`, async (target) => {
    equal((await storing(target, 0, () => post(target, traces(1), { path }))).status, 404);
    equal((await post(target, '', { path, method: 'GET', type: null })).status, 404);
  });
}

list.http('H6', 'the 404 names the path to use (ours)', async (target) => {
  const answer = await post(target, traces(1), { path: '/v2/traces' });
  equal([answer.status, answer.headers['content-type']], [404, protobufType]);
  equal(statusOf(answer).code, 12);
  matches(statusOf(answer).message, /\/v1\/traces/);
});

/** A protobuf message field. */
function message(number: number, ...content: Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

/** A gauge of two points and a histogram of one, two log records, a profile. */
const gauge = message(2, message(5, message(1), message(1)));
const histogram = message(2, message(9, message(1)));
const unstored: [string, Buffer | string, string, string][] = [
  ['/v1/metrics', message(1, message(2, gauge, histogram)), protobufType, '3'],
  [
    '/v1/metrics/',
    JSON.stringify({
      resourceMetrics: [
        { scopeMetrics: [{ metrics: [{ gauge: { dataPoints: [{}] } }] }] },
        { scope_metrics: [{ metrics: [{ sum: { dataPoints: [{}, {}] } }, { name: 'empty' }] }] },
      ],
    }),
    jsonType,
    '3',
  ],
  [
    '/v1/logs',
    JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{}, {}] }] }] }),
    jsonType,
    '2',
  ],
  ['/v1development/profiles', message(1, message(2, message(2))), protobufType, '1'],
];

for (const [path, body, type, rejected] of unstored) {
  list.http('H7', `${path} is 200 (ours)`, async (target) => {
    const answer = await post(target, body, { path, type });
    equal([answer.status, answer.headers['content-type']], [200, type]);
    const partial = partialOf(answer);
    // Said once an hour and client; whoever asked before has had it.
    if (partial !== undefined) {
      equal(partial.rejected, rejected);
      matches(partial.errorMessage, /not store/);
    }
    const garbage = '{"resourceLogs":7,"resourceMetrics":7,"x"';
    equal((await post(target, garbage, { path, type })).status, 400, 'garbage');
  });
}

list.inside('H7', 'what is not stored is said once an hour', async (target) => {
  for (const path of ['/v1/metrics', '/v1/logs', '/v1development/profiles']) {
    await post(target, '{}', { path, type: jsonType });
    const again = await post(target, '{}', { path, type: jsonType });
    equal(again.body.toString(), '{}', path);
  }
});

for (const path of ['/', '/v1/traces/']) {
  list.http('H8', `POST ${path} takes traces (ours)`, async (target) => {
    equal((await storing(target, 1, () => post(target, traces(1), { path }))).status, 200);
  });
}

list.http('H9', 'HTTP/1.1, and 1.0', async (target) => {
  const body = traces(1);
  const head = requestHead(body.length).replace('HTTP/1.1', 'HTTP/1.0');
  const said = await storing(target, 1, () => rawConnection(target.httpUrl, head, body).closed());
  matches(said, /^HTTP\/1\.[01] 200 OK\r\n/);
});

list.http('H10', 'HTTP/2 on the HTTP port is answered or served at once', async ({ httpUrl }) => {
  const client = connectHttp2(httpUrl);
  const ended = new Promise<'closed' | 'served'>((resolve) => {
    client.on('error', () => {});
    client.on('close', () => resolve('closed'));
    client.on('remoteSettings', () => resolve('served'));
  });
  const what = await inTime(ended, 'HTTP/2, or the end of the connection', 5_000);
  client.destroy();
  if (what === 'served') return;
  const { said, closed } = rawConnection(httpUrl, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await closed();
  matches(said(), /^HTTP\/1\.1 (400|505) /);
});

list.inside('H10', 'and told where gRPC is', async ({ httpUrl }) => {
  matches(
    await rawConnection(httpUrl, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').closed(),
    /^HTTP\/1\.1 505 [\s\S]*4317/,
  );
});

list.grpc('H10', 'HTTP/1.1 on the gRPC port gets a short answer (ours)', async (target) => {
  const body = traces(1);
  const connection = rawConnection(target.grpcAddress, requestHead(body.length), body);
  const said = await connection.closed().finally(() => connection.socket.destroy());
  matches(said, /^HTTP\/1\.1 (400|505) [\s\S]*4318/);
});

list.http('H11', 'a connection idle for 6 s takes the next request', async (target) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number>();
  try {
    for (const idleMs of [0, 6000, 0]) {
      await delay(idleMs);
      equal(await postOn(agent, target.httpUrl, ports), 200);
    }
    equal(ports.size, 1, 'connections');
  } finally {
    agent.destroy();
  }
});

/** @returns the status; the local ports used are added to `ports` */
function postOn(agent: Agent, httpUrl: string, ports: Set<number>): Promise<number> {
  const headers = { 'content-type': protobufType };
  return new Promise((resolve, reject) => {
    const sent = request(`${httpUrl}/v1/traces`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode!));
    });
    sent.on('socket', (socket) => {
      if (socket.connecting) socket.once('connect', () => ports.add(socket.localPort!));
    });
    sent.on('error', (error) => reject(new Difference(`the request failed: ${error.message}`)));
    sent.end(traces(1));
  });
}

list.inside(
  'H11',
  'it is kept for 95 s or more, longer than the Go client idles',
  async (target) => {
    const body = traces(1);
    const { socket, answered } = rawConnection(target.httpUrl, requestHead(body.length), body);
    const said = await answered();
    socket.destroy();
    atLeast(Number(/keep-alive: timeout=(\d+)/i.exec(said)?.[1]), 95);
  },
);

list.http('H12', 'a chunked body without Content-Length', async (target) => {
  const answer = await storing(target, 2, () => post(target, traces(2), { chunked: true }));
  equal(answer.status, 200);
});

list.http('H12', 'Expect: 100-continue', async (target) => {
  const body = traces(1);
  const head = requestHead(body.length, 'expect: 100-continue\r\nconnection: close\r\n');
  const said = await storing(target, 1, () => rawConnection(target.httpUrl, head, body).closed());
  matches(said, /^HTTP\/1\.1 (100 Continue\r\n\r\nHTTP\/1\.1 )?200 OK\r\n/);
});

for (const form of ['http://example.com:4318/v1/traces?x=1', '/v1/traces?a=b']) {
  list.http('H12', `request target ${form}`, async (target) => {
    const body = traces(1);
    const head = requestHead(body.length, 'connection: close\r\n', form);
    const said = await storing(target, 1, () => rawConnection(target.httpUrl, head, body).closed());
    matches(said, /^HTTP\/1\.1 200 OK\r\n/);
  });
}

list.http('H12', 'one byte of the head at a time, the body in pieces', async (target) => {
  const body = traces(1);
  const { socket, answered } = rawConnection(target.httpUrl);
  const said = await storing(target, 1, async () => {
    for (const byte of requestHead(body.length)) {
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
    return answered();
  });
  socket.destroy();
  matches(said, /^HTTP\/1\.1 200 OK/);
});
