import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { boundConnections } from '../../core/server/connections.ts';
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
    few.socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(16));
    await waitFor('16 answers', () => few.said().split('HTTP/1.1 200 OK').length === 17);
    few.socket.destroy();
    const many = open(url);
    many.socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(7_000));
    await waitFor('the end of the connection', many.closed);
    expect(many.said().split('HTTP/1.1 200 OK').length - 1).toBeLessThanOrEqual(16);
    const beganMs = performance.now();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    console.log(`${name}: /healthz after it in ${(performance.now() - beganMs).toFixed(0)} ms`);
  },
);

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
    next.socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
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
