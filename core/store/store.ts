import type { CallBatch, NewDimensions } from '../call.ts';
import type { EndpointTraits } from '../endpoint-traits.ts';
import type { EndpointUse } from '../endpoint-use.ts';
import type { OutcomeCounts } from '../outcome.ts';
import type { CallUsage, DurationBucket, Usage } from '../usage/usage.ts';
import type { Window } from '../window.ts';
import type { ConsumerNote } from './annotations/consumers.ts';
import type { ToldEvent } from './annotations/events.ts';
import type { InternalCallerUsage } from './callers/internal-callers.ts';
import type { CallFilter, CallPage, CallRequest } from './calls.ts';
import type { Decision } from './decisions.ts';
import type { Inventory } from './inventory.ts';
import type { Conversion } from './notices.ts';
import type { HeldStep } from './store-clock.ts';

/**
 * What Rollcall asks of a store, in the words of the domain. Every engine passes test/store/contract.ts. Every
 * read and write names the project, so that no caller can forget it. core/store/engine.ts opens engines.
 */

/** Takes calls. Whether several processes may write one store at a time is a property of the engine. */
export interface CallWriter {
  /** Resolves with the reason when the writer can never commit again, other than by `close`: its process must end. */
  readonly lost?: Promise<Error> | undefined;
  /** A step of the machine's clock that the store does not follow yet; undefined when its time is the clock's. */
  readonly heldStep?: HeldStep | undefined;
  /** Raw calls of an older release that are still to be converted; undefined when there are none. */
  readonly conversion?: Conversion | undefined;
  /** Names of stored rows that are damaged and left out; at most `limits.damagedNames`. */
  readonly damaged?: readonly string[];
  /**
   * Calls that this process has counted for `{other}` after they were acknowledged, by whichever process; of several
   * processes each call is in the number of one. Undefined where `append` counts them.
   */
  readonly laterOtherCalls?: number;
  /** An empty batch to fill. An engine may build it on memory of a batch that was appended before. */
  newBatch(): CallBatch;
  /**
   * Commits the batch, durably, or nothing of it. The batch's columns belong to the store from here on.
   * @param dimensions the values behind the batch's numbers that no earlier batch of the same epoch brought
   * @throws AppError `unavailable` when nothing of the batch was committed; the store keeps the dimensions
   */
  append(batch: CallBatch, dimensions: NewDimensions): Promise<AppendOutcome>;
  /** @throws AppError `unavailable` when the store cannot take a commit now */
  check(): Promise<void>;
  /** Resolves when everything appended before is durable and the store may be opened by another process. */
  close(): Promise<void>;
}

export interface AppendOutcome {
  /** For each delivery of the batch: true when it was stored, false when it repeats one of the last hour. */
  stored: boolean[];
  /** Calls of the batch that count for `{other}`, because their service has reached its bound of endpoints. */
  otherCalls: number;
  commitSeconds: number;
}

/** Called as a store is copied: rows that are copied, of all. */
export type CopyProgress = (rows: number, rowsOfAll: number) => void;

/** Reads a store. Any number of processes may read at the same time. */
export interface CallReader {
  /** Runs `ask` on one consistent state of the store that holds everything acknowledged before. */
  snapshot<T>(project: string, ask: (snapshot: Snapshot) => Promise<T>): Promise<T>;
  /** @throws AppError `unavailable` */
  check(): Promise<void>;
  /** Stored rows that this process found damaged and left out, each counted once. */
  damagedRows?(): number;
  close(): Promise<void>;
}

/**
 * Forgets endpoints: what a bad hour brought (a scanner, a typo in an instrumentation) leaves reports and gives its
 * room under the bounds back. An endpoint that is called afterwards is a new one. Any process may forget while a
 * writer commits.
 */
export interface EndpointStore {
  /** @param id of `EndpointRecord` @returns false when the project has no such endpoint */
  forgetEndpoint(project: string, id: string): Promise<boolean>;
  /**
   * Forgets a service: all its endpoints with their verdicts and evidence, when it was heard, its inventories,
   * declarations, decisions and events. A daily total of verdicts stays: it names no endpoint.
   * @param environment the only one; undefined for all, and for inventories and decisions on every environment
   * @param declared ids of endpoints that were declared and never called: their verdicts and evidence go too
   * @returns how many endpoints it had; undefined when nothing is known of such a service
   */
  forgetService(
    project: string,
    service: string,
    environment: string | undefined,
    declared?: readonly string[],
  ): Promise<number | undefined>;
  close(): Promise<void>;
}

