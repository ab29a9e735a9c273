import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { limits } from '../core/limits.ts';
import { freshUpTo } from '../core/server/memo.ts';
import type { ClockAhead } from './extract/clock-skew.ts';

/** The collector's metrics. The hot path adds to plain numbers; Prometheus's objects are filled at each scrape. */
export class CollectorMetrics {
  readonly #registry = new Registry();
  readonly #commitSeconds: Histogram;
  readonly #spans = new Map<string, Counted>();
  readonly #repairs = new Map<string, Counted>();
  readonly #requests = new Map<string, Counted>();
  #bodyBytes = 0;
  #otherCalls = 0;
  /** Read at every scrape. */
  queueBytes: () => number = () => 0;
  damagedRows: () => number = () => 0;
  /** Those of `rollcall_calls_other_total` that `otherCalls` does not bring. */
  laterOtherCalls: () => number = () => 0;
  clocksAhead: () => ClockAhead[] = () => [];

  /**
   * @param namesServices false where projects are apart: whoever reads the metrics, without a key, then learns of no
   *   service of any project
   */
  constructor(namesServices = true) {
    const registers = [this.#registry];
    counter(registers, 'rollcall_spans_total', spansHelp, ['outcome', 'reason'], this.#spans);
    counter(
      registers,
      'rollcall_requests_total',
      requestsHelp,
      ['transport', 'code'],
      this.#requests,
    );
    counter(registers, 'rollcall_calls_repaired_total', repairsHelp, ['repair'], this.#repairs);
    gauge(registers, 'rollcall_queue_bytes', queueHelp, () => this.queueBytes());
    gauge(registers, 'rollcall_store_damaged_rows', damagedHelp, () => this.damagedRows());
    if (namesServices) clockGauge(registers, () => this.clocksAhead());
    else {
      gauge(registers, clockName, clockHelp, () => {
        return Math.max(0, ...this.clocksAhead().map(({ aheadS }) => aheadS));
      });
    }
    const bodyBytes = new Map([['', { labels: {}, count: 0 }]]);
    counter(registers, 'rollcall_body_bytes_total', bytesHelp, [], bodyBytes, () => {
      bodyBytes.get('')!.count = this.#bodyBytes;
    });
    const others = new Map([['', { labels: {}, count: 0 }]]);
    counter(registers, 'rollcall_calls_other_total', othersHelp, [], others, () => {
      others.get('')!.count = this.#otherCalls + this.laterOtherCalls();
    });
    this.#commitSeconds = new Histogram({
      name: 'rollcall_commit_seconds',
      help: 'Seconds from handing a batch to the store until it was durable',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    });
    processMetrics(registers);
    for (const outcome of ['stored', 'not_server', 'not_http', 'duplicate'] as const) {
      this.spans(outcome, '', 0);
    }
    for (const reason of ['method', 'route']) this.spans('excluded', reason, 0);
  }

  /** Every span ends in exactly one of these, once. */
  spans(outcome: SpanOutcome, reason: string, count: number): void {
    add(this.#spans, `${outcome} ${reason}`, count, () => ({ outcome, reason }));
  }

  /** A call that was stored although its span had a fault, by the repair. */
  repairs(repair: Repair, count: number): void {
    add(this.#repairs, repair, count, () => ({ repair }));
  }

  request(transport: 'http' | 'grpc', code: string | number): void {
    add(this.#requests, `${transport} ${code}`, 1, () => ({ transport, code: String(code) }));
  }

  body(bytes: number): void {
    this.#bodyBytes += bytes;
  }

  /** Calls of endpoints past their service's bound. */
  otherCalls(count: number): void {
    this.#otherCalls += count;
  }

  commit(seconds: number): void {
    this.#commitSeconds.observe(seconds);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  readonly text = freshUpTo(limits.metricsTextsPerS, () => this.#registry.metrics());
}

export type Repair =
  | 'duration_zeroed'
  | 'duration_dropped'
  | 'client_dropped'
  | 'status_assumed'
  | 'weight_ignored';

export type SpanOutcome =
  | 'stored'
  | 'not_server'
  | 'not_http'
  | 'excluded'
  | 'duplicate'
  | 'rejected';

interface Counted {
  labels: Record<string, string>;
  count: number;
}

const spansHelp =
  'Spans received, by what became of them; a refused request counts again when it is repeated';
const requestsHelp = 'Export requests answered, by transport and status code';
const repairsHelp =
  'Calls stored although their span ended before it began, took longer than any call, named no address, had an error and no status, or told of a sampling that cannot be';
const othersHelp =
  'Stored calls whose endpoint is past the bound of its service: a report has them under {other}';
const bytesHelp = 'Bytes of request bodies read, after decompression';
const clockName = 'rollcall_clock_ahead_seconds';
const clockHelp =
  'Service instances whose spans came before they ended, in the last hour: how far their clock is ahead, at least; with keys the largest of all, without names';
const damagedHelp = 'Rows of the store that were found damaged and left out since the start';
const queueHelp = 'Bytes of bodies and calls in memory that are not committed';

function add(
  counts: Map<string, Counted>,
  key: string,
  count: number,
  labels: () => Record<string, string>,
): void {
  const counted = counts.get(key);
  if (counted !== undefined) counted.count += count;
  else counts.set(key, { labels: labels(), count });
}

function counter(
  registers: Registry[],
  name: string,
  help: string,
  labelNames: string[],
  counts: Map<string, Counted>,
  refresh: () => void = () => {},
): void {
  new Counter({
    name,
    help,
    labelNames,
    registers,
    collect() {
      refresh();
      this.reset();
      for (const { labels, count } of counts.values()) this.inc(labels, count);
    },
  });
}

function gauge(registers: Registry[], name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}

function clockGauge(registers: Registry[], read: () => ClockAhead[]): void {
  new Gauge({
    name: clockName,
    help: clockHelp,
    labelNames: ['service', 'instance'],
    registers,
    collect() {
      this.reset();
      for (const { service, instance, aheadS } of read()) this.set({ service, instance }, aheadS);
    },
  });
}

/** The usual names, read at the scrape: prom-client's own set keeps timers and observers running. */
function processMetrics(registers: Registry[]): void {
  const cpu = new Map([['', { labels: {}, count: 0 }]]);
  counter(registers, 'process_cpu_seconds_total', 'CPU seconds of all threads', [], cpu, () => {
    const { user, system } = process.cpuUsage();
    cpu.get('')!.count = (user + system) / 1e6;
  });
  const startS = Math.floor(Date.now() / 1000 - process.uptime());
  gauge(registers, 'process_start_time_seconds', 'Start, seconds since the epoch', () => startS);
  gauge(registers, 'process_resident_memory_bytes', 'Resident memory', () =>
    process.memoryUsage.rss(),
  );
  gauge(
    registers,
    'nodejs_heap_size_used_bytes',
    'Heap in use',
    () => process.memoryUsage().heapUsed,
  );
  gauge(registers, 'nodejs_external_memory_bytes', 'Memory of buffers and native objects', () => {
    return process.memoryUsage().external;
  });
}
