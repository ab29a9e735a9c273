import { describe, expect, test } from 'vitest';
import { call, dayMs, hourMs, nowMs, openDoor, repeat } from '../support/door.ts';
import { openSqlite } from '../support/engines.ts';
import { oracleReader, type PlainCall } from '../support/oracle.ts';

/** The rows of a report over these calls, by route. */
async function verdicts(calls: PlainCall[]): Promise<Record<string, Record<string, unknown>>> {
  const door = await openDoor(oracleReader(calls), nowMs);
  const { endpoints } = await door.get('/report?window=1h');
  await door.close();
  return Object.fromEntries(endpoints.map((row: { route: string }) => [row.route, row]));
}

const ago = (ms: number): number => nowMs - ms;
const daysAgo = (days: number): number => nowMs - days * dayMs;

/** Calls at these days ago. */
const onDays = (route: string, days: readonly number[], told: Partial<PlainCall> = {}) =>
  days.map((day) => call({ route, endMs: daysAgo(day), ...told }));

/** A service heard in every hour of 400 days, but for the hours ago of `[from, to)`. */
function pulse(gaps: readonly (readonly [from: number, to: number])[] = []): PlainCall[] {
  return repeat(400 * 24, (hour) => call({ route: '/pulse', endMs: ago(hour * hourMs) })).filter(
    (_, hour) => !gaps.some(([from, to]) => hour >= to && hour < from),
  );
}

const every = (step: number, from: number, to: number): number[] =>
  repeat(Math.floor((from - to) / step) + 1, () => call()).map((_, n) => from - n * step);

describe('alive means used', () => {
  const heard = onDays('/heard', every(1, 100, 0));

  test.each([401, 403, 404, 405, 410, 429])(
    'calls answered with %i keep nothing alive',
    async (status) => {
      const rows = await verdicts([
        ...heard,
        ...onDays('/x', [90, 60]),
        ...onDays('/x', every(1, 59, 0), { status }),
      ]);
      expect(rows['/x']).toMatchObject({ status: 'dead', days_since_last_call: 0 });
      expect(rows['/x']!.last_used_at).toBe(new Date(daysAgo(60)).toISOString());
    },
  );

  test.each([200, 304, 400, 409, 422, 500, 503])(
    'calls answered with %i keep it alive',
    async (status) => {
      const rows = await verdicts([
        ...heard,
        ...onDays('/x', [90, 60]),
        ...onDays('/x', [1], { status }),
      ]);
      expect(rows['/x']).toMatchObject({ status: 'active' });
    },
  );

  test('robots keep nothing alive, and a robot beside a person does not hide the person', async () => {
    const rows = await verdicts([
      ...heard,
      ...onDays('/robots', every(1, 90, 0), { bot: true, agent: 'Googlebot' }),
      ...onDays('/both', every(1, 90, 0), { bot: true, agent: 'Googlebot' }),
      ...onDays('/both', [2]),
    ]);
    expect(rows['/robots']).toMatchObject({
      status: 'dead',
      marks: ['only_bots'],
      last_used_at: null,
    });
    expect(rows['/robots']!.confidence).toBeLessThanOrEqual(0.5);
    expect(rows['/both']).toMatchObject({ status: 'active', marks: [] });
  });

  test('what was only refused has the mark, and no use', async () => {
    const rows = await verdicts([
      ...heard,
      ...onDays('/refused', every(1, 90, 0), { status: 401 }),
      ...onDays('/missing', every(1, 90, 0), { status: 404 }),
    ]);
    expect(rows['/refused']).toMatchObject({
      status: 'dead',
      marks: ['only_errors', 'only_refused'],
    });
    expect(rows['/missing']).toMatchObject({ status: 'dead', marks: ['only_errors'] });
  });
});

test('a success that was recorded beside the sampled calls is one: not only errors', async () => {
  const heard = onDays('/heard', every(1, 100, 0));
  const failed = (route: string) => onDays(route, [3, 2], { status: 500, weight: 10 });
  const rows = await verdicts([
    ...heard,
    ...failed('/once'),
    ...onDays('/once', [1], { weight: 0 }),
    ...failed('/never'),
    ...onDays('/never', [1], { status: 503, weight: 0 }),
  ]);
  expect(rows['/once']!.marks).not.toContain('only_errors');
  expect(rows['/never']!.marks).toContain('only_errors');
});

