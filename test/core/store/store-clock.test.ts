import { expect, test } from 'vitest';
import { heldStepText, StoreClock, type StoreTime } from '../../../core/store/store-clock.ts';

const startS = Date.UTC(2026, 2, 18, 12) / 1000;
const hourS = 3600;
const dayS = 86_400;
const yearS = 365 * dayS;

/** A machine whose clock can step, and whose uptime cannot. */
class Machine {
  wallS = startS;
  uptimeS = 1000;
  clock: StoreClock;

  constructor(stored?: StoreTime) {
    this.clock = new StoreClock(stored, this);
  }

  step(s: number): number {
    this.wallS += s;
    return this.clock.read(this);
  }

  run(s: number): number {
    this.uptimeS += s;
    return this.step(s);
  }

  /** The process ends; the next one begins later, by a clock that may have stepped. */
  restart(laterS: number): number {
    const { time } = this.clock;
    this.wallS += laterS;
    this.uptimeS = 5;
    this.clock = new StoreClock({ ...time, atS: Math.round(time.atS) }, this);
    return this.clock.read(this);
  }
}

test('store time is the clock while it runs, and takes small steps at once', () => {
  const machine = new Machine();
  expect(machine.run(60)).toBe(startS + 60);
  expect(machine.step(2 * hourS)).toBe(startS + 60 + 2 * hourS);
  expect(machine.clock.held).toBeUndefined();
  expect(machine.step(-2 * hourS - 60)).toBe(startS);
});

test('a step of five years is held back for a week', () => {
  const machine = new Machine();
  expect(machine.step(5 * yearS)).toBe(startS);
  expect(machine.clock.held).toEqual({ aheadS: 5 * yearS, confirmedInS: 7 * dayS });
  expect(machine.run(70)).toBe(startS + 70);
  for (let n = 1; n < 7 * 24; n++) machine.run(hourS);
  expect(machine.clock.held).toEqual({ aheadS: 5 * yearS, confirmedInS: hourS - 70 });
  expect(machine.run(hourS)).toBe(machine.wallS);
  expect(machine.clock.held).toBeUndefined();
});

test('a clock that comes back is followed at once, and its step is forgotten', () => {
  const machine = new Machine();
  machine.step(5 * yearS);
  machine.run(6 * dayS);
  expect(machine.step(-5 * yearS)).toBe(startS + 6 * dayS);
  expect(machine.clock.held).toBeUndefined();
  machine.step(5 * yearS);
  expect(machine.clock.held).toEqual({ aheadS: 5 * yearS, confirmedInS: 7 * dayS });
});

test('a start at a wrong date is a step, and a week of starts confirms it', () => {
  const machine = new Machine();
  expect(machine.restart(5 * yearS)).toBe(startS);
  for (let day = 0; day < 6; day++) {
    machine.run(dayS);
    machine.restart(600);
  }
  expect(machine.clock.held).toMatchObject({ confirmedInS: dayS });
  machine.run(dayS);
  expect(machine.clock.held).toBeUndefined();
  expect(machine.clock.time.atS).toBe(machine.wallS);
});

test.each([
  ['ten days without a collector', 10 * dayS, 10 * hourS],
  ['a weekend', 2.5 * dayS, 2.5 * hourS],
  ['a night', 12 * hourS, 0.5 * hourS],
])('after %s store time follows when the clock ran on for a 24th of it', (_name, awayS, heldS) => {
  const machine = new Machine();
  expect(machine.restart(awayS)).toBe(startS);
  machine.run(heldS - 1);
  expect(machine.clock.held).toMatchObject({ confirmedInS: 1 });
  expect(machine.run(1)).toBe(startS + awayS + heldS);
});

test('a machine that works two hours a day keeps up', () => {
  const machine = new Machine();
  for (let day = 0; day < 30; day++) {
    for (let minute = 0; minute < 120; minute++) machine.run(60);
    expect(machine.clock.held, `day ${day}`).toBeUndefined();
    machine.step(22 * hourS);
  }
});

test('a second step begins the wait anew', () => {
  const machine = new Machine();
  machine.step(yearS);
  machine.run(6 * dayS);
  machine.step(yearS);
  expect(machine.clock.held).toEqual({ aheadS: 2 * yearS, confirmedInS: 7 * dayS });
});

test('the text names both times in hours', () => {
  expect(heldStepText({ aheadS: 5 * yearS, confirmedInS: 90 * 60 })).toBe(
    "the clock is 43800.0 h ahead of the store's time: nothing is deleted by it until it has run on for 1.5 h more",
  );
});
