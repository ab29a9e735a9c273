import { isBucket } from '../../core/store/endpoint-identity.ts';
import type { EndpointRecord, ServiceRecord, Snapshot } from '../../core/store/store.ts';
import { fit, type History, type Parameters } from './bgnbd.ts';
import { dayMs, type Observation, observationOf, observedMs } from './observation.ts';
import { rhythmOf } from './rhythm.ts';

/** What verdicts of a project share: how its endpoints are used, and how its services were observed. */
export interface VerdictModel {
  parameters: Parameters;
  /** By `serviceKey`. */
  services: ReadonlyMap<string, ServiceContext>;
}

export interface ServiceContext {
  observation: Observation;
  /** Share of its calls whose route was guessed from the path, or is unknown. */
  guessedShare: number;
  /** Mean weight of its sampled calls; 1 without any. */
  weight: number;
  /** Some span of it had a header that announces an endpoint's end, or would have been seen with one. */
  reportsEndings: boolean;
}

/** Equal for a service's record and those of its endpoints, different for any two services. */
export function serviceKey({ service, environment }: ServiceNames): string {
  return `${service}\0${environment}`;
}

export type ServiceNames = Pick<ServiceRecord, 'service' | 'environment'>;

type Shared = Pick<VerdictModel, 'parameters'> & {
  byService: ReadonlyMap<string, Omit<ServiceContext, 'observation'>>;
};

/** Projects whose models are cached; a full cache is emptied. */
const cachedProjects = 64;
const cache = new Map<string, { state: string; shared: Shared }>();
/** By project: the last fit, with a digest of the histories it was made of. */
const fits = new Map<string, { state: number; parameters: Parameters }>();

/** @param services of the snapshot, all of them */
export async function verdictModel(
  { project, snapshot, nowMs }: { project: string; snapshot: Snapshot; nowMs: number },
  services: readonly ServiceRecord[],
  coldAfterDays: number,
): Promise<VerdictModel> {
  const observations = new Map(
    services.map((service) => [serviceKey(service), observationOf(service, coldAfterDays)]),
  );
  const today = Math.floor(nowMs / dayMs);
  const state = stateOf(services, today, coldAfterDays);
  const cached = cache.get(project);
  const shared =
    cached?.state === state
      ? cached.shared
      : sharedOf(project, await snapshot.endpoints({}), observations, today);
  if (cached?.state !== state) {
    if (cache.size >= cachedProjects) cache.clear();
    cache.set(project, { state, shared });
  }
  const contexts = new Map<string, ServiceContext>();
  for (const [key, observation] of observations) {
    contexts.set(key, { ...(shared.byService.get(key) ?? ofNoCalls), observation });
  }
  return { parameters: shared.parameters, services: contexts };
}

const ofNoCalls = { guessedShare: 0, weight: 1, reportsEndings: false };

/** Changes with every call that was counted. */
function stateOf(services: readonly ServiceRecord[], today: number, coldAfterDays: number): string {
  let calls = 0;
  let endpoints = 0;
  let days = 0;
  for (const service of services) {
    calls += service.lifetimeCalls;
    endpoints += service.endpoints;
    days += service.heardDays.length;
  }
  return `${today} ${coldAfterDays} ${services.length} ${endpoints} ${calls} ${days}`;
}

function sharedOf(
  project: string,
  endpoints: readonly EndpointRecord[],
  observations: ReadonlyMap<string, Observation>,
  today: number,
): Shared {
  const sums = new Map<
    string,
    { calls: number; guessed: number; unseen: number; sampled: number; reportsEndings: boolean }
  >();
  for (const endpoint of endpoints) {
    const key = serviceKey(endpoint);
    let sum = sums.get(key);
    if (sum === undefined) {
      sum = { calls: 0, guessed: 0, unseen: 0, sampled: 0, reportsEndings: false };
      sums.set(key, sum);
    }
    const { traits } = endpoint;
    if (traits?.announcement || traits?.reportingDay) sum.reportsEndings = true;
    const { answered, failed } = endpoint.lifetimeOutcomes;
    sum.calls += answered + failed;
    if (endpoint.templated || isBucket(endpoint.route)) sum.guessed += answered + failed;
    if (endpoint.sampling === undefined) continue;
    sum.unseen += endpoint.lifetimeCalls - endpoint.sampling.seenCalls;
    sum.sampled += endpoint.use.sampledCalls;
  }
  const byService = new Map(
    [...sums].map(([key, { calls, guessed, unseen, sampled, reportsEndings }]) => [
      key,
      {
        guessedShare: calls > 0 ? guessed / calls : 0,
        weight: sampled > 0 ? Math.max(1, 1 + unseen / sampled) : 1,
        reportsEndings,
      },
    ]),
  );
  return { parameters: fitted(project, endpoints, observations, today), byService };
}

/** Fitted to whole days before today: within a day, only a late call changes it. */
function fitted(
  project: string,
  endpoints: readonly EndpointRecord[],
  observations: ReadonlyMap<string, Observation>,
  today: number,
): Parameters {
  const histories: History[] = [];
  let state = 0;
  for (const endpoint of endpoints) {
    if (isBucket(endpoint.route)) continue;
    const observation = observations.get(serviceKey(endpoint));
    const rhythm = observation && rhythmOf(endpoint.use.days, observation.gaps);
    if (!rhythm || rhythm.firstDay >= today) continue;
    const isToday = rhythm.lastDay >= today;
    const lastDay = isToday ? rhythm.lastDayBefore : rhythm.lastDay;
    const observed = (day: number) =>
      observedMs(observation, (rhythm.firstDay + 0.5) * dayMs, (day + 0.5) * dayMs) / dayMs;
    const tx = observed(lastDay);
    const t = Math.max(tx, observed(today - 1));
    const x = rhythm.useDays - 1 - (isToday ? 1 : 0);
    histories.push({ x, tx, t });
    for (const number of [x, tx, t]) state = Math.imul(state ^ Math.round(number * 64), 0x01000193);
  }
  const known = fits.get(project);
  if (known?.state === state) return known.parameters;
  const parameters = fit(histories);
  if (fits.size >= cachedProjects) fits.clear();
  fits.set(project, { state, parameters });
  return parameters;
}
