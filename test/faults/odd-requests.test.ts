import { writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../core/random.ts';
import { authority } from '../support/certificates.ts';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';
import { oddRequest } from './odd-request.ts';

/** Requests to each port; a connection carries one to four of them. Over TLS a connection costs ten times as much. */
const connections = { clear: 5_000, tls: 1_500 };
const atOnce = 16;
/** An odd request that gets no answer is given up after this time. */
const silenceMs = 60;

const folder = temporaryFolder();
const ca = authority('Rollcall tests');
const issued = ca.issue('odd');
writeFileSync(`${folder.path}/cert.pem`, issued.cert);
writeFileSync(`${folder.path}/key.pem`, issued.key);
const tls = {
  ROLLCALL_TLS_CERT: `${folder.path}/cert.pem`,
  ROLLCALL_TLS_KEY: `${folder.path}/key.pem`,
};
afterAll(() => folder.remove());

describe.each([
  ['in the clear', 'clear', {}],
  ['over TLS', 'tls', tls],
] as const)('%s', (_, kind, env) => {
  let running: Running;

  beforeAll(async () => {
    // With origins, so that preflights of browsers are answered too.
    const own = { ...env, ROLLCALL_CORS_ORIGINS: 'https://*.example.com' };
    running = await startRollcall(`${folder.path}/${kind}.db`, own);
  });

  afterAll(async () => {
    await running?.stop();
  });

  const open = (url: string): Socket => {
    const { hostname: host, port } = new URL(url);
    if (kind === 'clear') return connectTcp({ host, port: Number(port) });
    const ALPNProtocols = open.count++ % 2 === 0 ? ['h2'] : ['http/1.1'];
    return connectTls({ host, port: Number(port), ca: ca.cert, ALPNProtocols });
  };
  open.count = 0;

  test('a request that claims HTTP/2.0 in HTTP/1.1 is answered, and so is the next', async () => {
    for (const name of ['analyzer', 'otlp_http']) {
      const url = running.addresses[name]!;
      for (let round = 0; round < 2; round += 1) {
        open.count = 1;
        const answer = await exchange(
          open(url),
          Buffer.from('GET /healthz HTTP/2.0\r\n\r\n'),
          5_000,
        );
        expect(answer, name).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      }
    }
  });

  test.each([
    [
      'analyzer',
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 200 /,
    ],
    [
      'otlp_http',
      'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 200 /,
    ],
    [
      'otlp_grpc',
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
  ])(
    '%s still answers after odd requests',
    async (name, request, expected) => {
      const url = running.addresses[name]!;
      const random = new Random(13);
      let left = connections[kind];
      const worker = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          await exchange(open(url), oddRequest(random), silenceMs);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
      open.count = 1;
      expect(await exchange(open(url), Buffer.from(request), 10_000)).toMatch(expected);
      expect(running.child.exitCode).toBeNull();
      expect(running.output()).not.toMatch(/ended by itself|Uncaught|node:internal/);
    },
    120_000,
  );
});

/** Writes the bytes and reads until the server closes, or is silent for so long. */
function exchange(socket: Socket, bytes: Buffer, silentMs: number): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const done = (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      // An answer came: what may follow is waited for shortly.
      socket.setTimeout(Math.min(silentMs, 20));
    });
    socket.on('error', done);
    socket.on('close', done);
    socket.once(socket.connecting ? 'connect' : 'close', () => socket.setTimeout(silentMs));
    socket.on('timeout', done);
    socket.write(bytes);
  });
}
