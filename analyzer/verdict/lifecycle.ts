import { isBucket } from '../../core/store/endpoint-identity.ts';
import type { EndpointRecord } from '../../core/store/store.ts';
import type { Declaration } from '../inventory/declarations.ts';
import type { Thresholds } from '../query/answer-head.ts';
import type { Mark, Status } from '../query/status.ts';
import type { Parameters } from './bgnbd.ts';
import { type Confidence, confidenceOf, type Silence } from './confidence.ts';
import { type Ending, endingOf } from './ending.ts';
import type { ServiceContext } from './model.ts';
import {
  dayMs,
  hoursHeardBefore,
  momentAfter,
  type Observation,
  observedMs,
} from './observation.ts';
import { type Rhythm, rhythmOf } from './rhythm.ts';

/**
 * Whether an endpoint is used, as an answer to delete code by. It follows from permanent records alone,
 * so it is the same under every window and after every purge.
 */
export interface Lifecycle {
  /** Null for a bucket, `(unmatched)`, `(unknown)` or `{other}`: its calls belong to no endpoint. */
  status: Status | null;
  marks: Mark[];
  /** Whole days since the endpoint's last call; null when it was never called. */
  daysSinceLastCall: number | null;
  /** Whole days in which its service was observed, gaps left out: how long silence could have been noticed. */
  observedDays: number;
  /** How sure it is that no use will come; null where it is in use, or where that cannot be known. */
  confidence: number | null;
  /** End of its last use (core/endpoint-use.ts); null without any. */
  lastUseMs: number | null;
  /** When a regular endpoint is expected next, or was when it is late. */
  expectedMs: number | null;
  /** When its silence reached what makes it dead. */
  deadSinceMs: number | null;
  /** Absent when nothing says that the endpoint ends. */
  ending?: Ending;
  /** Silent, but another endpoint of its shape is used, and may be this one under another name: nobody can tell. */
  isContinued?: true;
  /** Declared without a call of its own, while calls past the bound of endpoints are counted in `{other}`. */
  isHidden?: true;
  /** What the confidence was computed from; absent without a confidence. */
  grounds?: Grounds;
}

export interface Grounds extends Confidence {
  silence: Silence;
}

/** What every verdict of an answer shares. */
export interface Circumstances {
  thresholds: Thresholds;
  nowMs: number;
  parameters: Parameters;
}

/**
 * The lifecycle of an endpoint that is declared and was never called.
 * @param service absent when nothing of it was ever heard in this environment
 * @param otherMs the newest call of its method that was counted in `{other}`, past the bound of endpoints; 0 without any
 */
export function uncalledLifecycle(
  declaration: Declaration,
  service: ServiceContext | undefined,
  { thresholds, nowMs, parameters }: Circumstances,
  otherMs = 0,
): Lifecycle {
  const { addedMs = 0 } = declaration;
  const ending = endingOf({}, declaration, nowMs);
  const { coldAfterDays } = thresholds;
  const observation = service?.observation;
  const marks: Mark[] = [];
  if (nowMs - addedMs < coldAfterDays * dayMs) marks.push('new');
  if (ending?.isDeprecated) marks.push('deprecated');
  if (ending?.isSunsetPassed) marks.push('sunset_passed');
  if (observation?.lastSampledMs !== undefined) marks.push('sampled');
  const observed = observation ? observedUntilNow(observation, addedMs, nowMs, coldAfterDays) : 0;
  const silence: Silence = {
    rhythm: undefined,
    days: observed / dayMs,
    thinning: 1 / (service?.weight ?? 1),
    liveliness: 1,
    guessedShare: service?.guessedShare ?? 0,
    isProbed: false,
  };
  // Its calls may be among those that the bound hides: nobody can tell.
  const isHidden = otherMs > addedMs;
  const grounds = isHidden ? undefined : { ...confidenceOf(silence, parameters), silence };
  return {
    status: isHidden ? 'unknown' : 'never_called',
    marks,
    daysSinceLastCall: null,
    observedDays: wholeDays(observed),
    confidence: grounds === undefined ? null : observation ? grounds.value : 0,
    lastUseMs: null,
    expectedMs: null,
    deadSinceMs: null,
    ...(isHidden && { isHidden: true as const }),
    ...(grounds && { grounds }),
    ...(ending && { ending }),
  };
}

/**
 * @param service of the endpoint's own service and environment @param declaration of its inventory, if any
 * @param headMs the newest use of its HEAD requests, which its GET answers too; 0 without any
 */
