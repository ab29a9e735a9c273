import { limits, specialRoutes } from '../../core/limits.ts';
import type { Arrival, ArrivalOutcome, ArrivalStore } from '../../core/store/arrivals.ts';
import type { ServiceArrival } from '../extract/service-arrivals.ts';

const dayMs = 86_400_000;

export interface ArrivalRecorderOptions {
  /** @throws AppError `unavailable` */
  store: () => Promise<Pick<ArrivalStore, 'add'>>;
  /** Milliseconds since the epoch. */
  now: () => number;
  onFailure: (error: unknown) => void;
}

/**
 * Counts what arrived, by project and service, and writes the counts to the store: soon after a silence, then at most
 * every `limits.arrivalEveryMs`. Requests never wait for it. Counts of a write that failed are written with the next.
 */
export class ArrivalRecorder {
  readonly #options: ArrivalRecorderOptions;
  #counts = new Map<string, Arrival>();
  #services = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #writtenMs = 0;
  #isClosed = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: ArrivalRecorderOptions) {
    this.#options = options;
  }

  /** What became of a request's spans. */
  spans(project: string, found: readonly ServiceArrival[]): void {
    for (const { service, stored, notServer, notHttp, excluded, duplicate, rejected } of found) {
      this.#add(project, service, 'stored', '', stored);
      this.#add(project, service, 'not_server', '', notServer);
      this.#add(project, service, 'not_http', '', notHttp);
      this.#add(project, service, 'excluded', '', excluded);
      this.#add(project, service, 'duplicate', '', duplicate);
      for (const [reason, count] of Object.entries(rejected)) {
        this.#add(project, service, 'rejected', reason, count);
      }
    }
  }

  /** What became of a request that brought no spans. @param reason a scope or a signal; empty where there is none */
  request(
    project: string,
    outcome: 'refused' | 'undecodable' | 'other_signal',
    reason: string,
  ): void {
    this.#add(project, '', outcome, reason, 1);
  }

  /** Writes what is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#write();
  }

  #add(
    project: string,
    name: string,
    outcome: ArrivalOutcome,
    reason: string,
    count: number,
  ): void {
    if (count <= 0) return;
    const lastMs = this.#options.now();
    const service = this.#bounded(project, name);
    const key = JSON.stringify([project, service, outcome, reason]);
    const known = this.#counts.get(key);
    if (known === undefined) {
      this.#counts.set(key, { project, service, outcome, reason, count, lastMs });
    } else {
      known.count += count;
      known.lastMs = lastMs;
    }
    this.#schedule();
  }

  /** Names beyond the bound are of no use to anybody who looks for one. */
  #bounded(project: string, service: string): string {
    const key = `${project}\0${service}`;
    if (this.#services.has(key)) return service;
    if (this.#services.size >= limits.arrivalServices) return specialRoutes.other;
    this.#services.add(key);
    return service;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    const sinceMs = this.#options.now() - this.#writtenMs;
    const waitMs = Math.max(
      limits.arrivalSoonMs,
      Math.min(limits.arrivalEveryMs, limits.arrivalEveryMs - sinceMs),
    );
    this.#timer = setTimeout(() => {
      this.#writing = this.#write().finally(() => {
        this.#timer = undefined;
        if (this.#counts.size > 0) this.#schedule();
      });
    }, waitMs);
    this.#timer.unref();
  }

  async #write(): Promise<void> {
    if (this.#counts.size === 0) return;
    const counts = this.#counts;
    this.#counts = new Map();
    this.#services = new Set();
    const nowMs = this.#options.now();
    this.#writtenMs = nowMs;
    try {
      const store = await this.#options.store();
      await store.add(Math.floor(nowMs / dayMs), [...counts.values()]);
    } catch (error) {
      this.#options.onFailure(error);
      for (const { project, service, outcome, reason, count } of counts.values()) {
        this.#add(project, service, outcome, reason, count);
      }
    }
  }
}
