import { limits } from '../limits.ts';

/**
 * The store's own time: the age of calls and deliveries counts by it, so it decides what retention deletes.
 *
 * The clock of a machine can be wrong by years: a dead battery, a virtual machine that was restored, a mistyped date.
 * Deleting by such a clock would erase everything kept. Store time therefore runs with a clock that cannot step (the
 * time since the process started) and follows the machine's clock only while both agree. A step forward is held back:
 * store time takes it when the machine's clock has run on from there for a 24th of the step, at most a week. A step
 * back is taken at once, since it deletes nothing. Store time is kept in the store, so a start at a wrong date is a
 * step like any other, and so are the days in which no collector ran.
 */
export interface ClockReading {
  /** The machine's clock, seconds since the epoch. */
  wallS: number;
  /** Seconds since some moment of this process, by a clock that never steps. */
  uptimeS: number;
}

/** As the store keeps it from one process to the next. */
export interface StoreTime {
  /** Seconds since the epoch. */
  atS: number;
  /** How long the machine's clock has run on from the step that is held back. */
  heldForS: number;
  /** The size of that step; 0 when none is held back. */
  aheadS: number;
}

/** A step of the machine's clock that store time has not taken yet. */
export interface HeldStep {
  /** How far the machine's clock is ahead of store time. */
  aheadS: number;
  /** How long it must run on before store time follows. */
  confirmedInS: number;
}

export class StoreClock {
  #time: StoreTime;
  #uptimeS: number;

  /** @param stored of the last process; absent for a new store */
  constructor(stored: StoreTime | undefined, reading: ClockReading) {
    this.#time = stored ?? { atS: reading.wallS, heldForS: 0, aheadS: 0 };
    this.#uptimeS = reading.uptimeS;
    this.read(reading);
  }

  /** Store time at this reading, whole seconds since the epoch. */
  read({ wallS, uptimeS }: ClockReading): number {
    const ranS = Math.max(0, uptimeS - this.#uptimeS);
    this.#uptimeS = Math.max(uptimeS, this.#uptimeS);
    const { aheadS: before, heldForS } = this.#time;
    const atS = this.#time.atS + ranS;
    const aheadS = wallS - atS;
    const isNewStep =
      aheadS - before > limits.clockSameStepS || before > aheadS + limits.clockStepS;
    const heldS = before === 0 || isNewStep ? 0 : heldForS + ranS;
    if (aheadS <= limits.clockStepS || heldS >= confirmationS(aheadS)) {
      this.#time = { atS: wallS, heldForS: 0, aheadS: 0 };
    } else {
      this.#time = { atS, heldForS: heldS, aheadS };
    }
    return Math.floor(this.#time.atS);
  }

  get time(): Readonly<StoreTime> {
    return this.#time;
  }

  get held(): HeldStep | undefined {
    const { aheadS, heldForS } = this.#time;
    if (aheadS === 0) return undefined;
    const confirmedInS = Math.ceil(confirmationS(aheadS) - heldForS);
    return { aheadS: Math.round(aheadS), confirmedInS };
  }
}

function confirmationS(aheadS: number): number {
  return Math.min(aheadS / limits.clockStepShare, limits.clockStepHeldS);
}

/** For people: /readyz and the log. */
export function heldStepText({ aheadS, confirmedInS }: HeldStep): string {
  const hours = (s: number): string => `${(s / 3600).toFixed(1)} h`;
  return `the clock is ${hours(aheadS)} ahead of the store's time: nothing is deleted by it until it has run on for ${hours(confirmedInS)} more`;
}
