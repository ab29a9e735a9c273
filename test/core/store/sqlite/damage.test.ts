import { afterEach, beforeEach, expect, it } from 'vitest';
import { CallDictionary } from '../../../../core/call.ts';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { damageText, type StoreNotice } from '../../../../core/store/notices.ts';
import { backUpStore } from '../../../../core/store/sqlite/backup.ts';
import { checkStore } from '../../../../core/store/sqlite/check.ts';
import { Database } from '../../../../core/store/sqlite/database.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import {
  openSqliteWriter,
  type SqliteCallWriter,
} from '../../../../core/store/sqlite/writer/writer.ts';
import { allTime } from '../../../../core/window.ts';
import { temporaryFolder } from '../../../support/process.ts';
import { rawCallsOf } from '../../../support/stored-calls.ts';

/** Two shards of usage: 256 endpoints each. */
const endpoints = 300;
const nowS = 1_790_000_000;

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
let writer: SqliteCallWriter;
let dictionary: CallDictionary;
let notices: StoreNotice[];
let serial = 0;

beforeEach(async () => {
  folder = temporaryFolder();
  path = `${folder.path}/rollcall.db`;
  dictionary = new CallDictionary();
  notices = [];
  writer = await open();
});
afterEach(async () => {
  await writer.close();
  folder.remove();
});

const open = () => {
  const onNotice = (notice: StoreNotice) => notices.push(notice);
  return openSqliteWriter({ path, retention: defaultRetention, now: () => nowS * 1000, onNotice });
};

/** One call of every endpoint. */
async function append(): Promise<void> {
  const batch = writer.newBatch();
  const name = { project: 'p', service: 's', environment: '', method: 'GET', templated: false };
  const origin = { serviceVersion: '', consumer: '', agent: '', bot: false, errorType: '' };
  for (let n = 0; n < endpoints; n += 1) {
    const i = batch.push();
    batch.columns.endpoint[i] = dictionary.endpoint({ ...name, route: `/${n}` });
    batch.columns.origin[i] = dictionary.origin(origin);
    batch.columns.client[i] = 0;
    batch.columns.endS[i] = nowS - 60;
    batch.columns.endNs[i] = n;
    batch.columns.status[i] = 200;
    batch.columns.durationNs[i] = 1e6;
    batch.columns.requestBytes[i] = -1;
    batch.columns.responseBytes[i] = -1;
    batch.columns.traceId.fill(n, i * 16, i * 16 + 16);
  }
  serial += 1;
  const digest = Buffer.alloc(16, serial);
  batch.deliveries.push({ project: 'p', digest, firstCall: 0, calls: endpoints });
  await writer.append(batch, dictionary.takeNew());
}

async function counted(): Promise<number> {
  const reader = await openSqliteReader(path);
  const usage = await reader.snapshot('p', (snapshot) => snapshot.total({}, allTime));
  await reader.close();
  return usage.calls;
}

/** Overwrites twelve bytes in the middle of a blob. */
function damage(table: string, column: string, where: string): void {
  const db = new Database(path, { timeoutMs: 5000 });
  const read = db.prepare(`SELECT ${column} FROM ${table} WHERE ${where}`).pluck();
  const bytes = read.get() as Buffer;
  for (let i = 0; i < 12; i += 1) bytes[(bytes.length >> 1) + i]! ^= 255;
  db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${where}`).run(bytes);
  db.close();
}

const damagedNames = (): string[] =>
  notices.flatMap((notice) => ('damaged' in notice ? [notice.damaged] : []));

it('a store without damage is read as a whole, whatever its calls have become', async () => {
  await append();
  await writer.compact();
  await append();
  await writer.rollUp();
  await append();
  expect(checkStore(path)).toEqual({ calls: 900, blocks: 1, commits: 2, usage: 14, damaged: [] });
});

it('a damaged run of usage loses its own calls: reports, senders and compaction go on without it', async () => {
  await append();
  await writer.rollUp();
  damage('usage_run', 'block', 'shard = 0');
  expect(await counted()).toBe(45);
  expect(checkStore(path).damaged).toEqual([
    expect.stringMatching(/^usage run 1 is damaged: its checksum is \d+, its bytes have \d+$/),
  ]);
  await append();
  await writer.compact();
  expect(await counted()).toBe(345);
  expect(damagedNames()).toEqual(['usage run 1']);
  expect(writer.damaged).toEqual(['usage run 1']);
  expect(checkStore(path).damaged).toEqual([
    'usage run 1 was found damaged and put aside (table damaged_usage)',
  ]);
});

it('a damaged block of usage is left out by reports and put aside when it is written again', async () => {
  await append();
  await writer.compact();
  damage('usage_block', 'block', 'shard = 1 AND level_minutes = 92160');
  expect(await counted()).toBe(255);
  await append();
  await writer.compact();
  expect(await counted()).toBe(555);
  expect(damagedNames()).toEqual(['usage of 92160 min from 2026-08-07T00:00, shard 1']);
});

it('a damaged commit is named and left out after a kill -9, and the others become blocks', async () => {
  await append();
  await append();
  await append();
  damage('commit_calls', 'columns', 'first_call_id = 301');
  expect(await counted()).toBe(600);
  const killed = `${folder.path}/killed.db`;
  await backUpStore(path, killed);
  await writer.close();
  path = killed;
  notices = [];
  writer = await open();
  await writer.compact();
  expect(await counted()).toBe(600);
  expect(damagedNames()).toEqual(['commit of call 301']);
  expect(damageText(writer.damaged!)).toBe(
    'damaged and left out: commit of call 301; rollcall check reads the whole store',
  );
  const { damaged, ...read } = checkStore(path);
  expect(read).toMatchObject({ calls: 600, blocks: 2, commits: 1 });
  expect(damaged).toEqual([expect.stringContaining('commit of call 301 is damaged')]);
});

it('a damaged part of a block is named, and the other blocks are read', async () => {
  await append();
  await writer.compact();
  await append();
  await writer.compact();
  damage('call_block_part', 'bytes', `id = ${64 * 301 + 3}`);
  const { damaged, calls } = checkStore(path);
  expect(calls).toBe(300);
  expect(damaged).toEqual([
    expect.stringContaining('block of call 301, duration is damaged: its checksum is'),
  ]);
  expect(() => rawCallsOf(path)).toThrow('block of call 301, duration is damaged');
});

it('a search leaves a damaged block out, and the reader counts it once', async () => {
  for (let block = 0; block < 3; block += 1) {
    await append();
    await writer.compact();
  }
  damage('call_block_part', 'bytes', `id = ${64 * 301 + 2}`);
  const reader = await openSqliteReader(path);
  const before = reader.damagedRows!();
  const search = () =>
    reader.snapshot('p', (snapshot) => snapshot.calls({}, {}, { order: 'newest', limit: 1_000 }));
  for (let n = 0; n < 2; n += 1) {
    const ids = (await search()).calls.map(({ id }) => Number(id));
    expect(ids).toHaveLength(600);
    expect(ids.filter((id) => id > 300 && id <= 600)).toEqual([]);
  }
  expect(reader.damagedRows!() - before).toBe(1);
  await reader.close();
});
