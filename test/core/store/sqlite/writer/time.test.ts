import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CallBatch, CallDictionary } from '../../../../../core/call.ts';
import { defaultRetention } from '../../../../../core/config/retention.ts';
import { Database } from '../../../../../core/store/sqlite/database.ts';
import { openSqliteReader } from '../../../../../core/store/sqlite/reader/reader.ts';
import {
  openSqliteWriter,
  type SqliteCallWriter,
} from '../../../../../core/store/sqlite/writer/writer.ts';
import type { Coverage } from '../../../../../core/store/store.ts';
import type { HeldStep } from '../../../../../core/store/store-clock.ts';
import { temporaryFolder } from '../../../../support/process.ts';

/**
 * What the store does in time, by a clock that the test moves. The default retention: raw calls 3 days, minutes 2
 * days, hours 90 days, days 800 days.
 */
const minuteS = 60;
const hourS = 3600;
const dayS = 86_400;
const yearS = 365 * dayS;
/** A midnight at which a bucket of 64 days begins. */
const bucketS = 320 * 64 * dayS;
const noonS = bucketS + 40 * dayS + 12 * hourS;

let folder: ReturnType<typeof temporaryFolder>;
let writer: SqliteCallWriter;
let dictionary: CallDictionary;
let wallS: number;
let uptimeS: number;
let told: (HeldStep | undefined)[];
let serial: number;

const path = () => `${folder.path}/rollcall.db`;
const open = async () => {
  dictionary = new CallDictionary();
  uptimeS = 0;
  writer = await openSqliteWriter({
    path: path(),
    retention: defaultRetention,
    now: () => wallS * 1000,
    uptime: () => uptimeS * 1000,
    onHeldStep: (held) => told.push(held),
  });
};
const reopen = async () => {
  await writer.close();
  await open();
};

beforeEach(async () => {
  folder = temporaryFolder();
  wallS = noonS;
  told = [];
  serial = 0;
  await open();
});
afterEach(async () => {
  await writer.close();
  folder.remove();
});

const run = async (s: number) => {
  wallS += s;
  uptimeS += s;
  await writer.tick();
};

/** Appends one call that ended at each of the times. @returns whether the delivery was new */
async function append(endsS: readonly number[], digest = ++serial): Promise<boolean> {
  const batch = new CallBatch();
  for (const endS of endsS) {
    const i = batch.push();
    const { columns } = batch;
    const name = {
      project: 'default',
      service: 'shop',
      environment: '',
      method: 'GET',
      route: '/a',
    };
    columns.endpoint[i] = dictionary.endpoint({ ...name, templated: false });
    const origin = { serviceVersion: '1', consumer: '', agent: '', bot: false, errorType: '' };
    columns.origin[i] = dictionary.origin(origin);
    columns.client[i] = dictionary.client('192.0.2.1');
    columns.status[i] = 200;
    columns.durationNs[i] = 1_000_000;
    columns.endS[i] = endS;
    columns.endNs[i] = 0;
    columns.requestBytes[i] = -1;
    columns.responseBytes[i] = -1;
  }
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, digest);
  batch.deliveries.push({ project: 'default', digest: bytes, firstCall: 0, calls: batch.length });
  return (await writer.append(batch, dictionary.takeNew())).stored[0]!;
}

interface Answer extends Coverage {
  calls: number;
  lifetimeCalls: number;
}

/** The window as covered, with its calls. */
async function ask(fromS: number, toS: number): Promise<Answer> {
  const reader = await openSqliteReader(path());
  try {
    return await reader.snapshot('default', async (snapshot) => {
      const coverage = await snapshot.coverage({ fromS, toS });
      const { calls } = await snapshot.total({}, { fromS, toS });
      const records = await snapshot.endpoints({});
      const lifetimeCalls = records.reduce((sum, record) => sum + record.lifetimeCalls, 0);
      return { ...coverage, calls, lifetimeCalls };
    });
  } finally {
    await reader.close();
  }
}

const everything = () => ask(0, wallS + 10 * yearS);
const blocks = async () => (await writer.stages()).blocks;

