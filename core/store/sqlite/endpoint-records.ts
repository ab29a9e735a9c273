import type { Database, Statement } from 'better-sqlite3';
import { limits } from '../../limits.ts';

/** More than the callers that are answered: two origins of one caller (two errors, say) are two here. */
const callersKept = 2 * limits.lastCallers;

/** Records remembered between roll-ups; past it all are forgotten and read again. */
const recordsRemembered = 50_000;

/** [client row, origin row, milliseconds] */
export type StoredCaller = [number, number, number];

/** What never is deleted of an endpoint: first and last call, lifetime counts, last callers. */
export interface EndpointFacts {
  firstCallMs: number;
  lastCallMs: number;
  calls: number;
  errors: number;
  callers: StoredCaller[];
}

export function noFacts(): EndpointFacts {
  return { firstCallMs: Number.POSITIVE_INFINITY, lastCallMs: 0, calls: 0, errors: 0, callers: [] };
}

export function observeCall(
  facts: EndpointFacts,
  endMs: number,
  status: number,
  client: number,
  origin: number,
): void {
  facts.calls += 1;
  if (status >= 400) facts.errors += 1;
  if (endMs < facts.firstCallMs) facts.firstCallMs = endMs;
  if (endMs > facts.lastCallMs) facts.lastCallMs = endMs;
  const { callers } = facts;
  let oldest = 0;
  for (let i = 0; i < callers.length; i++) {
    const caller = callers[i]!;
    if (caller[0] === client && caller[1] === origin) {
      if (endMs > caller[2]) caller[2] = endMs;
      return;
    }
    if (caller[2] < callers[oldest]![2]) oldest = i;
  }
  if (callers.length < callersKept) callers.push([client, origin, endMs]);
  else if (endMs > callers[oldest]![2]) callers[oldest] = [client, origin, endMs];
}

export interface EndpointRow {
  first_call_ms: number | null;
  last_call_ms: number | null;
  lifetime_calls: number;
  lifetime_errors: number;
  last_callers: string;
}

export function factsOfRow(row: EndpointRow): EndpointFacts {
  return {
    firstCallMs: row.first_call_ms ?? Number.POSITIVE_INFINITY,
    lastCallMs: row.last_call_ms ?? 0,
    calls: row.lifetime_calls,
    errors: row.lifetime_errors,
    callers: JSON.parse(row.last_callers) as StoredCaller[],
  };
}

/** The endpoint table's facts, kept in memory between roll-ups and written back in their transaction. */
export class EndpointRecords {
  readonly #remembered = new Map<number, EndpointFacts>();
  readonly #touched = new Set<number>();
  readonly #read: Statement;
  readonly #write: Statement;

  constructor(db: Database) {
    this.#read = db.prepare(
      'SELECT first_call_ms, last_call_ms, lifetime_calls, lifetime_errors, last_callers FROM endpoint WHERE id = ?',
    );
    this.#write = db.prepare(
      'UPDATE endpoint SET first_call_ms = ?, last_call_ms = ?, lifetime_calls = ?, lifetime_errors = ?, last_callers = ? WHERE id = ?',
    );
  }

  /** The facts of an endpoint that is about to change. */
  touch(endpoint: number): EndpointFacts {
    let facts = this.#remembered.get(endpoint);
    if (facts === undefined) {
      facts = factsOfRow(this.#read.get(endpoint) as EndpointRow);
      this.#remembered.set(endpoint, facts);
    }
    this.#touched.add(endpoint);
    return facts;
  }

  writeTouched(): void {
    for (const endpoint of this.#touched) {
      const { firstCallMs, lastCallMs, calls, errors, callers } = this.#remembered.get(endpoint)!;
      callers.sort((a, b) => b[2] - a[2]);
      this.#write.run(firstCallMs, lastCallMs, calls, errors, JSON.stringify(callers), endpoint);
    }
    this.#touched.clear();
    if (this.#remembered.size > recordsRemembered) this.#remembered.clear();
  }

  /** After a transaction was rolled back, what is in the file is right and what is here is not. */
  forget(): void {
    this.#remembered.clear();
    this.#touched.clear();
  }
}
