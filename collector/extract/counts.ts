import type { CallBatch } from '../../core/call.ts';
import type { RouteDeclaration } from '../../core/store/live-routes.ts';
import type { LinkedCalls } from './callers/internal-callers.ts';
import type { ClockAhead } from './clock-skew.ts';
import type { ExcludeReason } from './endpoint/exclusion.ts';

/** Where the spans of one request went. Each is in exactly one of the first six counters. */
export interface SpanCounts {
  stored: number;
  notServer: number;
  notHttp: number;
  excluded: Record<ExcludeReason, number>;
  rejected: Record<RejectReason, number>;
  /** Of a call that another span is counted for (X2, X3, X16), or the same span once more. */
  duplicate: Record<DuplicateReason, number>;
  /** Stored with a duration of 0: the span ended before it started (docs/extraction.md X9). */
  clockSkewed: number;
  /** Stored without a duration: the span is longer than `limits.callDurationNs` (X9). */
  durationsDropped: number;
  /** Stored without a client: the span's client attribute is not an address. */
  invalidClients: number;
  /** Stored as 500: no status, but an error (docs/extraction.md X19). */
  statusAssumed: number;
  /** Stored with the weight of their service: their own sampling attributes are impossible. */
  weightsIgnored: number;
  /** By resource, in the message's order; almost always empty. */
  clocksAhead: ClockAhead[];
  /** Routes that services declare; absent in almost every request. */
  declared?: RouteDeclaration[];
  /** Calls whose caller became known (collector/extract/callers/internal-callers.ts); absent for none. */
  linked?: LinkedCalls[];
  /** Present when `duplicate.same_span` is not 0. */
  sameSpan?: SameSpan;
}

/** Spans of the request that were counted before. */
export interface SameSpan {
  /** `service.name` of the first of them. */
  service: string;
  /** Batches that hold their first copies and are not committed yet, the request's own among them. */
  uncommitted: ReadonlySet<CallBatch>;
}

export type RejectReason = 'trace_id' | 'span_id' | 'time_zero' | 'future' | 'too_old';

export type DuplicateReason = 'nested' | 'sibling' | 'same_span';

export function nothingExtracted(): SpanCounts {
  return {
    stored: 0,
    notServer: 0,
    notHttp: 0,
    excluded: { method: 0, route: 0 },
    rejected: { trace_id: 0, span_id: 0, time_zero: 0, future: 0, too_old: 0 },
    duplicate: { nested: 0, sibling: 0, same_span: 0 },
    clockSkewed: 0,
    durationsDropped: 0,
    invalidClients: 0,
    statusAssumed: 0,
    weightsIgnored: 0,
    clocksAhead: [],
  };
}
