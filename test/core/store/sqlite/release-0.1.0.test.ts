import { writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { outcomeCount } from '../../../../analyzer/reports/figures.ts';
import { defaultRetention } from '../../../../core/config/retention.ts';
import { outcomes } from '../../../../core/outcome.ts';
import { openSqliteReader } from '../../../../core/store/sqlite/reader/reader.ts';
import { openSqliteWriter } from '../../../../core/store/sqlite/writer/writer.ts';
import { allTime as everything } from '../../../../core/window.ts';
import { openDoor } from '../../../analyzer/support/door.ts';
import { temporaryFolder } from '../../../support/process.ts';
import { answers, nowMs, release010 } from './release-0.1.0.ts';

/** The service whose endpoints of one shape 0.1.0 held apart. */
const isSplit = (query: string): boolean => query.includes('service=split');

/** Buckets count as no endpoints any more (docs/decisions/0010-endpoint-identity.md), split endpoints as one. */
const endpointsNow = new Map([
  ['mail', 1],
  ['shop', 5],
  ['split', 6],
]);

let folder: ReturnType<typeof temporaryFolder>;
let path: string;

beforeEach(() => {
  folder = temporaryFolder();
  path = `${folder.path}/rollcall.db`;
  writeFileSync(path, gunzipSync(release010('store.db.gz')));
});
afterEach(() => folder.remove());

interface Answer {
  window: { to: string };
  previous_window?: object;
  previous?: object;
  services?: { service: string; endpoints: number }[];
  endpoint_stats?: { service: string }[];
  endpoints?: { route: string; status: string | null; marks: string[] }[];
  summary?: Record<string, number>;
}

/** What 0.1.0 answered, as it is counted now. */
function asCountedNow(answer: Answer): Answer {
  const { services, endpoints } = answer;
  if (services !== undefined) {
    const counted = (row: { service: string }) => ({ endpoints: endpointsNow.get(row.service)! });
    return { ...answer, services: services.map((row) => ({ ...row, ...counted(row) })) };
  }
  if (endpoints === undefined) return withoutSplit(answer);
  const summary = { ...answer.summary! };
  const rows = endpoints.map((row) => {
    // Its calls were all refused or missing: they keep nothing alive any more.
    if (row.route === '/carts/{id}') {
      summary[row.status!]! -= 1;
      summary.dead! += 1;
      return { ...row, status: 'dead', marks: ['only_errors', 'only_refused'] };
    }
    if (row.route !== '(unmatched)') return row;
    summary.total_endpoints! -= 1;
    summary[row.status!]! -= 1;
    return { ...row, status: null, marks: [] };
  });
  return { ...answer, summary, endpoints: rows };
}

/** The list of busiest endpoints without those of the service that 0.1.0 split. */
function withoutSplit(answer: Answer): Answer {
  if (answer.endpoint_stats === undefined) return answer;
  const others = answer.endpoint_stats.filter(({ service }) => service !== 'split');
  return { ...answer, endpoint_stats: others };
}

/** Fields that came later may stand beside what 0.1.0 answered. */
async function expectSameAnswers(): Promise<void> {
  const reader = await openSqliteReader(path);
  const door = await openDoor(reader, nowMs);
  let moved = 0;
  for (const [query, answer] of Object.entries(answers)) {
    if (isSplit(query)) continue;
    const now = withoutSplit((await door.get(query)) as Answer);
    if (now.previous_window !== undefined) {
      // Windows that are compared are as long as each other now: the end may move, so far into later calls.
      const { window, previous_window: _, previous: __, ...rest } = answer as Required<Answer>;
      const isMoved = now.window.to !== window.to && Date.parse(window.to) < nowMs;
      if (!isMoved) expect(now, query).toMatchObject(asCountedNow(rest as Answer));
      moved += isMoved ? 1 : 0;
      continue;
    }
    expect(now, query).toMatchObject(asCountedNow(answer as Answer));
  }
  expect(moved).toBe(4);
  await door.close();
  await reader.close();
}

it('a store of release 0.1.0 gives the answers it gave, as soon as it is opened', async () => {
  await expectSameAnswers();
});

it('a store of release 0.1.0 gives the answers it gave after a writer compacted and purged it', async () => {
  const writer = await openSqliteWriter({ path, retention: defaultRetention, now: () => nowMs });
  await writer.compact();
  await writer.purge(nowMs / 1000);
  await writer.close();
  await expectSameAnswers();
});

/** Which call was answered follows where all were, or none; it is not recorded for the others. */
async function expectOutcomes(): Promise<{ recorded: number; unrecorded: number }> {
  const reader = await openSqliteReader(path);
  const counted = { recorded: 0, unrecorded: 0 };
  await reader.snapshot('default', async (snapshot) => {
    const usages = await snapshot.usage({}, everything);
    for (const record of await snapshot.endpoints({})) {
      const { lifetimeCalls, lifetimeOutcomes, lastAnsweredMs, unrecordedMs, sampling } = record;
      const usage = usages.get(record.id)!;
      const stored = outcomes.map((outcome) => outcomeCount(usage, outcome));
      if (usage.calls === lifetimeCalls && !sampling) {
        expect(Object.values(lifetimeOutcomes)).toEqual(stored);
      }
      const sum = Object.values(lifetimeOutcomes).reduce((all, n) => all + n, 0);
      expect(sum).toBeLessThanOrEqual(lifetimeCalls);
      const { answered } = lifetimeOutcomes;
      if (unrecordedMs === undefined) {
        counted.recorded += 1;
        expect(sum).toBe(lifetimeCalls);
        expect(lastAnsweredMs).toBe(answered === 0 ? undefined : record.lastCallMs);
        expect(record.lastAnsweredCallers).toEqual(answered === 0 ? [] : record.lastCallers);
      } else {
        counted.unrecorded += 1;
        expect(unrecordedMs).toBeLessThanOrEqual(record.lastCallMs);
        expect(answered < lifetimeCalls || record.lastPersonMs === undefined).toBe(true);
      }
    }
  });
  await reader.close();
  return counted;
}

it('a store of release 0.1.0 has the outcomes that its counts by status tell, and invents none', async () => {
  const opened = await expectOutcomes();
  expect(opened).toEqual({ recorded: 4, unrecorded: 10 });
  const writer = await openSqliteWriter({ path, retention: defaultRetention, now: () => nowMs });
  await writer.compact();
  await writer.close();
  expect(await expectOutcomes()).toEqual(opened);
});

const allTime = '/report?service=split&sort=route&from=2025-11-27T12:34Z&to=2026-06-15T12:34Z';

/** Calls in all time, first and last call, of the endpoints that 0.1.0 split. Its own answers add up to them. */
const joined = [
  ['GET (unmatched)', 11, '2026-03-14T02:58:30.000Z', '2026-04-27T12:34:30.000Z'],
  ['GET articles/<int:year>/', 49, '2026-03-08T17:58:30.000Z', '2026-06-15T10:07:18.000Z'],
  ['GET articles/<slug:slug>/', 40, '2026-03-08T05:04:30.000Z', '2026-04-30T20:04:30.000Z'],
  ['GET /files/{file_path:path}', 44, '2026-03-08T17:22:30.000Z', '2026-06-15T09:08:06.000Z'],
  ['GET /orders/{order_id}', 73, '2026-03-08T02:58:30.000Z', '2026-06-15T10:36:54.000Z'],
  ['GET /users/:userId', 190, '2026-03-07T20:34:30.000Z', '2026-06-15T11:30:10.800Z'],
  ['PUT /carts/:cartId', 60, '2026-04-17T00:34:30.000Z', '2026-06-09T22:34:30.000Z'],
];

interface Row {
  id: string;
  method: string;
  route_display: string;
  status: string;
  total_calls: number;
  error_4xx_count: number;
  error_5xx_count: number;
  min_duration_ms: number;
  max_duration_ms: number;
  first_called_at: string;
  last_called_at: string;
  last_callers: { called_at: string }[];
  lifetime_calls: number;
}

async function splitRows(): Promise<{ rows: Row[]; get: (query: string) => Promise<unknown> }> {
  const reader = await openSqliteReader(path);
  const door = await openDoor(reader, nowMs);
  afterwards.push(
    () => reader.close(),
    () => door.close(),
  );
  const { endpoints } = (await door.get(allTime)) as { endpoints: Row[] };
  return { rows: endpoints, get: door.get };
}

const afterwards: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let close = afterwards.pop(); close; close = afterwards.pop()) await close();
});

