import { isBucket } from '../../core/store/endpoint-identity.ts';
import type { EndpointRecord, ServiceRecord } from '../../core/store/store.ts';
import type { Declaration } from '../inventory/declarations.ts';
import type { Thresholds } from '../query/answer-head.ts';
import type { Mark, Status } from '../query/status.ts';

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
  /** Whole days since the first call of its service: how long silence could have been noticed. */
  observedDays: number;
}

/** When a service in one environment was heard. */
export interface Activity {
  /** Ends of its oldest and newest span. */
  firstCallMs: number;
  lastCallMs: number;
  /** Spans of time in which it was away, ascending, none beyond its newest span. */
  outages: Outage[];
  /** The end of its newest span that stood for others too (core/weight.ts). */
  lastSampledMs?: number;
}

export interface Outage {
  fromMs: number;
  toMs: number;
}

/** A service heard on fewer days than this has no rhythm yet that it could depart from. */
const rhythmDays = 14;
/** How many times longer than its usual gap a gap must be to be an outage. */
const outageGaps = 3;

/** @param service facts of the store @param coldAfterDays a shorter gap changes no answer */
export function activityOf(service: ServiceRecord, coldAfterDays: number): Activity {
  const { firstCallMs, lastCallMs, heardDays, lastSampledMs } = service;
  const outages: Outage[] = [];
  if (heardDays.length >= rhythmDays) {
    const gaps = heardDays.slice(1).map((day, i) => day - heardDays[i]!);
    const usual = gaps.toSorted((a, b) => a - b)[gaps.length >> 1]!;
    gaps.forEach((gap, i) => {
      if (gap <= Math.max(coldAfterDays, outageGaps * usual)) return;
      outages.push({ fromMs: (heardDays[i]! + 1) * dayMs, toMs: heardDays[i + 1]! * dayMs });
    });
  }
  return {
    firstCallMs,
    lastCallMs,
    outages,
    ...(lastSampledMs !== undefined && { lastSampledMs }),
  };
}

export const dayMs = 86_400_000;

/**
 * The lifecycle of an endpoint that is declared and was never called.
 * @param service absent when nothing of it was ever heard in this environment
 */
export function uncalledLifecycle(
  { deprecated, addedMs = 0 }: Declaration,
  service: Activity | undefined,
  { coldAfterDays }: Thresholds,
  nowMs: number,
): Lifecycle {
  const marks: Mark[] = [];
  if (nowMs - addedMs < coldAfterDays * dayMs) marks.push('new');
  if (deprecated) marks.push('deprecated');
  if (service?.lastSampledMs !== undefined) marks.push('sampled');
  const sinceMs = Math.max(service?.firstCallMs ?? nowMs, addedMs);
  return {
    status: 'never_called',
    marks,
    daysSinceLastCall: null,
    observedDays: wholeDays(nowMs - sinceMs),
  };
}

/** @param service of the endpoint's own service and environment @param declaration of its inventory, if any */
export function lifecycle(
  endpoint: EndpointRecord,
  service: Activity,
  thresholds: Thresholds,
  nowMs: number,
  declaration?: Declaration,
): Lifecycle {
  const daysSinceLastCall = wholeDays(nowMs - endpoint.lastCallMs);
  const observedDays = wholeDays(nowMs - service.firstCallMs);
  if (isBucket(endpoint.route)) return { status: null, marks: [], daysSinceLastCall, observedDays };
  const marks: Mark[] = [];
  if (isNew(endpoint, service, thresholds, nowMs)) marks.push('new');
  if (hasOnlyErrors(endpoint)) marks.push('only_errors');
  if (isSampled(endpoint, service)) marks.push('sampled');
  if (declaration?.state === 'undocumented') marks.push('undocumented');
  if (declaration?.deprecated) marks.push('deprecated');
  if (endpoint.lastCallMs > (declaration?.removedMs ?? Infinity))
    marks.push('called_after_removal');
  const isRemoved = declaration?.state === 'removed';
  return {
    status: isRemoved ? 'removed' : status(endpoint, service, thresholds, nowMs),
    marks,
    daysSinceLastCall,
    observedDays,
  };
}

/**
 * An endpoint's silence counts only while its service was heard: up to the service's own last call, and not
 * while it was away in between. A service that is switched off does not show that its endpoints are dead.
 */
function status(
  endpoint: EndpointRecord,
  service: Activity,
  { coldAfterDays, deadAfterDays }: Thresholds,
  nowMs: number,
): Status {
  let heardSilenceMs = service.lastCallMs - endpoint.lastCallMs;
  for (const { fromMs, toMs } of service.outages) {
    heardSilenceMs -= Math.max(0, toMs - Math.max(fromMs, endpoint.lastCallMs));
  }
  if (heardSilenceMs >= deadAfterDays * dayMs) return 'dead';
  if (heardSilenceMs >= coldAfterDays * dayMs) return 'cold';
  if (nowMs - endpoint.lastCallMs >= coldAfterDays * dayMs) return 'unknown';
  return 'active';
}

/** When the observation itself has only begun, every endpoint is new to us and none deserves the mark. */
function isNew(
  endpoint: EndpointRecord,
  service: Activity,
  { coldAfterDays }: Thresholds,
  nowMs: number,
): boolean {
  const coldMs = coldAfterDays * dayMs;
  if (nowMs - endpoint.firstCallMs >= coldMs) return false;
  return endpoint.firstCallMs - service.firstCallMs > coldMs;
}

/** By seen spans: a span of weight 0 that succeeded is a success. */
function hasOnlyErrors({ sampling, lifetimeCalls, lifetimeErrors }: EndpointRecord): boolean {
  if (sampling) return sampling.seenErrors === sampling.seenCalls;
  return lifetimeErrors === lifetimeCalls;
}

/** Its own calls were sampled, or those of its service after its last one: what came then may be lost. */
function isSampled(endpoint: EndpointRecord, service: Activity): boolean {
  return endpoint.sampling !== undefined || (service.lastSampledMs ?? 0) > endpoint.lastCallMs;
}

/** A caller's clock may run ahead of ours by minutes: that is today, not minus one day. */
function wholeDays(ms: number): number {
  return Math.max(0, Math.floor(ms / dayMs));
}
