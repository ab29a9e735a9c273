import type { EndpointRecord } from '../../core/store/store.ts';

/**
 * Whether an endpoint is used, as an answer to delete code by. It follows from permanent records alone,
 * so it is the same under every window and after every purge.
 */
export type Status = 'active' | 'cold' | 'dead' | 'never_called' | 'unknown';

/** `new`: first called a short while ago. `only_errors`: no call of its life succeeded. */
export type Mark = 'new' | 'only_errors';

export interface Thresholds {
  coldAfterDays: number;
  deadAfterDays: number;
}

export interface Lifecycle {
  status: Status;
  marks: Mark[];
  /** Whole days since the endpoint's last call. */
  daysSinceLastCall: number;
  /** Whole days since the first call of its service: how long silence could have been noticed. */
  observedDays: number;
}

/** Ends of the oldest and newest span of a service in one environment. */
export interface Heard {
  firstCallMs: number;
  lastCallMs: number;
}

export const dayMs = 86_400_000;

/** @param service of the endpoint's own service and environment */
export function lifecycle(
  endpoint: EndpointRecord,
  service: Heard,
  thresholds: Thresholds,
  nowMs: number,
): Lifecycle {
  const marks: Mark[] = [];
  if (isNew(endpoint, service, thresholds, nowMs)) marks.push('new');
  if (endpoint.lifetimeErrors === endpoint.lifetimeCalls) marks.push('only_errors');
  return {
    status: status(endpoint, service, thresholds, nowMs),
    marks,
    daysSinceLastCall: wholeDays(nowMs - endpoint.lastCallMs),
    observedDays: wholeDays(nowMs - service.firstCallMs),
  };
}

/**
 * An endpoint's silence counts only while its service was heard: up to the service's own last call. What
 * came after that is the silence of a service that is switched off, and says nothing of its endpoints.
 */
function status(
  endpoint: EndpointRecord,
  service: Heard,
  { coldAfterDays, deadAfterDays }: Thresholds,
  nowMs: number,
): Status {
  const heardSilenceMs = service.lastCallMs - endpoint.lastCallMs;
  if (heardSilenceMs >= deadAfterDays * dayMs) return 'dead';
  if (heardSilenceMs >= coldAfterDays * dayMs) return 'cold';
  if (nowMs - endpoint.lastCallMs >= coldAfterDays * dayMs) return 'unknown';
  return 'active';
}

/** When the observation itself has only begun, every endpoint is new to us and none deserves the mark. */
function isNew(
  endpoint: EndpointRecord,
  service: Heard,
  { coldAfterDays }: Thresholds,
  nowMs: number,
): boolean {
  const coldMs = coldAfterDays * dayMs;
  if (nowMs - endpoint.firstCallMs >= coldMs) return false;
  return endpoint.firstCallMs - service.firstCallMs > coldMs;
}

/** A caller's clock may run ahead of ours by minutes: that is today, not minus one day. */
function wholeDays(ms: number): number {
  return Math.max(0, Math.floor(ms / dayMs));
}
