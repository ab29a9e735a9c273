import { AppError } from '../../error.ts';
import { limits, specialRoutes } from '../../limits.ts';
import { isoTime, type Window } from '../../window.ts';
import type {
  ClientUsage,
  Coverage,
  EndpointRecord,
  LastCaller,
  Selection,
  ServiceRecord,
  Snapshot,
  Usage,
} from '../store.ts';
import { Tally } from '../tally.ts';
import type { Database, Statement } from './database.ts';
import type { EndpointBook, KnownEndpoint } from './endpoint-book.ts';
import {
  addEncodedFacts,
  addFacts,
  callerNumbers,
  type EndpointFacts,
  factsOfCalls,
} from './endpoint-facts.ts';
import { coarsestMinutes, coverageOf, type Kept, minutesPerDay, piecesOf } from './levels.ts';
import { type MergedBlocks, type MergedUsage, splitPieces } from './merged-blocks.ts';
import { PendingCalls, readTail } from './pending-calls.ts';
import { BlockWriter, shardBits, sortBy, UsageEntries } from './usage-block.ts';
import type { WordBook } from './word-book.ts';

const everything = Number.MAX_SAFE_INTEGER;

/** Reads one state of the file, within the transaction of its owner. */
export class SqliteSnapshot implements Snapshot {
  readonly #db: Database;
  readonly #endpointBook: EndpointBook;
  readonly #words: WordBook;
  readonly #merged: MergedBlocks;
  readonly #blocks: Statement;
  readonly #project: string;
  readonly #meta: Map<string, number>;
  readonly #tally = new Tally();
  #known: readonly KnownEndpoint[] | undefined;
  /** Runs and the raw tail, one block each. */
  #recent: Uint8Array[] | undefined;
  /** What these add to the endpoints' records. */
  #recentFacts = new Map<number, EndpointFacts>();
  /** By endpoint, with these on top. */
  readonly #facts = new Map<number, EndpointFacts>();

