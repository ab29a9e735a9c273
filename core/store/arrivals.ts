/**
 * What arrived at the collector, by service, whether it became calls or not: `GET /doctor` says from it why something
 * does not count. Figures are of days, kept for `limits.arrivalDays`. Any process may write here, beside a collector
 * that writes calls. Every method throws AppError `unavailable` when the store cannot be read or written now.
 */
export interface ArrivalStore {
  /**
   * Adds to the counts of a day, and forgets days that are too old. Of a project and day at most
   * `limits.arrivalServices` services are told apart, others are added to `{other}`. Arrivals of projects that do not
   * exist are left out.
   * @param day days since the epoch, UTC
   */
  add(day: number, arrivals: readonly Arrival[]): Promise<void>;
  /** The sums since a day, by service, outcome and reason. */
  since(project: string, day: number): Promise<ArrivalSum[]>;
  close(): Promise<void>;
}

/** Spans of a service by what became of them, or whole requests, which belong to no service. */
export interface Arrival {
  project: string;
  /** `service.name`; empty for requests. */
  service: string;
  outcome: ArrivalOutcome;
  /** Of an outcome that has several: `future`, `method`, `metrics` …; else empty. */
  reason: string;
  count: number;
  /** Of the newest one, milliseconds since the epoch. */
  lastMs: number;
}

export type ArrivalSum = Omit<Arrival, 'project'>;

/**
 * Of spans: those of the metric `rollcall_spans_total`. Of requests: `refused` for a key whose scope may not send,
 * `undecodable` for a body that is no export, `other_signal` for metrics, logs and profiles.
 */
export const arrivalOutcomes = [
  'stored',
  'not_server',
  'not_http',
  'excluded',
  'rejected',
  'duplicate',
  'refused',
  'undecodable',
  'other_signal',
] as const;
export type ArrivalOutcome = (typeof arrivalOutcomes)[number];