/** Selects endpoints. An absent field does not restrict. */
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
  /** Permanent facts, independent of windows and retention. The order is the same in every snapshot. Records are
   *  shared: read only. */
  endpoints(selection: Selection): Promise<EndpointRecord[]>;
  /** Declared routes of every service, the newest version of each inventory; a removed one has only former
   *  routes. They are shared: read only. */
  inventories(): Promise<readonly Inventory[]>;
  /** The decisions that hold, by service, environment, route and method. They are shared: read only. */
  decisions(): Promise<readonly Decision[]>;
  /** What people wrote down about consumers, by name. */
  consumerNotes(): Promise<ConsumerNote[]>;
  /** The events that were told (core/store/annotations/events.ts), oldest first: at most `limits.toldEvents`. */
  events(): Promise<ToldEvent[]>;
  /** End of the project's newest span, which may lie in the future; undefined without calls. */
  newestCallMs(): Promise<number | undefined>;
  /** The window that can be answered (core/store/coverage.ts). */
  coverage(window: Window): Promise<Coverage>;
  /** Usage in the window, as covered, of each selected endpoint that was called in it, by endpoint id. */
  usage(selection: Selection, window: Window): Promise<Map<string, Usage>>;
  /** Ids of the selected endpoints that `usage` would answer, without their usage: it costs less. */
  calledEndpoints(selection: Selection, window: Window): Promise<Set<string>>;
  /** Usage of all selected endpoints together, in the window as covered. */
  total(selection: Selection, window: Window): Promise<Usage>;
  /** Usage of all selected endpoints together in each of the half-open intervals between the edges:
   *  `edgesS.length - 1` answers. Edges ascend and are such that `coverage` leaves each as it is.
   *  @throws AppError `invalid` for an edge where only hours or days are kept */
  series(selection: Selection, edgesS: readonly number[]): Promise<Usage[]>;
  /** The same for each group of endpoints: `series` of every one, by group. The groups share no endpoint. */
  groupSeries(groups: readonly Selection[], edgesS: readonly number[]): Promise<Usage[][]>;
  /** Durations of all selected endpoints together, in intervals as those of `series`: the histogram of each,
   *  shortest duration first; empty where no call has a latency. */
  durations(selection: Selection, edgesS: readonly number[]): Promise<DurationBucket[][]>;
  /** Durations in the window, as covered, of each selected endpoint that was called in it, by endpoint id. */
  distributions(selection: Selection, window: Window): Promise<Map<string, Distribution>>;
  /** The `limit` clients of the selected endpoints with most calls in the window, as covered, most calls
   *  first. `{other}` comes last: the clients beyond `limit` and those past the bound of an endpoint, or of a version
   *  of it. @param version only calls that it answered; calls that release 0.1.0 counted are of no version */
  clients(
    selection: Selection,
    window: Window,
    limit: number,
    version?: string,
  ): Promise<ClientUsage[]>;
  /** How many of the selected endpoints each client called in the window, as covered, by client. Endpoints in whose
   *  `{other}` a client is do not count. @param version only calls that it answered */
  clientEndpoints(
    selection: Selection,
    window: Window,
    version?: string,
  ): Promise<Map<string, number>>;
  /** Calls of one client to the selected endpoints in the window, as covered. @param client an address, not empty */
  clientUsage(selection: Selection, client: string, window: Window): Promise<CallerUsage>;
  /** Its calls to all selected endpoints together, in intervals as those of `series`. */
  clientSeries(
    selection: Selection,
    client: string,
    edgesS: readonly number[],
  ): Promise<CallerCalls[]>;
  /** One page of the raw calls of the selected endpoints that pass the filter.
   *  @throws AppError `invalid`, field `cursor`, for a text that is no cursor of this project and order */
  calls(selection: Selection, filter: CallFilter, request: CallRequest): Promise<CallPage>;
  /** The `limit` consumers of the selected endpoints with most calls in the window, as covered, most calls first.
   *  `{other}` comes last: the consumers beyond `limit` and those past the bound of an endpoint, whose calls another
   *  row of the same consumer then lacks. Calls that release 0.1.0 counted are in none of them.
   *  @param version only calls that it answered */
  consumers(
    selection: Selection,
    window: Window,
    limit: number,
    version?: string,
  ): Promise<ConsumerUsage[]>;
  /** Calls of one consumer, by people and bots together, to the selected endpoints in the window, as covered. */
  consumerUsage(selection: Selection, consumer: ConsumerName, window: Window): Promise<CallerUsage>;
  /** The project's own services that called the selected endpoints, as far as spans show it, most calls first.
   *  @param window of `internalCallerWindow` */
  internalCallers(selection: Selection, window: Window): Promise<InternalCallerUsage[]>;
  /** As `consumers`, of each selected endpoint by itself in intervals: by id, then by interval. Each interval is read
   *  once, however many endpoints there are. @param edgesS as of `series` */
  endpointConsumers(
    selection: Selection,
    edgesS: readonly number[],
    limit: number,
  ): Promise<Map<string, ConsumerUsage[][]>>;
  /** Usage of all selected endpoints together by service version, in the window as covered, most calls first.
   *  `{other}` comes last: versions past the bound of an endpoint. Calls that release 0.1.0 counted are in none. */
  versions(selection: Selection, window: Window): Promise<VersionUsage[]>;
  /** Usage in the window, as covered, of the calls that one service version answered: of each selected endpoint that
   *  has any, by endpoint id. Versions past the bound of an endpoint and calls that release 0.1.0 counted are of no
   *  version. */
  versionUsage(
    selection: Selection,
    version: string,
    window: Window,
  ): Promise<Map<string, CallUsage>>;
  /** Durations of the same calls, by endpoint id, in intervals as those of `series`. */
  versionDistributions(
    selection: Selection,
    version: string,
    edgesS: readonly number[],
  ): Promise<Map<string, Distribution>[]>;
  /** Usage of all selected endpoints together of each named version, in intervals as those of `series`; then that of
   *  all other versions together, `{other}` among them. Calls that release 0.1.0 counted are in none. */
  versionSeries(
    selection: Selection,
    versions: readonly string[],
    edgesS: readonly number[],
  ): Promise<CallUsage[][]>;
  /** The same by consumer: calls of people and bots together. */
  consumerSeries(
    selection: Selection,
    consumers: readonly ConsumerName[],
    edgesS: readonly number[],
  ): Promise<CountedCalls[][]>;
}

