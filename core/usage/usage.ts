/** The percentiles of every usage. */
export const percentiles = [50, 75, 90, 95, 99, 99.9] as const;

/** Usage without clients. */
export interface CallUsage {
  calls: number;
  errors4xx: number;
  errors5xx: number;
  /** Calls by HTTP status; 0 is no status. */
  statuses: Map<number, number>;
  /** Sum over the calls that have a latency: all but `untimed`. */
  sumNs: number;
  /** Exact. 0 without calls. */
  minNs: number;
  maxNs: number;
  /** Values at the nearest ranks of `percentiles`, in that order, within 1 %; zeros without calls. */
  percentilesNs: number[];
  /** Calls whose duration is no latency (docs/extraction.md X7); absent for none. */
  untimed?: number;
  /** Present when some of these calls have a weight (core/weight.ts): then every count above but
   *  `uniqueClients` is a sum of weights, not always whole, and an estimate; so are durations. */
  sampling?: Sampling;
}

export interface Usage extends CallUsage {
  uniqueClients: number;
  /** `uniqueClients` is an estimate: there are more than are counted exactly. */
  uniqueClientsEstimated: boolean;
}

/** Calls of about one duration: a bucket of the histogram. */
export interface DurationBucket {
  /** The middle of the bucket, within 0.4 % of every duration in it. */
  us: number;
  /** With weights, the copies in the histogram. */
  calls: number;
}

export interface Sampling {
  /** Spans seen, regardless of their weights. */
  seen: number;
  /** The variance of `calls`: Σ(w² − w). Its root is the standard error. */
  variance: number;
}
