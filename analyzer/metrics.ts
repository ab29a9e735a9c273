import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** The analyzer's Prometheus metrics. */
export interface Metrics {
  registry: Registry;
  requests: Counter<'transport' | 'code'>;
  reportSeconds: Histogram<'report'>;
  queries: Counter<'outcome'>;
  /** @param waiting queries that wait now */
  measureWaiting(waiting: () => number): void;
  /** @param damaged rows of the store that were found damaged since the start */
  measureDamage(damaged: () => number): void;
}

export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    requests: new Counter({
      name: 'rollcall_requests_total',
      help: 'Requests answered, by transport and status code.',
      labelNames: ['transport', 'code'],
      registers: [registry],
    }),
    reportSeconds: new Histogram({
      name: 'rollcall_report_seconds',
      help: 'Time from the question to the finished answer, by report.',
      labelNames: ['report'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [registry],
    }),
    queries: new Counter({
      name: 'rollcall_queries_total',
      help: 'Queries computed, shared with an equal one that waited, abandoned by all askers, refused because too many waited.',
      labelNames: ['outcome'],
      registers: [registry],
    }),
    measureDamage(damaged) {
      new Gauge({
        name: 'rollcall_store_damaged_rows',
        help: 'Rows of the store that were found damaged and left out since the start.',
        registers: [registry],
        collect() {
          this.set(damaged());
        },
      });
    },
    measureWaiting(waiting) {
      new Gauge({
        name: 'rollcall_queries_waiting',
        help: 'Queries that wait for the answering thread.',
        registers: [registry],
        collect() {
          this.set(waiting());
        },
      });
    },
  };
}