test('new is what began when its service had been observed for a week, and less than a week ago', async () => {
  const marksOf = async (heardDays: number, firstDay: number) => {
    const heard = onDays('/heard', every(1, heardDays, 0));
    return (await verdicts([...heard, ...onDays('/x', every(1, firstDay, 0))]))['/x']!.marks;
  };
  expect(await marksOf(20, 6)).toContain('new');
  expect(await marksOf(14, 6)).toContain('new');
  // Everything is new to us in the first week of a service.
  expect(await marksOf(13, 6)).not.toContain('new');
  expect(await marksOf(8, 6)).not.toContain('new');
  expect(await marksOf(20, 7)).not.toContain('new');
});

describe('gaps in observation', () => {
  /** Used daily until 33 days ago. */
  const silent = onDays('/x', every(1, 399, 33));

  test('without a gap 33 days of silence are dead', async () => {
    const rows = await verdicts([...pulse(), ...silent]);
    expect(rows['/x']).toMatchObject({ status: 'dead', observed_days: 399 });
    expect(rows['/x']!.dead_since).toBe(new Date(daysAgo(3)).toISOString());
  });

  test('four days without a call of a service that is always heard are no silence', async () => {
    const rows = await verdicts([...pulse([[10 * 24, 6 * 24]]), ...silent]);
    expect(rows['/x']).toMatchObject({ status: 'cold', observed_days: 395 });
  });

  test('a gap before the last use shortens the observed days alone', async () => {
    const rows = await verdicts([
      ...pulse([[60 * 24, 40 * 24]]),
      ...onDays('/x', [...every(1, 399, 60), 33]),
    ]);
    expect(rows['/x']).toMatchObject({ status: 'dead', observed_days: 379 });
  });

  test('two hours without a call are none', async () => {
    const rows = await verdicts([...pulse([[242, 240]]), ...silent]);
    expect(rows['/x']).toMatchObject({ status: 'dead', observed_days: 399 });
  });

  test('nights and weekends are usual where they always are quiet', async () => {
    const office = repeat(400 * 24, (hour) =>
      call({ route: '/pulse', endMs: ago(hour * hourMs) }),
    ).filter(({ endMs }) => {
      const at = new Date(endMs);
      return at.getUTCHours() >= 8 && at.getUTCHours() < 18 && at.getUTCDay() % 6 !== 0;
    });
    const rows = await verdicts([...office, call({ route: '/pulse' }), ...silent]);
    expect(rows['/x']).toMatchObject({ status: 'dead' });
    expect(rows['/pulse']!.observed_days).toBeGreaterThanOrEqual(397);
  });

  test('a service heard every nine days is observed all the time', async () => {
    const rows = await verdicts([
      ...onDays('/pulse', every(9, 396, 0)),
      ...onDays('/x', every(9, 396, 36)),
      ...onDays('/y', every(9, 396, 27)),
    ]);
    expect(rows['/x']).toMatchObject({ status: 'dead', observed_days: 396 });
    expect(rows['/y']).toMatchObject({ status: 'cold' });
  });

  test('of a service heard every nine days, forty days without it are a gap', async () => {
    const heard = every(9, 396, 0).filter((day) => day < 9 || day > 45);
    const rows = await verdicts([...onDays('/pulse', heard), ...onDays('/x', every(9, 396, 63))]);
    expect(rows['/x']).toMatchObject({ status: 'cold' });
  });
});

describe('rhythms slower than a week', () => {
  test.each([
    [14, 28, 'cold'],
    [14, 31, 'dead'],
    [30, 59, 'cold'],
    [30, 60, 'cold'],
    [30, 61, 'dead'],
    [90, 175, 'cold'],
    [90, 181, 'dead'],
  ])('used every %i days and silent for %i: %s', async (period, silence, status) => {
    const times = Math.min(3, Math.floor((399 - silence) / period));
    const uses = every(period, silence + times * period, silence);
    const rows = await verdicts([...pulse(), ...onDays('/x', uses)]);
    const last = Math.floor(daysAgo(silence) / dayMs) * dayMs;
    expect(rows['/x']).toMatchObject({
      status,
      marks: ['periodic'],
      expected_at: new Date(last + period * dayMs).toISOString(),
    });
  });

  test('a monthly job whose day fell into a gap of hours gets another month', async () => {
    const uses = onDays('/x', every(30, 363, 63));
    expect((await verdicts([...pulse(), ...uses]))['/x']).toMatchObject({ status: 'dead' });
    const hidden = await verdicts([...pulse([[33 * 24 + 12, 33 * 24 - 12]]), ...uses]);
    expect(hidden['/x']).toMatchObject({ status: 'cold' });
  });

  test('uses at irregular distances are no rhythm', async () => {
    const rows = await verdicts([...pulse(), ...onDays('/x', [300, 280, 190, 150, 60, 40])]);
    expect(rows['/x']).toMatchObject({ status: 'dead', marks: [], expected_at: null });
  });
});

