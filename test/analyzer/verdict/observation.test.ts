import { describe, expect, it, test } from 'vitest';
import {
  dayMs,
  hourMs,
  momentAfter,
  type Observation,
  observationOf,
  observedMs,
} from '../../../analyzer/verdict/observation.ts';
import type { ServiceRecord } from '../../../core/store/store.ts';

const allDay = 2 ** 24 - 1;
let services = 0;

/** A service heard in all hours of these days, unless told. */
function service(heardDays: number[], hoursOf = (_day: number) => allDay): ServiceRecord {
  services += 1;
  return {
    service: `service ${services}`,
    environment: '',
    firstCallMs: heardDays[0]! * dayMs,
    lastCallMs: (heardDays.at(-1)! + 1) * dayMs,
    heardDays,
    heardHours: heardDays.map(hoursOf),
  } as ServiceRecord;
}

const days = (from: number, count: number, step = 1) =>
  Array.from({ length: count }, (_, n) => from + n * step);

const gapsOf = (record: ServiceRecord, coldAfterDays = 7) =>
  observationOf(record, coldAfterDays).gaps.map(({ fromMs, toMs }) => [
    fromMs / dayMs,
    toMs / dayMs,
  ]);

describe('a gap of days', () => {
  it('needs 14 days of a service, of which others show what is usual', () => {
    expect(gapsOf(service([...days(1000, 10, 2), ...days(1038, 3, 2)]))).toEqual([]);
    expect(gapsOf(service([...days(1000, 10, 2), ...days(1038, 4, 2)]))).toEqual([[1019, 1038]]);
  });

  it('is longer than the silence that makes an endpoint cold', () => {
    const apart = (length: number) => service([...days(1000, 10, 2), ...days(1018 + length, 6, 2)]);
    expect(gapsOf(apart(7))).toEqual([]);
    expect(gapsOf(apart(8))).toEqual([[1019, 1026]]);
    expect(gapsOf(apart(8), 8)).toEqual([]);
  });

  it('is longer than three times the usual distance of days', () => {
    const apart = (length: number) => service([...days(1000, 10, 5), ...days(1045 + length, 6, 5)]);
    expect(gapsOf(apart(15))).toEqual([]);
    expect(gapsOf(apart(16))).toEqual([[1046, 1061]]);
  });
});

test('a gap of hours begins behind the last hour that was heard, and ends with the next one', () => {
  // Always heard for twenty weeks, but for ten hours from 12 o'clock of day 1010.
  const quiet = service(days(1000, 140), (day) =>
    day === 1010 ? allDay & ~(((1 << 10) - 1) << 12) : allDay,
  );
  const { gaps } = observationOf(quiet, 7);
  expect(gaps).toEqual([{ fromMs: 1010 * dayMs + 12 * hourMs, toMs: 1010 * dayMs + 22 * hourMs }]);
});

test('hours that are heard late end a gap that was seen before', () => {
  const quiet = service(days(1000, 28), (day) => (day === 1010 ? 1 : allDay));
  expect(observationOf(quiet, 7).gaps).toHaveLength(1);
  const filled = { ...quiet, heardHours: quiet.heardHours.map(() => allDay) };
  expect(observationOf(filled, 7).gaps).toEqual([]);
  expect(observationOf(quiet, 7).gaps).toHaveLength(1);
});

describe('time in which a service was observed', () => {
  const observation: Observation = {
    firstMs: 100,
    lastMs: 1000,
    gaps: [
      { fromMs: 200, toMs: 300 },
      { fromMs: 500, toMs: 900 },
    ],
    heard: { days: [], hoursUntil: [] },
  };

  test.each([
    [0, 2000, 400],
    [100, 200, 100],
    [150, 250, 50],
    [200, 300, 0],
    [250, 350, 50],
    [250, 600, 200],
    [600, 700, 0],
    [850, 950, 50],
    [300, 500, 200],
    [1000, 2000, 0],
  ])('from %i to %i is %i', (from, to, ms) => {
    expect(observedMs(observation, from, to)).toBe(ms);
  });

  test.each([
    [0, 100, 200],
    [100, 99, 199],
    [100, 101, 301],
    [250, 200, 500],
    [250, 201, 901],
    [250, 300, 1000],
    [250, 301, undefined],
    [950, 50, 1000],
    [950, 51, undefined],
  ])('the moment behind %i by which it was %i is %s', (from, ms, moment) => {
    expect(momentAfter(observation, from, ms)).toBe(moment);
  });
});