/** Durations of an endpoint's calls in a window, with the counts that a comparison needs. */
export interface Distribution {
  calls: number;
  /** Statuses of 400 or more. */
  errors: number;
  /** Shortest duration first; empty where no call has a latency. */
  durations: DurationBucket[];
}

export interface Coverage {
  /** Rounded outward where minutes or hours are deleted; without the part of which nothing is kept. Empty when
   *  nothing of the window is kept. */
  window: Window;
  resolution: 'minute' | 'hour' | 'day';
  /** A part of the window was asked for and is deleted. */
  incomplete: boolean;
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
  /** For each of these days the hours, UTC, in which a call ended: bit n is hour n. Every bit is set for a day
   *  that a release without this fact recorded and whose hours are past their retention. */
  heardHours: number[];
}

export interface EndpointRecord {
  /** Made by the engine and opaque to everyone else: at most `limits.endpointIdChars` characters, the same for
   *  the endpoint's whole life, unique within the project. */
  id: string;
  service: string;
  environment: string;
  method: string;
  route: string;
  /** The route was templated from paths: the service reported none. */
  templated: boolean;
  /** `route` as the service itself spells it, as last seen. */
  display: string;
  firstCallMs: number;
  lastCallMs: number;
  lifetimeCalls: number;
  lifetimeErrors: number;
  /** They add up to `lifetimeCalls`, less the calls that release 0.1.0 counted and whose statuses it had deleted. */
  lifetimeOutcomes: OutcomeCounts;
  /** Present when some of these calls had a weight (core/weight.ts): then the counts above are sums of
   *  weights, and estimates. */
  sampling?: LifetimeSampling;
  /** Spans of bots, whatever each stands for; those that release 0.1.0 counted are not among them. */
  botCalls: number;
  /** The service's version that answered last; empty when unknown. */
  lastVersion: string;
  /** Distinct callers, latest first, at most `limits.lastCallers`. */
  lastCallers: LastCaller[];
  /** The end of the newest answered call; absent when none is recorded. */
  lastAnsweredMs?: number;
  /** The version that gave that answer; empty when unknown. */
  lastAnsweredVersion: string;
  /** Distinct callers of answered calls, latest first, at most `limits.lastCallers`. */
  lastAnsweredCallers: LastCaller[];
  /** The end of the newest answered call of an agent that is no bot; absent when none is recorded. */
  lastPersonMs?: number;
  /** Absent when there are none: of calls up to this moment, which release 0.1.0 counted, it is not recorded
   *  which ones were answered. Any of them may be later than the three moments above. */
  unrecordedMs?: number;
  /** Latest last call first, at most `limits.versionsPerRecord`; then `{other}`, the versions called before these.
   *  Calls that release 0.1.0 counted are in none of them. */
  versions: VersionRecord[];
  /** Read only: it may be shared between snapshots. */
  use: EndpointUse;
  /** The newest use of another endpoint of its shape that may be its own under another name (`rivalsOf` in
   *  core/store/endpoint-identity.ts); absent when nothing shows that. */
  continuedMs?: number;
  /** What spans say of it beside its calls; absent when they say nothing. Read only. */
  traits?: EndpointTraits;
}

