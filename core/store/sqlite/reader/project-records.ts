import { specialRoutes } from '../../../limits.ts';
import { outcomeCounts } from '../../../outcome.ts';
import { isBucket } from '../../endpoint-identity.ts';
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
import { UsageEntries } from '../usage/usage-block.ts';
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
  /** By endpoint id: facts that had to be added up. */
  readonly #facts = new Map<string, EndpointFacts>();

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

  services(): ServiceRecord[] {
    const services = new Map<number, ServiceRecord>();
    const days = this.#heardDays();
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
          heardDays: [...days.get(known.service_id)!].sort((a, b) => a - b),
        });
      }
    }
    return [...services.values()];
  }

  endpoints(selection: Selection): EndpointRecord[] {
    const records: EndpointRecord[] = [];
    for (const known of this.select(selection)) {
      const facts = this.#factsOf(known);
      if (facts.calls === 0) continue;
      const { id, service, environment, method } = known;
      const { route, display, templated } = this.#latestSpelling(known);
      records.push({
        id,
        service,
        environment,
        method,
        route,
        templated: templated === 1,
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
      });
    }
    return records;
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

  /** Days since the epoch on which a service was heard, by service row: compacted or not. */
  #heardDays(): Map<number, Set<number>> {
    const days = new Map<number, Set<number>>();
    const note = (service: number, day: number): void => {
      const own = days.get(service);
      if (own) own.add(day);
      else days.set(service, new Set([day]));
    };
    const compacted = this.#db.prepare(
      `SELECT service_id, day FROM service_day
        WHERE service_id IN (SELECT s.id FROM service s JOIN project p ON p.id = s.project_id WHERE p.name = ?)`,
    );
    for (const [service, day] of compacted.raw().all(this.#project) as [number, number][]) {
      note(service, day);
    }
    const recent = new UsageEntries();
    for (const block of this.#notCompacted().blocks) recent.addBlock(block);
    const serviceOf = new Map(
      this.select({}).flatMap(({ spellings, service_id }) =>
        spellings.map(({ row }) => [row, service_id] as const),
      ),
    );
    for (let i = 0; i < recent.length; i++) {
      const service = serviceOf.get(recent.endpoint[i]!);
      if (service !== undefined) note(service, Math.floor(recent.minute[i]! / minutesPerDay));
    }
    return days;
  }

  #factsOf(known: KnownEndpoint): Readonly<EndpointFacts> {
    const asked = this.#facts.get(known.id);
    if (asked) return asked;
    const [first, ...others] = known.spellings as [KnownSpelling, ...KnownSpelling[]];
    const recent = this.#notCompacted().facts;
    if (others.length === 0 && !recent.has(first.row)) return first.facts;
    const facts = copyOfFacts(first.facts);
    for (const { facts: more } of others) addFacts(facts, more);
    for (const { row } of known.spellings) {
      const more = recent.get(row);
      if (more) addFacts(facts, more);
    }
    this.#facts.set(known.id, facts);
    return facts;
  }

  /** The spelling that was called last; one that the service told goes before one that was made up. */
  #latestSpelling({ spellings }: KnownEndpoint): KnownSpelling {
    let latest = spellings[0]!;
    if (spellings.length === 1) return latest;
    const recent = this.#notCompacted().facts;
    const lastCallMs = ({ row, facts }: KnownSpelling): number =>
      Math.max(facts.lastCallMs, recent.get(row)?.lastCallMs ?? 0);
    for (const spelling of spellings) {
      if (spelling.templated > latest.templated) continue;
      const isTold = spelling.templated < latest.templated;
      if (isTold || lastCallMs(spelling) >= lastCallMs(latest)) latest = spelling;
    }
    return latest;
  }

  readonly #readCaller = (clientRow: number, originRow: number): Omit<LastCaller, 'atMs'> => {
    const { consumer, agent } = this.#dimensions.origin(originRow);
    return { client: this.#dimensions.client(clientRow), consumer, agent };
  };
}
