import { writeFileSync } from 'node:fs';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { framed } from '../../labs/load/grpc-call.ts';
import { authority, writePair } from '../../support/certificates.ts';
import { jsonTraces, jsonType, protobufType, traces } from '../../support/export-request.ts';
import { runToEnd, startCollectorProcess, temporaryFolder } from '../../support/process.ts';
import { http1Client, http2Client, type SecureClient } from '../../support/secure-client.ts';
import { CaseList } from '../case.ts';
import { among, equal, holds, inTime, matches, waitFor } from '../check.ts';
import type { Answer } from '../exchange.ts';
import { statusOf } from '../export-answer.ts';
import { GrpcConnection, type Reply } from '../grpc-client.ts';
import { storing } from '../own-target.ts';
import { post } from '../post.ts';
import { rawConnection, requestHead } from '../raw-connection.ts';
import type { OwnTarget, Target } from '../target.ts';

/** docs/conformance.md A, and what other sections ask of TLS and keys. */
const list = new CaseList();
export const accessCases = list.cases;
const body = () => ({ headers: { 'content-type': protobufType }, body: traces(1) });

async function closing<T>(client: SecureClient, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } finally {
    client.close();
  }
}

list.inside(
  'A1',
  'OTLP over HTTPS in HTTP/1.1 and HTTP/2',
  async ({ httpUrl, inside }) => {
    const tls = { ca: inside.authority.cert };
    matches(httpUrl, /^https:/);
    for (const client of [http1Client(httpUrl, tls), await http2Client(httpUrl, tls)]) {
      equal((await closing(client, () => client.send('/v1/traces', body()))).status, 200);
    }
  },
  'tls',
);

/** A finished handshake, or the reason why there is none. */
function handshake(address: string, options: ConnectionOptions): Promise<TLSSocket | string> {
  const { hostname, port } = new URL(address);
  const done = new Promise<TLSSocket | string>((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), ...options }, () => {
      socket.destroy();
      resolve(socket);
    });
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve('closed'));
  });
  return inTime(done, 'a handshake');
}

list.inside(
  'A1',
  'TLS 1.2 and 1.3, not 1.1, on both ports',
  async ({ httpUrl, grpcAddress, inside }) => {
    const ca = inside.authority.cert;
    // OpenSSL itself speaks nothing so old unless it is made to.
    const ciphers = 'DEFAULT@SECLEVEL=0';
    for (const address of [httpUrl, `https://${grpcAddress}`]) {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const done = await handshake(address, { ca, minVersion: version, maxVersion: version });
        holds(typeof done !== 'string', `${version}: ${done}`);
      }
      const old = { ca, ciphers, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } as const;
      matches(String(await handshake(address, old)), /version|alert|handshake/i);
    }
  },
  'tls',
);

list.inside(
  'A1',
  'ALPN offers h2 and http/1.1, and gRPC works on it',
  async ({ httpUrl, grpcAddress, inside }) => {
    const ca = inside.authority.cert;
    for (const [address, protocol] of [
      [httpUrl, 'http/1.1'],
      [httpUrl, 'h2'],
      [`https://${grpcAddress}`, 'h2'],
    ] as const) {
      const done = await handshake(address, { ca, ALPNProtocols: [protocol] });
      equal(typeof done === 'string' ? done : done.alpnProtocol, protocol);
    }
    const connection = await GrpcConnection.open(grpcAddress, { ca });
    const replied = await connection.call(framed(traces(1)));
    await connection.close();
    equal(replied.status, 0);
  },
  'tls',
);

list.inside(
  'A1',
  'a certificate that changed is used for the next connection',
  async ({ httpUrl, inside }) => {
    const tls = { ca: inside.authority.cert };
    const served = async () => {
      const client = http1Client(httpUrl, tls);
      return closing(client, async () => {
        await client.send('/v1/traces', body());
        return client.serverName();
      });
    };
    const before = await served();
    inside.issue('renewed');
    await waitFor(`another certificate than ${before}`, async () => (await served()) === 'renewed');
  },
  'tls',
);

