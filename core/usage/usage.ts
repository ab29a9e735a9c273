/** The percentiles every usage answers. */
export const percentiles = [50, 75, 90, 95, 99, 99.9] as const;

export interface Usage {
  calls: number;
  errors4xx: number;
  errors5xx: number;
  /** Calls by HTTP status; 0 stands for no status. */
  statuses: Map<number, number>;
  /** Of the calls that have a latency: all but `untimed`. */
  sumNs: number;
  /** Exact. 0 without calls. */
  minNs: number;
  maxNs: number;
  /** Values at the nearest ranks of `percentiles`, in that order, within 1 %; zeros without calls. */
  percentilesNs: number[];
  uniqueClients: number;
  /** More clients than are counted exactly: `uniqueClients` is an estimate. */
  uniqueClientsEstimated: boolean;
  /** Calls whose duration is no latency (OTLP.md X7); absent when there is none. */
  untimed?: number;
  /** Present when some of these calls have a weight (core/weight.ts): then every count above but
   *  `uniqueClients` is a sum of weights, not always whole, and an estimate; so are durations. */
  sampling?: Sampling;
}

export interface Sampling {
  /** Spans seen, whatever each stands for. */
  seen: number;
  /** Of `calls`: Σ(w² − w). Its root is their standard error. */
  variance: number;
}
