import { afterAll, describe, expect, test } from 'vitest';
import { compared } from '../../../../analyzer/reports/compare/comparison.ts';
import { Random } from '../../../../core/random.ts';
import type { CallReader } from '../../../../core/store/store.ts';
import { call, dayMs, nowMs, openDoor, repeat } from '../../support/door.ts';
import { engines } from '../../support/engines.ts';
import { oracleReader, type PlainCall } from '../../support/oracle.ts';
import { type WorkloadOptions, workload } from './workload.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are checked by what the test expects of them
type Answer = any;

const newerMs = Date.UTC(2026, 2, 14, 12);
/** Calls spread evenly over two days before and two days after the change. */
function spread(
  route: string,
  calls: number,
  make: (isLater: boolean, random: Random) => Partial<PlainCall>,
) {
  const random = new Random(7, calls);
  return [false, true].flatMap((isLater) =>
    repeat(calls, (n) =>
      call({
        route,
        endMs: newerMs + (isLater ? 0 : -2 * dayMs) + Math.floor((n * 2 * dayMs) / calls),
        durationNs: Math.round(random.lognormal(20e6, 0.5)),
        ...make(isLater, random),
      }),
    ),
  );
}

const calls = [
  ...spread('/slower', 1_000, (isLater, random) => ({
    durationNs: Math.round(random.lognormal(isLater ? 24e6 : 20e6, 0.5)),
  })),
  ...spread('/faster', 1_000, (isLater, random) => ({
    durationNs: Math.round(random.lognormal(isLater ? 10e6 : 20e6, 0.5)),
  })),
  ...spread('/failing', 1_000, (isLater, random) => ({
    status: random.next() < (isLater ? 0.08 : 0.01) ? 503 : 200,
  })),
  ...spread('/same', 1_000, () => ({})),
  ...spread('/rare', 20, () => ({})),
  ...repeat(500, (n) => call({ route: '/new', endMs: newerMs + n * 60_000 })),
];
const iso = (ms: number) => new Date(ms).toISOString();
const windows = `from=${iso(newerMs)}&to=${iso(newerMs + 2 * dayMs)}`;

describe.each(engines)('on $name', ({ open }) => {
  test('names what got worse, first what fails more, then what is slower', async () => {
    const { reader, remove } = await open(calls, nowMs);
    const door = await openDoor(reader, nowMs);
    const answer: Answer = await door.get(`/compare?${windows}`);
    const shown = answer.endpoints.map(
      ({ route, verdict, duration_verdict, error_verdict }: Answer) => [
        route,
        verdict,
        duration_verdict,
        error_verdict,
      ],
    );
    expect(shown).toEqual([
      ['/failing', 'worse', 'same', 'worse'],
      ['/slower', 'worse', 'worse', 'same'],
      ['/faster', 'better', 'better', 'same'],
      ['/same', 'same', 'same', 'same'],
      ['/new', 'too_little_data', 'too_little_data', 'too_little_data'],
      ['/rare', 'too_little_data', 'too_little_data', 'too_little_data'],
    ]);
    expect(answer.summary).toEqual({ worse: 2, better: 1, same: 1, too_little_data: 2 });
    expect(answer.before_window).toMatchObject({
      from: iso(newerMs - 2 * dayMs),
      to: iso(newerMs),
    });
    const [failing, slower] = answer.endpoints;
    expect(failing).toMatchObject({ before_calls: 1_000, calls: 1_000, calls_change_pct: 0 });
    expect(failing.error_rate_change_points).toBeCloseTo(
      failing.error_rate_pct - failing.before_error_rate_pct,
      4,
    );
    expect(slower.p50_change_pct).toBeGreaterThan(12);
    expect(slower.p50_change_pct).toBeLessThan(28);
    expect(slower.duration_p).toBeLessThan(0.0001);
    await door.close();
    await remove();
  });
});

