import { limits } from '../limits.ts';

/**
 * What is told of deliveries that fail: one line when they begin to, one with the number of lost spans when
 * they work again, or when the process ends. An outage soon after another one is not told again; its losses
 * are in the next line.
 */
export class Outage {
  readonly #target: string;
  readonly #log: (line: string) => void;
  #isAway = false;
  #isTold = false;
  #toldMs = Number.NEGATIVE_INFINITY;
  #untold = 0;
  #lost = 0;

  /** @param target where spans go, for people */
  constructor(target: string, log: (line: string) => void) {
    this.#target = target;
    this.#log = log;
  }

  /** Spans that will never arrive, since the start. */
  get lost(): number {
    return this.#lost;
  }

  get isAway(): boolean {
    return this.#isAway;
  }

  /** @param nowMs monotonic */
  begins(reason: string, nowMs: number): void {
    if (this.#isAway) return;
    this.#isAway = true;
    this.#isTold = nowMs - this.#toldMs >= limits.outageLogMs;
    if (!this.#isTold) return;
    this.#toldMs = nowMs;
    this.#log(`${this.#target} takes no spans (${reason}); the service is not affected`);
  }

  lose(spans: number): void {
    this.#lost += spans;
    this.#untold += spans;
  }

  ends(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    if (this.#isTold) this.#tell(`${this.#target} takes spans again; lost meanwhile:`);
  }

  /** The process ends: the last word on what was lost. */
  close(): void {
    if (this.#untold > 0) this.#tell(`spans not delivered to ${this.#target}:`);
  }

  #tell(what: string): void {
    this.#log(`${what} ${this.#untold}`);
    this.#untold = 0;
  }
}
