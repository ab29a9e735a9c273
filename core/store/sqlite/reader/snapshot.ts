import { AppError } from '../../../error.ts';
import { Tally } from '../../../usage/tally.ts';
import type { CallUsage, DurationBucket, Usage } from '../../../usage/usage.ts';
import { isoTime, type Window } from '../../../window.ts';
import type { ConsumerNote } from '../../annotations/consumers.ts';
import type { ToldEvent } from '../../annotations/events.ts';
import type { InternalCallerUsage } from '../../callers/internal-callers.ts';
import type { CallFilter, CallPage, CallRequest } from '../../calls.ts';
import { coverageOf } from '../../coverage.ts';
import type { Decision } from '../../decisions.ts';
import type { Inventory } from '../../inventory.ts';
import type {
  CallerCalls,
  CallerUsage,
  ClientUsage,
  ConsumerName,
  ConsumerUsage,
  CountedCalls,
  Coverage,
  Distribution,
  EndpointRecord,
  Selection,
  ServiceRecord,
  Snapshot,
  VersionUsage,
} from '../../store.ts';
import { otherVersions } from '../../versions.ts';
import { consumerNotesOfProject } from '../annotations/consumers.ts';
import { eventsOfProject } from '../annotations/events.ts';
import { internalCallersOf } from '../callers/internal-callers.ts';
import type { Database } from '../database.ts';
import { callPage, rowOfClient } from '../search/call-page.ts';
import type { StoredCallSource } from '../search/stored-pieces.ts';
import { addEncodedCallTallies, addEncodedTallies } from '../usage/details.ts';
import { sortBy } from '../usage/radix-sort.ts';
import { shardBits, UsageEntries } from '../usage/usage-entries.ts';
import { addClientsOfVersion, callerCallsOf, clientUsages } from './client-usage.ts';
import type { CompactedUsage } from './compacted-usage.ts';
import { noteDamage } from './damage-log.ts';
import type { DecisionCache } from './decision-cache.ts';
import {
  callUsageOf,
  consumersByEndpoint,
  consumersOf,
  ofVersion,
  versionsOf,
} from './detailed-usage.ts';
import type { DimensionCache } from './dimension-cache.ts';
import type { EndpointCache } from './endpoint-cache.ts';
import { byConsumers, byEndpointOfConsumer, byVersions } from './grouped-details.ts';
import type { InventoryCache } from './inventory-cache.ts';
import type { MergedUsage } from './merged-usage.ts';
import { ProjectRecords } from './project-records.ts';
import type { RecentUsage } from './recent-usage.ts';
import {
  addMerged,
  hasMerged,
  joined,
  type Selected,
  selectedOf,
  shardsOf,
} from './selected-endpoints.ts';
import { compactedSpans, keptOf } from './watermarks.ts';

/**
 * Reads one state of the file, within the transaction of its owner. Every method does its whole work before it
 * returns its promise: calls that run at once never see each other's tally.
 */
export class SqliteSnapshot implements Snapshot {
  readonly #db: Database;
  readonly #dimensions: DimensionCache;
  readonly #compacted: CompactedUsage;
  readonly #records: ProjectRecords;
  readonly #inventories: InventoryCache;
  readonly #decisions: DecisionCache;
  readonly #calls: StoredCallSource;
  readonly #project: string;
  readonly #meta: Map<string, number>;
  /** One for all reads of the snapshot: `#emptied` or `#tallied` first. */
  readonly #tally: Tally;
  /** Those of `#stored`, until it is called again. */
  readonly #entries = new UsageEntries();
  /** The selection and window whose calls `#tally` holds in full; undefined when it holds others. */
  #held: { selection: Selection; window: Window } | undefined;
  #recentUsage: RecentUsage | undefined;

