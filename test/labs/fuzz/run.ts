import { setTimeout as pause } from 'node:timers/promises';
import { encodeTraces } from '../../../collector/otlp/traces-encoder.ts';
import { counterOf, exchange } from '../../conformance/exchange.ts';
import { serverSpan } from '../../support/export-request.ts';
import { startAnalyzerProcess, startCollectorProcess } from '../../support/process.ts';
import {
  type FuzzCase,
  fuzzCase,
  type Kind,
  kindOf,
  kinds,
  type Transport,
  transportOf,
} from './case.ts';
import { GrpcLane } from './grpc-lane.ts';
import { HttpLane } from './http-lane.ts';
import type { Lane, LaneOptions } from './lane.ts';
import { RawLane } from './raw-lane.ts';
import { readSeeds, type Seeds } from './seeds.ts';

/**
 * Mutated bodies against a real collector, over several keep-alive connections at once, with valid requests
 * between them that are counted at the end.
 */
export interface FuzzOptions {
  cases: number;
  seed: number;
  storePath: string;
  /** Only these cases, by their index. */
  only?: readonly number[];
  /** Told about once a second how far it is. */
  progress?: (done: number, rssMiB: number) => void;
}

export interface FuzzResult {
  seconds: number;
  byKind: Record<Kind, KindResult>;
  /** Answers that are not among the expected, and connections that ended without one. */
  wrong: Finding[];
  /** Cases whose answer took more than a second, also when they were sent again alone. */
  hangs: Finding[];
  /** Took more than a second, but not when sent again: the machine's doing. */
  stalls: number;
  /** How the collector ended, if it did. */
  crash: string | undefined;
  /** Median of resident memory in each third of the run, MiB. */
  rssMiB: [number, number, number];
  /** Valid requests that were sent, and those that the report counts. */
  control: { sent: number; counted: number };
}

export interface KindResult {
  cases: number;
  codes: Record<string, number>;
  slowestMs: number;
}

export interface Finding {
  index: number;
  kind: Kind;
  what: string;
  body: Buffer;
}

export const hangMs = 1000;
/** Between two valid requests. */
const controlEvery = 500;
const findingsMost = 50;
const lanes: Record<Transport, number> = { http: 8, grpc: 2, http1: 2, http2: 2 };

export async function runFuzz(options: FuzzOptions): Promise<FuzzResult> {
  const collector = await startCollectorProcess(options.storePath, {
    ROLLCALL_OTLP_GRPC_PORT: '0',
    ROLLCALL_LOG: 'error',
  });
  let crash: string | undefined;
  collector.ended.then(({ code, signal, output }) => {
    crash ??= `ended with ${signal ?? code}: ${output.slice(-2000)}`;
  });
  const seeds = await readSeeds(options.seed, Date.now());
  const run = new Run(options, collector, () => crash, seeds);
  const startMs = performance.now();
  await run.all();
  const seconds = (performance.now() - startMs) / 1000;
  const hangs = crash === undefined ? await run.repeatSlow() : [];
  const counted = crash === undefined ? await run.countControl() : 0;
  const ended = crash;
  crash = 'ended as it was told to';
  await collector.stop();
  return { ...run.result(), seconds, hangs, crash: ended, control: { sent: run.control, counted } };
}

class Run {
  readonly #options: FuzzOptions;
  readonly #collector: { url: string; grpcUrl: string };
  readonly #crash: () => string | undefined;
  readonly #seeds: Seeds;
  readonly #byKind = {} as Record<Kind, KindResult>;
  readonly #wrong: Finding[] = [];
  readonly #slow: FuzzCase[] = [];
  readonly #rssMiB: number[] = [];
  readonly #next: Record<Transport, number> = { http: 0, grpc: 0, http1: 0, http2: 0 };
  #done = 0;
  #stalls = 0;
  control = 0;

  constructor(
    options: FuzzOptions,
    collector: { url: string; grpcUrl: string },
    crash: () => string | undefined,
    seeds: Seeds,
  ) {
    this.#options = options;
    this.#collector = collector;
    this.#crash = crash;
    this.#seeds = seeds;
    for (const kind of kinds) this.#byKind[kind] = { cases: 0, codes: {}, slowestMs: 0 };
  }

