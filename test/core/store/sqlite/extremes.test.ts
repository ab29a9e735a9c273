import { expect, it } from 'vitest';
import { CallDictionary } from '../../../../core/call.ts';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { limits } from '../../../../core/limits.ts';
import { backUpStore } from '../../../../core/store/sqlite/backup.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import {
  openSqliteWriter,
  type SqliteCallWriter,
} from '../../../../core/store/sqlite/writer/writer.ts';
import type { Snapshot } from '../../../../core/store/store.ts';
import { copiesOf, roundedWeight } from '../../../../core/weight.ts';
import { allTime, dayS, type Window } from '../../../../core/window.ts';
import { temporaryFolder } from '../../../support/process.ts';
import { fc } from '../../../support/property.ts';

const nowS = 1_790_000_000;
const oldestS = nowS - defaultRetention.daysS;

/** The ends of every range that a stored number has, and what a store of 0.1.0 may hold beyond. */
const call = fc.record({
  route: fc.constantFrom('/a', '/b'),
  status: fc.constantFrom(0, 100, 200, 404, 599, 999),
  durationNs: fc.constantFrom(
    -1,
    0,
    1,
    2 ** 31,
    2 ** 32 + 1,
    limits.callDurationNs,
    limits.callDurationNs + 2,
    2 ** 53 - 1,
    2 ** 53,
    1_790_000_000_000_000_000,
    2 ** 63,
    2 ** 64 - 2 ** 12,
  ),
  // A span that ends at 0 has no time and is rejected.
  endS: fc.constantFrom(1, oldestS - 1, oldestS, nowS, nowS + 600, 2 ** 31, 2 ** 32 - 1),
  endNs: fc.constantFrom(0, 999_999_999),
  client: fc.constantFrom('', '203.0.113.1', 'f'.repeat(limits.clientBytes)),
  bytes: fc.constantFrom(-1, 0, 2 ** 53 - 1),
  weight: fc.constantFrom(1, 1, 1, 0, roundedWeight(1.00001), 2.5, limits.callWeight),
});
type Call = typeof call extends fc.Arbitrary<infer C> ? C : never;

it('extremes of every stored number are read again by every query, also after a kill -9', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(call, { minLength: 1, maxLength: 12 }),
      fc.array(call, { minLength: 1, maxLength: 12 }),
      async (first, second) => {
        const folder = temporaryFolder();
        const path = `${folder.path}/rollcall.db`;
        const writer = await open(path);
        const dictionary = new CallDictionary();
        await append(writer, dictionary, first, 1);
        await writer.compact();
        await append(writer, dictionary, second, 2);
        const before = await answers(path);
        expectCounted(before, [...first, ...second]);
        // What the disk holds when the process is killed: one batch is compacted, one is not rolled up.
        const killed = `${folder.path}/killed.db`;
        await backUpStore(path, killed);
        await writer.close();
        const again = await open(killed);
        expectSame(await answers(killed), before);
        await again.compact();
        expectSame(await answers(killed), before);
        await again.close();
        expectSame(await answers(path), before);
        folder.remove();
      },
    ),
    { numRuns: 8, endOnFailure: true },
  );
}, 120_000);

const open = (path: string) =>
  openSqliteWriter({ path, retention: defaultRetention, now: () => nowS * 1000 });

async function append(
  writer: SqliteCallWriter,
  dictionary: CallDictionary,
  calls: readonly Call[],
  serial: number,
): Promise<void> {
  const batch = writer.newBatch();
  for (const { route, ...numbers } of calls) {
    const i = batch.push();
    const { columns } = batch;
    columns.endpoint[i] = dictionary.endpoint({
      project: 'default',
      service: 'shop',
      environment: '',
      method: 'GET',
      route,
      templated: false,
    });
    columns.origin[i] = dictionary.origin({
      serviceVersion: '',
      consumer: '',
      agent: '',
      bot: false,
      errorType: '',
    });
    columns.client[i] = dictionary.client(numbers.client);
    columns.status[i] = numbers.status;
    columns.durationNs[i] = numbers.durationNs;
    columns.endS[i] = numbers.endS;
    columns.endNs[i] = numbers.endNs;
    columns.requestBytes[i] = numbers.bytes;
    columns.responseBytes[i] = numbers.bytes;
    const { weight } = numbers;
    if (weight !== 1) batch.weights.add(i, weight, copiesOf(weight, 0.5));
  }
  const digest = new Uint8Array(16).fill(serial);
  batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: calls.length });
  await writer.append(batch, dictionary.takeNew());
}

const recent: Window = { fromS: nowS - (nowS % dayS), toS: nowS - (nowS % dayS) + dayS };

async function answers(path: string) {
  const reader = await openSqliteReader(path);
  const all = await reader.snapshot('default', async (snapshot: Snapshot) => ({
    newestCallMs: await snapshot.newestCallMs(),
    services: await snapshot.services(),
    endpoints: await snapshot.endpoints({}),
    usage: [...(await snapshot.usage({}, allTime))],
    total: await snapshot.total({}, allTime),
    recent: await snapshot.total({}, recent),
    series: await snapshot.series({}, [recent.fromS, nowS - (nowS % 60), recent.toS]),
    clients: await snapshot.clients({}, allTime, 10),
    covered: (await snapshot.coverage(allTime)).window,
  }));
  await reader.close();
  return all;
}

type Answers = Awaited<ReturnType<typeof answers>>;

/** Counts by the calls as they were written; of those past the retention of days only permanent facts are left. */
function expectCounted(
  { total, recent: today, endpoints, covered, newestCallMs }: Answers,
  calls: Call[],
) {
  const sum = (of: Call[]) => of.reduce((all, { weight }) => all + weight, 0);
  const within = ({ fromS, toS }: Window) => calls.filter((c) => c.endS >= fromS && c.endS < toS);
  expect(total.calls).toBe(sum(within(covered)));
  expect(today.calls).toBe(sum(within(recent)));
  const lifetime = endpoints.reduce((all, record) => all + record.lifetimeCalls, 0);
  expect(lifetime).toBe(sum(calls));
  const timed = within(covered).filter(
    (c) => c.weight > 0 && c.durationNs >= 0 && c.durationNs <= limits.callDurationNs,
  );
  expect(total.maxNs).toBe(Math.max(0, ...timed.map((c) => c.durationNs)));
  const ends = calls.map((c) => c.endS * 1000 + Math.floor(c.endNs / 1e6));
  expect(newestCallMs).toBe(Math.max(...ends));
}

/** Sums of durations beyond 2^53 ns depend on the order of addition, in their last digits. */
function expectSame(now: Answers, before: Answers): void {
  const rounded = (all: Answers) =>
    JSON.stringify(all, (key, value) =>
      value instanceof Map
        ? [...value]
        : key === 'sumNs' || key === 'variance'
          ? Number(value).toPrecision(12)
          : value,
    );
  expect(JSON.parse(rounded(now))).toEqual(JSON.parse(rounded(before)));
}
