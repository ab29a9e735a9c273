import { answeredIndex, outcomeIndexes, outcomes } from '../../../outcome.ts';
import { noteCaller, noteCallers } from '../../last-callers.ts';
import { noteVersion, noteVersions } from '../../versions.ts';
import type { CallRows } from './call-rows.ts';
import type { OriginNumbers } from './origin-numbers.ts';

/** The permanent facts of an endpoint: first and last call, lifetime counts, last callers, versions. */
export interface EndpointFacts {
  firstCallMs: number;
  lastCallMs: number;
  /** Spans, each counted once whatever its weight: any span shows that the endpoint is alive. */
  calls: number;
  errors: number;
  /** Spans by outcome, in the order of `outcomes`. Release 0.1.0 kept none: their sum may be below `calls`. */
  outcomes: number[];
  /** Spans of bots. Release 0.1.0 kept none. */
  botCalls: number;
  /** As core/store/last-callers.ts keeps them: rows of clients and origins. */
  callers: number[];
  /** The same of answered calls alone; undefined where they are `callers`, since every call was answered. */
  answeredCallers: number[] | undefined;
  /** The newest answered call of an agent that is no bot; 0 when there is none. */
  personMs: number;
  /** The newest call of which release 0.1.0 did not keep whether it was answered; 0 when there is none. */
  unrecordedMs: number;
  /** As core/store/versions.ts keeps them: rows of versions. */
  versions: number[];
  /** Estimated calls that were sampled out: Σ (weight − 1). Negative when most weights are 0. */
  unseenCalls: number;
  unseenErrors: number;
  unseenOutcomes: number[];
  /** The newest call with a weight; 0 when none has one. */
  sampledMs: number;
}

export function noFacts(): EndpointFacts {
  return {
    firstCallMs: Number.POSITIVE_INFINITY,
    lastCallMs: 0,
    calls: 0,
    errors: 0,
    // One for each of `outcomes`.
    outcomes: [0, 0, 0, 0],
    botCalls: 0,
    callers: [],
    answeredCallers: undefined,
    personMs: 0,
    unrecordedMs: 0,
    versions: [],
    unseenCalls: 0,
    unseenErrors: 0,
    unseenOutcomes: [0, 0, 0, 0],
    sampledMs: 0,
  };
}

/**
 * The facts of some calls, by endpoint row.
 * @param order of the calls. Fastest when calls of one endpoint are neighbours, ascending in time: it is walked
 *   from its end, so that the last callers come first and earlier calls change nothing.
 */
export function factsOfCalls(
  calls: CallRows,
  order: Uint32Array,
  origins: OriginNumbers,
): Map<number, EndpointFacts> {
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
    const status = calls.status[i]!;
    const client = calls.client[i]!;
    const origin = calls.origin[i]!;
    const outcome = outcomeIndexes[status]!;
    const isBot = origins.isBot(origin);
    // The list of answered calls parts from that of all calls at the first one that was not answered.
    if (outcome === answeredIndex) {
      if (facts.answeredCallers) noteCaller(facts.answeredCallers, client, origin, endMs);
      if (!isBot && endMs > facts.personMs) facts.personMs = endMs;
    } else facts.answeredCallers ??= [...facts.callers];
    noteCaller(facts.callers, client, origin, endMs);
    facts.calls += 1;
    facts.outcomes[outcome]! += 1;
    if (status >= 400) facts.errors += 1;
    if (isBot) facts.botCalls += 1;
    if (endMs < facts.firstCallMs) facts.firstCallMs = endMs;
    if (endMs > facts.lastCallMs) facts.lastCallMs = endMs;
    noteVersion(facts.versions, origins.version(origin), endMs, endMs, 1);
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
    const status = calls.status[i]!;
    facts.unseenCalls += unseen;
    facts.unseenOutcomes[outcomeIndexes[status]!]! += unseen;
    if (status >= 400) facts.unseenErrors += unseen;
    if (calls.endMs[i]! > facts.sampledMs) facts.sampledMs = calls.endMs[i]!;
  }
}

/** Adds facts to others. */
export function addFacts(into: EndpointFacts, more: EndpointFacts): void {
  if (into.answeredCallers || more.answeredCallers) {
    into.answeredCallers ??= [...into.callers];
    noteCallers(into.answeredCallers, more.answeredCallers ?? more.callers);
  }
  noteCallers(into.callers, more.callers);
  noteVersions(into.versions, more.versions);
  into.calls += more.calls;
  into.errors += more.errors;
  into.botCalls += more.botCalls;
  into.firstCallMs = Math.min(into.firstCallMs, more.firstCallMs);
  into.lastCallMs = Math.max(into.lastCallMs, more.lastCallMs);
  into.personMs = Math.max(into.personMs, more.personMs);
  into.unrecordedMs = Math.max(into.unrecordedMs, more.unrecordedMs);
  into.unseenCalls += more.unseenCalls;
  into.unseenErrors += more.unseenErrors;
  into.sampledMs = Math.max(into.sampledMs, more.sampledMs);
  for (let i = 0; i < outcomes.length; i++) {
    into.outcomes[i]! += more.outcomes[i]!;
    into.unseenOutcomes[i]! += more.unseenOutcomes[i]!;
  }
}

/** A copy that can be added to. */
export function copyOfFacts(facts: Readonly<EndpointFacts>): EndpointFacts {
  const copy = noFacts();
  addFacts(copy, facts);
  return copy;
}

/** The facts of an endpoint in a map, made where there are none. */
export function factsIn(byEndpoint: Map<number, EndpointFacts>, endpoint: number): EndpointFacts {
  let facts = byEndpoint.get(endpoint);
  if (facts === undefined) {
    facts = noFacts();
    byEndpoint.set(endpoint, facts);
  }
  return facts;
}