export function lifecycle(
  endpoint: EndpointRecord,
  service: ServiceContext,
  circumstances: Circumstances,
  declaration?: Declaration,
  headMs = 0,
): Lifecycle {
  const { thresholds, nowMs } = circumstances;
  const { observation } = service;
  const { coldAfterDays } = thresholds;
  const life: Lifecycle = {
    status: null,
    marks: [],
    daysSinceLastCall: wholeDays(nowMs - endpoint.lastCallMs),
    observedDays: wholeDays(observedUntilNow(observation, 0, nowMs, coldAfterDays)),
    confidence: null,
    lastUseMs: endpoint.use.lastMs || null,
    expectedMs: null,
    deadSinceMs: null,
  };
  if (isBucket(endpoint.route)) return life;
  const { marks } = life;
  if (isNew(endpoint, observation, thresholds, nowMs)) marks.push('new');
  if (hasOnlyErrors(endpoint)) marks.push('only_errors');
  if (hasOnlyRefused(endpoint)) marks.push('only_refused');
  if (hasOnlyBots(endpoint)) marks.push('only_bots');
  if (isSampled(endpoint, observation)) marks.push('sampled');
  if (declaration?.state === 'undocumented') marks.push('undocumented');
  const ending = endingOf(endpoint, declaration, nowMs);
  if (ending) {
    life.ending = ending;
    if (ending.isDeprecated) marks.push('deprecated');
    if (ending.isSunsetPassed) marks.push('sunset_passed');
    if (isWithoutNotice(ending, endpoint, service)) marks.push('deprecated_without_notice');
  }
  if (endpoint.lastCallMs > (declaration?.removedMs ?? Infinity))
    marks.push('called_after_removal');
  if (endpoint.traits?.byPathDay !== undefined) marks.push('matched_by_path');
  if (declaration?.guessed) marks.push('match_guessed');
  judge(life, endpoint, service, circumstances, headMs);
  if (declaration?.state === 'removed') {
    life.status = 'removed';
    life.confidence = null;
    life.deadSinceMs = null;
    delete life.grounds;
  }
  return life;
}

/**
 * Status and confidence. An endpoint's silence counts only while its service was observed: up to the service's own
 * last call, and not in gaps before it. A service that is switched off does not show that its endpoints are dead.
 */
function judge(
  life: Lifecycle,
  endpoint: EndpointRecord,
  service: ServiceContext,
  { thresholds, nowMs, parameters }: Circumstances,
  headMs: number,
): void {
  const { coldAfterDays, deadAfterDays } = thresholds;
  const { observation } = service;
  const ownMs = Math.max(endpoint.use.lastMs || endpoint.firstCallMs, headMs);
  const sinceMs = Math.max(ownMs, endpoint.continuedMs ?? 0);
  const silentMs = observedMs(observation, sinceMs, observation.lastMs);
  const isCold = silentMs >= coldAfterDays * dayMs;
  const rhythm =
    isCold || nowMs - sinceMs >= dayMs ? rhythmOf(endpoint.use.days, observation.gaps) : undefined;
  if (rhythm?.period) {
    life.marks.push('periodic');
    life.expectedMs = rhythm.period.expectedDay * dayMs;
  }
  if (!isCold) {
    if (observedMs(observation, ownMs, observation.lastMs) >= coldAfterDays * dayMs) {
      life.isContinued = true;
    }
    const isQuiet = nowMs - sinceMs >= coldAfterDays * dayMs;
    life.status = isQuiet || life.isContinued ? 'unknown' : 'active';
    return;
  }
  const thinning = thinningOf(endpoint, rhythm, service);
  // Where a tenth of the days of use would be seen, ten days without one are one day of silence.
  const deadAfterMs = Math.max(deadAfterDays * dayMs, rhythmMs(rhythm, observation) + 1) / thinning;
  life.status = silentMs >= deadAfterMs ? 'dead' : 'cold';
  if (life.status === 'dead') {
    life.deadSinceMs = momentAfter(observation, sinceMs, deadAfterMs) ?? null;
  }
  const silence: Silence = {
    rhythm,
    days: silentMs / dayMs,
    thinning,
    liveliness: livelinessOf(rhythm, observation),
    guessedShare: service.guessedShare,
    isProbed: nowMs - endpoint.use.lastOtherMs < deadAfterDays * dayMs && endpoint.botCalls > 0,
  };
  life.grounds = { ...confidenceOf(silence, parameters), silence };
  life.confidence = life.grounds.value;
}

/** Twice the longest gap of a regular endpoint, and a period more for each expected day that fell into a gap. */
function rhythmMs(rhythm: Rhythm | undefined, { gaps }: Observation): number {
  if (rhythm?.period === undefined) return 0;
  const { days, expectedDay } = rhythm.period;
  let allowedDays = 2 * rhythm.longestGapDays;
  const lastGap = gaps.at(-1);
  for (let day = expectedDay; lastGap && day * dayMs < lastGap.toMs; day += days) {
    const fromMs = (day - days / 10) * dayMs;
    const toMs = (day + 1 + days / 10) * dayMs;
    if (gaps.some((gap) => gap.fromMs < toMs && gap.toMs > fromMs)) allowedDays += days;
  }
  return allowedDays * dayMs;
}

