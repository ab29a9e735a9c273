import { type EndpointTraits, withTraits } from '../../../endpoint-traits.ts';
import { addUse, type EndpointUse, noUse } from '../../../endpoint-use.ts';
import { specialRoutes } from '../../../limits.ts';
import { outcomeCounts } from '../../../outcome.ts';
import { areSurelyTwo, isBucket, type SpellingLife } from '../../endpoint-identity.ts';
import { lastCallersOf } from '../../last-callers.ts';
import type {
  EndpointRecord,
  LastCaller,
  Selection,
  ServiceRecord,
  VersionRecord,
} from '../../store.ts';
import { otherVersions, versionNumbers } from '../../versions.ts';
import type { Database } from '../database.ts';
import { addFacts, copyOfFacts, type EndpointFacts } from '../usage/endpoint-facts.ts';
import { minutesPerDay } from '../usage/levels.ts';
import { UsageEntries } from '../usage/usage-entries.ts';
import type { DimensionCache } from './dimension-cache.ts';
import type { EndpointCache, KnownEndpoint, KnownSpelling } from './endpoint-cache.ts';
import type { RecentUsage } from './recent-usage.ts';

/** The permanent records of a project's endpoints and services, in one snapshot. */
export class ProjectRecords {
  readonly #db: Database;
  readonly #endpointCache: EndpointCache;
  readonly #dimensions: DimensionCache;
  readonly #notCompacted: () => RecentUsage;
  readonly #project: string;
  #known: readonly KnownEndpoint[] | undefined;
  #services: ServiceRecord[] | undefined;

  constructor(
    db: Database,
    endpointCache: EndpointCache,
    dimensions: DimensionCache,
    notCompacted: () => RecentUsage,
    project: string,
  ) {
    this.#db = db;
    this.#endpointCache = endpointCache;
    this.#dimensions = dimensions;
    this.#notCompacted = notCompacted;
    this.#project = project;
  }