  /** @param tally of any content, which no other open snapshot uses: tables of clients need not grow again */
  constructor(
    db: Database,
    endpointCache: EndpointCache,
    dimensions: DimensionCache,
    compacted: CompactedUsage,
    inventories: InventoryCache,
    decisions: DecisionCache,
    calls: StoredCallSource,
    project: string,
    tally = new Tally(),
  ) {
    this.#db = db;
    this.#tally = tally;
    this.#inventories = inventories;
    this.#decisions = decisions;
    this.#calls = calls;
    this.#project = project;
    this.#dimensions = dimensions;
    this.#compacted = compacted;
    const notCompacted = () => this.#notCompacted();
    this.#records = new ProjectRecords(db, endpointCache, dimensions, notCompacted, project);
    this.#meta = new Map(db.kept('SELECT key, value FROM meta').raw().all() as [string, number][]);
  }

  async services(): Promise<ServiceRecord[]> {
    return this.#records.services();
  }

  async endpoints(selection: Selection): Promise<EndpointRecord[]> {
    return this.#records.endpoints(selection);
  }

  async inventories(): Promise<readonly Inventory[]> {
    return this.#inventories.inventories(this.#project);
  }

  async decisions(): Promise<readonly Decision[]> {
    return this.#decisions.decisions(this.#project);
  }

  async consumerNotes(): Promise<ConsumerNote[]> {
    return this.#db.kept(consumerNotesOfProject).all(this.#project) as ConsumerNote[];
  }

  async events(): Promise<ToldEvent[]> {
    return eventsOfProject(this.#db, this.#project);
  }

  async newestCallMs(): Promise<number | undefined> {
    return this.#records.newestCallMs();
  }

  async coverage(window: Window): Promise<Coverage> {
    return this.#coverage(window);
  }

  async usage(selection: Selection, window: Window): Promise<Map<string, Usage>> {
    return this.#byEndpoint(selection, window, distinctClients, (tally) => tally.usage());
  }

  async calledEndpoints(selection: Selection, window: Window): Promise<Set<string>> {
    const { endpoints, ...selected } = this.#selected(selection);
    const { merged, entries } = this.#stored({ endpoints, ...selected }, window);
    const rows = new Set(entries.endpoint.subarray(0, entries.length));
    const called = endpoints.filter(
      ({ spellings }) => rows.has(spellings[0]!.row) || hasMerged(merged, spellings),
    );
    return new Set(called.map(({ id }) => id));
  }

  async distributions(selection: Selection, window: Window): Promise<Map<string, Distribution>> {
    return this.#byEndpoint(selection, window, distinctClients, distributionOf);
  }

  #byEndpoint<T>(
    selection: Selection,
    window: Window,
    countsClients: boolean,
    answer: (tally: Tally) => T,
  ): Map<string, T> {
    const selected = this.#selected(selection);
    const { merged, entries } = this.#stored(selected, window);
    const order = sortBy(entries.length, entries.endpoint);
    const answers = new Map<string, T>();
    const tally = this.#emptied(countsClients);
    let next = 0;
    for (const { id, spellings } of selected.endpoints) {
      let isUsed = addMerged(merged, spellings, tally);
      const key = spellings[0]!.row;
      for (; next < order.length && entries.endpoint[order[next]!] === key; next++) {
        entries.addTo(tally, order[next]!);
        isUsed = true;
      }
      if (!isUsed) continue;
      answers.set(id, answer(tally));
      tally.clear();
    }
    return answers;
  }

  async total(selection: Selection, window: Window): Promise<Usage> {
    return this.#tallied(selection, window, distinctClients).usage();
  }

