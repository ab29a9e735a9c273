import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CallBatch, CallDictionary } from '../../../../../core/call.ts';
import { Database } from '../../../../../core/store/sqlite/database.ts';
import { openSqliteReader } from '../../../../../core/store/sqlite/reader/reader.ts';
import {
  openSqliteWriter,
  type SqliteCallWriter,
} from '../../../../../core/store/sqlite/writer/writer.ts';
import { allTime, dayS } from '../../../../../core/window.ts';
import { temporaryFolder } from '../../../../support/process.ts';

/** Clients and consumers that nothing refers to any more leave the store with the last of their calls and usage. */

const retention = { callsS: dayS, minutesS: dayS, hoursS: 2 * dayS, daysS: 30 * dayS };
/** The retention, the longest bucket of usage, and two days. */
const keptDays = 30 + 64 + 2;

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
let clockS: number;
let writer: SqliteCallWriter;
let dictionary: CallDictionary;
let serial: number;

beforeEach(async () => {
  folder = temporaryFolder();
  path = join(folder.path, 'rollcall.db');
  clockS = 1_790_000_000;
  serial = 0;
  await open();
});
afterEach(async () => {
  await writer.close();
  folder.remove();
});

async function open(): Promise<void> {
  dictionary = new CallDictionary();
  writer = await openSqliteWriter({ path, retention, now: () => clockS * 1000 });
}

async function call(route: string, client: string, consumer: string): Promise<void> {
  const batch = new CallBatch();
  const i = batch.push();
  const { columns } = batch;
  const names = { project: 'default', service: 'shop', environment: '', method: 'GET', route };
  columns.endpoint[i] = dictionary.endpoint({ ...names, templated: false });
  columns.origin[i] = dictionary.origin({
    ...{ serviceVersion: '1', consumer, agent: 'curl', bot: false },
    errorType: '',
  });
  columns.client[i] = dictionary.client(client);
  columns.status[i] = 200;
  columns.durationNs[i] = 1_000_000;
  serial += 1;
  columns.endS[i] = clockS + serial;
  columns.endNs[i] = 0;
  columns.requestBytes[i] = -1;
  columns.responseBytes[i] = -1;
  const digest = new Uint8Array(16);
  new DataView(digest.buffer).setUint32(0, serial);
  batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: 1 });
  await writer.append(batch, dictionary.takeNew());
}

function texts(sql: string): string[] {
  const db = new Database(path, { readOnly: true });
  const found = db.prepare(sql).pluck().all() as string[];
  db.close();
  return found;
}
const clients = () => texts('SELECT address FROM client ORDER BY id');
const consumers = () => texts('SELECT name FROM consumer WHERE is_agent = 0 ORDER BY id');

/** Ten later callers put a client out of the last callers of `/a`. */
async function history(): Promise<void> {
  await call('/a', '198.51.100.1', 'gone');
  await call('/b', '198.51.100.2', 'last of b');
  for (let n = 10; n < 20; n += 1) await call('/a', `198.51.100.${n}`, `later ${n}`);
  await writer.compact();
}

const later = Array.from({ length: 10 }, (_, n) => n + 10);

test('a client goes when its usage is past its retention, unless it is a last caller', async () => {
  await history();
  clockS += keptDays * dayS;
  await call('/c', '198.51.100.99', 'now');
  await writer.compact();
  await writer.purge(clockS);
  expect(clients()).toContain('198.51.100.1');
  clockS += dayS;
  await writer.purge(clockS);
  const kept = ['198.51.100.2', ...later.map((n) => `198.51.100.${n}`), '198.51.100.99'];
  expect(clients()).toEqual(kept);
  expect(consumers()).toEqual(['last of b', ...later.map((n) => `later ${n}`), 'now']);
});

test('a client that calls again is kept, in the same process and after a restart', async () => {
  await history();
  for (let n = 0; n < 2; n += 1) {
    clockS += Math.ceil((keptDays * dayS) / 2);
    await call('/c', '198.51.100.1', 'gone');
    await writer.compact();
    await writer.purge(clockS);
  }
  clockS += 20 * dayS;
  await call('/c', '198.51.100.99', 'now');
  await writer.purge(clockS);
  expect(clients()).toContain('198.51.100.1');
  expect(consumers()).toContain('gone');
  await writer.close();
  await open();
  clockS += dayS;
  await writer.purge(clockS);
  expect(clients()).toContain('198.51.100.1');
});

test('a client that was deleted is a new one when it calls again, and reports name it', async () => {
  await history();
  const before = clients().length;
  clockS += (keptDays + 1) * dayS;
  await call('/c', '198.51.100.99', 'now');
  await writer.compact();
  await writer.purge(clockS);
  expect(clients()).toHaveLength(before);
  expect(clients()).not.toContain('198.51.100.1');
  await call('/a', '198.51.100.1', 'gone');
  const reader = await openSqliteReader(path);
  const [found, who] = await reader.snapshot('default', async (snapshot) => [
    await snapshot.clients({}, allTime, 100),
    await snapshot.consumers({}, allTime, 100),
  ]);
  await reader.close();
  expect(found.map(({ client }) => client).sort()).toEqual(['198.51.100.1', '198.51.100.99']);
  expect(who.map(({ consumer }) => consumer).sort()).toEqual(['gone', 'now']);
});

test('rows of a store that does not say when they were used are kept for a whole retention', async () => {
  await history();
  await writer.close();
  const db = new Database(path);
  db.exec('DELETE FROM client_seen; DELETE FROM origin_seen');
  db.close();
  clockS += 2 * dayS;
  await open();
  await writer.purge(clockS);
  clockS += keptDays * dayS;
  await call('/c', '198.51.100.99', 'now');
  await writer.purge(clockS);
  expect(clients()).toContain('198.51.100.1');
  clockS += dayS;
  await writer.purge(clockS);
  expect(clients()).not.toContain('198.51.100.1');
});
