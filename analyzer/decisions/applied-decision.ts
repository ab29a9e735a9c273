import { canonicalRoute } from '../../core/route/route.ts';
import type { Decision } from '../../core/store/decisions.ts';
import { endpointShape } from '../../core/store/endpoint-identity.ts';
import type { EndpointRecord, LastCaller } from '../../core/store/store.ts';

/** Why a decision is to be taken again. */
export const returnReasons = ['until_passed', 'new_consumer', 'called'] as const;
export type ReturnReason = (typeof returnReasons)[number];

/** A decision as it applies to one endpoint now. */
export interface AppliedDecision {
  decision: Decision;
  /** Null while it holds. */
  returned: ReturnReason | null;
}

/** The facts of an endpoint that a decision rests on. */
export type DecidedEndpoint = Pick<
  EndpointRecord,
  'service' | 'environment' | 'method' | 'route' | 'lastAnsweredCallers'
> & { lastAnsweredMs?: number; unrecordedMs?: number };

/**
 * Finds the decisions of endpoints. That of an environment comes before that of all environments, and that of a method
 * before that of every method: an endpoint that is declared without one may be decided before its first call.
 */
class DecisionTable {
  /** By service and shape of the route. */
  readonly #byShape: ReadonlyMap<string, readonly Decision[]>;

  constructor(decisions: readonly Decision[]) {
    this.#byShape = Map.groupBy(decisions, ({ service, route }) =>
      shapeKey(service, canonicalRoute(route)),
    );
  }

  applied(endpoint: DecidedEndpoint, nowMs: number): AppliedDecision | undefined {
    if (this.#byShape.size === 0) return undefined;
    const { service, route } = endpoint;
    const found = this.#byShape.get(shapeKey(service, route));
    const decision = found && choose(found, endpoint);
    return decision && { decision, returned: returnOf(decision, endpoint, nowMs) };
  }
}

/** A store answers the same list until a decision is made: its table is made once. */
export function decisionTableOf(decisions: readonly Decision[]): DecisionTable {
  const known = tables.get(decisions);
  if (known) return known;
  const made = new DecisionTable(decisions);
  tables.set(decisions, made);
  return made;
}

const tables = new WeakMap<readonly Decision[], DecisionTable>();

/** @param route canonical */
const shapeKey = (service: string, route: string): string => `${service}\0${endpointShape(route)}`;

function choose(
  decisions: readonly Decision[],
  { environment, method }: DecidedEndpoint,
): Decision | undefined {
  for (const wantedMethod of [method, '*']) {
    for (const wantedEnvironment of [environment, null]) {
      const found = decisions.find(
        (one) => one.method === wantedMethod && one.environment === wantedEnvironment,
      );
      if (found) return found;
    }
  }
  return undefined;
}

function returnOf(
  decision: Decision,
  endpoint: DecidedEndpoint,
  nowMs: number,
): ReturnReason | null {
  const { action, untilMs, lastAnsweredMs, callers } = decision;
  const knownMs = lastAnsweredMs ?? 0;
  if (action === 'remove' && (endpoint.lastAnsweredMs ?? 0) > knownMs) return 'called';
  if (action === 'keep') {
    const isNew = (caller: LastCaller) =>
      caller.atMs > knownMs && !callers.includes(callerName(caller));
    if (endpoint.lastAnsweredCallers.some(isNew)) return 'new_consumer';
  }
  return untilMs !== null && nowMs >= untilMs ? 'until_passed' : null;
}

/** Addresses change and may be hashed by the day: a caller is known by its consumer's name, or its agent's. */
function callerName({ consumer, agent }: LastCaller): string {
  return consumer || agent;
}

/** The evidence that a decision on these endpoints rests on. */
export function evidenceOf(
  endpoints: readonly DecidedEndpoint[],
): Pick<Decision, 'lastAnsweredMs' | 'callers'> {
  let newestMs: number | null = null;
  const callers = new Set<string>();
  for (const { lastAnsweredMs, unrecordedMs, lastAnsweredCallers } of endpoints) {
    const ms = Math.max(lastAnsweredMs ?? 0, unrecordedMs ?? 0);
    if (ms > 0) newestMs = Math.max(newestMs ?? 0, ms);
    for (const caller of lastAnsweredCallers) callers.add(callerName(caller));
  }
  return { lastAnsweredMs: newestMs, callers: [...callers] };
}
