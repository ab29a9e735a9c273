import type { CallBatch, NewDimensions } from '../call.ts';
import type { Window } from '../window.ts';

/**
 * What Rollcall asks of a store, in the words of the domain. Two engines implement it; both pass
 * test/store/contract.ts. Every read and write names the project, so that no caller can forget it.
 */

/** Takes calls. One process writes a store at a time; a second one is refused with `conflict`. */
export interface CallWriter {
  /**
   * Commits the batch, durably, or nothing of it. The batch's columns belong to the store from here on;
   * the outcome brings columns back to be used again.
   * @param words what the batch's numbers mean, beyond earlier batches of the same epoch
   * @throws AppError `unavailable` when nothing of it was committed; the words are known all the same
   */
  append(batch: CallBatch, words: NewDimensions): Promise<AppendOutcome>;
  /** Rolls up what waits, down to the coarsest level. Happens by itself; reports never need it. */
  rollUp(): Promise<void>;
  /** Deletes what is older than the retention says, as of `nowS`. Also done by itself, now and then. */
  purge(nowS: number): Promise<void>;
  /** Commits an empty transaction. @throws AppError `unavailable` */
  check(): Promise<void>;
  /** Commits what was appended before, rolls up, and gives the store free. */
  close(): Promise<void>;
}

export interface AppendOutcome {
  /** For each delivery of the batch: true when stored, false when it repeats one of the last hour. */
  stored: boolean[];
  /** Memory of a batch's columns, to be used again. */
  recycled: ArrayBuffer;
  /** Calls of it whose endpoint is past its service's bound: they are of `{other}`. */
  otherCalls: number;
  commitSeconds: number;
}

/** Answers questions. Any number of processes may read. */
export interface CallReader {
  /** Runs `ask` on one consistent state of the store that holds everything acknowledged before. */
  snapshot<T>(project: string, ask: (snapshot: Snapshot) => Promise<T>): Promise<T>;
  /** @throws AppError `unavailable` */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Names endpoints; what is absent does not restrict. */
export interface Selection {
  service?: string;
  environment?: string;
  /** Only these endpoints, by `EndpointRecord.id`. An id that the project does not have selects nothing. */
  endpoints?: ReadonlySet<string>;
}

/**
 * One consistent state of one project. It is valid until the promise of the function that `CallReader.snapshot`
 * called is settled. Every method rejects with AppError `unavailable` when the store cannot be read.
 */
export interface Snapshot {
  services(): Promise<ServiceRecord[]>;
  /** Permanent facts, independent of windows and retention. The order is the same in every snapshot. */
  endpoints(selection: Selection): Promise<EndpointRecord[]>;
  /** The window that can really be answered, rounded outward where minutes or hours are gone. */
  coverage(window: Window): Promise<Coverage>;
  /** Usage in the window, as covered, of each selected endpoint that was called in it, by endpoint id. */
  usage(selection: Selection, window: Window): Promise<Map<string, Usage>>;
  /** Usage of all selected endpoints together, in the window as covered. */
  total(selection: Selection, window: Window): Promise<Usage>;
  /** Usage of all selected endpoints together in each of the half-open intervals between the edges:
   *  `edgesS.length - 1` answers. Edges ascend and are such that `coverage` leaves each as it is.
   *  @throws AppError `invalid` for an edge where only hours or days are kept */
  series(selection: Selection, edgesS: readonly number[]): Promise<Usage[]>;
  /** Clients of the selected endpoints in the window, as covered, most calls first. */
  clients(selection: Selection, window: Window, limit: number): Promise<ClientUsage[]>;
}

export interface Coverage {
  window: Window;
  resolution: 'minute' | 'hour' | 'day';
}

export interface ServiceRecord {
  service: string;
  environment: string;
  endpoints: number;
  /** A sum of weights, like those of its endpoints. */
  lifetimeCalls: number;
  /** The end of the newest span with a weight; absent when none ever had one. */
  lastSampledMs?: number;
  /** Ends of the oldest and newest span, milliseconds since the epoch. */
  firstCallMs: number;
  lastCallMs: number;
  /** Days since the epoch, UTC, on which any of its calls ended; ascending, permanent. */
  heardDays: number[];
}

export interface EndpointRecord {
  /** Made by the engine and opaque to everyone else: at most `limits.endpointIdChars` characters, the same for
   *  the endpoint's whole life, unique within the project. */
  id: string;
  service: string;
  environment: string;
  method: string;
  route: string;
  /** `route` as the service itself spells it, as last seen. */
  display: string;
  firstCallMs: number;
  lastCallMs: number;
  lifetimeCalls: number;
  lifetimeErrors: number;
  /** Present when some of these calls had a weight (core/weight.ts): then the two counts above are sums of
   *  weights, and estimates. */
  sampling?: LifetimeSampling;
  /** The service's version that answered last; empty when unknown. */
  lastVersion: string;
  /** Distinct callers, latest first, at most `limits.lastCallers`. */
  lastCallers: LastCaller[];
}

export interface LifetimeSampling {
  /** The end of the newest span with a weight. */
  lastMs: number;
  /** Spans, whatever each stands for. */
  seenCalls: number;
  seenErrors: number;
}

export interface LastCaller {
  client: string;
  consumer: string;
  agent: string;
  atMs: number;
}

/** The percentiles every usage answers. */
export const percentiles = [50, 75, 90, 95, 99] as const;

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

export interface ClientUsage {
  /** The address; `{other}` for the rarest clients of endpoints past the bound. */
  client: string;
  calls: number;
  errors: number;
  /** Calls of this answer have weights: the counts are estimates. */
  estimated?: true;
}
