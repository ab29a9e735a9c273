/** The search of raw calls, in words that every engine shares. */

/** Selects calls. An absent field does not restrict; the fields that are present must all hold. */
export interface CallFilter {
  /** The call's end, seconds since the epoch: `fromS <= end < toS`. */
  fromS?: number;
  toS?: number;
  /** Statuses from `from` to `to`, both included; any range of the list. 0 is no status. */
  statuses?: readonly StatusRange[];
  /** The address; empty: unknown. */
  client?: string;
  /** These four are compared as a whole; empty: none. */
  consumer?: string;
  agent?: string;
  serviceVersion?: string;
  errorType?: string;
  bot?: boolean;
  /** Both included. A call without a latency is in no range. */
  durationFromNs?: number;
  durationToNs?: number;
  /** 32 hexadecimal digits, lower case. */
  traceId?: string;
}

export interface StatusRange {
  from: number;
  to: number;
}

/**
 * `newest`: by the call's end, newest first. `slowest`: by duration, longest first, calls without a latency last.
 * Ties go by end, then by the order of commits, newest first. `arrival`: in the order of commits, oldest first.
 */
export type CallOrder = 'newest' | 'slowest' | 'arrival';

export interface CallRequest {
  order: CallOrder;
  /** `CallPage.cursor` of the page before, of the same selection and filter. The order `arrival` also takes
   *  `CallPage.arrivals`; without a cursor it begins with the oldest stored call. */
  cursor?: string | undefined;
  /** At most this many calls, from 1. */
  limit: number;
  /** Calls that may be visited for this page; `limits.visitedCalls` unless given. */
  visitMost?: number;
}

/**
 * One page. All pages of `newest` and `slowest` are of the moment of the first one: together they hold each call
 * that was stored then, once, whatever is committed or rewritten meanwhile. A call that retention deletes between
 * two pages is missing.
 */
export interface CallPage {
  calls: CallRecord[];
  /**
   * Continues exactly behind this page; absent when no call follows. A page with a cursor may hold fewer calls than
   * its limit, or none: then as many calls were visited as one page may.
   */
  cursor?: string;
  /** Continues in the order `arrival`: with the calls that are committed after the first page's moment; in the order
   *  `arrival` itself, behind the calls that this page visited. */
  arrivals: string;
  /** Milliseconds since the epoch: calls that were committed since then are all stored. Infinity when retention has
   *  deleted every call; absent when it has deleted none. */
  keptSinceMs?: number;
}

/** One raw call. Texts are empty when unknown. */
export interface CallRecord {
  /** Made by the engine, opaque to everyone else, unique within the project. */
  id: string;
  /** `EndpointRecord.id` */
  endpoint: string;
  /** The end: whole seconds since the epoch, and the nanoseconds beyond. */
  endS: number;
  endNs: number;
  /** Negative: the duration is no latency. */
  durationNs: number;
  /** 0 without one. */
  status: number;
  client: string;
  serviceVersion: string;
  consumer: string;
  agent: string;
  bot: boolean;
  errorType: string;
  /** -1 when unknown. */
  requestBytes: number;
  responseBytes: number;
  /** 32 hexadecimal digits. */
  traceId: string;
  /** Calls that this one stands for (core/weight.ts). */
  weight: number;
}

/** What orders a call among others: `number` is its place in the order of commits. */
export interface CallPosition {
  endS: number;
  endNs: number;
  durationNs: number;
  number: number;
}

/** Negative when `a` comes first in the order; 0 only for the same call. */
export function compareCalls(order: CallOrder, a: CallPosition, b: CallPosition): number {
  if (order === 'arrival') return a.number - b.number;
  const bySlowness = order === 'slowest' ? b.durationNs - a.durationNs : 0;
  return bySlowness || b.endS - a.endS || b.endNs - a.endNs || b.number - a.number;
}
