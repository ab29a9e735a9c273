import { limits } from '../limits.ts';

/**
 * Log lines of failing deliveries: one when they begin to fail; one with the number of lost spans when they work again,
 * or when the process ends. An outage within a minute of another has no lines; its losses are in the next line.
 */
export class Outage {
  readonly #target: string;
  readonly #log: (line: string) => void;
  #isAway = false;
  #isLogged = false;
  #loggedMs = Number.NEGATIVE_INFINITY;
  #unlogged = 0;
  #lost = 0;

  /** @param target Rollcall's address without credentials */
  constructor(target: string, log: (line: string) => void) {
    this.#target = target;
    this.#log = log;
  }

  /** Spans lost since the start. */
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
    this.#isLogged = nowMs - this.#loggedMs >= limits.outageLogMs;
    if (!this.#isLogged) return;
    this.#loggedMs = nowMs;
    this.#log(`${this.#target} takes no spans (${reason}); the service is not affected`);
  }

  lose(spans: number): void {
    this.#lost += spans;
    this.#unlogged += spans;
  }

  ends(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    if (this.#isLogged) this.#logLost(`${this.#target} takes spans again; lost meanwhile:`);
  }

  /** Logs spans that were lost since the last line. */
  close(): void {
    if (this.#unlogged > 0) this.#logLost(`spans not delivered to ${this.#target}:`);
  }

  #logLost(what: string): void {
    this.#log(`${what} ${this.#unlogged}`);
    this.#unlogged = 0;
  }
}
