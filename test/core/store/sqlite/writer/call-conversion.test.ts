import { afterEach, beforeEach, expect, it } from 'vitest';
import { defaultRetention } from '../../../../../core/config/retention.ts';
import { limits } from '../../../../../core/limits.ts';
import { Random } from '../../../../../core/random.ts';
import { conversionText } from '../../../../../core/store/notices.ts';
import { Database } from '../../../../../core/store/sqlite/database.ts';
import { migrate } from '../../../../../core/store/sqlite/schema.ts';
import { CallBlocks } from '../../../../../core/store/sqlite/writer/call-blocks.ts';
import { CallConversion } from '../../../../../core/store/sqlite/writer/call-conversion.ts';
import { Purger } from '../../../../../core/store/sqlite/writer/purger.ts';
import { UnusedDimensions } from '../../../../../core/store/sqlite/writer/unused-dimensions.ts';
import { temporaryFolder } from '../../../../support/process.ts';
import { type RawCall, rawCallsOf } from '../../../../support/stored-calls.ts';

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
let db: Database;

beforeEach(() => {
  folder = temporaryFolder();
  path = `${folder.path}/rollcall.db`;
  db = new Database(path);
  db.pragma('journal_mode = WAL');
  migrate(db);
});
afterEach(() => {
  db.close();
  folder.remove();
});

const callsOf = (): Omit<RawCall, 'where'>[] =>
  rawCallsOf(path).map(({ where: _, ...call }) => call);
const rows = (): number => db.prepare('SELECT count(*) FROM call').pluck().get() as number;

/** Rows as release 0.1.0 wrote them. @param commits calls of each commit @param rolledUp of them */
function writeOldCalls(commits: readonly number[], rolledUp: number): void {
  const random = new Random(11);
  db.exec("INSERT INTO project (id, name) VALUES (7, 'p')");
  db.exec("INSERT INTO service VALUES (1, 7, 's', '')");
  const endpoint = db.prepare(
    "INSERT INTO endpoint (id, service_id, method, route, templated) VALUES (?, 1, 'GET', ?, 0)",
  );
  for (let id = 1; id <= 9; id += 1) endpoint.run(id, `/${id}`);
  const client = db.prepare('INSERT INTO client VALUES (?, ?)');
  for (let id = 1; id <= 50; id += 1) client.run(id, `192.0.2.${id}`);
  const call = db.prepare('INSERT INTO call VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?)');
  const weight = db.prepare('INSERT INTO call_weight VALUES (?, 2.5, 3)');
  const commit = db.prepare('INSERT INTO call_commit VALUES (?, ?, ?, ?)');
  let id = 1000;
  db.immediately(() => {
    for (const [n, calls] of commits.entries()) {
      commit.run(id, calls, 1_790_000_000 + n, random.bytes(16 * calls));
      for (let i = 0; i < calls; i += 1, id += 1) {
        const size = random.below(3) === 0 ? null : random.below(5000);
        const address = random.below(4) === 0 ? null : 1 + random.below(50);
        const durationNs = random.below(9) === 0 ? -1 : random.below(1e9);
        const times = [1_790_000_000 + n, random.below(1e9), durationNs];
        call.run(
          id,
          1 + random.below(9),
          random.pick([0, 200, 404]),
          ...times,
          address,
          size,
          null,
        );
        if (random.below(50) === 0) weight.run(id);
      }
    }
    db.prepare("UPDATE meta SET value = ? WHERE key = 'rolled_up_call'").run(999 + rolledUp);
  });
}

it('rows of release 0.1.0 become blocks, each step leaves every call once, and the newest come first', () => {
  const commits = [5000, 1, 16_000, 300, 300, 20_000, 70_000, 12];
  const rolledUp = commits.reduce((sum, calls) => sum + calls) - 12;
  writeOldCalls(commits, rolledUp);
  const before = callsOf();
  expect(before.length).toBe(111_613);
  const conversion = new CallConversion(db, new CallBlocks(db));
  const left = [111_613];
  const oldest: number[] = [];
  while (db.immediately(() => conversion.step(0))) {
    left.push(conversion.state!.left);
    oldest.push(db.prepare('SELECT min(first_call_id) FROM call_block').pluck().get() as number);
    // The file of a process that is killed now.
    expect(callsOf()).toEqual(before);
  }
  // A commit of 70,000 calls makes two blocks; the last 12 calls are not rolled up.
  expect(left).toEqual([111_613, 41_613, 21_613, 21_013, 5_012, 12]);
  expect(oldest).toEqual([42_601, 22_601, 22_001, 6_000, 1_000]);
  expect(rows()).toBe(12);
  expect(conversion.state).toEqual({ left: 12, total: 111_613 });
  expect(db.prepare('SELECT calls FROM call_block ORDER BY first_call_id').pluck().all()).toEqual([
    5_000, 16_001, 600, 20_000, 35_000, 35_000,
  ]);
  // A new process goes on with the rest when it is rolled up.
  db.exec("UPDATE meta SET value = value + 12 WHERE key = 'rolled_up_call'");
  const next = new CallConversion(db, new CallBlocks(db));
  expect(db.immediately(() => next.step(0))).toBe(true);
  expect(next.state).toBeUndefined();
  expect(db.prepare('SELECT count(*) FROM call_weight').pluck().get()).toBe(0);
  expect(callsOf()).toEqual(before);
}, 120_000);

it('rows that are missing between others leave a gap between blocks, and no call another id', () => {
  writeOldCalls([100, 100], 200);
  db.exec('DELETE FROM call WHERE id BETWEEN 1040 AND 1059');
  const before = callsOf();
  const conversion = new CallConversion(db, new CallBlocks(db));
  expect(db.immediately(() => conversion.step(0))).toBe(true);
  expect(callsOf()).toEqual(before);
  expect(conversion.state).toBeUndefined();
});

it('a disk without room for a block stops the conversion until it has room, and nothing else', () => {
  writeOldCalls([100], 100);
  let free = limits.conversionFreeBytes - 1;
  const conversion = new CallConversion(db, new CallBlocks(db), () => free);
  expect(conversion.isDue(50)).toBe(true);
  expect(db.immediately(() => conversion.step(50))).toBe(false);
  expect(rows()).toBe(100);
  expect(conversion.state).toEqual({ left: 100, total: 100, needsBytes: 134_217_728 });
  expect(conversionText(conversion.state!)).toBe(
    '0 of 100 raw calls of an older release are converted; the rest waits until the disk has 128 MiB free',
  );
  expect(conversion.isDue(109)).toBe(false);
  expect(conversion.isDue(110)).toBe(true);
  free += 1;
  expect(db.immediately(() => conversion.step(110))).toBe(true);
  expect(rows()).toBe(0);
  expect(conversion.state).toBeUndefined();
});

it('old rows that are not rolled up are not deleted, however old they are', () => {
  writeOldCalls([5, 3, 12], 8);
  const purger = new Purger(db, defaultRetention, new UnusedDimensions(db, defaultRetention.daysS));
  const tenDaysLaterS = 1_790_000_000 + 864_000;
  while (purger.step(tenDaysLaterS));
  expect(rows()).toBe(12);
  db.prepare("UPDATE meta SET value = 1019 WHERE key = 'rolled_up_call'").run();
  while (purger.step(tenDaysLaterS));
  expect(rows()).toBe(0);
});