async function expectJoined(): Promise<void> {
  const before = (answers[allTime] as { endpoints: Row[] }).endpoints;
  const { rows, get } = await splitRows();
  const seen = rows.map((row) => [
    `${row.method} ${row.route_display}`,
    row.total_calls,
    row.first_called_at,
    row.last_called_at,
  ]);
  const byName = (a: unknown[], b: unknown[]) => String(a[0]).localeCompare(String(b[0]));
  expect(seen.sort(byName)).toEqual(joined.toSorted(byName));
  for (const row of rows) {
    const own: Row[] = [];
    for (const old of before) {
      const { endpoint } = (await get(`/endpoints/${old.id}?window=200d`)) as { endpoint: Row };
      if (endpoint.id === row.id) own.push(old);
    }
    const sum = (field: keyof Row) => own.reduce((total, old) => total + Number(old[field]), 0);
    for (const field of ['total_calls', 'error_4xx_count', 'error_5xx_count'] as const) {
      expect(row[field], `${row.route_display} ${field}`).toBe(sum(field));
    }
    expect(row.lifetime_calls).toBe(sum('lifetime_calls'));
    expect(row.min_duration_ms).toBe(Math.min(...own.map((old) => old.min_duration_ms)));
    expect(row.max_duration_ms).toBe(Math.max(...own.map((old) => old.max_duration_ms)));
    const callers = own.flatMap((old) => old.last_callers.map(({ called_at }) => called_at));
    expect(row.last_callers[0]!.called_at).toBe(callers.sort().at(-1));
  }
  const dead = rows.filter((row) => row.status === 'dead');
  expect(dead.map((row) => row.route_display)).toEqual(['articles/<slug:slug>/']);
}

it('a store of release 0.1.0 shows what it had split as one endpoint, and old ids lead to it', async () => {
  await expectJoined();
});

it('a store of release 0.1.0 shows what it had split as one endpoint after it was compacted and purged', async () => {
  const writer = await openSqliteWriter({ path, retention: defaultRetention, now: () => nowMs });
  await writer.compact();
  await writer.purge(nowMs / 1000);
  await writer.close();
  await expectJoined();
});
