import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HttpServer, openHttpServer } from '../../../collector/http/server.ts';
import { readConfig } from '../../../core/config/config.ts';
import { openLog } from '../../../core/log.ts';
import { type Certificates, openCertificates } from '../../../core/server/certificates.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import type { CallWriter } from '../../../core/store/store.ts';
import { type Authority, authority, writePair } from '../../support/certificates.ts';
import { temporaryFolder } from '../../support/process.ts';
import { exportContext } from '../support/export-context.ts';

/** The door's timeouts (docs/conformance.md L1), short enough to wait for. */
const timeouts = {
  keepAliveMs: 500,
  headersMs: 400,
  requestMs: 600,
  silentSocketMs: 300,
  timeoutCheckMs: 50,
};
const folder = temporaryFolder();
let writer: CallWriter;
let door: HttpServer;
let secureDoor: HttpServer;
let ca: Authority;
let certificates: Certificates;

beforeAll(async () => {
  const config = readConfig({});
  writer = await openSqliteWriter({ path: `${folder.path}/a.db`, retention: config.retention });
  const log = openLog('test', 'silent');
  const options = { ...exportContext(writer), host: config.host, port: 0, log, timeouts };
  door = await openHttpServer(options);
  ca = authority('Test authority');
  const pair = writePair(`${folder.path}/tls`, ca.issue('door'));
  const [certPath, keyPath] = [pair.ROLLCALL_TLS_CERT, pair.ROLLCALL_TLS_KEY];
  certificates = await openCertificates({ certPath, keyPath, clientCaPath: undefined }, log);
  secureDoor = await openHttpServer({ ...options, certificates });
});

afterAll(async () => {
  await Promise.all([door.close(100), secureDoor.close(100)]);
  certificates.close();
  await writer.close();
  folder.remove();
});

/** What the server says until it closes; `drip` is written again and again. */
function untilClosed(secure: boolean, first: string, drip?: string): Promise<string> {
  return new Promise((resolve) => {
    const { hostname: host, port } = new URL(secure ? secureDoor.url : door.url);
    const address = { host, port: Number(port) };
    const socket = secure ? connectTls({ ...address, ca: ca.cert }) : connect(address);
    let said = '';
    const dripping = drip === undefined ? undefined : setInterval(() => socket.write(drip), 50);
    socket.on('data', (data) => {
      said += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(dripping);
      resolve(said);
    });
    socket.write(first);
  });
}

const head = 'POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n';

describe.each([
  ['in the clear', false],
  ['over TLS', true],
])('HTTP/1.1 %s', (_, secure) => {
  test('L1 a body that stops half-way, or that only trickles, is cut off', async () => {
    const stalled = untilClosed(secure, `${head}content-length: 1000\r\n\r\nabc`);
    const trickling = untilClosed(secure, `${head}content-length: 100000\r\n\r\n`, 'x');
    expect(await stalled).toBe('');
    expect(await trickling).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  });

  test('L1 headers that only trickle are cut off', async () => {
    expect(await untilClosed(secure, head, 'x: y\r\n')).toMatch(
      /^HTTP\/1\.1 408 Request Timeout\r\n/,
    );
  });

  test('L1 a connection that says nothing is closed, one that was used after its idle time', async () => {
    expect(await untilClosed(secure, '')).toBe('');
    expect(await untilClosed(secure, `${head}content-length: 0\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 200 OK\r\n/,
    );
  });
});

describe('HTTP/2', () => {
  const open = () => {
    const session = connectHttp2(secureDoor.url, { ca: ca.cert });
    session.on('error', () => {});
    return session;
  };
  const post = (session: ClientHttp2Session) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/v1/traces',
      'content-type': 'application/x-protobuf',
    });
    stream.on('error', () => {}).resume();
    const closed = new Promise<number | undefined>((resolve) => {
      stream.once('close', () => resolve(stream.rstCode));
    });
    return { stream, closed };
  };
  const cancelled = 8;

  test('L1 a body that stops half-way, or that only trickles, is cut off', async () => {
    const session = open();
    const stalled = post(session);
    stalled.stream.write('abc');
    expect(await stalled.closed).toBe(cancelled);
    const trickling = post(session);
    const drip = setInterval(() => trickling.stream.write('x'), 50);
    expect(await trickling.closed).toBe(cancelled);
    clearInterval(drip);
    session.destroy();
  });

  test('L1, H11 an idle connection is closed after its idle time', async () => {
    const session = open();
    const closed = new Promise((resolve) => session.once('close', resolve));
    const { stream, closed: answered } = post(session);
    stream.end();
    expect(await answered).toBe(0);
    await closed;
  });
});
