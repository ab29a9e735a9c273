import { putVarint } from '../../histogram.ts';
import { limits } from '../../limits.ts';
import type { Database, Statement } from './database.ts';
import type { PendingCalls } from './pending-calls.ts';

/** More than the callers that are answered: two origins of one caller (two errors, say) are two here. */
const callersKept = 2 * limits.lastCallers;

/** Callers lie flat, three numbers each, latest first: client row (0 when unknown), origin row, milliseconds. */
export const callerNumbers = 3;

/** What is never deleted of an endpoint: first and last call, lifetime counts, last callers. */
export interface EndpointFacts {
  firstCallMs: number;
  lastCallMs: number;
  calls: number;
  errors: number;
  callers: number[];
}

export function noFacts(): EndpointFacts {
  return { firstCallMs: Number.POSITIVE_INFINITY, lastCallMs: 0, calls: 0, errors: 0, callers: [] };
}

/** What calls say of their endpoints, by endpoint row. */
export function factsOfCalls(calls: PendingCalls): Map<number, EndpointFacts> {
  const byEndpoint = new Map<number, EndpointFacts>();
  for (let i = 0; i < calls.length; i++) {
    const facts = factsIn(byEndpoint, calls.endpoint[i]!);
    const endMs = calls.endMs[i]!;
    facts.calls += 1;
    if (calls.status[i]! >= 400) facts.errors += 1;
    if (endMs < facts.firstCallMs) facts.firstCallMs = endMs;
    if (endMs > facts.lastCallMs) facts.lastCallMs = endMs;
    observeCaller(facts.callers, calls.client[i]!, calls.origin[i]!, endMs);
  }
  return byEndpoint;
}

/** Adds facts to others; lifetime counts add up, the latest callers stay. */
export function addFacts(into: EndpointFacts, more: EndpointFacts): void {
  into.calls += more.calls;
  into.errors += more.errors;
  into.firstCallMs = Math.min(into.firstCallMs, more.firstCallMs);
  into.lastCallMs = Math.max(into.lastCallMs, more.lastCallMs);
  const { callers } = more;
  for (let i = 0; i < callers.length; i += callerNumbers) {
    observeCaller(into.callers, callers[i]!, callers[i + 1]!, callers[i + 2]!);
  }
}

function observeCaller(callers: number[], client: number, origin: number, atMs: number): void {
  let at = 0;
  while (at < callers.length && (callers[at] !== client || callers[at + 1] !== origin)) {
    at += callerNumbers;
  }
  if (at < callers.length) {
    if (callers[at + 2]! >= atMs) return;
  } else if (at < callersKept * callerNumbers) {
    callers.push(client, origin, atMs);
  } else {
    at -= callerNumbers;
    if (callers[at + 2]! >= atMs) return;
  }
  // Moves up past every caller that came earlier.
  for (; at > 0 && callers[at - 1]! < atMs; at -= callerNumbers) {
    callers[at] = callers[at - 3]!;
    callers[at + 1] = callers[at - 2]!;
    callers[at + 2] = callers[at - 1]!;
  }
  callers[at] = client;
  callers[at + 1] = origin;
  callers[at + 2] = atMs;
}

function factsIn(byEndpoint: Map<number, EndpointFacts>, endpoint: number): EndpointFacts {
  let facts = byEndpoint.get(endpoint);
  if (facts === undefined) {
    facts = noFacts();
    byEndpoint.set(endpoint, facts);
  }
  return facts;
}

/** Facts as bytes, for the runs that wait to be settled: varints, times as milliseconds. */
export function encodeFacts(byEndpoint: Iterable<readonly [number, EndpointFacts]>): Buffer {
  let out = Buffer.allocUnsafe(4096);
  let at = 0;
  for (const [endpoint, { firstCallMs, lastCallMs, calls, errors, callers }] of byEndpoint) {
    const bytesMax = 48 + callers.length * 8;
    if (at + bytesMax > out.length) {
      const next = Buffer.allocUnsafe(out.length * 2 + bytesMax);
      out.copy(next, 0, 0, at);
      out = next;
    }
    at = putVarint(out, at, endpoint);
    at = putVarint(out, at, lastCallMs);
    at = putVarint(out, at, lastCallMs - firstCallMs);
    at = putVarint(out, at, calls);
    at = putVarint(out, at, errors);
    at = putVarint(out, at, callers.length / callerNumbers);
    for (let i = 0; i < callers.length; i += callerNumbers) {
      at = putVarint(out, at, callers[i]!);
      at = putVarint(out, at, callers[i + 1]!);
      at = putVarint(out, at, lastCallMs - callers[i + 2]!);
    }
  }
  return out.subarray(0, at);
}

/** Adds encoded facts to those of each endpoint. */
export function addEncodedFacts(byEndpoint: Map<number, EndpointFacts>, bytes: Uint8Array): void {
  let at = 0;
  const read = (): number => {
    let byte = bytes[at++]!;
    let value = byte & 127;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = bytes[at++]!;
      value += (byte & 127) * scale;
    }
    return value;
  };
  while (at < bytes.length) {
    const facts = factsIn(byEndpoint, read());
    const lastCallMs = read();
    const firstCallMs = lastCallMs - read();
    const calls = read();
    const more: EndpointFacts = { firstCallMs, lastCallMs, calls, errors: read(), callers: [] };
    for (let i = read(); i > 0; i--) more.callers.push(read(), read(), lastCallMs - read());
    addFacts(facts, more);
  }
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
    callers: JSON.parse(row.last_callers) as number[],
  };
}

/** The permanent facts in the endpoint table. */
export class EndpointRecords {
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

  add(byEndpoint: ReadonlyMap<number, EndpointFacts>): void {
    for (const [endpoint, more] of byEndpoint) {
      const facts = factsOfRow(this.#read.get(endpoint) as EndpointRow);
      addFacts(facts, more);
      const { firstCallMs, lastCallMs, calls, errors, callers } = facts;
      this.#write.run(firstCallMs, lastCallMs, calls, errors, JSON.stringify(callers), endpoint);
    }
  }
}
