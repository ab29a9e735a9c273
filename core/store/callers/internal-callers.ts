import { limits } from '../../limits.ts';
import { dayS, hourS, type Window } from '../../window.ts';

/**
 * Which of a project's own services called an endpoint (docs/decisions/0023-internal-callers.md). A collector learns it
 * from two spans that arrive in any order, mostly after the call was committed: these counts stand beside the calls.
 * Every method throws AppError `unavailable` when the store cannot be written now.
 */
export interface InternalCallerStore {
  /**
   * Adds to the counts. Calls of endpoints that the store does not have are left out: those past the bound of a
   * service. Of an endpoint and hour at most `limits.internalCallersPerEndpoint` callers are told apart, others are
   * added to `{other}`.
   * @param nowMs hours that are older than `limits.internalCallerHourDays` are added up to days
   */
  add(calls: readonly InternalCall[], nowMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Calls of one service to one endpoint in one hour. */
export interface InternalCall extends InternalCallLink {
  /** Sums of weights. */
  calls: number;
  /** Statuses of 400 and more. */
  errors: number;
  /** Of `calls`, those whose consumer has the caller's name: /consumers counts them under that name too. */
  named: number;
  /** Spans that were seen of them: fewer than `calls` where these are estimated. */
  seen: number;
}

export interface InternalCallLink {
  project: string;
  /** The endpoint that was called, as the collector names it (core/call.ts). */
  service: string;
  environment: string;
  method: string;
  route: string;
  /** `service.name` of the caller; its environment is empty when the span does not tell it. */
  caller: string;
  callerEnvironment: string;
  /** Hours since the epoch: of the call's end. */
  hour: number;
  knownBy: InternalCallEvidence;
}

/** trace: the parent span is of the caller. peer: the span names it (`peer.service`, `service.peer.name`). */
export type InternalCallEvidence = 'trace' | 'peer';

/** Calls of one service to the selected endpoints, in the window of `internalCallerWindow`. Sums of weights. */
export interface InternalCallerUsage {
  /** `{other}` for callers past a bound. */
  service: string;
  environment: string;
  tracedCalls: number;
  peerCalls: number;
  /** Of both, as `InternalCall`. */
  errors: number;
  namedCalls: number;
  /** Spans that were seen of both: fewer than the calls where these are estimated. */
  seenCalls: number;
  /** Selected endpoints that it called. */
  endpoints: number;
  /** The first and the last hour or, where only days are kept, day with a call, as its beginning. */
  firstMs: number;
  lastMs: number;
}

/** The window of an answer on internal callers: hours as a whole and, where only those are kept, days. */
export function internalCallerWindow({ fromS, toS }: Window, nowMs: number): Window {
  const hoursFromS = (Math.floor(nowMs / 1000 / dayS) - limits.internalCallerHourDays + 1) * dayS;
  const step = (edgeS: number): number => (edgeS >= hoursFromS ? hourS : dayS);
  return {
    fromS: Math.floor(fromS / step(fromS)) * step(fromS),
    toS: Math.ceil(toS / step(toS)) * step(toS),
  };
}
