import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCollectorProcess, temporaryFolder } from '../support/process.ts';

/** Who asks is decided by a request's headers alone (docs/conformance.md A2): nobody has to be sent a body for it. */
const folder = temporaryFolder();
let collector: Awaited<ReturnType<typeof startCollectorProcess>>;
beforeAll(async () => {
  collector = await startCollectorProcess(`${folder.path}/rollcall.db`, { ROLLCALL_AUTH: 'keys' });
});
afterAll(async () => {
  await collector.stop();
  folder.remove();
});

const opened: Socket[] = [];
afterAll(() => {
  for (const socket of opened) socket.destroy();
});

/** What is answered to headers after which no body comes, until its own end is seen. */
function answerTo(headers: string[], end: RegExp): Promise<string> {
  const head = ['POST /v1/traces HTTP/1.1', 'host: rollcall', ...headers, '', ''].join('\r\n');
  const socket = connect(Number(new URL(collector.url).port), '127.0.0.1');
  opened.push(socket);
  socket.write(head);
  return new Promise((resolve, reject) => {
    let said = '';
    socket.on('error', reject);
    socket.on('data', (part) => {
      said += part.toString('latin1');
      if (end.test(said)) resolve(said);
    });
    socket.on('close', () => resolve(said));
  });
}

it.each([
  ['declared', ['content-length: 1000000']],
  ['chunked', ['transfer-encoding: chunked']],
  ['waiting for 100 Continue', ['content-length: 1000000', 'expect: 100-continue']],
  ['larger than is taken', ['content-length: 9000000000']],
  ['of an encoding that nobody knows', ['content-length: 1000000', 'content-encoding: lzw']],
])('401 before a body that is %s', async (_what, headers) => {
  const said = await answerTo(
    [...headers, 'content-type: application/json'],
    /"message":"[^"]*"\}/,
  );
  expect(said).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
  expect(said).toMatch(/^www-authenticate: Bearer realm="rollcall"\r$/im);
  expect(said).toMatch(/^content-type: application\/json\r$/im);
  expect(said).toContain('{"code":16,"message":"no key was sent');
  expect(said).not.toContain('100 Continue');
});
