import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshUpTo } from '../../core/server/memo.ts';
import { type Running, startAnalyzerProcess, temporaryFolder } from '../support/process.ts';
import { waitFor } from '../support/wait.ts';

/** Bodies of commands, which are meant to hold memory or to delay other commands. */
const folder = temporaryFolder();
let analyzer: Running & { url: string };
beforeAll(async () => {
  analyzer = await startAnalyzerProcess(`${folder.path}/rollcall.db`, {
    ROLLCALL_AUTH: 'off',
    ROLLCALL_MEMORY_MIB: '512',
  });
});
afterAll(async () => {
  await analyzer.stop();
  folder.remove();
});

const path = '/api/v1/services/shop/inventory';

function begin(lines: string): { socket: Socket; said: () => string } {
  const { hostname, port, host } = new URL(analyzer.url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(`PUT ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: text/plain\r\n${lines}`);
  return { socket, said: () => text };
}

test('thirty bodies that do not come delay no other command', async () => {
  const slow = Array.from({ length: 30 }, () => begin('Content-Length: 1000000\r\n\r\nGET /a'));
  try {
    const answer = await fetch(`${analyzer.url}${path}`, { method: 'PUT', body: 'GET /a\n' });
    expect([answer.status, await answer.text()]).toEqual([
      200,
      expect.stringContaining('"routes"'),
    ]);
  } finally {
    for (const { socket } of slow) socket.destroy();
  }
});

test('a body in chunks of a byte is 400, and names its bound', async () => {
  const { socket, said } = begin('Transfer-Encoding: chunked\r\n\r\n');
  try {
    socket.write('1\r\nx\r\n'.repeat(10_000));
    await waitFor('an answer to 10,000 chunks', () => said().includes('\r\n\r\n{'));
    expect(said()).toContain('HTTP/1.1 400');
    expect(said()).toContain('chunks of 1 bytes on average; at least 16 are asked');
  } finally {
    socket.destroy();
  }
});

test('bodies in memory are bounded: beyond, one that does not come gives way, and another one is taken', async () => {
  // 512 MiB give 42 MiB to bodies: two of 15 MiB and the one that is counted apart.
  const part = Buffer.alloc(15 * 2 ** 20, 'GET /a\n');
  const held = Array.from({ length: 8 }, () => {
    const one = begin(`Content-Length: ${part.length + 1}\r\n\r\n`);
    one.socket.write(part);
    return one;
  });
  try {
    await waitFor(
      'a refusal of one of eight bodies of 15 MiB',
      () => held.some(({ said }) => said().startsWith('HTTP/1.1 503')),
      { withinMs: 20_000 },
    );
    const answer = await fetch(`${analyzer.url}${path}`, { method: 'PUT', body: 'GET /b\n' });
    expect([answer.status, await answer.text()]).toEqual([
      200,
      expect.stringContaining('"routes"'),
    ]);
    const { rss } = memoryOf(analyzer.pid);
    expect(rss).toBeLessThan(512 * 1024);
  } finally {
    for (const { socket } of held) socket.destroy();
  }
});

test.runIf(process.platform === 'linux')(
  'threads that compute reports have the lowest priority, then the one that answers probes',
  () => {
    const threads = readdirSync(`/proc/${analyzer.pid}/task`).map((thread) => {
      const stat = readFileSync(`/proc/${analyzer.pid}/task/${thread}/stat`, 'utf8');
      const name = /\((.*)\)/.exec(stat)![1]!;
      return { name, nice: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]) };
    });
    const niceOf = (name: string) =>
      threads.filter((thread) => thread.name.startsWith(name)).map(({ nice }) => nice);
    const own = Number(readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ')[16]);
    expect(niceOf('MainThread')).toEqual([own + 1]);
    expect(new Set(niceOf('V8Worker'))).toEqual(new Set([own + 1]));
    expect(niceOf('WorkerThread')).toContain(own + 3);
  },
);

test('a text that anyone may ask for is made five times a second at most, then shared', async () => {
  let nowMs = 0;
  let made = 0;
  const ask = freshUpTo(
    5,
    async () => ++made,
    () => nowMs,
  );
  expect(await Promise.all(Array.from({ length: 8 }, ask))).toEqual([1, 2, 3, 4, 5, 5, 5, 5]);
  nowMs = 999;
  expect(await ask()).toBe(5);
  nowMs = 1_000;
  expect(await ask()).toBe(6);
});

function memoryOf(pid: number): { rss: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return { rss: Number(/VmRSS:\s+(\d+)/.exec(status)![1]) };
}