describe('each call passes three stages, and counts in each', () => {
  test('not rolled up, run, levels', async () => {
    await append([noonS - 90, noonS - 30, noonS - 30]);
    expect(await writer.stages()).toEqual({ notRolledUp: 3, runs: 0, blocks: {} });
    expect((await everything()).calls).toBe(3);
    await writer.rollUp();
    expect(await writer.stages()).toEqual({ notRolledUp: 0, runs: 1, blocks: {} });
    expect((await everything()).calls).toBe(3);
    await writer.compact();
    const levels = { 1: 2, 60: 1, 360: 1, 1440: 1, 11520: 1, 92160: 1 };
    expect(await writer.stages()).toEqual({ notRolledUp: 0, runs: 0, blocks: levels });
    expect((await everything()).calls).toBe(3);
    expect((await ask(noonS - 60, noonS)).calls).toBe(2);
  });

  test('the clock brings them on: 2 s to a run, 300 s to the levels', async () => {
    await append([noonS - 30]);
    await run(1);
    expect(await writer.stages()).toMatchObject({ notRolledUp: 1, runs: 0 });
    await run(1);
    expect(await writer.stages()).toMatchObject({ notRolledUp: 0, runs: 1, blocks: {} });
    await run(299);
    expect(await writer.stages()).toMatchObject({ runs: 1, blocks: {} });
    await run(1);
    expect(await writer.stages()).toMatchObject({ runs: 0, blocks: { 1: 1 } });
  });

  test('an append rolls up what waited for 2 s, itself included', async () => {
    await append([noonS - 30]);
    wallS += 2;
    uptimeS += 2;
    await append([noonS - 20, noonS - 10]);
    expect(await writer.stages()).toEqual({ notRolledUp: 0, runs: 1, blocks: {} });
    expect((await everything()).calls).toBe(3);
    await append([noonS]);
    expect(await writer.stages()).toMatchObject({ notRolledUp: 1, runs: 1 });
    expect((await everything()).calls).toBe(4);
  });

  test('calls of several buckets of 64 days, the later ones first and last', async () => {
    const endsS = [noonS - 300 * dayS, noonS - 120 * dayS, noonS - 70 * dayS, noonS - hourS];
    for (const order of [endsS, endsS.toReversed()]) {
      for (const endS of order) {
        await append([endS, endS]);
        await writer.compact();
      }
    }
    expect((await blocks())[92160]).toBe(4);
    expect((await everything()).calls).toBe(16);
    for (const endS of endsS) {
      const dayFromS = endS - (endS % dayS);
      expect((await ask(dayFromS, dayFromS + dayS)).calls).toBe(4);
    }
    const { calls } = await ask(noonS - 120 * dayS - 12 * hourS, noonS);
    expect(calls).toBe(12);
  });

  test('a late call is added to its own minute, hour and day, whatever was compacted since', async () => {
    const lateS = noonS - 5 * hourS;
    await append([noonS - 60]);
    await writer.compact();
    await append([lateS]);
    expect((await ask(lateS, lateS + minuteS)).calls).toBe(1);
    await writer.compact();
    await append([lateS]);
    await writer.compact();
    expect((await ask(lateS, lateS + minuteS)).calls).toBe(2);
    expect((await ask(noonS - 12 * hourS, noonS)).calls).toBe(3);
    expect((await ask(lateS + minuteS, noonS)).calls).toBe(1);
  });
});