  async series(selection: Selection, edgesS: readonly number[]): Promise<Usage[]> {
    const selected = this.#selected(selection);
    return this.#intervals(edgesS, (window) =>
      this.#tallyOf(selected, window, distinctClients).usage(),
    );
  }

  /** Reads the blocks of an interval once, however many groups there are. */
  async groupSeries(groups: readonly Selection[], edgesS: readonly number[]): Promise<Usage[][]> {
    const endpoints = groups.map((group) => this.#records.select(group));
    const all = selectedOf(endpoints.flat());
    const keys = new Int32Array(all.lastRow + 1);
    endpoints.forEach((group, index) => {
      for (const { spellings } of group) for (const { row } of spellings) keys[row] = index + 1;
    });
    const selected = { ...all, keys };
    const series: Usage[][] = groups.map(() => []);
    this.#intervals(edgesS, (window) => {
      const { merged, entries } = this.#stored(selected, window);
      const tally = this.#emptied(distinctClients);
      const order = sortBy(entries.length, entries.endpoint);
      let next = 0;
      endpoints.forEach((group, index) => {
        for (const { spellings } of group) addMerged(merged, spellings, tally);
        for (; next < order.length && entries.endpoint[order[next]!] === index + 1; next++) {
          entries.addTo(tally, order[next]!);
        }
        series[index]!.push(tally.usage());
        tally.clear();
      });
    });
    return series;
  }

  async durations(selection: Selection, edgesS: readonly number[]): Promise<DurationBucket[][]> {
    const selected = this.#selected(selection);
    return this.#intervals(edgesS, (window) =>
      this.#tallyOf(selected, window, distinctClients).durations(),
    );
  }

  /** @throws AppError `invalid` for an edge where only hours or days are kept */
  #intervals<T>(edgesS: readonly number[], answer: (window: Window) => T): T[] {
    for (const edgeS of edgesS) {
      const { window, resolution } = this.#coverage({ fromS: edgeS, toS: edgeS });
      if (window.fromS === edgeS) continue;
      throw new AppError(
        'invalid',
        `an interval of the series begins at ${isoTime(edgeS * 1000)}, where only whole ${resolution}s are kept`,
      );
    }
    return edgesS.slice(1).map((toS, i) => answer({ fromS: edgesS[i]!, toS }));
  }

  async clients(
    selection: Selection,
    window: Window,
    limit: number,
    version?: string,
  ): Promise<ClientUsage[]> {
    if (version === undefined) {
      return clientUsages(
        this.#tallied(selection, window, countedClients),
        this.#dimensions,
        limit,
      );
    }
    const entries = this.#detailed(this.#selected(selection), window);
    const tally = this.#emptied();
    addClientsOfVersion(entries, this.#isVersion(version), tally);
    return clientUsages(tally, this.#dimensions, limit);
  }

  async clientEndpoints(
    selection: Selection,
    window: Window,
    version?: string,
  ): Promise<Map<string, number>> {
    /** By client row. */
    let endpoints = new Int32Array(4096);
    const count = ({ clients }: Tally): void => {
      endpoints = clients.countDistinct(endpoints);
    };
    if (version === undefined) this.#byEndpoint(selection, window, distinctClients, count);
    else {
      const entries = this.#detailed(this.#selected(selection), window);
      ofVersion(entries, this.#isVersion(version), this.#emptied(), addEncodedTallies, count);
    }
    const byName = new Map<string, number>();
    endpoints.forEach((n, client) => {
      if (n > 0) byName.set(this.#dimensions.client(client), n);
    });
    return byName;
  }

  async clientUsage(selection: Selection, client: string, window: Window): Promise<CallerUsage> {
    const row = rowOfClient(this.#db, client);
    let otherCalls = 0;
    const found = this.#byEndpoint(selection, window, countedClients, ({ clients }) => {
      otherCalls += clients.other.calls;
      return clients.find(row);
    });
    const byEndpoint = new Map<string, CallerCalls>();
    for (const [id, counts] of found) {
      if (counts !== undefined) byEndpoint.set(id, callerCallsOf(counts));
    }
    return { byEndpoint, otherCalls };
  }

  async clientSeries(
    selection: Selection,
    client: string,
    edgesS: readonly number[],
  ): Promise<CallerCalls[]> {
    const row = rowOfClient(this.#db, client);
    const selected = this.#selected(selection);
    return this.#intervals(edgesS, (window) =>
      callerCallsOf(this.#tallyOf(selected, window, countedClients).clients.find(row)),
    );
  }

  async calls(selection: Selection, filter: CallFilter, request: CallRequest): Promise<CallPage> {
    const { keys } = this.#selected(selection);
    const searched = {
      db: this.#db,
      source: this.#calls,
      dimensions: this.#dimensions,
      project: this.#project,
      keptFrom: this.#meta.get('calls_from')!,
    };
    return callPage(searched, keys, filter, request);
  }

  async consumers(
    selection: Selection,
    window: Window,
    limit: number,
    version?: string,
  ): Promise<ConsumerUsage[]> {
    const entries = this.#detailed(this.#selected(selection), window);
    const isVersion = version === undefined ? undefined : this.#isVersion(version);
    return consumersOf(entries, this.#dimensions, limit, isVersion);
  }

  async consumerUsage(
    selection: Selection,
    consumer: ConsumerName,
    window: Window,
  ): Promise<CallerUsage> {
    const selected = this.#selected(selection);
    const entries = this.#detailed(selected, window);
    const { byRow, otherCalls } = byEndpointOfConsumer(entries, this.#dimensions, consumer);
    return { byEndpoint: byId(selected, byRow), otherCalls };
  }

  async internalCallers(selection: Selection, window: Window): Promise<InternalCallerUsage[]> {
    return internalCallersOf(this.#db, this.#selected(selection).keys, window);
  }

  async endpointConsumers(
    selection: Selection,
    edgesS: readonly number[],
    limit: number,
  ): Promise<Map<string, ConsumerUsage[][]>> {
    const selected = this.#selected(selection);
    const intervals = this.#intervals(edgesS, (window) =>
      consumersByEndpoint(this.#detailed(selected, window), this.#dimensions, limit),
    );
    return new Map(
      selected.endpoints.map(({ id, spellings }) => [
        id,
        intervals.map((byRow) => byRow.get(spellings[0]!.row) ?? []),
      ]),
    );
  }

  async versions(selection: Selection, window: Window): Promise<VersionUsage[]> {
    const entries = this.#detailed(this.#selected(selection), window);
    return versionsOf(entries, this.#dimensions, this.#emptied());
  }

  async versionSeries(
    selection: Selection,
    versions: readonly string[],
    edgesS: readonly number[],
  ): Promise<CallUsage[][]> {
    const selected = this.#selected(selection);
    const intervals = this.#intervals(edgesS, (window) =>
      byVersions(this.#detailed(selected, window), this.#dimensions, versions, this.#emptied()),
    );
    return byGroup(intervals, versions.length + 1);
  }

  async consumerSeries(
    selection: Selection,
    consumers: readonly ConsumerName[],
    edgesS: readonly number[],
  ): Promise<CountedCalls[][]> {
    const selected = this.#selected(selection);
    const intervals = this.#intervals(edgesS, (window) =>
      byConsumers(this.#detailed(selected, window), this.#dimensions, consumers),
    );
    return byGroup(intervals, consumers.length + 1);
  }

  async versionUsage(
    selection: Selection,
    version: string,
    window: Window,
  ): Promise<Map<string, CallUsage>> {
    return this.#ofVersion(this.#selected(selection), version, window, callUsageOf);
  }

  async versionDistributions(
    selection: Selection,
    version: string,
    edgesS: readonly number[],
  ): Promise<Map<string, Distribution>[]> {
    const selected = this.#selected(selection);
    return this.#intervals(edgesS, (window) =>
      this.#ofVersion(selected, version, window, distributionOf),
    );
  }

  #ofVersion<T>(
    selected: Selected,
    version: string,
    window: Window,
    answer: (tally: Tally) => T,
  ): Map<string, T> {
    const entries = this.#detailed(selected, window);
    const isVersion = this.#isVersion(version);
    const byRow = ofVersion(entries, isVersion, this.#emptied(), addEncodedCallTallies, answer);
    return byId(selected, byRow);
  }

  /** Whether a number is that of a version. */
  #isVersion(version: string): (number: number) => boolean {
    return (number) => number !== otherVersions && this.#dimensions.version(number) === version;
  }

  /** All usage of the window with details, under the first rows of the endpoints. */
  #detailed({ endpoints, keys }: Selected, window: Window): UsageEntries {
    const { window: covered } = this.#coverage(window);
    const fromMinute = covered.fromS / 60;
    const toMinute = covered.toS / 60;
    const entries = new UsageEntries();
    if (endpoints.length === 0) return entries;
    const spans = compactedSpans(this.#meta, fromMinute, toMinute);
    for (const [firstShard, lastShard] of shardsOf(endpoints)) {
      const compacted = this.#compacted.readDetailed(spans, firstShard, lastShard);
      for (const { block, details } of compacted) {
        entries.addBlock(block, keys, 0, Number.POSITIVE_INFINITY, details);
      }
    }
    for (const { block, details } of this.#notCompacted().blocks) {
      entries.addBlock(block, keys, fromMinute, toMinute, details);
    }
    return entries;
  }

  /**
   * The calls of a selection added up. Queries that ask for clients and for a total ask for both in a row, clients
   * first, with one selection: its calls are added up once.
   */
  #tallied(selection: Selection, window: Window, countsClients: boolean): Tally {
    const { fromS, toS } = window;
    const held = this.#held;
    const isHeld =
      held?.selection === selection &&
      held.window.fromS === fromS &&
      held.window.toS === toS &&
      (this.#tally.clients.countsCalls || !countsClients);
    if (isHeld) return this.#tally;
    this.#tallyOf(this.#selected(selection), window, countsClients);
    this.#held = { selection, window: { fromS, toS } };
    return this.#tally;
  }

  #tallyOf(selected: Selected, window: Window, countsClients: boolean): Tally {
    const { merged, entries } = this.#stored(selected, window);
    const tally = this.#emptied(countsClients);
    for (const { spellings } of selected.endpoints) addMerged(merged, spellings, tally);
    for (let i = 0; i < entries.length; i++) entries.addTo(tally, i);
    return tally;
  }

  #emptied(countsClients = countedClients): Tally {
    this.#held = undefined;
    this.#tally.clear();
    this.#tally.clients.countsCalls = countsClients;
    return this.#tally;
  }

  /** All usage of the window: each call is in exactly one of the compacted buckets and the entries, which are valid
   *  until the next read. */
  #stored(
    { endpoints, keys, firstRow, lastRow }: Selected,
    window: Window,
  ): {
    /** By shard, also of endpoints that are not selected. */
    merged: ReadonlyMap<number, readonly MergedUsage[]>;
    /** Under the first rows of their endpoints. */
    entries: UsageEntries;
  } {
    const { window: covered } = this.#coverage(window);
    const fromMinute = covered.fromS / 60;
    const toMinute = covered.toS / 60;
    const entries = this.#entries;
    entries.clear();
    if (endpoints.length === 0) return { merged: new Map(), entries };
    const firstShard = firstRow >> shardBits;
    const lastShard = lastRow >> shardBits;
    const spans = compactedSpans(this.#meta, fromMinute, toMinute);
    const { merged, blocks } = this.#compacted.read(spans, firstShard, lastShard);
    for (const block of blocks) entries.addBlock(block, keys);
    const recent = this.#notCompacted();
    const whole = recent.whole.within(fromMinute, toMinute, this.#emptied());
    if (whole !== undefined) return { merged: joined(merged, whole), entries };
    for (const { block } of recent.blocks) entries.addBlock(block, keys, fromMinute, toMinute);
    return { merged, entries };
  }

  #selected(selection: Selection): Selected {
    return selectedOf(this.#records.select(selection));
  }

  #coverage(window: Window): Coverage {
    return coverageOf(window, keptOf(this.#meta));
  }

  /** Read at its first use: a readiness check does not need it. */
  #notCompacted(): RecentUsage {
    this.#recentUsage ??= this.#dimensions.recentUsage.read(
      this.#db,
      this.#meta.get('rolled_up_call')!,
      this.#dimensions.origins,
      this.#emptied(),
      noteDamage,
    );
    return this.#recentUsage;
  }
}

/** Answers by an endpoint's row, by its id. */
function byId<T>({ endpoints }: Selected, byRow: ReadonlyMap<number, T>): Map<string, T> {
  const answers = new Map<string, T>();
  for (const { id, spellings } of endpoints) {
    const own = byRow.get(spellings[0]!.row);
    if (own !== undefined) answers.set(id, own);
  }
  return answers;
}

/** `ClientTally.countsCalls`: what a client called, or only that it did. */
const countedClients: boolean = true;
const distinctClients: boolean = false;

/** Groups by interval as intervals by group. */
function byGroup<T>(intervals: readonly (readonly T[])[], groups: number): T[][] {
  return Array.from({ length: groups }, (_, group) => intervals.map((own) => own[group]!));
}

function distributionOf(tally: Tally): Distribution {
  const { calls, errors } = tally;
  return { calls, errors, durations: tally.durations() };
}
