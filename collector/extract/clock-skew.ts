import { limits, specialRoutes } from '../../core/limits.ts';

/** A service instance whose spans ended later than our clock said when they came (docs/extraction.md X11). */
export interface ClockAhead {
  service: string;
  /** service.instance.id, else host.name, else ''. */
  instance: string;
  /** Whole seconds; a lower bound, because spans are sent some time after they end. */
  aheadS: number;
}

/** The instances whose clocks were ahead of ours in the last hour, for /metrics and the log. */
export class ClockSkew {
  readonly #now: () => number;
  /** The one seen last stands last. */
  readonly #seen = new Map<string, { found: ClockAhead; seenMs: number; toldMs: number }>();

  /** @param now milliseconds since the epoch */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @returns whether it is to be logged: at most once an hour for each instance */
  note(found: ClockAhead): boolean {
    const nowMs = this.#now();
    this.#forget(nowMs);
    let key = `${found.service}\0${found.instance}`;
    let kept = found;
    if (!this.#seen.has(key) && this.#seen.size >= limits.clocksAhead) {
      key = specialRoutes.other;
      kept = { service: specialRoutes.other, instance: '', aheadS: found.aheadS };
    }
    const known = this.#seen.get(key);
    const due = known === undefined || nowMs - known.toldMs >= hourMs;
    this.#seen.delete(key);
    this.#seen.set(key, { found: kept, seenMs: nowMs, toldMs: due ? nowMs : known.toldMs });
    return due;
  }

  /** Each with its last observation. */
  current(): ClockAhead[] {
    this.#forget(this.#now());
    return [...this.#seen.values()].map(({ found }) => found);
  }

  #forget(nowMs: number): void {
    for (const [key, { seenMs }] of this.#seen) {
      if (nowMs - seenMs < hourMs) return;
      this.#seen.delete(key);
    }
  }
}

const hourMs = 3_600_000;
