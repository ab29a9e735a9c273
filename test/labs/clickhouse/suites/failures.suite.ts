import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallDictionary } from '../../../../core/call.ts';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { Connection } from '../../../../core/store/clickhouse/connection.ts';
import { DeliveryLog } from '../../../../core/store/clickhouse/delivery-log.ts';
import { openClickhouseReader } from '../../../../core/store/clickhouse/reader.ts';
import {
  type ClickhouseCallWriter,
  openClickhouseWriter,
} from '../../../../core/store/clickhouse/writer.ts';
import { allTime } from '../../../../core/window.ts';
import { contextBatch, inContexts } from '../../../store/contexts.ts';
import { randomCalls } from '../../../store/made-calls.ts';
import { protobufType, traces } from '../../../support/export-request.ts';
import { type Running, startCollectorProcess } from '../../../support/process.ts';
import { waitFor } from '../../../support/wait.ts';
import { type Fault, FaultProxy } from '../proxy.ts';
import { installedPython, startServer, type TestServer } from '../server.ts';

/** The table of failures of docs/decisions/0020-clickhouse.md, one by one, on a server of this file's own. */
const data = mkdtempSync(join(tmpdir(), 'rollcall-clickhouse-'));
const python = installedPython();
const ended: (() => Promise<unknown> | unknown)[] = [];
let server: TestServer;
let databases = 0;

beforeAll(async () => {
  server = await startServer(python, data);
});
afterAll(async () => {
  for (const end of ended.reverse()) await Promise.resolve(end()).catch(() => undefined);
  await server.kill();
  rmSync(data, { recursive: true, force: true });
});

const newUrl = (port = server.port) => `clickhouse://127.0.0.1:${port}/failures${++databases}`;

async function openWriter(url: string): Promise<ClickhouseCallWriter> {
  const options = { retention: defaultRetention, keepsAddresses: true, ignoreConsumers: [] };
  const writer = await openClickhouseWriter({ url, ...options });
  ended.push(() => writer.close());
  return writer;
}

/** The calls that a report counts. */
async function counted(url: string): Promise<number> {
  const reader = await openClickhouseReader(url);
  try {
    return await reader.snapshot('default', async (snapshot) => {
      return (await snapshot.total({}, allTime)).calls;
    });
  } finally {
    await reader.close();
  }
}

const nowS = Math.floor(Date.now() / 1000);

/** Appends deliveries of 10 calls in one INSERT, or more. @returns which were stored */
async function append(writer: ClickhouseCallWriter, serials: readonly number[]) {
  const dictionary = new CallDictionary();
  const calls = serials.flatMap((serial) => randomCalls(serial, 10, nowS, 5));
  const batch = contextBatch(inContexts(1, calls), dictionary, 0);
  batch.deliveries.length = 0;
  for (const [i, serial] of serials.entries()) {
    const digest = new Uint8Array(16);
    new DataView(digest.buffer).setUint32(0, serial);
    batch.deliveries.push({ project: 'default', digest, firstCall: 10 * i, calls: 10 });
  }
  const words = { ...dictionary.takeNew(), epoch: ++epochs };
  return (await writer.append(batch, words)).stored;
}
let epochs = 0;

