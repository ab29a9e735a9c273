import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { boundConnections, boundPipelining, boundUnread } from '../../core/server/connections.ts';
import { atMostEvery } from '../../core/server/memo.ts';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

const folder = temporaryFolder();
let running: Running;
beforeAll(async () => {
  running = await startRollcall(`${folder.path}/rollcall.db`);
});
afterAll(async () => {
  await running.stop();
  folder.remove();
});

function open(url: string): { socket: Socket; said: () => string; closed: () => boolean } {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  return { socket, said: () => text, closed: () => socket.destroyed };
}

test.each(['analyzer', 'otlp_http'])(
  '%s: a connection with too many unanswered requests is closed, others are answered meanwhile',
  async (name) => {
    const url = running.addresses[name]!;
    const few = open(url);
    few.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(16));
    await waitFor('16 answers', () => few.said().split('HTTP/1.1 200 OK').length === 17);
    few.socket.destroy();
    const many = open(url);
    many.socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(7_000));
    await waitFor('the end of the connection', many.closed);
    expect(many.said().split('HTTP/1.1 200 OK').length - 1).toBeLessThanOrEqual(16);
    const beganMs = performance.now();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    console.log(`${name}: /healthz after it in ${(performance.now() - beganMs).toFixed(0)} ms`);
  },
);

test('pipelined requests are answered one after the other, in order', async () => {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const server = createServer(
    boundPipelining((request, response) => {
      begun.push(request.url!);
      ends.push(() => response.end(request.url));
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const one = open(url);
  one.socket.write(
    ['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(''),
  );
  for (const n of [1, 2, 3]) {
    await waitFor(`request ${n}`, () => begun.length === n);
    await pause(20);
    expect(begun).toHaveLength(n);
    ends[n - 1]!();
  }
  await waitFor('three answers', () => one.said().split('HTTP/1.1 200 OK').length === 4);
  expect(one.said().match(/\/\d(?!\.)/g)).toEqual(['/1', '/2', '/3']);
  one.socket.destroy();
  server.close();
});

test('answers that nobody reads hold 50 MiB together; then those are closed that waited longest', async () => {
  const mib = 2 ** 20;
  // More than a kernel takes of a connection.
  const answer = Buffer.alloc(20 * mib);
  const served = new Map<string, Socket>();
  const listener = boundUnread((request, response) => {
    served.set(request.url!, request.socket);
    response.end(answer);
  }, 50 * mib);
  const server = createServer(boundPipelining(listener));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const askers: Socket[] = [];
  for (let n = 1; n <= 8; n += 1) {
    const { socket } = open(url);
    socket.pause().write(`GET /${n} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    askers.push(socket);
    await waitFor(`request ${n}`, () => served.has(`/${n}`));
    await pause(120);
  }
  const left = () => [...served].filter(([, { destroyed }]) => !destroyed).map(([path]) => path);
  await waitFor('some are closed', () => left().length <= 4);
  await pause(250);
  expect(left().length).toBeGreaterThanOrEqual(2);
  expect(left()).toEqual([...served.keys()].slice(-left().length));
  // An asker that reads gets all of its answer meanwhile.
  const { byteLength } = await (await fetch(`${url}/reader`)).arrayBuffer();
  expect(byteLength).toBe(20 * mib);
  for (const socket of askers) socket.destroy();
  server.closeAllConnections();
  server.close();
});

test('connections are bounded in all and by address; one that ends gives its place', async () => {
  const server = createServer((_request, response) => response.end('ok'));
  boundConnections(server, { connections: 10, addressConnections: 3 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const opened = Array.from({ length: 5 }, () => open(url));
  await waitFor(
    'two closed connections',
    () => opened.filter(({ closed }) => closed()).length === 2,
  );
  await pause(50);
  expect(opened.filter(({ closed }) => closed())).toHaveLength(2);
  opened.find(({ closed }) => !closed())!.socket.destroy();
  await waitFor('an answer', async () => {
    const next = open(url);
    next.socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await waitFor('its end', next.closed);
    return next.said().startsWith('HTTP/1.1 200');
  });
  for (const { socket } of opened) socket.destroy();
  server.close();
});

test('work that anyone may ask for is done once a second, and shared', async () => {
  let nowMs = 0;
  let done = 0;
  const ask = atMostEvery(
    1_000,
    async () => ++done,
    () => nowMs,
  );
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
  nowMs = 999;
  expect(await ask()).toBe(1);
  nowMs = 1_000;
  expect(await ask()).toBe(2);
});
