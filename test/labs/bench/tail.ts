import { parseArgs } from 'node:util';
import { queries } from '../../../analyzer/api/queries.ts';
import { LocalAnswerer } from '../../../analyzer/queue/answerer.ts';
import { defaultRetention } from '../../../core/config/retention.ts';
import { backUpStore } from '../../../core/store/sqlite/backup.ts';
import { Database } from '../../../core/store/sqlite/database.ts';
import { openSqliteReader } from '../../../core/store/sqlite/reader/reader.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import { benchFolder, newStore } from './folder.ts';
import { writeHistory } from './history.ts';
import { quantile } from './quantile.ts';

/**
 * `node test/labs/bench/tail.ts`: a report of 1,000 endpoints and 90 days while calls of the last seconds are not rolled up, beside the same
 * report when all are, in turn in one process: CPU milliseconds a report. Once more with calls that arrive between two
 * reports and once without, since a reader need not decode the same calls again.
 */
const { values } = parseArgs({
  options: {
    tail: { type: 'string', default: '49000' },
    calls: { type: 'string', default: '500000' },
    requests: { type: 'string', default: '200' },
    /** The calls of the tail end within so many seconds. */
    'last-seconds': { type: 'string', default: '60' },
  },
});
const tail = Number(values.tail);
const requests = Number(values.requests);
const roundRequests = 20;
const warmUpRequests = 5;
const endpoints = 1_000;
const nowS = Math.floor(Date.now() / 1000);
const query = queries.find(({ name }) => name === 'report')!;
const folder = benchFolder();
try {
  const path = newStore(folder, 'history');
  const writer = await openSqliteWriter({
    path,
    retention: defaultRetention,
    // A clock that stands still: calls are rolled up after two seconds of it.
    now: () => nowS * 1000,
  });
  const history = { calls: Number(values.calls), endpoints, days: 90, nowS, seed: 9 };
  await writeHistory(writer, history);
  await writer.compact();
  const compacted = newStore(folder, 'compacted');
  await backUpStore(path, compacted);
  // Less than what makes the writer roll up at once.
  await writeHistory(writer, {
    ...history,
    calls: tail,
    lastS: Number(values['last-seconds']),
    seed: 10,
    deliveriesBefore: 10_000,
  });
  const withTail = newStore(folder, 'tail');
  await backUpStore(path, withTail);
  await writer.close();
  process.stdout.write(`${notRolledUp(withTail)} calls not rolled up\n`);
  await measure(compacted, withTail);
} finally {
  folder.remove();
}

function notRolledUp(path: string): number {
  const db = new Database(path, { readOnly: true });
  const count = db.prepare(
    `SELECT ifnull(sum(calls), 0) FROM commit_calls
     WHERE first_call_id > (SELECT value FROM meta WHERE key = 'rolled_up_call')`,
  );
  const calls = count.pluck().get() as number;
  db.close();
  return calls;
}

async function measure(...paths: string[]): Promise<void> {
  const subjects = [];
  for (const path of paths) {
    const reader = await openSqliteReader(path);
    const options = {
      thresholds: { coldAfterDays: 7, deadAfterDays: 30 },
      clientsAreHashed: false,
    };
    const answerer = new LocalAnswerer({ reader } as never, options as never);
    subjects.push({ reader, answerer, costs: [] as number[] });
  }
  const parameters = query.parameters.parse({ window: '90d' });
  // Rounds of one store: what a process keeps of a project serves one store at a time.
  for (let round = -1; round < requests / roundRequests; round += 1) {
    for (const { answerer, costs } of round % 2 === 0 ? subjects : subjects.toReversed()) {
      for (let n = -warmUpRequests; n < roundRequests; n += 1) {
        const before = process.cpuUsage();
        await answerer.answer({
          project: 'default',
          name: query.name,
          parameters,
          path: {},
          nowMs: nowS * 1000,
        });
        const { user, system } = process.cpuUsage(before);
        if (round >= 0 && n >= 0) costs.push((user + system) / 1000);
      }
    }
  }
  for (const { costs } of subjects) costs.sort((a, b) => a - b);
  const [without, with_] = subjects.map(({ costs }) => costs) as [number[], number[]];
  for (const percent of [10, 50, 95]) {
    const [a, b] = [quantile(without, percent), quantile(with_, percent)];
    process.stdout.write(
      `report, p${percent}: ${a.toFixed(1)} CPU ms without a tail, ${b.toFixed(1)} with it: ${(b / a).toFixed(2)}\n`,
    );
  }
  for (const { reader } of subjects) await reader.close();
}