list.inside('A1', 'with a client CA only its clients get in, on both ports', async () => {
  const folder = temporaryFolder();
  const ca = authority('Ours');
  const caPath = `${folder.path}/ca`;
  writeFileSync(caPath, ca.cert);
  const running = await startCollectorProcess(`${folder.path}/rollcall.db`, {
    ROLLCALL_OTLP_GRPC_PORT: '0',
    ...writePair(`${folder.path}/tls`, ca.issue('server')),
    ROLLCALL_TLS_CLIENT_CA: caPath,
  });
  const clients = [
    { who: 'a client of ours', tls: ca.issue('client'), getsIn: true },
    { who: 'a client of another CA', tls: authority('Theirs').issue('client'), getsIn: false },
    { who: 'a client without certificate', tls: {}, getsIn: false },
  ];
  try {
    for (const { who, tls, getsIn } of clients) {
      const options = { ca: ca.cert, ...tls };
      const client = http1Client(running.url, options);
      const overHttp = await closing(client, () => client.send('/v1/traces', body())).then(
        ({ status }) => status,
        () => 'no connection',
      );
      equal(overHttp, getsIn ? 200 : 'no connection', who);
      equal(await overGrpc(new URL(running.grpcUrl).host, options), getsIn ? 0 : 'none', who);
    }
  } finally {
    await running.stop();
    folder.remove();
  }
});

async function overGrpc(address: string, tls: ConnectionOptions): Promise<number | 'none'> {
  try {
    const connection = await GrpcConnection.open(address, tls);
    const { status } = await connection.call(framed(traces(1))).finally(() => connection.close());
    return status ?? 'none';
  } catch {
    return 'none';
  }
}

list.inside('A1', 'files that are no certificate fail the start with one clear line', async () => {
  const folder = temporaryFolder();
  const bad = `${folder.path}/bad.pem`;
  writeFileSync(bad, 'nothing of the kind');
  for (const [cert, key] of [
    [bad, bad],
    [`${folder.path}/none.crt`, `${folder.path}/none.key`],
  ]) {
    const { code, output } = await runToEnd('collector/main.ts', {
      ROLLCALL_STORE: `sqlite:${folder.path}/rollcall.db`,
      ROLLCALL_OTLP_HTTP_PORT: '0',
      ROLLCALL_OTLP_GRPC_PORT: '0',
      ROLLCALL_TLS_CERT: cert!,
      ROLLCALL_TLS_KEY: key!,
    });
    equal(code, 1);
    equal(output.trim().split('\n').length, 1, 'lines');
    matches(output, /ROLLCALL_TLS_CERT=/);
  }
  folder.remove();
});

/** Headers that bring a key. */
function bringing(key: string): Record<string, Record<string, string>> {
  return {
    Bearer: { authorization: `Bearer ${key}` },
    'bearer, percent-encoded': { authorization: `bearer%20${key}` },
    'x-api-key': { 'x-api-key': key },
  };
}

list.inside(
  'A2',
  'a good key is taken, however it is sent',
  async (target) => {
    for (const [how, headers] of Object.entries(bringing(target.inside.keys.ingest))) {
      const answer = await storing(target, 1, () => post(target, traces(1), { headers }));
      equal(answer.status, 200, how);
    }
  },
  'keys',
);

/** What is answered to no key, to a wrong one, to one of another scope. */
function unknownVariables(target: OwnTarget): [string, Record<string, string>, number, number][] {
  const { read, ingest } = target.inside.keys;
  return [
    ['no key', {}, 401, 16],
    ['a wrong key', { authorization: `Bearer ${ingest.slice(0, -1)}?` }, 401, 16],
    ['Basic', { authorization: 'Basic dXNlcjpwYXNz' }, 401, 16],
    ['a key that may not send', { 'x-api-key': read }, 403, 7],
  ];
}

list.inside(
  'A2',
  'others get 401 or 403 as a Status in the encoding of the request',
  async (target) => {
    const ways: [string, string | Buffer][] = [
      [protobufType, traces(1)],
      [jsonType, jsonTraces(1)],
    ];
    for (const [who, headers, httpStatus, code] of unknownVariables(target)) {
      for (const [type, bytes] of ways) {
        const send = () => post(target, bytes, { headers, type });
        const answer: Answer = await storing(target, 0, send);
        const got = [answer.status, answer.headers['content-type'], statusOf(answer).code];
        equal(got, [httpStatus, type, code], who);
        equal(answer.headers['retry-after'], undefined, `${who}: Retry-After`);
      }
    }
  },
  'keys',
);