  constructor(
    db: Database,
    endpointBook: EndpointBook,
    words: WordBook,
    merged: MergedBlocks,
    project: string,
  ) {
    this.#db = db;
    this.#endpointBook = endpointBook;
    this.#words = words;
    this.#merged = merged;
    this.#blocks = db
      .prepare(
        'SELECT block FROM usage_block WHERE level = ? AND minute >= ? AND minute < ? AND shard BETWEEN ? AND ?',
      )
      .pluck();
    this.#project = project;
    this.#meta = new Map(
      db.prepare('SELECT key, value FROM meta').raw().all() as [string, number][],
    );
  }

  services(): ServiceRecord[] {
    const services = new Map<number, ServiceRecord>();
    const days = this.#heardDays();
    for (const known of this.#selected({})) {
      const { calls: seen, unseenCalls, firstCallMs, lastCallMs, sampledMs } = this.#factsOf(known);
      if (seen === 0) continue;
      const calls = seen + unseenCalls;
      const record = services.get(known.service_id);
      if (record) {
        record.endpoints += 1;
        record.lifetimeCalls += calls;
        if (sampledMs > 0) record.lastSampledMs = Math.max(record.lastSampledMs ?? 0, sampledMs);
        record.firstCallMs = Math.min(record.firstCallMs, firstCallMs);
        record.lastCallMs = Math.max(record.lastCallMs, lastCallMs);
      } else {
        services.set(known.service_id, {
          service: known.service,
          environment: known.environment,
          endpoints: 1,
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
    this.#readRecent();
    const records: EndpointRecord[] = [];
    for (const known of this.#selected(selection)) {
      const facts = this.#factsOf(known);
      if (facts.calls === 0) continue;
      const { id, service, environment, method, route, display } = known;
      records.push({
        id,
        service,
        environment,
        method,
        route,
        display: display || route,
        firstCallMs: facts.firstCallMs,
        lastCallMs: facts.lastCallMs,
        lifetimeCalls: facts.calls + facts.unseenCalls,
        lifetimeErrors: facts.errors + facts.unseenErrors,
        ...(facts.sampledMs > 0 && {
          sampling: { lastMs: facts.sampledMs, seenCalls: facts.calls, seenErrors: facts.errors },
        }),
        lastVersion: this.#words.origin(facts.callers[1]!).serviceVersion,
        lastCallers: this.#lastCallers(facts),
      });
    }
    return records;
  }

  coverage(window: Window): Coverage {
    return coverageOf(window, this.#kept());
  }

  usage(selection: Selection, window: Window): Map<number, Usage> {
    const { selected, merged, entries } = this.#pieces(selection, window);
    const order = sortBy(entries.length, entries.endpoint);
    const usage = new Map<number, Usage>();
    const tally = this.#tally;
    let next = 0;
    for (const { id } of selected) {
      let isUsed = addMerged(merged, id, tally);
      for (; next < order.length && entries.endpoint[order[next]!] === id; next++) {
        entries.addTo(tally, order[next]!);
        isUsed = true;
      }
      if (!isUsed) continue;
      usage.set(id, tally.usage());
      tally.clear();
    }
    return usage;
  }

  total(selection: Selection, window: Window): Usage {
    this.#tallyAll(selection, window);
    const usage = this.#tally.usage();
    this.#tally.clear();
    return usage;
  }

  series(selection: Selection, edgesS: readonly number[]): Usage[] {
    const series: Usage[] = [];
    for (const edgeS of edgesS) {
      if (this.coverage({ fromS: edgeS, toS: edgeS }).window.fromS === edgeS) continue;
      throw new AppError(
        'invalid',
        `an interval of the series begins at ${isoTime(edgeS * 1000)}, where only whole ${this.coverage({ fromS: edgeS, toS: edgeS }).resolution}s are kept`,
      );
    }
    for (let i = 0; i + 1 < edgesS.length; i++) {
      series.push(this.total(selection, { fromS: edgesS[i]!, toS: edgesS[i + 1]! }));
    }
    return series;
  }

  clients(selection: Selection, window: Window, limit: number): ClientUsage[] {
    this.#tallyAll(selection, window);
    const { clients } = this.#tally;
    const found: { client: number; calls: number; errors: number }[] = [];
    clients.forEach((client, calls, errors) => {
      found.push({ client, calls, errors });
    });
    // Clients past the bound are one bucket, whose number 0 no client has.
    if (clients.otherCalls > 0) {
      found.push({ client: 0, calls: clients.otherCalls, errors: clients.otherErrors });
    }
    const { isWeighted } = this.#tally;
    this.#tally.clear();
    found.sort((a, b) => b.calls - a.calls || a.client - b.client);
    found.length = Math.min(found.length, limit);
    return found.map(({ client, calls, errors }) => ({
      client: client === 0 ? specialRoutes.other : this.#words.client(client),
      calls,
      errors,
      ...(isWeighted && { estimated: true as const }),
    }));
  }

  #tallyAll(selection: Selection, window: Window): void {
    const { selected, merged, entries } = this.#pieces(selection, window);
    for (const { id } of selected) addMerged(merged, id, this.#tally);
    for (let i = 0; i < entries.length; i++) entries.addTo(this.#tally, i);
  }

  /** All that is stored of the window, each call in exactly one piece. */
  #pieces(
    selection: Selection,
    window: Window,
  ): {
    /** Ascending by id. */
    selected: readonly KnownEndpoint[];
    /** By shard, also of endpoints that are not selected. */
    merged: ReadonlyMap<number, MergedUsage[]>;
    entries: UsageEntries;
  } {
    const { window: covered } = coverageOf(window, this.#kept());
    const fromMinute = covered.fromS / 60;
    const toMinute = covered.toS / 60;
    const entries = new UsageEntries();
    const selected = this.#selected(selection);
    if (selected.length === 0) return { selected, merged: new Map(), entries };
    const mask = new Uint8Array(selected.at(-1)!.id + 1);
    for (const { id } of selected) mask[id] = 1;
    const firstShard = selected[0]!.id >> shardBits;
    const lastShard = selected.at(-1)!.id >> shardBits;
    const { lasting, passing } = splitPieces(this.#settledPieces(fromMinute, toMinute));
    const merged =
      lasting.length > 0 ? this.#merged.merged(lasting, firstShard, lastShard) : new Map();
    for (const { level, fromMinute: from, toMinute: to } of passing) {
      for (const block of this.#blocks.all(level, from, to, firstShard, lastShard) as Buffer[]) {
        entries.addBlock(block, 0, everything, mask);
      }
    }
    for (const block of this.#readRecent()) entries.addBlock(block, fromMinute, toMinute, mask);
    return { selected, merged, entries };
  }

  /** Where nothing is settled beyond an edge, the edge is moved out to a coarse bucket's: fewer pieces. */
  #settledPieces(fromMinute: number, toMinute: number): ReturnType<typeof piecesOf> {
    const settledFrom = this.#meta.get('settled_from')!;
    const settledTo = this.#meta.get('settled_to')!;
    const coarse = (minute: number): number =>
      Math.floor(minute / coarsestMinutes) * coarsestMinutes;
    if (settledTo === 0) return [];
    const from = fromMinute <= settledFrom ? coarse(settledFrom) : fromMinute;
    const to = toMinute >= settledTo ? coarse(settledTo - 1) + coarsestMinutes : toMinute;
    return piecesOf(from, to);
  }

  /** By service row: days of settled usage, and of what is not settled yet. */
  #heardDays(): Map<number, Set<number>> {
    const days = new Map<number, Set<number>>();
    const note = (service: number, day: number): void => {
      const own = days.get(service);
      if (own) own.add(day);
      else days.set(service, new Set([day]));
    };
    const settled = this.#db.prepare(
      `SELECT service_id, day FROM service_day
        WHERE service_id IN (SELECT s.id FROM service s JOIN project p ON p.id = s.project_id WHERE p.name = ?)`,
    );
    for (const [service, day] of settled.raw().all(this.#project) as [number, number][]) {
      note(service, day);
    }
    const recent = new UsageEntries();
    for (const block of this.#readRecent()) recent.addBlock(block, 0, everything);
    const serviceOf = new Map(this.#selected({}).map((known) => [known.id, known.service_id]));
    for (let i = 0; i < recent.length; i++) {
      const service = serviceOf.get(recent.endpoint[i]!);
      if (service !== undefined) note(service, Math.floor(recent.minute[i]! / minutesPerDay));
    }
    return days;
  }

  #kept(): Kept {
    return {
      minutesFrom: this.#meta.get('minutes_from')!,
      hoursFrom: this.#meta.get('hours_from')!,
    };
  }

  /** Endpoints of the project that the selection names, by id. */
  #selected({ service, environment, endpoints }: Selection): readonly KnownEndpoint[] {
    this.#known ??= this.#endpointBook.known(this.#project);
    if (service === undefined && environment === undefined && endpoints === undefined)
      return this.#known;
    return this.#known.filter(
      (known) =>
        (service === undefined || known.service === service) &&
        (environment === undefined || known.environment === environment) &&
        (endpoints === undefined || endpoints.has(known.id)),
    );
  }

  #factsOf(known: KnownEndpoint): Readonly<EndpointFacts> {
    const asked = this.#facts.get(known.id);
    if (asked) return asked;
    const recent = this.#recentFacts.get(known.id);
    if (!recent) return known.facts;
    const facts = { ...known.facts, callers: [...known.facts.callers] };
    addFacts(facts, recent);
    this.#facts.set(known.id, facts);
    return facts;
  }

  #readRecent(): Uint8Array[] {
    if (this.#recent) return this.#recent;
    const tail = this.#tail();
    const runs = this.#db.prepare('SELECT block, facts FROM usage_run ORDER BY id').all() as {
      block: Buffer;
      facts: Buffer;
    }[];
    for (const { facts } of runs) addEncodedFacts(this.#recentFacts, facts);
    this.#recent = [...runs.map(({ block }) => block), tail];
    return this.#recent;
  }

  /** The raw calls after the watermark, as a block like the others: at most limits.unrolledCalls and a batch. */
  #tail(): Uint8Array {
    const rolledUp = this.#meta.get('rolled_up_call')!;
    const lastId = this.#db.prepare('SELECT ifnull(max(id), 0) FROM call').pluck().get() as number;
    const tail = new PendingCalls(Math.max(0, lastId - rolledUp));
    readTail(this.#db, rolledUp, tail);
    const order = sortBy(tail.length, tail.endpoint, tail.minute);
    this.#recentFacts = factsOfCalls(tail, order);
    const writer = new BlockWriter();
    writer.begin();
    writer.addCalls(tail, order, this.#tally);
    return writer.finish();
  }

  /** Callers that differ only in what is no part of a caller (version, error) are one. */
  #lastCallers({ callers }: EndpointFacts): LastCaller[] {
    const distinct: LastCaller[] = [];
    for (let i = 0; i < callers.length; i += callerNumbers) {
      const client = this.#words.client(callers[i]!);
      const { consumer, agent } = this.#words.origin(callers[i + 1]!);
      const atMs = callers[i + 2]!;
      const known = distinct.some(
        (caller) =>
          caller.client === client && caller.consumer === consumer && caller.agent === agent,
      );
      if (!known) distinct.push({ client, consumer, agent, atMs });
      if (distinct.length === limits.lastCallers) break;
    }
    return distinct;
  }
}

/** @returns whether there was any */
function addMerged(
  merged: ReadonlyMap<number, MergedUsage[]>,
  endpoint: number,
  tally: Tally,
): boolean {
  let isUsed = false;
  for (const usage of merged.get(endpoint >> shardBits) ?? []) {
    if (usage.addTo(tally, endpoint)) isUsed = true;
  }
  return isUsed;
}