/** Calls of an endpoint that one version of its service took. */
export interface VersionRecord {
  /** Empty for calls of unknown version. */
  version: string;
  firstCallMs: number;
  lastCallMs: number;
  /** Spans, whatever each stands for. */
  seenCalls: number;
}

export interface LifetimeSampling {
  /** The end of the newest span with a weight. */
  lastMs: number;
  /** Spans, whatever each stands for. */
  seenCalls: number;
  seenErrors: number;
  seenOutcomes: OutcomeCounts;
}

export interface LastCaller {
  client: string;
  consumer: string;
  agent: string;
  atMs: number;
}

export interface ClientUsage {
  /** The address, or `{other}`. */
  client: string;
  calls: number;
  errors: number;
  /** They add up to `calls`, less `unrecorded`. */
  outcomes: OutcomeCounts;
  /** Calls that release 0.1.0 counted and whose outcome it did not keep; absent for none. */
  unrecorded?: number;
  /** The minutes, as their beginnings, in which the first and last call in the window ended. Absent where release
   *  0.1.0 counted calls: the first for any of them, the last when there are no others. */
  firstMinuteMs?: number;
  lastMinuteMs?: number;
  /** Calls of this answer have weights: the counts are estimates. */
  estimated?: true;
}

/** The consumer that the span names, else the product of its user agent. */
export interface ConsumerName {
  /** Empty for calls that neither tells of; `{other}`. */
  consumer: string;
  /** Whether the span named it or its user agent: `agent` when its name is the agent's product. One name of both
   *  kinds is two consumers. */
  namedBy: 'span' | 'agent' | 'other';
}

/** Calls of one consumer. */
export interface ConsumerUsage extends ConsumerName {
  /** Calls whose agent is no bot. */
  people: CountedCalls;
  bots: CountedCalls;
  /** Selected endpoints that it called; absent of `{other}`. */
  endpoints?: number;
  /** Ends of the first and last call in the window, rounded down to the second; of spans, whatever they stand for. */
  firstCallMs: number;
  lastCallMs: number;
}

/** Calls of one client, or of one consumer. */
export interface CallerUsage {
  /** By endpoint id, of each selected endpoint that it called. Of an endpoint in whose `{other}` it is, there is
   *  nothing, or too little. */
  byEndpoint: Map<string, CallerCalls>;
  /** Calls of all callers past the bound of an endpoint: some of them may be its own. */
  otherCalls: number;
}

export interface CallerCalls extends CountedCalls {
  /** Calls, not among the outcomes, that release 0.1.0 counted and whose outcome it did not keep; absent for none. */
  unrecorded?: number;
}

/** Sums of weights. */
export interface CountedCalls {
  calls: number;
  /** Statuses of 400 and more. */
  errors: number;
  /** They add up to `calls`. */
  outcomes: OutcomeCounts;
}

export interface VersionUsage {
  /** Empty for calls of unknown version; `{other}`. */
  version: string;
  usage: CallUsage;
}