/** How likely a day of use would be seen under the sampling after the last use, against before. */
function thinningOf(
  { use, lifetimeCalls, sampling }: EndpointRecord,
  rhythm: Rhythm | undefined,
  { weight, observation }: ServiceContext,
): number {
  if (weight <= 1 || (observation.lastSampledMs ?? 0) <= use.lastMs) return 1;
  const ownWeight = sampling ? Math.max(1, lifetimeCalls / sampling.seenCalls) : 1;
  const callsPerDay = Math.max(1, (use.calls * ownWeight) / (rhythm?.useDays ?? 1));
  const seen = (each: number) => 1 - (1 - 1 / each) ** callsPerDay;
  return Math.min(1, seen(weight) / seen(ownWeight));
}

/** Days before and after the last use that show how often a service is heard. */
const livelyDays = 7;

function livelinessOf(rhythm: Rhythm | undefined, { heard, firstMs, lastMs }: Observation): number {
  if (rhythm === undefined) return 1;
  const first = Math.floor(firstMs / dayMs);
  const last = Math.floor(lastMs / dayMs) + 1;
  const { lastDay } = rhythm;
  const hours = (from: number, to: number) =>
    hoursHeardBefore(heard, to) - hoursHeardBefore(heard, from);
  if (lastDay - first < livelyDays || last - lastDay < livelyDays) return 1;
  const before = hours(first, lastDay) / (lastDay - first);
  const after = hours(lastDay, last) / (last - lastDay);
  return before === 0 ? 1 : Math.min(1, after / before);
}

/** The time after the service's last call counts while it is no longer than a usual silence. */
function observedUntilNow(
  observation: Observation,
  sinceMs: number,
  nowMs: number,
  coldAfterDays: number,
): number {
  const { lastMs } = observation;
  const after = nowMs - lastMs;
  const tail = after > 0 && after < coldAfterDays * dayMs ? nowMs - Math.max(lastMs, sinceMs) : 0;
  return observedMs(observation, sinceMs, lastMs) + Math.max(0, tail);
}

/**
 * Answered since it is deprecated, and no answer had a header that says so. Known only of a service whose spans report
 * such headers.
 */
function isWithoutNotice(
  { isDeprecated, isAnnounced, deprecatedSinceMs }: Ending,
  { lastAnsweredMs = 0, traits }: EndpointRecord,
  { reportsEndings }: ServiceContext,
): boolean {
  if (!isDeprecated || isAnnounced || !(reportsEndings || traits?.reportingDay)) return false;
  return lastAnsweredMs > (deprecatedSinceMs ?? 0);
}

/** When the observation itself has only begun, every endpoint is new to us and none deserves the mark. */
function isNew(
  endpoint: EndpointRecord,
  { firstMs }: Observation,
  { coldAfterDays }: Thresholds,
  nowMs: number,
): boolean {
  const coldMs = coldAfterDays * dayMs;
  if (nowMs - endpoint.firstCallMs >= coldMs) return false;
  return endpoint.firstCallMs - firstMs > coldMs;
}

/** By seen spans: a span of weight 0 that succeeded is a success. */
function hasOnlyErrors({ sampling, lifetimeCalls, lifetimeErrors }: EndpointRecord): boolean {
  if (sampling) return sampling.seenErrors === sampling.seenCalls;
  return lifetimeErrors === lifetimeCalls;
}

/** No call reached what stands behind the route, and some were refused. */
function hasOnlyRefused({ lifetimeOutcomes, sampling }: EndpointRecord): boolean {
  const { answered, refused, failed } = sampling?.seenOutcomes ?? lifetimeOutcomes;
  return refused > 0 && answered === 0 && failed === 0;
}

/** Some calls reached it, every one of a robot. */
function hasOnlyBots({ use, botCalls }: EndpointRecord): boolean {
  return use.calls === 0 && use.otherCalls > 0 && botCalls > 0;
}

/** Its own calls were sampled, or those of its service after its last one: what came then may be lost. */
function isSampled(endpoint: EndpointRecord, { lastSampledMs = 0 }: Observation): boolean {
  return endpoint.sampling !== undefined || lastSampledMs > endpoint.lastCallMs;
}

/** A caller's clock may run ahead of ours by minutes: that is today, not minus one day. */
function wholeDays(ms: number): number {
  return Math.max(0, Math.floor(ms / dayMs));
}
