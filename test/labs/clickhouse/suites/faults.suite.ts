import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { Random } from '../../../../core/random.ts';
import { openClickhouseReader } from '../../../../core/store/clickhouse/reader.ts';
import { openClickhouseWriter } from '../../../../core/store/clickhouse/writer.ts';
import { allTime } from '../../../../core/window.ts';
import { protobufType, traces } from '../../../support/export-request.ts';
import { type Running, startCollectorProcess } from '../../../support/process.ts';
import { waitFor } from '../../../support/wait.ts';
import { installedPython, startServer, type TestServer } from '../server.ts';

/** Two collectors on one server; any of the three is killed at random, and every request goes on until it is acknowledged. */
const rounds = Number(process.env.ROUNDS ?? 12);
const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);
const callsPerBody = 7;
const data = mkdtempSync(join(tmpdir(), 'rollcall-clickhouse-'));
const ended: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const end of ended) await end().catch(() => undefined);
  rmSync(data, { recursive: true, force: true });
});

const python = installedPython();

it(`${rounds} rounds of kills: no acknowledged call is lost, none is counted twice`, async () => {
  const random = new Random(seed);
  let server: TestServer = await startServer(python, data);
  ended.push(() => server.kill());
  const url = `clickhouse://127.0.0.1:${server.port}/faults`;
  const env = { ROLLCALL_STORE: url, ROLLCALL_LOG: 'fatal' };
  const start = () => startCollectorProcess('', env);
  const collectors = [await start(), await start()] as [Collector, Collector];
  ended.push(...[0, 1].map((which) => () => collectors[which]!.stop('SIGKILL')));
  let acknowledged = 0;
  let repeated = 0;
  let isOver = false;
  let resting = Promise.resolve();

  /** Sends one body to either collector, and again, also to the other one, until it is acknowledged. */
  const sendOne = async (): Promise<void> => {
    const body = traces(callsPerBody);
    for (;;) {
      await resting;
      const { url: to } = collectors[random.next() < 0.5 ? 0 : 1];
      const isTaken = await fetch(`${to}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': protobufType },
        body,
        signal: AbortSignal.timeout(20_000),
      }).then(
        ({ status }) => status === 200,
        () => false,
      );
      if (isTaken) break;
      repeated += 1;
      await pause(50 + 100 * random.next());
    }
    acknowledged += callsPerBody;
    // An answer that got lost on the way: the same body again.
    if (random.next() < 0.2) {
      repeated += 1;
      await fetch(`${collectors[1].url}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': protobufType },
        body,
      }).catch(() => undefined);
    }
  };
  const senders = Array.from({ length: 4 }, async () => {
    while (!isOver) await sendOne();
  });

  for (let round = 0; round < rounds; round += 1) {
    await pause(300 + 2_000 * random.next());
    const victim = random.next();
    if (victim < 0.25) {
      await server.kill();
      await pause(500 * random.next());
      server = await startServer(python, data, server.port);
    } else {
      const which = victim < 0.625 ? 0 : 1;
      await collectors[which].stop('SIGKILL');
      collectors[which] = await start();
    }
  }
  isOver = true;
  await Promise.all(senders);
  resting = Promise.resolve();

  const reader = await openClickhouseReader(url);
  ended.push(() => reader.close());
  const count = () =>
    reader.snapshot('default', async (snapshot) => (await snapshot.total({}, allTime)).calls);
  expect(acknowledged).toBeGreaterThan(rounds * callsPerBody);
  console.log(`seed ${seed}: ${acknowledged} calls acknowledged, ${repeated} requests repeated`);
  expect(await count(), 'before everything is compacted').toBe(acknowledged);
  for (const { stop } of collectors) await stop();
  // Another process compacts what is left.
  const options = { retention: defaultRetention, keepsAddresses: true, ignoreConsumers: [] };
  const writer = await openClickhouseWriter({ url, ...options });
  ended.push(() => writer.close());
  await writer.compact();
  expect(await count(), 'after everything is compacted').toBe(acknowledged);
  expect(await writer.rawCalls()).toBe(acknowledged);
}, 600_000);

it('another process goes on when the one that compacts is killed', async () => {
  const server = await startServer(python, join(data, 'second'));
  ended.push(() => server.kill());
  const url = `clickhouse://127.0.0.1:${server.port}/faults`;
  const env = { ROLLCALL_STORE: url, ROLLCALL_LOG: 'fatal' };
  const first = await startCollectorProcess('', env);
  const second = await startCollectorProcess('', env);
  ended.push(
    () => first.stop('SIGKILL'),
    () => second.stop('SIGKILL'),
  );
  await first.stop('SIGKILL');
  const response = await fetch(`${second.url}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': protobufType },
    body: traces(callsPerBody),
  });
  expect(response.status).toBe(200);
  const { Connection } = await import('../../../../core/store/clickhouse/connection.ts');
  const connection = new Connection(url);
  ended.push(async () => connection.close());
  await waitFor('a step of the second collector', async () => {
    const query = "SELECT uniq(compactor) AS compactors FROM step WHERE compactor != ''";
    const [row] = await connection.rows<{ compactors: number }>(query);
    return Number(row?.compactors) === 2;
  });
}, 120_000);

type Collector = Running & { url: string };
