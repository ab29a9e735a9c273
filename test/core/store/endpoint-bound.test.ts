import { describe, expect, test } from 'vitest';
import { admitRoute, NewEndpoints } from '../../../core/store/endpoint-bound.ts';

const none = { endpoints: 0, templated: 0, refused: 0, spellings: 0 };
const nobody = { project: 0, store: 0 };
const told = { templated: false, refused: false };

describe('a new route is counted by itself up to a bound, and as {other} at it', () => {
  test.each([
    [
      '20,000 endpoints of a service',
      20_000,
      (endpoints: number) => admitRoute({ ...none, endpoints }, nobody, told, 0),
    ],
    [
      '30,000 endpoints of a project',
      30_000,
      (project: number) => admitRoute(none, { project, store: 0 }, told, 0),
    ],
    [
      '40,000 endpoints of the store',
      40_000,
      (store: number) => admitRoute(none, { project: 0, store }, told, 0),
    ],
    [
      '2,000 made-up routes of a service',
      2_000,
      (templated: number) =>
        admitRoute({ ...none, templated }, nobody, { templated: true, refused: false }, 0),
    ],
    [
      '200 refused routes of a service',
      200,
      (refused: number) =>
        admitRoute({ ...none, refused }, nobody, { templated: true, refused: true }, 0),
    ],
  ] as const)('%s', (_, bound, admit) => {
    expect([admit(0), admit(bound - 1), admit(bound), admit(bound + 1)]).toEqual([
      'own',
      'own',
      'other',
      'other',
    ]);
  });

  test('bounds of kinds are for those kinds alone', () => {
    const full = { ...none, templated: 2_000, refused: 200 };
    expect(admitRoute(full, nobody, told, 0)).toBe('own');
    expect(
      admitRoute({ ...none, refused: 200 }, nobody, { templated: true, refused: false }, 0),
    ).toBe('own');
  });
});

test('a spelling of a known shape is counted by itself up to 16 a shape and 20,000 a service', () => {
  const full = { ...none, endpoints: 20_000, templated: 2_000, refused: 200 };
  const around = { project: 30_000, store: 40_000 };
  // Bounds on endpoints are not asked: it is no new one.
  expect(admitRoute(full, around, { templated: true, refused: true }, 15)).toBe('own');
  expect(admitRoute(full, around, told, 16)).toBe('known');
  expect(admitRoute({ ...none, spellings: 19_999 }, nobody, told, 1)).toBe('own');
  expect(admitRoute({ ...none, spellings: 20_000 }, nobody, told, 1)).toBe('known');
});

test('a project may begin 25,000 endpoints at once, then 2,000 an hour, up to 25,000 again', () => {
  const bucket = new NewEndpoints();
  const take = (nowS: number, project = 1) => {
    let taken = 0;
    while (bucket.take(project, nowS)) taken += 1;
    return taken;
  };
  expect(take(0)).toBe(25_000);
  expect(take(1)).toBe(0);
  expect(take(3_600)).toBe(2_000);
  expect(take(3_600, 2)).toBe(25_000);
  // A clock that goes back gives nothing.
  expect(take(0)).toBe(0);
  expect(take(7 * 86_400)).toBe(25_000);
});