describe('a repeated delivery', () => {
  it('grouped otherwise, at another collector, at once and later: counted once', async () => {
    const url = newUrl();
    const [a, b] = [await openWriter(url), await openWriter(url)];
    await append(a, [1, 2]);
    await Promise.all([append(b, [2, 3]), append(a, [3])]);
    await append(b, [1]);
    expect(await counted(url)).toBe(30);
    await Promise.all([a.compact(), b.compact()]);
    expect(await counted(url)).toBe(30);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await append(b, [3, 2, 1, 4]), 'known after half a second').toEqual([
      ...[false, false, false, true],
    ]);
    await b.compact();
    expect(await counted(url)).toBe(40);
    expect(await a.rawCalls()).toBe(40);
  });

  it('after 10,000 other inserts: counted once', async () => {
    const url = newUrl();
    const writer = await openWriter(url);
    await append(writer, [1]);
    const connection = new Connection(url);
    const log = new DeliveryLog(connection);
    let serial = 1000;
    const insertOn = async (): Promise<void> => {
      while (serial < 11_000) {
        serial += 1;
        const digest = new Uint8Array(16);
        new DataView(digest.buffer).setUint32(0, serial);
        const nothing = { sideBySide: [], notes: [] };
        // A row that holds no calls, of a project that is not asked.
        const row = { project: 'other', digest, calls: 0, body: new Uint8Array(10) };
        // A server that merges too slowly refuses inserts until it is done.
        await log.insert([row], nothing, nowS).catch(() => (serial -= 1));
      }
    };
    await Promise.all(Array.from({ length: 8 }, insertOn));
    const [row] = await connection.rows<{ inserts: number }>(
      'SELECT uniqExact(_block_number) AS inserts FROM delivery',
    );
    expect(Number(row?.inserts)).toBeGreaterThan(10_000);
    connection.close();
    const other = await openWriter(url);
    expect(await append(other, [1])).toEqual([false]);
    expect(await counted(url)).toBe(10);
  }, 900_000);

  it('after kill -9 of the server, and without its deduplication logs: counted once', async () => {
    const url = newUrl();
    const writer = await openWriter(url);
    await append(writer, [1, 2]);
    await server.kill();
    const logs = globSync(`${data}/**/deduplication_logs`);
    for (const log of logs) rmSync(log, { recursive: true });
    await expect(append(writer, [3])).rejects.toMatchObject({ code: 'unavailable' });
    server = await startServer(python, data, server.port);
    await append(writer, [2]);
    await append(writer, [3]);
    await append(await openWriter(url), [1, 3]);
    expect(await counted(url)).toBe(30);
    await writer.compact();
    expect(await counted(url)).toBe(30);
  });
});

it('two processes that compact at once, in turn with deliveries: each call once', async () => {
  const url = newUrl();
  const writers = [await openWriter(url), await openWriter(url)] as const;
  for (let round = 1; round <= 10; round += 1) {
    await Promise.all([
      append(writers[0], [3 * round, 3 * round + 1]),
      append(writers[1], [3 * round + 1, 3 * round + 2]),
      writers[0].compact(),
      writers[1].compact(),
    ]);
  }
  await Promise.all(writers.map((writer) => writer.compact()));
  expect(await counted(url)).toBe(300);
  expect(await writers[0].rawCalls()).toBe(300);
});

it('calls beyond the bound of endpoints are counted by the process that compacts, once', async () => {
  const url = newUrl();
  const writers = [await openWriter(url), await openWriter(url)] as const;
  const dictionary = new CallDictionary();
  const context = { serviceVersion: '', consumer: '', agent: '', bot: false, errorType: '' };
  const [like] = randomCalls(1, 1, nowS, 1);
  const calls = Array.from({ length: 2_100 }, (_, n) => ({ ...like!, route: `/p${n}`, context }));
  const batch = contextBatch(calls, dictionary, 1);
  const words = dictionary.takeNew();
  // Routes that are templates made from paths have 2,000 places.
  const endpoints = words.endpoints.map((endpoint) => ({ ...endpoint, templated: true }));
  expect(await writers[1].append(batch, { ...words, endpoints })).toMatchObject({ otherCalls: 0 });
  await writers[0].compact();
  await writers[1].compact();
  const later = writers.map(({ laterOtherCalls }) => laterOtherCalls ?? 0);
  expect(later.toSorted((a, b) => a - b)).toEqual([0, 100]);
});

/** The INSERT at which a collector is killed, and how far it came. */
const killed: { table: string; fault: Fault['kind']; what: string }[] = [
  { table: 'delivery', fault: 'lose', what: 'before its INSERT' },
  { table: 'delivery', fault: 'half', what: 'in the middle of its INSERT' },
  { table: 'delivery', fault: 'lose answer', what: 'after its INSERT, before its answer' },
  { table: 'change', fault: 'lose answer', what: 'while it compacts, before the step' },
  { table: 'step', fault: 'lose', what: 'while it compacts, before the step is committed' },
  { table: 'step', fault: 'lose answer', what: 'while it compacts, after the step is committed' },
];

