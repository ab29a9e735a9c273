import { addDays, type DaySet, emptyDays } from './day-set.ts';
import { outcomeOf } from './outcome.ts';

/**
 * The use of an endpoint: permanent facts about the calls that keep it alive. A call is a use when the service
 * answered it or failed, and its caller counts: no robot (monitor, crawler, scanner), no consumer of
 * ROLLCALL_IGNORE_CONSUMERS. A refused call (401, 403, 429) or a missing one (404, 405, 410) is no use.
 */
export interface EndpointUse {
  /** End of the newest use, milliseconds since the epoch; 0 without any. */
  lastMs: number;
  /** Spans that are uses, each counted once whatever its weight. */
  calls: number;
  /** Spans of callers that do not count, answered or failed; end of the newest, 0 without any. */
  otherCalls: number;
  lastOtherMs: number;
  /** Spans with a weight (core/weight.ts), whatever their outcome. */
  sampledCalls: number;
  /** Days with a use, UTC. */
  days: DaySet;
}

export function noUse(): EndpointUse {
  return {
    lastMs: 0,
    calls: 0,
    otherCalls: 0,
    lastOtherMs: 0,
    sampledCalls: 0,
    days: emptyDays(),
  };
}

/** A call with this status reached what stands behind the route: it was answered or failed. */
export function isReached(status: number): boolean {
  return reached[status] === 1;
}

const reached = Uint8Array.from({ length: 1000 }, (_, status) => {
  const outcome = outcomeOf(status);
  return outcome === 'answered' || outcome === 'failed' ? 1 : 0;
});

/** Adds the use of other calls of the endpoint. */
export function addUse(into: EndpointUse, more: EndpointUse): void {
  into.lastMs = Math.max(into.lastMs, more.lastMs);
  into.calls += more.calls;
  into.otherCalls += more.otherCalls;
  into.lastOtherMs = Math.max(into.lastOtherMs, more.lastOtherMs);
  into.sampledCalls += more.sampledCalls;
  addDays(into.days, more.days);
}
