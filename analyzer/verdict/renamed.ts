import { endpointShape, isBucket } from '../../core/store/endpoint-identity.ts';
import type { EndpointRecord, LastCaller } from '../../core/store/store.ts';
import { dayMs } from './observation.ts';

/** An endpoint that fell silent, and one that took its place. */
export interface RenamedPair {
  old: EndpointRecord;
  successor: EndpointRecord;
}

/** The first call of the new endpoint and the last use of the old one lie at most so far from each other. */
const changeoverDays = 7;
/** Share of the old endpoint's last callers that the new one must have. */
const sharedCallers = 0.5;
/** Words of the paths count beside callers: every endpoint may be called by the same gateway. */
const leastScore = 0.75;
/** New endpoints that are compared with one old one: those that began nearest to its end. */
const comparedMost = 50;

/**
 * Pairs of endpoints of one service, environment and method: the new one begins with the version in which the old
 * one ends, and has its callers. It is offered, not claimed: each endpoint is in one pair at most, the best one.
 * @param silent cold and dead endpoints
 * @param begun endpoints that were first called when their service had been observed for a while
 */
export function renamedPairs(
  silent: readonly EndpointRecord[],
  begun: readonly EndpointRecord[],
): RenamedPair[] {
  if (silent.length === 0 || begun.length === 0) return [];
  const byPlace = Map.groupBy(begun, placeOf);
  for (const group of byPlace.values()) group.sort((a, b) => a.firstCallMs - b.firstCallMs);
  const scored: (RenamedPair & { score: number })[] = [];
  for (const old of silent) {
    const group = byPlace.get(placeOf(old));
    if (group === undefined || old.use.lastMs === 0 || isBucket(old.route)) continue;
    for (const successor of near(group, old.use.lastMs)) {
      const score = scoreOf(old, successor);
      if (score >= leastScore) scored.push({ old, successor, score });
    }
  }
  scored.sort((a, b) => b.score - a.score || (a.old.id < b.old.id ? -1 : 1));
  const taken = new Set<string>();
  const pairs: RenamedPair[] = [];
  for (const { old, successor } of scored) {
    if (taken.has(old.id) || taken.has(successor.id)) continue;
    taken.add(old.id).add(successor.id);
    pairs.push({ old, successor });
  }
  return pairs;
}

const placeOf = ({ service, environment, method }: EndpointRecord): string =>
  `${service}\0${environment}\0${method}`;

/** @param group ascending by first call */
function near(group: readonly EndpointRecord[], atMs: number): EndpointRecord[] {
  const from = atMs - changeoverDays * dayMs;
  let low = 0;
  let high = group.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (group[middle]!.firstCallMs < from) low = middle + 1;
    else high = middle;
  }
  const found: EndpointRecord[] = [];
  for (let at = low; at < group.length && found.length < comparedMost; at++) {
    const candidate = group[at]!;
    if (candidate.firstCallMs > atMs + changeoverDays * dayMs) break;
    if (candidate.use.calls > 0 && !isBucket(candidate.route)) found.push(candidate);
  }
  return found;
}

/** 0 to 2: shared callers and shared words; 0 where versions or callers contradict. */
function scoreOf(old: EndpointRecord, successor: EndpointRecord): number {
  if (old.id === successor.id || !isNextVersion(old, successor)) return 0;
  const callers = shareOf(namesOf(old.lastAnsweredCallers), namesOf(successor.lastAnsweredCallers));
  if (callers < sharedCallers) return 0;
  return callers + shareOf(wordsOf(old.route), wordsOf(successor.route));
}

/** The new endpoint has calls in no version before the last one of the old. Without versions, time decides. */
function isNextVersion(old: EndpointRecord, successor: EndpointRecord): boolean {
  const named = old.versions.filter(({ version }) => version !== '');
  const earlier = new Set(named.slice(1).map(({ version }) => version));
  return successor.versions.every(({ version }) => !earlier.has(version));
}

function namesOf(callers: readonly LastCaller[]): Set<string> {
  return new Set(callers.map(({ consumer, agent, client }) => consumer || agent || client));
}

/** Literal words of a route: parameters and versions such as `v2` say nothing. */
function wordsOf(route: string): Set<string> {
  const words = endpointShape(route).split(/[/_\-.{}]+/);
  return new Set(words.filter((word) => word !== '' && !/^v\d+$/.test(word)));
}

/** Share of the first set that is in the second. */
function shareOf(of: ReadonlySet<string>, among: ReadonlySet<string>): number {
  if (of.size === 0) return 0;
  let shared = 0;
  for (const one of of) if (among.has(one)) shared += 1;
  return shared / of.size;
}