describe('retention deletes each level by its own age', () => {
  const agesS = [0, 1.5 * dayS, 3.5 * dayS, 80 * dayS, 95 * dayS, 700 * dayS];

  test('first minutes, then raw calls, hours and days, and nothing else', async () => {
    for (const ageS of agesS) await append([noonS - ageS]);
    await writer.compact();
    await run(31);
    // Minutes of two days, hours of ninety, days of all: the marks lie at midnights.
    expect(await blocks()).toEqual({ 1: 2, 60: 4, 360: 4, 1440: 6, 11520: 5, 92160: 3 });
    expect((await everything()).calls).toBe(6);
    await writer.purge(noonS + 200 * dayS);
    expect(await blocks()).toEqual({ 1440: 5, 11520: 4, 92160: 2 });
    expect((await everything()).calls).toBe(5);
    expect((await everything()).incomplete).toBe(true);
    await writer.purge(noonS + 900 * dayS);
    expect(await writer.stages()).toEqual({ notRolledUp: 0, runs: 0, blocks: {} });
    const { calls, lifetimeCalls } = await everything();
    expect([calls, lifetimeCalls]).toEqual([0, 6]);
  });

  test('minutes are kept from a midnight on, to the first minute of that day', async () => {
    const midnightS = noonS - 12 * hourS - 2 * dayS;
    await append([midnightS - 1, midnightS, midnightS + 59, midnightS + 60]);
    await writer.compact();
    await run(31);
    expect(await ask(midnightS, midnightS + minuteS)).toMatchObject({
      calls: 2,
      resolution: 'minute',
      window: { fromS: midnightS, toS: midnightS + minuteS },
    });
    expect(await ask(midnightS - minuteS, midnightS)).toMatchObject({
      calls: 1,
      resolution: 'hour',
      window: { fromS: midnightS - hourS, toS: midnightS },
    });
  });

  test('days that are kept are answered although older days of their 64-day bucket are not', async () => {
    // 800 days before noon is day 8 of a bucket: the whole bucket stays, and the one before goes.
    const horizonS = noonS - 800 * dayS;
    const edgeS = bucketS - 12 * 64 * dayS;
    expect([horizonS - edgeS, 64 * dayS]).toEqual([8.5 * dayS, 64 * dayS]);
    await append([edgeS - 1, edgeS, edgeS + dayS, horizonS + dayS, noonS]);
    await writer.compact();
    await run(31);
    expect(await everything()).toMatchObject({ calls: 4, incomplete: true, lifetimeCalls: 5 });
    expect((await everything()).window.fromS).toBe(edgeS);
    expect((await ask(edgeS, edgeS + dayS)).calls).toBe(1);
    expect((await ask(horizonS + 12 * hourS, noonS - dayS)).calls).toBe(1);
  });

  test('a call past its retention is in the permanent record alone, and brings no block back', async () => {
    await append([noonS]);
    await writer.compact();
    await run(31);
    const before = await blocks();
    const { window } = await everything();
    await append([noonS - 1_000 * dayS]);
    await writer.compact();
    expect(await blocks()).toEqual(before);
    expect(await everything()).toMatchObject({ calls: 1, lifetimeCalls: 2, window });
    // Old hours of kept days come back as days alone.
    await append([noonS - 120 * dayS]);
    await writer.compact();
    const after = await blocks();
    expect([after[60], after[360]]).toEqual([before[60], before[360]]);
    expect(after[1440]).toBe(before[1440]! + 1);
    expect((await everything()).calls).toBe(2);
  });

  test('a call that was left out for its age does not make its day look whole when the marks come down', async () => {
    const midnightS = noonS - 12 * hourS;
    // The marks of a clock that is 900 days ahead: this day is past its retention.
    await writer.purge(noonS + 900 * dayS);
    await append([noonS]);
    await writer.compact();
    expect(await blocks()).toEqual({});
    await writer.purge(noonS);
    const { window, incomplete, calls } = await ask(midnightS, midnightS + dayS);
    expect([window.toS - window.fromS, incomplete, calls]).toEqual([0, true, 0]);
    // The day behind it is whole.
    await append([midnightS + dayS + hourS]);
    await writer.compact();
    expect(await ask(midnightS, midnightS + 2 * dayS)).toMatchObject({
      window: { fromS: midnightS + dayS, toS: midnightS + 2 * dayS },
      incomplete: true,
      calls: 1,
      lifetimeCalls: 2,
    });
  });

  test('a raw call is found for three days from its commit, also in a block with younger ones', async () => {
    await append([noonS]);
    await run(600);
    await append([noonS + 600]);
    await writer.compact();
    const found = async () => {
      const reader = await openSqliteReader(path());
      const page = await reader.snapshot('default', (snapshot) =>
        snapshot.calls({}, {}, { order: 'newest', limit: 10 }),
      );
      await reader.close();
      return page.calls.map(({ endS }) => endS - noonS);
    };
    expect(await found()).toEqual([600, 0]);
    await writer.purge(noonS + 3 * dayS - 1);
    expect(await found()).toEqual([600, 0]);
    await writer.purge(noonS + 3 * dayS);
    expect(await found()).toEqual([600]);
    await writer.purge(noonS + 3 * dayS + 599);
    expect(await found()).toEqual([600]);
    await writer.purge(noonS + 3 * dayS + 600);
    expect(await found()).toEqual([]);
    const db = new Database(path(), { readOnly: true });
    const rows = (table: string) => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
    expect([rows('call_block'), rows('call_block_part'), rows('commit_calls')]).toEqual([0, 0, 0]);
    db.close();
  });

  test('calls that are not rolled up are never deleted', async () => {
    await append([noonS - 60, noonS - 30]);
    await writer.purge(noonS + 5 * dayS);
    expect(await writer.stages()).toMatchObject({ notRolledUp: 2 });
    expect((await everything()).calls).toBe(2);
    await writer.compact();
    expect(await everything()).toMatchObject({ lifetimeCalls: 2 });
  });

  test('a delivery is recognised for an hour under other traffic and while deleting, not longer', async () => {
    expect(await append([noonS], 999_999)).toBe(true);
    for (let minute = 0; minute < 59; minute++) {
      for (let n = 0; n < 20; n++) await append([wallS]);
      await run(60);
      if (minute % 15 === 0) await writer.purge(wallS);
    }
    await run(59);
    expect(await append([noonS], 999_999)).toBe(false);
    await reopen();
    expect(await append([noonS], 999_999)).toBe(false);
    await run(2);
    expect(await append([noonS], 999_999)).toBe(true);
    expect(await append([noonS], 999_999)).toBe(false);
  });
});

