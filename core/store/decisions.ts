import { canonicalRoute } from '../route/route.ts';
import { endpointShape } from './endpoint-identity.ts';

/**
 * What Rollcall asks of a store about decisions that people make on endpoints. Any process may write here, beside a
 * collector that writes calls. Every method throws AppError `unavailable` when the store cannot be read or written
 * now, and `not_found` for a project that does not exist. Decisions that hold are read from a `Snapshot`.
 */
export interface DecisionStore {
  /**
   * Makes each the newest decision of its place, all or none.
   * @throws AppError `conflict` when the project would have decisions on more than `limits.decidedEndpoints` places
   */
  decide(project: string, decisions: readonly Decision[]): Promise<void>;
  /** Ends the decisions of places that have one, which stay in their history. @returns how many there were */
  withdraw(project: string, places: readonly DecisionPlace[], by: DecisionAuthor): Promise<number>;
  /** Newest first, at most `limits.decisionHistory`. */
  history(project: string, place: DecisionPlace): Promise<DecisionRecord[]>;
  close(): Promise<void>;
}

export const decisionActions = ['keep', 'deprecate', 'remove'] as const;
export type DecisionAction = (typeof decisionActions)[number];

/** An endpoint by its names: it need not have been called, and its id may change when it first is. */
export interface DecisionPlace {
  service: string;
  /** null: every environment that has no decision of its own. */
  environment: string | null;
  method: string;
  /** As declared or observed; parameters' names are no part of the place. */
  route: string;
}

export interface DecisionAuthor {
  by: string;
  /** Milliseconds since the epoch. */
  decidedMs: number;
}

export interface Decision extends DecisionPlace, DecisionAuthor {
  action: DecisionAction;
  reason: string;
  /** Milliseconds since the epoch, when it is to be taken again; null for never. */
  untilMs: number | null;
  /** The evidence at the time: the end of the endpoint's newest answered call, and the names of its callers. */
  lastAnsweredMs: number | null;
  callers: string[];
}

/** One entry of a history; `action` is null where the decision before was withdrawn. */
export type DecisionRecord = Omit<Decision, 'action'> & { action: DecisionAction | null };

/** The method and shape of a place. */
export function placeShape({ method, route }: { method: string; route: string }): string {
  return `${method} ${endpointShape(canonicalRoute(route))}`;
}

/** Equal for two spellings of one place, different for any two places. */
export function placeKey(place: DecisionPlace): string {
  return JSON.stringify([place.service, place.environment, placeShape(place)]);
}
