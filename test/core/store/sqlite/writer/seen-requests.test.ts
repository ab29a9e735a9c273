import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallBatch, CallDictionary } from '../../../../../core/call.ts';
import { defaultRetention } from '../../../../../core/config/retention.ts';
import { limits } from '../../../../../core/limits.ts';
import { Random } from '../../../../../core/random.ts';
import { DigestTable } from '../../../../../core/store/delivery/digest-table.ts';
import { Database } from '../../../../../core/store/sqlite/database.ts';
import { migrate } from '../../../../../core/store/sqlite/schema.ts';
import { SeenRequests } from '../../../../../core/store/sqlite/writer/seen-requests.ts';
import { openSqliteWriter } from '../../../../../core/store/sqlite/writer/writer.ts';
import { rawCallsOf } from '../../../../support/stored-calls.ts';

function deliveryOf(digest: Uint8Array) {
  return { project: 'p', digest, firstCall: 0, calls: 1 };
}

function digest(byte: number): Uint8Array {
  return Buffer.alloc(16, byte);
}

describe('deliveries that come again', () => {
  const nowS = 1_795_000_000;
  let db: Database;
  beforeEach(() => {
    db = new Database(':memory:');
    migrate(db);
  });
  afterEach(() => db.close());

  const commit = (deliveries: SeenRequests, digests: Uint8Array[], atS = nowS, projectRow = 1) => {
    const isNew = db.immediately(() => {
      const found = digests.map((each) => deliveries.isNew(projectRow, deliveryOf(each), atS));
      deliveries.write(atS);
      return found;
    });
    deliveries.committed(atS);
    return isNew;
  };

  it('are known in the same batch, in a later one, after a restart; not in another project', () => {
    const first = new SeenRequests(db, nowS);
    expect(commit(first, [digest(1), digest(2), digest(1)])).toEqual([true, true, false]);
    expect(commit(first, [digest(2), digest(3)])).toEqual([false, true]);
    const second = new SeenRequests(db, nowS + 1);
    expect(commit(second, [digest(1), digest(2), digest(3), digest(4)])).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(commit(second, [digest(1)], nowS, 2)).toEqual([true]);
  });

  it('are told apart by their last byte', () => {
    const deliveries = new SeenRequests(db, nowS);
    const other = digest(1);
    other[15] = 2;
    expect(commit(deliveries, [digest(1)])).toEqual([true]);
    expect(commit(deliveries, [other])).toEqual([true]);
    expect(commit(deliveries, [digest(1), other])).toEqual([false, false]);
  });

  it('are forgotten after an hour, to the second, also over a restart', () => {
    const deliveries = new SeenRequests(db, nowS);
    commit(deliveries, [digest(1)]);
    const lastS = nowS + limits.deliveryMemoryS - 1;
    for (let atS = nowS; atS < lastS; atS += 300) commit(deliveries, [], atS);
    expect(commit(deliveries, [digest(1)], lastS)).toEqual([false]);
    expect(commit(new SeenRequests(db, lastS), [digest(1)], lastS)).toEqual([false]);
    expect(commit(deliveries, [digest(1)], lastS + 1)).toEqual([true]);
    expect(commit(deliveries, [digest(1)], lastS + 1)).toEqual([false]);
  });

  it.each([0, 1, 29, 30, 31, 59])(
    'are known for an hour under other traffic, sent in minute %i of it',
    (minute) => {
      const deliveries = new SeenRequests(db, nowS);
      const sentS = nowS + minute * 60;
      let others = 0;
      const other = () => {
        others += 1;
        const bytes = Buffer.alloc(16, 7);
        bytes.writeUInt32BE(others);
        return bytes;
      };
      for (let atS = nowS; atS < sentS + 3_540; atS += 60) {
        commit(deliveries, atS === sentS ? [digest(1), other()] : [other()], atS);
        if (atS >= sentS) expect(commit(deliveries, [digest(1)], atS)).toEqual([false]);
      }
      expect(commit(deliveries, [digest(1)], sentS + 3_599)).toEqual([false]);
      expect(commit(deliveries, [digest(1)], sentS + 3_600)).toEqual([true]);
    },
  );

  it('are not known when their transaction was rolled back', () => {
    const deliveries = new SeenRequests(db, nowS);
    commit(deliveries, [digest(1)]);
    expect(() =>
      db.immediately(() => {
        deliveries.isNew(1, deliveryOf(digest(2)), nowS);
        deliveries.write(nowS);
        throw new Error('the disk is full');
      }),
    ).toThrow('the disk is full');
    deliveries.recover(nowS);
    expect(commit(deliveries, [digest(1), digest(2)])).toEqual([false, true]);
  });

  it('of the last hour are brought along from the tables by digest of version 1', () => {
    const old = new Database(':memory:');
    migrate(old, 1);
    old.prepare('INSERT INTO delivery_even VALUES (?, ?, ?)').run(1, digest(1), nowS - 10);
    old.prepare('INSERT INTO delivery_odd VALUES (?, ?, ?)').run(1, digest(2), nowS - 20);
    migrate(old);
    const deliveries = new SeenRequests(old, nowS);
    const isNew = [1, 2, 3].map((byte) => deliveries.isNew(1, deliveryOf(digest(byte)), nowS));
    expect(isNew).toEqual([false, false, true]);
    old.close();
  });
});