  /** The endpoints that the selection names, ascending by first row. A row of any spelling is an id of its endpoint. */
  select({ service, environment, endpoints }: Selection): readonly KnownEndpoint[] {
    this.#known ??= this.#endpointCache.known(this.#project);
    if (service === undefined && environment === undefined && endpoints === undefined) {
      return this.#known;
    }
    return this.#known.filter(
      (known) =>
        (service === undefined || known.service === service) &&
        (environment === undefined || known.environment === environment) &&
        (endpoints === undefined || known.spellings.some(({ row }) => endpoints.has(String(row)))),
    );
  }

  newestCallMs(): number | undefined {
    const recent = this.#notCompacted().facts;
    let newestMs = 0;
    for (const { spellings } of this.select({})) {
      for (const { row, facts } of spellings) {
        newestMs = Math.max(newestMs, facts.lastCallMs, recent.get(row)?.lastCallMs ?? 0);
      }
    }
    return newestMs === 0 ? undefined : newestMs;
  }

  /** Made once a snapshot: read only. */
  services(): ServiceRecord[] {
    this.#services ??= this.#readServices();
    return this.#services;
  }

  #readServices(): ServiceRecord[] {
    const services = new Map<number, ServiceRecord>();
    const days = this.#heardHours();
    for (const known of this.select({})) {
      const { calls: seen, unseenCalls, firstCallMs, lastCallMs, sampledMs } = this.#factsOf(known);
      if (seen === 0) continue;
      const calls = seen + unseenCalls;
      const endpoints = isBucket(known.spellings[0]!.route) ? 0 : 1;
      const record = services.get(known.service_id);
      if (record) {
        record.endpoints += endpoints;
        record.lifetimeCalls += calls;
        if (sampledMs > 0) record.lastSampledMs = Math.max(record.lastSampledMs ?? 0, sampledMs);
        record.firstCallMs = Math.min(record.firstCallMs, firstCallMs);
        record.lastCallMs = Math.max(record.lastCallMs, lastCallMs);
      } else {
        services.set(known.service_id, {
          service: known.service,
          environment: known.environment,
          endpoints,
          lifetimeCalls: calls,
          firstCallMs,
          lastCallMs,
          ...(sampledMs > 0 && { lastSampledMs: sampledMs }),
          ...heardOf(days.get(known.service_id)!),
        });
      }
    }
    return [...services.values()];
  }

  /** Shared from snapshot to snapshot: read only. */
  endpoints(selection: Selection): EndpointRecord[] {
    const records: EndpointRecord[] = [];
    for (const known of this.select(selection)) {
      const record = this.#recordOf(known);
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  /**
   * A record is made once while nothing of its endpoint changes: of 10,000 endpoints that is a quarter of the work of
   * a report's first page, and most of its garbage. Undefined for an endpoint without a call.
   */
  #recordOf(known: KnownEndpoint): EndpointRecord | undefined {
    const isSettled = this.#isSettled(known);
    const records = isSettled ? this.#dimensions.records : this.#notCompacted().made.records;
    const made = records.get(known);
    if (made !== undefined) return made;
    const facts = this.#factsOf(known);
    if (facts.calls === 0) return undefined;
    const record = this.#makeRecord(known, facts);
    records.set(known, record);
    return record;
  }

  /** Whether nothing of the endpoint, or of what may continue it, is in usage that is not compacted. */
  #isSettled({ spellings, rivals }: KnownEndpoint): boolean {
    const { facts, use } = this.#notCompacted();
    for (const { row } of spellings) if (facts.has(row) || use.has(row)) return false;
    for (const { spelling } of rivals) if (facts.has(spelling.row)) return false;
    return true;
  }

  /** The newest use of a spelling that may be the endpoint's own under another name; undefined without one. */
  #continuedMs({ rivals }: KnownEndpoint): number | undefined {
    let newestMs = 0;
    for (const { spelling, besides } of rivals) {
      const life = this.#lifeOf(spelling);
      if (besides.some((own) => areSurelyTwo(this.#lifeOf(own), life))) continue;
      const recentMs = this.#notCompacted().use.get(spelling.row)?.lastMs ?? 0;
      newestMs = Math.max(newestMs, Math.min(Math.max(spelling.use.lastMs, recentMs), life.lastMs));
    }
    return newestMs === 0 ? undefined : newestMs;
  }

  #lifeOf({ row, facts: settled }: KnownSpelling): SpellingLife {
    const facts = copyOfFacts(settled);
    const recent = this.#notCompacted().facts.get(row);
    if (recent !== undefined) addFacts(facts, recent);
    const versions = this.#versions(facts.versions).map(({ version }) => version);
    return {
      firstMs: facts.firstCallMs,
      lastMs: facts.lastCallMs,
      versions: versions.filter((version) => version !== '' && version !== specialRoutes.other),
    };
  }

  #makeRecord(known: KnownEndpoint, facts: Readonly<EndpointFacts>): EndpointRecord {
    const { id, service, environment, method } = known;
    const { route, display, templated } = this.#latestSpelling(known);
    const continuedMs = this.#continuedMs(known);
    return {
      id,
      service,
      environment,
      method,
      route,
      templated,
      display: display || route,
      firstCallMs: facts.firstCallMs,
      lastCallMs: facts.lastCallMs,
      lifetimeCalls: facts.calls + facts.unseenCalls,
      lifetimeErrors: facts.errors + facts.unseenErrors,
      lifetimeOutcomes: outcomeCounts(
        facts.outcomes.map((seen, i) => seen + facts.unseenOutcomes[i]!),
      ),
      ...(facts.sampledMs > 0 && {
        sampling: {
          lastMs: facts.sampledMs,
          seenCalls: facts.calls,
          seenErrors: facts.errors,
          seenOutcomes: outcomeCounts(facts.outcomes),
        },
      }),
      botCalls: facts.botCalls,
      lastVersion: this.#versionOf(facts.callers),
      lastCallers: lastCallersOf(facts.callers, this.#readCaller),
      ...this.#answered(facts),
      versions: this.#versions(facts.versions),
      use: this.#useOf(known, facts.lastCallMs),
      ...(continuedMs !== undefined && { continuedMs }),
      ...traitsOf(known),
    };
  }

  #answered({ callers, answeredCallers = callers, personMs, unrecordedMs }: EndpointFacts) {
    const lastMs = answeredCallers[2];
    return {
      ...(lastMs !== undefined && { lastAnsweredMs: lastMs }),
      lastAnsweredVersion: this.#versionOf(answeredCallers),
      lastAnsweredCallers: lastCallersOf(answeredCallers, this.#readCaller),
      ...(personMs > 0 && { lastPersonMs: personMs }),
      ...(unrecordedMs > 0 && { unrecordedMs }),
    };
  }

  /** The version that took the latest of the calls; empty without one. */
  #versionOf(callers: readonly number[]): string {
    const origin = callers[1];
    return origin === undefined ? '' : this.#dimensions.origin(origin).serviceVersion;
  }

  #versions(flat: readonly number[]): VersionRecord[] {
    const versions: VersionRecord[] = [];
    for (let i = 0; i < flat.length; i += versionNumbers) {
      const number = flat[i]!;
      versions.push({
        version: number === otherVersions ? specialRoutes.other : this.#dimensions.version(number),
        firstCallMs: flat[i + 1]!,
        lastCallMs: flat[i + 2]!,
        seenCalls: flat[i + 3]!,
      });
    }
    return versions;
  }

  /** By service row: by day since the epoch, the hours in which the service was heard, compacted or not. */
  #heardHours(): Map<number, Map<number, number>> {
    const days = new Map<number, Map<number, number>>();
    const note = (service: number, day: number, hours: number): void => {
      let own = days.get(service);
      if (own === undefined) {
        own = new Map();
        days.set(service, own);
      }
      own.set(day, (own.get(day) ?? 0) | hours);
    };
    const compacted = this.#db.kept(
      `SELECT service_id, day, hours FROM service_day
        WHERE service_id IN (SELECT s.id FROM service s JOIN project p ON p.id = s.project_id WHERE p.name = ?)`,
    );
    type Row = [service: number, day: number, hours: number];
    for (const row of compacted.raw().all(this.#project) as Row[]) note(...row);
    const recent = new UsageEntries();
    for (const { block } of this.#notCompacted().blocks) recent.addBlock(block);
    const serviceOf = new Map(
      this.select({}).flatMap(({ spellings, service_id }) =>
        spellings.map(({ row }) => [row, service_id] as const),
      ),
    );
    for (let i = 0; i < recent.length; i++) {
      const service = serviceOf.get(recent.endpoint[i]!);
      const minute = recent.minute[i]!;
      const hour = Math.floor((minute % minutesPerDay) / 60);
      if (service !== undefined) note(service, Math.floor(minute / minutesPerDay), 1 << hour);
    }
    return days;
  }

  /** The last use is never later than the last call: useOfBlocks knows the day only. */
  #useOf({ spellings }: KnownEndpoint, lastCallMs: number): EndpointUse {
    const recent = this.#notCompacted().use;
    const [first] = spellings as [KnownSpelling];
    const isStored = spellings.length === 1 && !recent.has(first.row);
    if (isStored && first.use.lastMs <= lastCallMs) return first.use;
    const use = noUse();
    for (const { row, use: stored } of spellings) {
      addUse(use, stored);
      const more = recent.get(row);
      if (more) addUse(use, more);
    }
    use.lastMs = Math.min(use.lastMs, lastCallMs);
    return use;
  }

  #factsOf(known: KnownEndpoint): Readonly<EndpointFacts> {
    const { facts: recent, made } = this.#notCompacted();
    const asked = made.facts.get(known);
    if (asked) return asked;
    const [first, ...others] = known.spellings as [KnownSpelling, ...KnownSpelling[]];
    if (others.length === 0 && !recent.has(first.row)) return first.facts;
    const facts = copyOfFacts(first.facts);
    for (const { facts: more } of others) addFacts(facts, more);
    for (const { row } of known.spellings) {
      const more = recent.get(row);
      if (more) addFacts(facts, more);
    }
    made.facts.set(known, facts);
    return facts;
  }

  /** The spelling that was called last; a route that the service reported goes before one templated from paths. */
  #latestSpelling({ spellings }: KnownEndpoint): KnownSpelling {
    let latest = spellings[0]!;
    if (spellings.length === 1) return latest;
    const recent = this.#notCompacted().facts;
    const lastCallMs = ({ row, facts }: KnownSpelling): number =>
      Math.max(facts.lastCallMs, recent.get(row)?.lastCallMs ?? 0);
    for (const spelling of spellings) {
      if (spelling.templated && !latest.templated) continue;
      const isTold = !spelling.templated && latest.templated;
      if (isTold || lastCallMs(spelling) >= lastCallMs(latest)) latest = spelling;
    }
    return latest;
  }

  readonly #readCaller = (clientRow: number, originRow: number): Omit<LastCaller, 'atMs'> => {
    const { consumer, agent } = this.#dimensions.origin(originRow);
    return { client: this.#dimensions.client(clientRow), consumer, agent };
  };
}

function traitsOf({ spellings }: KnownEndpoint): { traits?: EndpointTraits } {
  let traits: EndpointTraits | undefined;
  for (const { traits: more } of spellings) {
    if (more !== undefined) traits = traits === undefined ? more : withTraits(traits, more);
  }
  return traits === undefined ? {} : { traits };
}

function heardOf(hoursByDay: ReadonlyMap<number, number>) {
  const heard = [...hoursByDay].sort(([a], [b]) => a - b);
  return { heardDays: heard.map(([day]) => day), heardHours: heard.map(([, hours]) => hours) };
}
