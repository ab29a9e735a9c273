import { afterEach, beforeEach, expect, test } from 'vitest';
import { CallBatch, CallDictionary } from '../../../../../core/call.ts';
import { defaultRetention } from '../../../../../core/config/retention.ts';
import { Database } from '../../../../../core/store/sqlite/database.ts';
import { openSqliteReader } from '../../../../../core/store/sqlite/reader/reader.ts';
import {
  openSqliteWriter,
  type SqliteCallWriter,
} from '../../../../../core/store/sqlite/writer/writer.ts';
import { allTime } from '../../../../../core/window.ts';
import { temporaryFolder } from '../../../../support/process.ts';

/** Commits that fail after rows for new names were made: the names' rows are rolled back with them. */
const startS = 1_795_000_000;
let nowS: number;
let folder: ReturnType<typeof temporaryFolder>;
let writer: SqliteCallWriter;
let dictionary: CallDictionary;

const path = () => `${folder.path}/rollcall.db`;
const open = async () => {
  dictionary = new CallDictionary();
  writer = await openSqliteWriter({
    path: path(),
    retention: defaultRetention,
    now: () => nowS * 1000,
  });
};

beforeEach(async () => {
  nowS = startS;
  folder = temporaryFolder();
  await open();
});
afterEach(async () => {
  await writer.close();
  folder.remove();
});

/** A call whose every name has the letter: service `s-a`, route `/a`, client, consumer and version. */
interface Named {
  project?: string;
  letter: string;
}

/** One delivery for each call. @returns which were new */
async function append(digest: number, ...calls: Named[]): Promise<boolean[]> {
  const batch = new CallBatch();
  calls.forEach(({ project = 'default', letter }, n) => {
    const i = batch.push();
    const { columns } = batch;
    columns.endpoint[i] = dictionary.endpoint({
      project,
      service: `s-${letter}`,
      environment: '',
      method: 'GET',
      route: `/${letter}`,
      templated: false,
    });
    columns.origin[i] = dictionary.origin({
      serviceVersion: `v-${letter}`,
      consumer: `c-${letter}`,
      agent: '',
      bot: false,
      errorType: '',
    });
    columns.client[i] = dictionary.client(`client ${letter}`);
    columns.status[i] = 200;
    columns.durationNs[i] = 1_000_000;
    columns.endS[i] = startS - 60;
    columns.requestBytes[i] = -1;
    columns.responseBytes[i] = -1;
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setUint32(0, digest);
    bytes[15] = n;
    batch.deliveries.push({ project, digest: bytes, firstCall: n, calls: 1 });
  });
  return (await writer.append(batch, dictionary.takeNew())).stored;
}

/** Every endpoint with its lifetime calls, its calls in the window of all time, and the names of its last caller. */
async function stored(project = 'default'): Promise<string[]> {
  const reader = await openSqliteReader(path());
  try {
    return await reader.snapshot(project, async (snapshot) => {
      const usage = await snapshot.usage({}, allTime);
      const records = await snapshot.endpoints({});
      return records
        .map(({ id, service, route, lifetimeCalls, lastVersion, lastCallers: [caller] }) =>
          [
            service,
            route,
            lifetimeCalls,
            usage.get(id)?.calls,
            lastVersion,
            caller?.consumer,
            caller?.client,
          ].join(' '),
        )
        .sort();
    });
  } finally {
    await reader.close();
  }
}

const lineOf = (letter: string, calls: number) =>
  `s-${letter} /${letter} ${calls} ${calls} v-${letter} c-${letter} client ${letter}`;

/** Runs `work` while no row can be added to a table, in any process. */
async function whileFull(table: string, work: () => Promise<void>): Promise<void> {
  const db = new Database(path());
  db.exec(
    `CREATE TRIGGER full BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'no room'); END`,
  );
  await work();
  db.exec('DROP TRIGGER full');
  db.close();
}

const unavailable = { code: 'unavailable', message: expect.stringContaining('no room') };

// Where a commit may stop: before its deliveries, between dimensions of its calls, before the calls themselves.
test.each(['delivery', 'client', 'origin', 'commit_calls'])(
  'a commit that fails at %s leaves nothing; the same deliveries then count once, under their names',
  async (table) => {
    expect(await append(1, { letter: 'a' })).toEqual([true]);
    await whileFull(table, async () => {
      const batch = [{ letter: 'b' }, { letter: 'c' }, { letter: 'd', project: 'other' }];
      await expect(append(2, ...batch)).rejects.toMatchObject(unavailable);
      await expect(append(2, ...batch)).rejects.toMatchObject(unavailable);
    });
    expect([await stored(), await stored('other')]).toEqual([[lineOf('a', 1)], []]);
    // The rows that the failed commit gave to b, c and d go to other names now.
    expect(await append(3, { letter: 'e' }, { letter: 'f', project: 'third' })).toEqual([
      true,
      true,
    ]);
    const batch = [{ letter: 'b' }, { letter: 'c' }, { letter: 'd', project: 'other' }];
    expect(await append(2, ...batch)).toEqual([true, true, true]);
    expect(await append(2, ...batch)).toEqual([false, false, false]);
    expect(await append(4, { letter: 'c' }, { letter: 'a' })).toEqual([true, true]);
    const all = [lineOf('a', 2), lineOf('b', 1), lineOf('c', 2), lineOf('e', 1)];
    const expectAll = async () => {
      expect(await stored()).toEqual(all);
      expect(await stored('other')).toEqual([lineOf('d', 1)]);
      expect(await stored('third')).toEqual([lineOf('f', 1)]);
    };
    await expectAll();
    await writer.compact();
    await expectAll();
    await writer.close();
    await open();
    expect(await append(2, ...batch)).toEqual([false, false, false]);
    await expectAll();
  },
);

test('a roll-up or compaction that fails loses and doubles no call', async () => {
  await append(1, { letter: 'a' });
  await append(2, { letter: 'b' });
  await whileFull('usage_run', async () => {
    await expect(writer.rollUp()).rejects.toMatchObject(unavailable);
  });
  expect(await stored()).toEqual([lineOf('a', 1), lineOf('b', 1)]);
  await append(3, { letter: 'a' });
  await writer.rollUp();
  expect(await writer.stages()).toMatchObject({ notRolledUp: 0, runs: 1 });
  expect(await stored()).toEqual([lineOf('a', 2), lineOf('b', 1)]);
  await whileFull('usage_block', async () => {
    await expect(writer.compact()).rejects.toMatchObject(unavailable);
  });
  expect(await stored()).toEqual([lineOf('a', 2), lineOf('b', 1)]);
  await writer.compact();
  expect(await stored()).toEqual([lineOf('a', 2), lineOf('b', 1)]);
});

test('an append whose roll-up fails is refused whole, and counts once when it comes again', async () => {
  await append(1, { letter: 'a' });
  // Calls that waited for 2 s are rolled up by the next append, in its transaction.
  nowS += 2;
  await whileFull('usage_run', async () => {
    await expect(append(2, { letter: 'b' }, { letter: 'a' })).rejects.toMatchObject(unavailable);
  });
  expect(await stored()).toEqual([lineOf('a', 1)]);
  expect(await append(2, { letter: 'b' }, { letter: 'a' })).toEqual([true, true]);
  expect(await stored()).toEqual([lineOf('a', 2), lineOf('b', 1)]);
  await writer.compact();
  expect(await stored()).toEqual([lineOf('a', 2), lineOf('b', 1)]);
});