it('the table of digests finds every row that was added, whatever collides', () => {
  const random = new Random(7);
  const table = new DigestTable();
  const rows = new Map<string, number[]>();
  for (let row = 1; row < 20_000; row += 1) {
    const high = random.below(40);
    const low = random.below(2) === 0 ? random.below(40) * 65_536 : random.u32();
    table.add(high, low, row);
    const key = `${high} ${low}`;
    rows.set(key, [...(rows.get(key) ?? []), row]);
  }
  for (const [key, expected] of rows) {
    const [high, low] = key.split(' ').map(Number);
    const found: number[] = [];
    table.some(high!, low!, (row) => found.push(row) === 0);
    expect(found.sort((a, b) => a - b)).toEqual(expected);
  }
  expect(table.some(50, 1, () => true)).toBe(false);
});

it('no id of a call is given twice, also when all calls are deleted and the writer starts anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-ids-'));
  const path = join(folder, 'rollcall.db');
  let nowS = 1_795_000_000;
  const open = () =>
    openSqliteWriter({ path, retention: defaultRetention, now: () => nowS * 1000 });
  const dictionary = new CallDictionary();
  const append = async (writer: Awaited<ReturnType<typeof open>>, byte: number) => {
    const batch = new CallBatch();
    const name = { project: 'p', service: 's', environment: '', method: 'GET', route: '/' };
    const endpoint = dictionary.endpoint({ ...name, templated: false });
    const origin = dictionary.origin({
      serviceVersion: '',
      consumer: '',
      agent: '',
      bot: false,
      errorType: '',
    });
    for (let i = 0; i < 3; i += 1) {
      const at = batch.push();
      batch.columns.endpoint[at] = endpoint;
      batch.columns.origin[at] = origin;
      batch.columns.endS[at] = nowS;
      batch.columns.status[at] = 200;
    }
    batch.deliveries.push({ project: 'p', digest: digest(byte), firstCall: 0, calls: 3 });
    await writer.append(batch, dictionary.takeNew());
  };
  const ids = () => rawCallsOf(path).map(({ id }) => id);
  const first = await open();
  await append(first, 1);
  expect(ids()).toEqual([1, 2, 3]);
  await first.compact();
  nowS += defaultRetention.callsS + 1;
  await first.purge(nowS);
  expect(ids()).toEqual([]);
  await append(first, 2);
  expect(ids()).toEqual([4, 5, 6]);
  await first.compact();
  nowS += defaultRetention.callsS + 1;
  await first.purge(nowS);
  await first.close();
  dictionary.reset();
  const second = await open();
  await append(second, 3);
  expect(ids()).toEqual([7, 8, 9]);
  await second.close();
  await rm(folder, { recursive: true });
});