test('any other window may be compared with, and the list narrowed', async () => {
  const door = await openDoor(oracleReader(calls), nowMs);
  const before = `before_from=${iso(newerMs - 2 * dayMs)}&before_to=${iso(newerMs - dayMs)}`;
  const answer: Answer = await door.get(`/compare?${windows}&${before}&verdict=worse&limit=1`);
  expect(answer.before_window).toMatchObject({ to: iso(newerMs - dayMs) });
  expect(answer.endpoints.map(({ route }: Answer) => route)).toEqual(['/failing']);
  const next: Answer = await door.get(
    `/compare?${windows}&${before}&verdict=worse&limit=1&cursor=${answer.next_cursor}`,
  );
  expect(next.endpoints.map(({ route }: Answer) => route)).toEqual(['/slower']);
  expect(next.next_cursor).toBeNull();
  const one: Answer = await door.get(`/compare?${windows}&route=/slower`);
  expect(one.summary).toEqual({ worse: 1, better: 0, same: 0, too_little_data: 0 });
  const csv = await (await door.fetch(`/api/v1/compare?${windows}&format=csv`)).text();
  expect(csv.split('\r\n')[1]).toContain('/failing,/failing,worse,same,worse,1000,1000,0,');
  await door.close();
});

test.each([
  ['before_from=2026-03-01', 'before_to', 'both before_from and before_to'],
  ['before_to=2026-03-01', 'before_from', 'both before_from and before_to'],
  ['before_from=2026-03-02&before_to=2026-03-01', 'before_from', 'must be before before_to='],
  ['verdict=bad', 'verdict', 'worse, better, same, too_little_data'],
  ['limit=10001', 'limit', '1 to 10000'],
])('/compare?%s is refused by name', async (query, field, words) => {
  const door = await openDoor(oracleReader(calls), nowMs);
  const response = await door.fetch(`/api/v1/compare?${query}`);
  const { error } = (await response.json()) as Answer;
  expect([response.status, error.field]).toEqual([400, field]);
  expect(error.message).toContain(words);
  await door.close();
});

test('a window before that is past its retention is refused', async () => {
  const plain = oracleReader(calls);
  const keptFromS = Math.floor(nowMs / 1000) - 3 * 86_400;
  const reader: CallReader = {
    ...plain,
    snapshot: (project, ask) =>
      plain.snapshot(project, (snapshot) =>
        ask({
          ...snapshot,
          coverage: async ({ fromS, toS }) => ({
            window: { fromS: Math.max(fromS, keptFromS), toS: Math.max(toS, keptFromS) },
            resolution: 'minute',
            incomplete: fromS < keptFromS,
          }),
        }),
      ),
  };
  const door = await openDoor(reader, nowMs);
  const refused = async (query: string) => {
    const response = await door.fetch(`/api/v1/compare?${query}`);
    const { error } = (await response.json()) as Answer;
    return [response.status, error?.field, error?.message];
  };
  const before = expect.stringContaining('the window before is past its retention');
  expect(await refused('window=2d')).toEqual([400, 'window', before]);
  const deleted = expect.stringContaining('past their retention and deleted');
  expect(await refused('window=1d&before_from=2026-01-01&before_to=2026-01-02')).toEqual([
    400,
    'before_to',
    deleted,
  ]);
  await door.close();
});

/** The promises of the issue: at most 5 % of runs with a false alarm, a slowdown found in at least 95 %. */
const seeds = Array.from({ length: 50 }, (_, n) => 1 + n);
afterAll(() => console.log(`compare: seeds ${seeds[0]} to ${seeds.at(-1)}`));

function verdictsOf(seed: number, options: Omit<WorkloadOptions, 'endpoints' | 'sigma'>) {
  const made = workload(seed, { endpoints: 1_000, sigma: 0.5, ...options });
  return compared([{ ...made, isPaired: true }]).map(({ verdict }) => verdict);
}

const isNamed = (verdict: string) => verdict === 'worse' || verdict === 'better';

test('of 50 workloads whose load wanders, cut in two, at most 2 name any of 1,000 endpoints', () => {
  const callsOf = (n: number) => Math.round(55 + 300 / (n + 1) ** 0.6);
  const load = { wander: 0.2, cycle: 0.3 };
  const alarms = seeds.filter((seed) => verdictsOf(seed, { callsOf, ...load }).some(isNamed));
  expect(alarms.length, `seeds ${alarms}`).toBeLessThanOrEqual(2);
}, 240_000);

test('a slowdown of 20 % of one endpoint with 2,000 calls is found in 48 of 50, and no other named in 48', () => {
  const callsOf = (n: number) => (n === 0 ? 1_000 : 55);
  const runs = seeds.map((seed) => verdictsOf(seed, { callsOf, slowdown: 1.2 }));
  const found = runs.filter(([own]) => own === 'worse');
  const alarms = runs.filter(([, ...others]) => others.some(isNamed));
  expect(found.length).toBeGreaterThanOrEqual(48);
  expect(alarms.length).toBeLessThanOrEqual(2);
}, 240_000);
