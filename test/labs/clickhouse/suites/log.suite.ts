import { expect, it } from 'vitest';
import { CallDictionary } from '../../../../core/call.ts';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { Connection } from '../../../../core/store/clickhouse/connection.ts';
import { DeliveryLog } from '../../../../core/store/clickhouse/delivery-log.ts';
import { openClickhouseReader } from '../../../../core/store/clickhouse/reader.ts';
import { Replica } from '../../../../core/store/clickhouse/replica.ts';
import { makeTables } from '../../../../core/store/clickhouse/tables.ts';
import { openClickhouseWriter } from '../../../../core/store/clickhouse/writer.ts';
import { storePlace } from '../../../../core/store/engine.ts';
import { allTime } from '../../../../core/window.ts';
import { contextBatch, inContexts } from '../../../store/contexts.ts';
import { randomCalls } from '../../../store/made-calls.ts';
import { waitFor } from '../../../support/wait.ts';
import { newDatabase } from './engine.ts';

const options = { retention: defaultRetention, keepsAddresses: true, ignoreConsumers: [] };

/** Everything rests on it: the watermark never passes an INSERT that shows later. */
it('an INSERT shows before those with greater numbers, whatever is inserted at once and merged', async () => {
  const { url, end } = newDatabase();
  const connection = new Connection(url);
  await makeTables(connection);
  const log = new DeliveryLog(connection);
  let isOver = false;
  let serial = 0;
  const insertOn = async (): Promise<void> => {
    for (let i = 0; i < 40; i += 1) {
      const digest = new Uint8Array(16);
      serial += 1;
      new DataView(digest.buffer).setUint32(0, serial);
      const body = new Uint8Array(serial % 7 === 0 ? 300_000 : 10);
      const nothing = { sideBySide: [], notes: [] };
      await log.insert([{ project: 'p', digest, calls: 0, body }], nothing, 1);
    }
  };
  const shown = new Set<number>();
  const late: number[] = [];
  const look = async (): Promise<void> => {
    while (!isOver) {
      const query = 'SELECT _block_number AS block FROM delivery';
      const blocks = (await connection.rows<{ block: number }>(query)).map(({ block }) => +block);
      const greatest = Math.max(0, ...shown);
      for (const block of blocks) {
        if (block < greatest && !shown.has(block)) late.push(block);
      }
      for (const block of blocks) shown.add(block);
    }
  };
  const merging = async (): Promise<void> => {
    while (!isOver) await connection.run('OPTIMIZE TABLE delivery');
  };
  const looking = Promise.all([look(), merging()]);
  await Promise.all(Array.from({ length: 6 }, insertOn));
  isOver = true;
  await looking;
  expect(late).toEqual([]);
  const [row] = await connection.rows<{ rows: number; blocks: number }>(
    'SELECT count() AS rows, uniqExact(_block_number) AS blocks FROM delivery',
  );
  expect([Number(row?.rows), Number(row?.blocks)]).toEqual([240, 240]);
  connection.close();
  await end();
});

it('of steps that are computed at once each counts once, on top of the others', async () => {
  const { url, end } = newDatabase();
  const connection = new Connection(url);
  await makeTables(connection);
  const replicas = Array.from({ length: 4 }, () => new Replica(connection));
  await Promise.all(
    replicas.map(async (replica) => {
      const { db } = replica;
      for (let i = 0; i < 12; i += 1) {
        await replica.exclusively(() =>
          replica.commit(() => {
            db.exec("INSERT INTO meta VALUES ('n', 1) ON CONFLICT DO UPDATE SET value = value + 1");
          }),
        );
      }
    }),
  );
  const late = new Replica(connection);
  for (const replica of [...replicas, late]) {
    await replica.sync();
    expect(replica.head).toBe(48);
    const found = replica.db.prepare("SELECT value FROM meta WHERE key = 'n'").pluck().get();
    expect(found).toBe(48);
    replica.close();
  }
  connection.close();
  await end();
});

it('compacted deliveries go when they are old, and nothing that is reported goes with them', async () => {
  const { url, end } = newDatabase();
  const writer = await openClickhouseWriter({ url, ...options, deliveriesKeptS: 0 });
  const reader = await openClickhouseReader(url);
  const count = () =>
    reader.snapshot('default', async (snapshot) => (await snapshot.total({}, allTime)).calls);
  const dictionary = new CallDictionary();
  const nowS = Math.floor(Date.now() / 1000);
  for (let serial = 1; serial <= 5; serial += 1) {
    const calls = inContexts(1, randomCalls(serial, 50, nowS, 5));
    await writer.append(contextBatch(calls, dictionary, serial), dictionary.takeNew());
    expect(await count()).toBe(50 * serial);
  }
  const connection = new Connection(url);
  await waitFor('no delivery is left', async () => {
    const [row] = await connection.rows<{ rows: number }>('SELECT count() AS rows FROM delivery');
    return Number(row?.rows) === 0;
  });
  expect(await count()).toBe(250);
  expect(await writer.rawCalls()).toBe(250);
  connection.close();
  await writer.close();
  await reader.close();
  await end();
});

it('tables of another engine, and a store of another release, are refused by name', async () => {
  const { url, end } = newDatabase();
  const connection = new Connection(url);
  await makeTables(connection);
  await connection.run('INSERT INTO format VALUES (7)');
  await expect(openClickhouseReader(url)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/another release \(format 7, /),
  });
  await connection.run('TRUNCATE TABLE format');
  await connection.run('DROP TABLE step');
  await connection.run(
    'CREATE TABLE step (n UInt64, nonce String, compactor String, changes UInt32) ENGINE = ReplacingMergeTree ORDER BY n',
  );
  await expect(openClickhouseReader(url)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(/as ReplacingMergeTree: only MergeTree/),
  });
  connection.close();
  await end();
});

it('a server that is away is unavailable, and the error names no password', async () => {
  await expect(openClickhouseReader('clickhouse://u:secret@127.0.0.1:9/x')).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.not.stringContaining('secret'),
  });
});

it('stores of one process share their records, and the last that is closed closes them', async () => {
  const { url, end } = newDatabase();
  const place = storePlace({ engine: 'clickhouse', url });
  expect(await place.exists()).toBe(false);
  const [keys, decisions] = await Promise.all([place.openKeys(), place.openDecisions()]);
  expect(await place.exists()).toBe(true);
  await keys.createProject('other');
  await keys.close();
  const asked = { service: 'shop', environment: null, method: 'GET', route: '/a' };
  expect(await decisions.history('other', asked)).toEqual([]);
  await decisions.close();
  const again = await place.openKeys();
  expect((await again.projects()).map(({ name }) => name)).toEqual(['default', 'other']);
  await again.close();
  await end();
});