describe('a collector is killed', () => {
  it.each(killed)(
    '$what: another one goes on, no call is lost or doubled',
    async (kill) => {
      const proxy = new FaultProxy(server.port);
      ended.push(() => proxy.close());
      const url = newUrl();
      const behind = url.replace(`:${server.port}/`, `:${await proxy.listen()}/`);
      const env = { ROLLCALL_LOG: 'fatal' };
      const first = await startCollectorProcess('', { ...env, ROLLCALL_STORE: behind });
      const second = await startCollectorProcess('', { ...env, ROLLCALL_STORE: url });
      ended.push(
        () => first.stop('SIGKILL'),
        () => second.stop('SIGKILL'),
      );
      const before = traces(5);
      expect(await send(first, before)).toBe(200);
      await waitFor('the first collector compacts', async () => (await uncompacted(url)) === 0);
      proxy.fault = (query) =>
        query.startsWith(`INSERT INTO ${kill.table} `)
          ? ({ kind: kill.fault } as Fault)
          : undefined;
      proxy.onFault = () => first.stop('SIGKILL');
      const body = traces(7);
      const taken = await send(first, body).catch(() => 0);
      if (kill.table === 'delivery') expect(taken).not.toBe(200);
      await first.ended;
      // The exporter tries again, at the other one; and once more, as if the answer was lost.
      expect(await send(second, body)).toBe(200);
      expect(await send(second, body)).toBe(200);
      expect(await send(second, before)).toBe(200);
      expect(await counted(url)).toBe(12);
      await waitFor('the second collector compacts', async () => (await uncompacted(url)) === 0);
      expect(await counted(url)).toBe(12);
      await second.stop();
    },
    180_000,
  );
});

const refusals: { what: string; fault: Fault }[] = [
  { what: 'away', fault: { kind: 'lose' } },
  { what: 'full', fault: { kind: 'refuse', code: 243, name: 'NOT_ENOUGH_SPACE' } },
  { what: 'read-only', fault: { kind: 'refuse', code: 164, name: 'READONLY' } },
  { what: 'with too many parts', fault: { kind: 'refuse', code: 252, name: 'TOO_MANY_PARTS' } },
];

describe('the server', () => {
  it('away, full, read-only, with too many parts: 503 with Retry-After, and then all is taken once', async () => {
    const proxy = new FaultProxy(server.port);
    ended.push(() => proxy.close());
    const url = newUrl();
    const behind = url.replace(`:${server.port}/`, `:${await proxy.listen()}/`);
    const env = { ROLLCALL_LOG: 'fatal', ROLLCALL_STORE: behind };
    const collector = await startCollectorProcess('', env);
    ended.push(() => collector.stop('SIGKILL'));
    let calls = 0;
    for (const { what, fault } of refusals) {
      proxy.fault = (query) => (query.startsWith('INSERT') ? fault : undefined);
      const body = traces(3);
      const response = await post(collector, body);
      expect([response.status, Number(response.headers.get('retry-after')) > 0], what).toEqual([
        ...[503, true],
      ]);
      proxy.fault = () => undefined;
      await waitFor(`${what}: taken again`, async () => (await send(collector, body)) === 200);
      calls += 3;
      expect(await counted(url), what).toBe(calls);
    }
    proxy.fault = (query) =>
      query.startsWith('INSERT INTO delivery') ? { kind: 'delay', ms: 3_000 } : undefined;
    const startedMs = performance.now();
    expect(await send(collector, traces(4)), 'slow').toBe(200);
    expect(performance.now() - startedMs).toBeGreaterThan(3_000);
    expect(await counted(url)).toBe(calls + 4);
    await collector.stop();
  }, 180_000);
});

type Collector = Running & { url: string };

function post({ url }: Collector, body: Buffer): Promise<Response> {
  return fetch(`${url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': protobufType },
    body,
    signal: AbortSignal.timeout(60_000),
  });
}

async function send(collector: Collector, body: Buffer): Promise<number> {
  return (await post(collector, body)).status;
}

/** Deliveries that no step has taken: what a new process would read beside the state. */
async function uncompacted(url: string): Promise<number> {
  const connection = new Connection(url);
  try {
    const [step] = await connection.rows<{ n: number }>('SELECT max(n) AS n FROM step');
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const [after] = await connection.rows<{ n: number }>('SELECT max(n) AS n FROM step');
    return Number(after?.n) - Number(step?.n);
  } finally {
    connection.close();
  }
}