describe('confidence', () => {
  test('an endpoint used daily for months is surely dead after 60 days', async () => {
    const rows = await verdicts([...pulse(), ...onDays('/x', every(1, 360, 60))]);
    expect(rows['/x']!.confidence).toBeGreaterThanOrEqual(0.95);
    expect(rows['/pulse']!.confidence).toBeNull();
  });

  test.each([1, 2, 3, 5, 8])('%i uses do not reach 0.9 by 364 days of silence', async (uses) => {
    const days = every(4, 364 + 4 * (uses - 1), 364);
    const rows = await verdicts([...pulse(), ...onDays('/x', days)]);
    expect(rows['/x']!.status).toBe('dead');
    expect(rows['/x']!.confidence).toBeLessThan(0.9);
    const reasons = rows['/x']!.reasons as { code: string }[];
    expect(reasons.map(({ code }) => code)).toContain('few_uses');
  });

  test('ten days of use at the end of a year do not show that it is over', async () => {
    const rows = await verdicts([...pulse(), ...onDays('/x', every(1, 200, 185))]);
    expect(rows['/x']!.confidence).toBeLessThan(0.9);
    expect(rows['/x']!.reasons).toContainEqual(expect.objectContaining({ code: 'short_life' }));
  });

  test('a sampled service says less of the same silence', async () => {
    const sampled = pulse().map((each, hour) => (hour < 24 * 90 ? { ...each, weight: 100 } : each));
    const days = every(1, 360, 60);
    const all = await verdicts([...pulse(), ...onDays('/x', days)]);
    const some = await verdicts([...sampled, ...onDays('/x', days)]);
    expect(some['/x']!.marks).toContain('sampled');
    expect(some['/x']!.confidence).toBeLessThan((all['/x']!.confidence as number) - 0.2);
    expect(some['/x']!.reasons).toContainEqual(expect.objectContaining({ code: 'sampled' }));
  });

  test('sampling that ended before the last use says nothing of the silence after it', async () => {
    // 40 days of silence; a pulse of weight 100 was heard until 50 days ago, and whole calls since.
    const silent = onDays('/x', every(1, 390, 40));
    const sampled = onDays('/sampled', every(1, 399, 50), { weight: 100 });
    const plain = await verdicts([...pulse(), ...silent]);
    const rows = await verdicts([...pulse(), ...silent, ...sampled]);
    expect(rows['/x']).toMatchObject({ status: 'dead', confidence: plain['/x']!.confidence });
    // Sampling that goes on makes the same silence less sure.
    const still = onDays('/sampled', every(1, 399, 0), { weight: 100 });
    const later = await verdicts([...pulse(), ...silent, ...still]);
    expect(later['/x']).not.toMatchObject({ confidence: plain['/x']!.confidence });
  });

  test('guessed routes of a service lower it', async () => {
    const days = onDays('/x', every(1, 360, 60));
    const unmatched = pulse().map((each) => ({ ...each, route: '(unmatched)' }));
    const [all, half] = [
      await verdicts([...pulse(), ...days]),
      await verdicts([...pulse(), ...unmatched, ...days]),
    ];
    expect(half['/x']!.confidence).toBeLessThan((all['/x']!.confidence as number) * 0.8);
  });
});

test('the engine gives the verdicts of the oracle, robots and gaps included', async () => {
  const calls = [
    ...pulse([[10 * 24, 6 * 24]]).filter((_, n) => n % 3 === 0),
    ...onDays('/x', every(1, 399, 33)),
    ...onDays('/monthly', every(30, 380, 50)),
    ...onDays('/robots', every(1, 90, 0), { bot: true, agent: 'Googlebot' }),
    ...onDays('/refused', every(2, 90, 0), { status: 403 }),
  ];
  const { reader, remove } = await openSqlite(calls, nowMs);
  const door = await openDoor(reader, nowMs);
  const fields =
    'route,status,marks,confidence,expected_at,dead_since,last_used_at,observed_days,reasons';
  const query = `/report?window=1h&sort=route&fields=${fields}`;
  const found = await door.get(query);
  await door.close();
  await remove();
  const oracle = await openDoor(oracleReader(calls), nowMs);
  const expected = await oracle.get(query);
  await oracle.close();
  expect(found.endpoints).toEqual(expected.endpoints);
  expect(found.endpoints).toHaveLength(5);
});