list.inside(
  'A2',
  'before the body is read',
  async (target) => {
    for (const more of ['', 'expect: 100-continue\r\n']) {
      const head = requestHead(1_000_000, more);
      const { socket, answered } = rawConnection(target.httpUrl, head);
      const said = await answered();
      socket.destroy();
      matches(said, /^HTTP\/1\.1 401 /, more);
    }
  },
  'keys',
);

async function callWith(target: OwnTarget, headers: Record<string, string>): Promise<Reply> {
  const connection = await GrpcConnection.open(target.grpcAddress);
  return connection.call(framed(traces(1)), { headers }).finally(() => connection.close());
}

list.inside(
  'A2',
  'over gRPC in metadata: taken, 16, 7',
  async (target) => {
    for (const [how, headers] of Object.entries(bringing(target.inside.keys.ingest))) {
      equal((await storing(target, 1, () => callWith(target, headers))).status, 0, how);
    }
    for (const [who, headers, , code] of unknownVariables(target)) {
      equal((await storing(target, 0, () => callWith(target, headers))).status, code, who);
    }
  },
  'keys',
);

const origin = 'https://app.example.com';
const asking = {
  origin,
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'content-type',
};

function corsHeaders({ headers }: Answer): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-'));
}

list.http('A3', 'off: a preflight is 405, and no answer says otherwise', async (target) => {
  const preflight = await post(target, '', { method: 'OPTIONS', type: null, headers: asking });
  equal([preflight.status, corsHeaders(preflight)], [405, []]);
  const sent = await post(target, traces(1), { headers: { origin } });
  equal([sent.status, corsHeaders(sent)], [200, []]);
});

list.inside(
  'A3',
  'on: 204 to a preflight, the origin echoed, credentials, headers and age told',
  async (target) => {
    for (const allowed of [origin, 'https://pr-7.dev.example.com']) {
      const headers = { ...asking, origin: allowed };
      const preflight = await post(target, '', { method: 'OPTIONS', type: null, headers });
      equal(preflight.status, 204);
      const said = preflight.headers;
      equal(said['access-control-allow-origin'], allowed);
      equal(said['access-control-allow-credentials'], 'true');
      matches(said['access-control-max-age'], /^\d+$/, 'Max-Age');
      for (const name of ['content-type', 'content-encoding', 'traceparent', 'authorization']) {
        matches(said['access-control-allow-headers'], new RegExp(`\\b${name}\\b`, 'i'));
      }
      const sent = await post(target, traces(1), { headers: { origin: allowed } });
      equal([sent.status, sent.headers['access-control-allow-origin']], [200, allowed]);
      holds(
        sent.headers['access-control-expose-headers'] !== undefined,
        'expected Expose-Headers, got none',
      );
    }
  },
  'cors',
);

list.inside(
  'A3',
  'on: another origin gets no CORS header',
  async (target) => {
    for (const other of ['https://evil.example.com', 'http://app.example.com', 'null']) {
      const headers = { ...asking, origin: other };
      const preflight = await post(target, '', { method: 'OPTIONS', type: null, headers });
      equal(corsHeaders(preflight), [], other);
      equal(corsHeaders(await post(target, traces(1), { headers: { origin: other } })), [], other);
    }
  },
  'cors',
);

function noBanner(headers: Record<string, unknown>, what: string): void {
  for (const name of ['server', 'x-powered-by', 'via']) equal(headers[name], undefined, what);
}

list.http('A4', 'no answer over HTTP names the software', async (target: Target) => {
  for (const path of ['/v1/traces', '/nowhere']) {
    noBanner((await post(target, traces(1), { path })).headers, path);
  }
  noBanner((await post(target, '', { method: 'GET' })).headers, 'GET');
});

list.grpc('A4', 'nor over gRPC', async (target) => {
  const connection = await GrpcConnection.open(target.grpcAddress);
  const replied = await connection.call(framed(traces(1))).finally(() => connection.close());
  noBanner(replied.headers, 'headers');
  noBanner(replied.trailers, 'trailers');
  among(replied.status, [0]);
});

list.inside(
  'A4',
  "headers of one's own stand on every answer over HTTP",
  async (target) => {
    for (const path of ['/v1/traces', '/nowhere']) {
      const { headers } = await post(target, traces(1), { path });
      equal([headers['x-frame-options'], headers['x-team']], ['DENY', 'a,b'], path);
    }
  },
  'cors',
);