  /** Returns when every case has its answer, or the collector has ended. */
  async all(): Promise<void> {
    await this.#sendControl();
    const open: Record<Transport, (lane: LaneOptions) => Lane> = {
      http: (lane) => new HttpLane(lane),
      grpc: (lane) => new GrpcLane(lane),
      http1: (lane) => new RawLane(lane),
      http2: (lane) => new RawLane(lane),
    };
    const running = Object.entries(lanes).flatMap(([transport, count]) =>
      Array.from({ length: count }, () =>
        open[transport as Transport](this.#lane(transport as Transport)).run(),
      ),
    );
    const watch = new AbortController();
    const watching = this.#watch(watch.signal);
    await Promise.all(running);
    watch.abort();
    await watching;
  }

  /** Sends slow cases again, one at a time: what is slow once is the machine's, what is slow always is ours. */
  async repeatSlow(): Promise<Finding[]> {
    const hangs: Finding[] = [];
    for (const fuzzed of this.#slow) {
      let fastestMs = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < 3 && fastestMs > hangMs; attempt += 1) {
        fastestMs = Math.min(fastestMs, await this.#alone(fuzzed));
      }
      if (fastestMs > hangMs) hangs.push(finding(fuzzed, `took ${Math.round(fastestMs)} ms`));
      else this.#stalls += 1;
    }
    return hangs;
  }

  /** Asks the report how often the valid requests' endpoint was called. */
  async countControl(): Promise<number> {
    await this.#sendControl();
    const analyzer = await startAnalyzerProcess(this.#options.storePath);
    const answer = await fetch(`${analyzer.url}/api/v1/report?window=1h&service=${controlService}`);
    const { endpoints } = (await answer.json()) as { endpoints: { total_calls: number }[] };
    await analyzer.stop();
    return endpoints.reduce((sum, { total_calls: calls }) => sum + calls, 0);
  }

  result(): Pick<FuzzResult, 'byKind' | 'wrong' | 'stalls' | 'rssMiB'> {
    const third = Math.ceil(this.#rssMiB.length / 3);
    const medians = [0, 1, 2].map((n) => median(this.#rssMiB.slice(n * third, (n + 1) * third)));
    return {
      byKind: this.#byKind,
      wrong: this.#wrong,
      stalls: this.#stalls,
      rssMiB: medians as [number, number, number],
    };
  }

  #lane(transport: Transport): LaneOptions {
    const toGrpcPort = transport === 'grpc' || transport === 'http2';
    const url = toGrpcPort ? this.#collector.grpcUrl : this.#collector.url;
    const { hostname, port } = new URL(url);
    return {
      address: { host: hostname, port: Number(port) },
      next: () => this.#take(transport),
      answered: (fuzzed, code, ms) => this.#answered(fuzzed, code, ms),
      unanswered: (fuzzed, why) => {
        // The collector's end is told once, not by every case on its way.
        if (this.#crash() === undefined) this.#found(fuzzed, why);
        this.#count(fuzzed, 'none', 0);
      },
    };
  }

  #take(transport: Transport): FuzzCase | undefined {
    const { cases, seed, only } = this.#options;
    if (this.#crash() !== undefined) return undefined;
    for (; this.#next[transport] < cases; this.#next[transport] += 1) {
      const index = this.#next[transport];
      if (transportOf(kindOf(index)) !== transport) continue;
      if (only !== undefined && !only.includes(index)) continue;
      this.#next[transport] += 1;
      return fuzzCase(seed, index, this.#seeds);
    }
    return undefined;
  }

  #answered(fuzzed: FuzzCase, code: number, ms: number): void {
    this.#count(fuzzed, String(code), ms);
    if (fuzzed.expected.length > 0 && !fuzzed.expected.includes(code)) {
      this.#found(fuzzed, `expected ${fuzzed.expected.join(' or ')}, got ${code}`);
    }
    if (ms > hangMs) this.#slow.push(fuzzed);
  }

  #count({ kind }: FuzzCase, code: string, ms: number): void {
    const counts = this.#byKind[kind];
    counts.cases += 1;
    counts.codes[code] = (counts.codes[code] ?? 0) + 1;
    counts.slowestMs = Math.max(counts.slowestMs, ms);
    this.#done += 1;
    if (this.#done % controlEvery === 0) void this.#sendControl();
  }

  #found(fuzzed: FuzzCase, what: string): void {
    if (this.#wrong.length < findingsMost) this.#wrong.push(finding(fuzzed, what));
  }

  async #sendControl(): Promise<void> {
    if (this.#crash() !== undefined) return;
    const spans = [serverSpan()];
    const service = [{ key: 'service.name', value: controlService }];
    const body = encodeTraces([{ attributes: service, scopes: [{ name: '', spans }] }]);
    this.control += 1;
    const status = await exchange(this.#collector.url, body).then(
      (answer) => answer.status,
      (error: Error) => error.message,
    );
    if (status !== 200 && this.#crash() === undefined) {
      const fuzzed = { index: -1, kind: 'protobuf' as const, body };
      this.#wrong.push(finding(fuzzed, `a valid request: expected 200, got ${status}`));
    }
  }

  async #alone(fuzzed: FuzzCase): Promise<number> {
    const { transport } = fuzzed;
    const cases = [fuzzed];
    let tookMs = Number.POSITIVE_INFINITY;
    const options = {
      ...this.#lane(transport),
      next: () => cases.shift(),
      answered: (_: FuzzCase, __: number, ms: number) => {
        tookMs = ms;
      },
      unanswered: () => {},
    };
    if (transport === 'http') await new HttpLane(options).run();
    else if (transport === 'grpc') await new GrpcLane(options).run();
    else await new RawLane(options).run();
    return tookMs;
  }

  async #watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#crash() === undefined) {
      const bytes = await counterOf(this.#collector.url, 'process_resident_memory_bytes').catch(
        () => 0,
      );
      if (bytes > 0) this.#rssMiB.push(bytes / 2 ** 20);
      this.#options.progress?.(this.#done, bytes / 2 ** 20);
      await pause(1000, undefined, { signal }).catch(() => {});
    }
  }
}

const controlService = 'fuzz-control';

function finding({ index, kind, body }: Pick<FuzzCase, 'index' | 'kind' | 'body'>, what: string) {
  return { index, kind, body, what };
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
