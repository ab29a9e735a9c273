import { fork } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runToEnd, startCollectorProcess, temporaryFolder } from '../process.ts';
import { type Door, exchange, openDoor, protobufType, statusOf, traces } from './door.ts';

/** OTLP.md 1.7: limits, overload, durability, start and end. */
const mib = 2 ** 20;

function head(length: number, more = ''): string {
  return `POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: ${protobufType}\r\ncontent-length: ${length}\r\n${more}\r\n`;
}

/** A connection and what came back on it. */
function open(port: number): { socket: Socket; said: () => string; closed: Promise<void> } {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part));
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return { socket, said: () => Buffer.concat(parts).toString('latin1'), closed };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await turn();
}

describe('one collector', () => {
  let door: Door;

  beforeAll(async () => {
    door = await openDoor();
  });

  afterAll(() => door.close());

  test('L1 senders that stop half-way do not hold up others; large headers are refused', async () => {
    const stalled = ['POST /v1/tra', head(5000), `${head(5000)}abc`, ''].map((text) => {
      const connection = open(door.port);
      connection.socket.write(text);
      return connection;
    });
    const before = await door.stored();
    for (let n = 0; n < 20; n += 1) expect((await door.post(traces(1))).status).toBe(200);
    expect(await door.stored()).toBe(before + 20);
    for (const { socket } of stalled) socket.destroy();
    const large = await door.post(traces(1), { headers: { x: 'x'.repeat(30_000) } });
    expect(large.status).toBe(200);
    const over = open(door.port);
    over.socket.write(head(1, `x: ${'x'.repeat(40_000)}\r\n`));
    await over.closed;
    expect(over.said()).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('L2 many requests at once are all answered and all counted', async () => {
    const before = await door.stored();
    const answers = await Promise.all(Array.from({ length: 100 }, () => door.post(traces(7))));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(await door.stored()).toBe(before + 700);
  });

  test('L3 bodies beyond the budget are refused before they are read', async () => {
    const first = open(door.port);
    first.socket.write(head(60 * mib));
    const queue = 'rollcall_queue_bytes';
    await until(async () => (await door.counter(queue)) >= 60 * mib);
    const second = open(door.port);
    second.socket.write(head(10 * mib));
    await until(() => second.said().includes('\r\n\r\n'));
    expect(second.said()).toMatch(/^HTTP\/1\.1 429 /);
    expect(Number(/retry-after: (\d+)/i.exec(second.said())![1])).toBe(1);
    // One that may not be sent is not asked for.
    const expecting = open(door.port);
    expecting.socket.write(head(10 * mib, 'expect: 100-continue\r\n'));
    await until(() => expecting.said().includes('\r\n\r\n'));
    expect(expecting.said()).toMatch(/^HTTP\/1\.1 429 /);
    const small = await door.post(traces(1));
    expect(small.status).toBe(200);
    const refused = await exchange(door.url, Buffer.alloc(10 * mib));
    expect([refused.status, refused.headers['retry-after'], statusOf(refused).code]).toEqual([
      429,
      '1',
      8,
    ]);
    first.socket.destroy();
    await until(async () => (await door.counter(queue)) === 0);
    expect((await exchange(door.url, Buffer.alloc(10 * mib))).status).toBe(400);
    for (const { socket } of [second, expecting]) socket.destroy();
  });
});

test('L4, L5 what was acknowledged is there after kill -9, and is not counted again', async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/rollcall.db`;
  const bodies = Array.from({ length: 20 }, () => traces(5));
  const first = await startCollectorProcess(path);
  for (const body of bodies) expect((await exchange(first.url, body)).status).toBe(200);
  await first.stop('SIGKILL');
  const second = await startCollectorProcess(path);
  for (const body of bodies) expect((await exchange(second.url, body)).status).toBe(200);
  const { body } = await exchange(second.url, '', { method: 'GET', path: '/metrics' });
  expect(body.toString()).toContain('{outcome="duplicate",reason=""} 100\n');
  expect(body.toString()).toContain('{outcome="stored",reason=""} 0\n');
  await second.stop();
  folder.remove();
});

test('L5 a store that cannot be committed to is 503 with Retry-After, then works again', async () => {
  const folder = temporaryFolder();
  const running = await startCollectorProcess(`${folder.path}/rollcall.db`);
  // Another connection that holds the write lock for longer than anyone waits.
  const { Database } = await import('../../core/store/sqlite/database.ts');
  const other = new Database(`${folder.path}/rollcall.db`);
  other.exec('BEGIN IMMEDIATE');
  const body = traces(2);
  const refused = await exchange(running.url, body);
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
  expect(statusOf(refused).code).toBe(14);
  const ready = await exchange(running.url, '', { method: 'GET', path: '/readyz' });
  expect(ready.status).toBe(503);
  expect((await exchange(running.url, '', { method: 'GET', path: '/healthz' })).status).toBe(200);
  other.exec('ROLLBACK');
  other.close();
  expect((await exchange(running.url, body)).status).toBe(200);
  expect(running.output()).toMatch(/senders are asked to try again/);
  expect(running.output()).toMatch(/the store commits again/);
  await running.stop();
  folder.remove();
});

test('L6 the end: the body under way is taken, the next is 503, exit 0', async () => {
  const folder = temporaryFolder();
  const running = await startCollectorProcess(`${folder.path}/rollcall.db`);
  const port = Number(new URL(running.url).port);
  const silent = open(port);
  const idle = open(port);
  idle.socket.write(Buffer.concat([Buffer.from(head(0)), Buffer.alloc(0)]));
  await until(() => idle.said().includes('200 OK'));
  const underWay = open(port);
  const late = open(port);
  const body = traces(4);
  underWay.socket.write(Buffer.concat([Buffer.from(head(body.length)), body.subarray(0, 100)]));
  late.socket.write(head(body.length).slice(0, 20));
  await until(async () => (await metric(running.url, 'rollcall_queue_bytes')) >= body.length);
  const ended = running.stop();
  await idle.closed;
  // From here on nobody new gets in.
  await expect(exchange(running.url, body)).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
  late.socket.write(Buffer.concat([Buffer.from(head(body.length).slice(20)), body]));
  await until(() => late.said().includes('\r\n\r\n'));
  expect(late.said()).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 1\r\n/i);
  underWay.socket.write(body.subarray(100));
  await underWay.closed;
  expect(underWay.said()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n/i);
  const { code, signal } = await ended;
  expect([code, signal]).toEqual([0, null]);
  await silent.closed;
  const again = await startCollectorProcess(`${folder.path}/rollcall.db`);
  await exchange(again.url, body);
  expect(await metric(again.url, 'rollcall_spans_total{outcome="duplicate",reason=""}')).toBe(4);
  await again.stop();
  folder.remove();
});

test('L6 under load every acknowledged call is in the store, exit 0', async () => {
  const folder = temporaryFolder();
  const running = await startCollectorProcess(`${folder.path}/rollcall.db`);
  const acknowledged: Buffer[] = [];
  const refused = new Set<number>();
  let sent = 0;
  const senders = Array.from({ length: 8 }, async () => {
    for (;;) {
      const body = traces(50);
      sent += 1;
      try {
        const { status } = await exchange(running.url, body);
        if (status === 200) acknowledged.push(body);
        else refused.add(status);
      } catch {
        return;
      }
    }
  });
  await until(() => acknowledged.length > 50);
  const { code } = await running.stop();
  await Promise.all(senders);
  expect(code).toBe(0);
  expect([...refused].filter((status) => status !== 503)).toEqual([]);
  expect(sent).toBeGreaterThan(50);
  const again = await startCollectorProcess(`${folder.path}/rollcall.db`);
  for (const body of acknowledged) await exchange(again.url, body);
  const duplicates = 'rollcall_spans_total{outcome="duplicate",reason=""}';
  expect(await metric(again.url, duplicates)).toBe(acknowledged.length * 50);
  await again.stop();
  folder.remove();
});

test('SIGINT ends it as well', async () => {
  const folder = temporaryFolder();
  const running = await startCollectorProcess(`${folder.path}/rollcall.db`);
  expect((await running.stop('SIGINT')).code).toBe(0);
  folder.remove();
});

test('a parent that is gone ends it', async () => {
  const folder = temporaryFolder();
  const env = {
    ...process.env,
    ROLLCALL_OTLP_HTTP_PORT: '0',
    ROLLCALL_STORE: `sqlite:${folder.path}/a.db`,
  };
  const child = fork('collector/main.ts', { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  child.disconnect();
  expect(await ended).toBe(0);
  folder.remove();
});

test('a store that another collector writes, a wrong configuration: one line, exit 1', async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/rollcall.db`;
  const running = await startCollectorProcess(path);
  const env = { ROLLCALL_STORE: `sqlite:${path}`, ROLLCALL_OTLP_HTTP_PORT: '0' };
  const second = await runToEnd('collector/main.ts', env);
  expect(second.code).toBe(1);
  expect(second.output.trim().split('\n')).toHaveLength(1);
  expect(second.output).toMatch(/^rollcall collector: /);
  expect((await exchange(running.url, traces(1))).status).toBe(200);
  await running.stop();
  folder.remove();
  const wrong = await runToEnd('collector/main.ts', { ...env, ROLLCALL_HOST: '0.0.0.0' });
  expect([wrong.code, wrong.output]).toEqual([1, expect.stringContaining('ROLLCALL_AUTH=off')]);
});

async function metric(url: string, name: string): Promise<number> {
  const { body } = await exchange(url, '', { method: 'GET', path: '/metrics' });
  const line = body
    .toString()
    .split('\n')
    .find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1));
}