describe('a wrong clock erases nothing', () => {
  const agesS = [0, hourS, 1.5 * dayS, 3.5 * dayS, 80 * dayS, 700 * dayS];
  let before: Answer;
  let stages: Awaited<ReturnType<SqliteCallWriter['stages']>>;
  beforeEach(async () => {
    for (const ageS of agesS) await append([noonS - ageS]);
    await writer.compact();
    await run(31);
    before = await ask(noonS - 750 * dayS, noonS + hourS);
    stages = await writer.stages();
    expect(before.calls).toBe(6);
  });
  const expectKept = async () => {
    expect(await ask(noonS - 750 * dayS, noonS + hourS)).toEqual(before);
    expect(await writer.stages()).toEqual(stages);
  };

  test('one that steps five years while the collector runs, for 70 s and for six days', async () => {
    wallS += 5 * yearS;
    for (let n = 0; n < 7; n++) await run(10);
    expect(writer.heldStep).toEqual({ aheadS: 5 * yearS, confirmedInS: 7 * dayS - 60 });
    await expectKept();
    wallS -= 5 * yearS;
    await run(1);
    expect(writer.heldStep).toBeUndefined();
    expect(told.map((held) => held !== undefined)).toEqual([true, false]);
    await expectKept();
  });

  test('a start five years ahead', async () => {
    wallS += 5 * yearS;
    await reopen();
    await run(70);
    expect(writer.heldStep).toMatchObject({ confirmedInS: 7 * dayS - 70 });
    await expectKept();
    // What comes in the meantime counts, also after the clock is right again.
    await append([noonS + 200]);
    wallS -= 5 * yearS;
    await reopen();
    await append([noonS + 300]);
    await writer.compact();
    await run(31);
    expect((await ask(noonS - 750 * dayS, noonS + hourS)).calls).toBe(8);
    expect(await append([noonS], serial)).toBe(false);
  });

  test('a step back five years', async () => {
    wallS -= 5 * yearS;
    await run(60);
    await reopen();
    await run(60);
    await expectKept();
    wallS += 5 * yearS;
    await run(60);
    await expectKept();
  });

  test('after ten days without a collector retention waits for ten hours, then goes on', async () => {
    wallS += 10 * dayS;
    await reopen();
    await run(9 * hourS);
    await expectKept();
    await run(hourS + 31);
    await run(31);
    expect(writer.heldStep).toBeUndefined();
    expect((await blocks())[1]).toBeUndefined();
    expect((await ask(noonS - 750 * dayS, noonS + hourS)).calls).toBe(6);
  });

  test('one that is confirmed deletes; set right again, later calls count and lost days are no zeros', async () => {
    wallS += 5 * yearS;
    await run(dayS);
    for (let day = 0; day < 8; day++) await run(dayS);
    await run(31);
    expect((await blocks())[1440]).toBeUndefined();
    // The clock comes back; it is nine days later.
    wallS -= 5 * yearS;
    await run(31);
    const nextDayS = noonS + 12 * hourS;
    const lost = await ask(noonS - 750 * dayS, nextDayS);
    expect([lost.calls, lost.incomplete, lost.window.toS - lost.window.fromS]).toEqual([
      0,
      true,
      0,
    ]);
    await append([wallS, wallS - 60, wallS - dayS]);
    // A late call of a day that was deleted does not make that day look whole.
    await append([noonS - 60]);
    await writer.compact();
    await run(31);
    expect(await ask(0, wallS + 10 * dayS)).toMatchObject({
      calls: 3,
      incomplete: true,
      window: { fromS: nextDayS },
    });
    expect(await ask(wallS - (wallS % 60) - 31, wallS)).toMatchObject({ resolution: 'minute' });
    expect((await everything()).lifetimeCalls).toBe(10);
  });
});
