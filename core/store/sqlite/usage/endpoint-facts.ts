import { putVarint, VarintReader } from '../../../usage/varint.ts';
import { callerNumbers, noteCaller, noteCallers } from '../../last-callers.ts';
import type { CallRows } from './call-rows.ts';

/** The permanent facts of an endpoint: first and last call, lifetime counts, last callers. */
export interface EndpointFacts {
  firstCallMs: number;
  lastCallMs: number;
  /** Spans, each counted once whatever its weight: any span shows that the endpoint is alive. */
  calls: number;
  errors: number;
  /** As core/store/last-callers.ts keeps them: rows of clients and origins. */
  callers: number[];
  /** Estimated calls that were sampled out: Σ (weight − 1). Negative when most weights are 0. */
  unseenCalls: number;
  unseenErrors: number;
  /** The newest call with a weight; 0 when none has one. */
  sampledMs: number;
}

function noFacts(): EndpointFacts {
  return {
    firstCallMs: Number.POSITIVE_INFINITY,
    lastCallMs: 0,
    calls: 0,
    errors: 0,
    callers: [],
    unseenCalls: 0,
    unseenErrors: 0,
    sampledMs: 0,
  };
}

/**
 * The facts of some calls, by endpoint row.
 * @param order of the calls. Fastest when calls of one endpoint are neighbours, ascending in time: it is walked
 *   from its end, so that the last callers come first and earlier calls change nothing.
 */
export function factsOfCalls(calls: CallRows, order: Uint32Array): Map<number, EndpointFacts> {
  const byEndpoint = new Map<number, EndpointFacts>();
  let endpoint = 0;
  let facts = noFacts();
  for (let at = order.length - 1; at >= 0; at--) {
    const i = order[at]!;
    if (calls.endpoint[i] !== endpoint) {
      endpoint = calls.endpoint[i]!;
      facts = factsIn(byEndpoint, endpoint);
    }
    const endMs = calls.endMs[i]!;
    facts.calls += 1;
    if (calls.status[i]! >= 400) facts.errors += 1;
    if (endMs < facts.firstCallMs) facts.firstCallMs = endMs;
    if (endMs > facts.lastCallMs) facts.lastCallMs = endMs;
    noteCaller(facts.callers, calls.client[i]!, calls.origin[i]!, endMs);
  }
  if (calls.weighted > 0) addWeights(byEndpoint, calls, order);
  return byEndpoint;
}

function addWeights(
  byEndpoint: Map<number, EndpointFacts>,
  calls: CallRows,
  order: Uint32Array,
): void {
  for (const i of order) {
    const unseen = calls.weight![i]! - 1;
    if (unseen === 0) continue;
    const facts = byEndpoint.get(calls.endpoint[i]!)!;
    facts.unseenCalls += unseen;
    if (calls.status[i]! >= 400) facts.unseenErrors += unseen;
    if (calls.endMs[i]! > facts.sampledMs) facts.sampledMs = calls.endMs[i]!;
  }
}

/** Adds facts to others. */
export function addFacts(into: EndpointFacts, more: EndpointFacts): void {
  into.calls += more.calls;
  into.errors += more.errors;
  into.firstCallMs = Math.min(into.firstCallMs, more.firstCallMs);
  into.lastCallMs = Math.max(into.lastCallMs, more.lastCallMs);
  into.unseenCalls += more.unseenCalls;
  into.unseenErrors += more.unseenErrors;
  into.sampledMs = Math.max(into.sampledMs, more.sampledMs);
  noteCallers(into.callers, more.callers);
}

function factsIn(byEndpoint: Map<number, EndpointFacts>, endpoint: number): EndpointFacts {
  let facts = byEndpoint.get(endpoint);
  if (facts === undefined) {
    facts = noFacts();
    byEndpoint.set(endpoint, facts);
  }
  return facts;
}

/** Written before an endpoint with weights, where its number would begin: no endpoint has the number 0. */
const weightedMark = 0;
const weightedBytes = 1 + 8 + 8 + 8;

/**
 * Facts as bytes, for runs: varints, times in milliseconds. An endpoint with weights begins with
 * `0, f64 unseen calls, f64 unseen errors, f64 sampled ms`.
 */
export function encodeFacts(byEndpoint: Iterable<readonly [number, EndpointFacts]>): Buffer {
  let out = Buffer.allocUnsafe(4096);
  let at = 0;
  for (const [endpoint, facts] of byEndpoint) {
    const { firstCallMs, lastCallMs, calls, errors, callers } = facts;
    const bytesMax = 48 + callers.length * 8 + weightedBytes;
    if (at + bytesMax > out.length) {
      const next = Buffer.allocUnsafe(out.length * 2 + bytesMax);
      out.copy(next, 0, 0, at);
      out = next;
    }
    if (facts.sampledMs > 0) {
      out[at] = weightedMark;
      out.writeDoubleLE(facts.unseenCalls, at + 1);
      out.writeDoubleLE(facts.unseenErrors, at + 9);
      out.writeDoubleLE(facts.sampledMs, at + 17);
      at += weightedBytes;
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

/** Adds encoded facts to the facts of each endpoint. */
export function addEncodedFacts(byEndpoint: Map<number, EndpointFacts>, bytes: Uint8Array): void {
  const reader = new VarintReader();
  reader.seek(bytes, 0);
  while (reader.at < bytes.length) {
    let unseenCalls = 0;
    let unseenErrors = 0;
    let sampledMs = 0;
    if (bytes[reader.at] === weightedMark) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + reader.at + 1, weightedBytes - 1);
      unseenCalls = view.getFloat64(0, true);
      unseenErrors = view.getFloat64(8, true);
      sampledMs = view.getFloat64(16, true);
      reader.at += weightedBytes;
    }
    const facts = factsIn(byEndpoint, reader.next());
    const lastCallMs = reader.next();
    const firstCallMs = lastCallMs - reader.next();
    const calls = reader.next();
    const more: EndpointFacts = {
      firstCallMs,
      lastCallMs,
      calls,
      errors: reader.next(),
      callers: [],
      unseenCalls,
      unseenErrors,
      sampledMs,
    };
    for (let left = reader.next(); left > 0; left--) {
      more.callers.push(reader.next(), reader.next(), lastCallMs - reader.next());
    }
    addFacts(facts, more);
  }
}
