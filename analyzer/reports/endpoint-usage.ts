import assert from 'node:assert/strict';
import { z } from 'zod';
import { noUse } from '../../core/endpoint-use.ts';
import { specialRoutes } from '../../core/limits.ts';
import { endpointShape, isBucket } from '../../core/store/endpoint-identity.ts';
import type {
  Coverage,
  EndpointRecord,
  Selection,
  ServiceRecord,
  Snapshot,
} from '../../core/store/store.ts';
import type { Usage } from '../../core/usage/usage.ts';
import type { Window } from '../../core/window.ts';
import { type AppliedDecision, decisionTableOf } from '../decisions/applied-decision.ts';
import {
  type Declaration,
  DeclarationCache,
  type Declarations,
  type UncalledEndpoint,
} from '../inventory/declarations.ts';
import type { Note, QueryContext, Thresholds } from '../query/answer-head.ts';
import { count, named } from '../query/schema.ts';
import { type Status, statuses } from '../query/status.ts';
import { type JointVerdict, jointVerdict } from '../verdict/environments.ts';
import { type Lifecycle, lifecycle, uncalledLifecycle } from '../verdict/lifecycle.ts';
import { type ServiceContext, serviceKey, verdictModel } from '../verdict/model.ts';
import { dayMs } from '../verdict/observation.ts';
import { renamedPairs } from '../verdict/renamed.ts';
import { clientNotes, isHashed } from './callers/client-notes.ts';
import { countOf, emptyUsage } from './figures.ts';
import { deploymentsOf, isStale } from './series/deployments.ts';
import type { Spark } from './series/spark.ts';

/** Every endpoint of a selection with its usage in a window and its lifecycle. */
export interface EndpointUsage {
  coverage: Coverage;
  /** End of the oldest span of the selection. */
  observedSinceMs: number | undefined;
  /** Some count is an estimate. */
  estimated: boolean;
  notes: Note[];
  entries: EndpointEntry[];
}

export interface EndpointEntry {
  endpoint: ListedEndpoint;
  usage: Usage;
  lifecycle: Lifecycle;
  /** The declaration in the service's inventory; absent without an inventory, and for buckets. */
  declaration?: Declaration;
  /** Who answers for it: names of the file of owners, else of the inventory, else of its spans' resource. */
  owners: readonly string[];
  /** Its verdict over all environments of its service; absent where the service has one. */
  joint?: JointVerdict;
  /** Ids of the endpoint that took its place, and of the one whose place it took. */
  renamedTo?: string;
  renamedFrom?: string;
  /** The decision of people on it, if there is one. */
  decision?: AppliedDecision;
  /** The window of the list; only where a row was asked for its callers. */
  window?: Window;
  /** Calls over time; only where a row was asked to have them. */
  spark?: Spark;
}

/** An endpoint that was observed, or one that is only declared: then its times are null. */
export type ListedEndpoint = Omit<EndpointRecord, 'firstCallMs' | 'lastCallMs'> & {
  firstCallMs: number | null;
  lastCallMs: number | null;
};

/** @param coverage of the store; its window is read as it is */
export async function usageByEndpoint(
  context: QueryContext,
  selection: Selection,
  coverage: Coverage,
): Promise<EndpointUsage> {
  const { snapshot } = context;
  const { entries, selected, endpoints } = await judgedEndpoints(context, selection);
  const usages = await snapshot.usage(selected, coverage.window);
  let estimated = false;
  for (const entry of entries) {
    const usage = usages.get(entry.endpoint.id);
    if (usage) entry.usage = usage;
    estimated ||= entry.usage.uniqueClientsEstimated || isEstimated(entry.endpoint, entry.usage);
  }
  await addVerdictsOfOthers(context, selection, entries);
  const hashed = endpoints.some(({ lastCallers }) => lastCallers.some(isHashed));
  const notes = clientNotes(context, coverage.window, hashed);
  return { coverage, observedSinceMs: observedSince(endpoints), estimated, notes, entries };
}

/** The endpoints of a selection with their verdicts, and no usage. */
export async function judgedEndpoints(
  context: QueryContext,
  selection: Selection,
): Promise<{ entries: EndpointEntry[]; selected: Selection; endpoints: EndpointRecord[] }> {
  const { snapshot, thresholds, nowMs } = context;
  const records = await snapshot.services();
  const declarations = await selectedDeclarations(snapshot, selection, records);
  const selected = withPresentIds(selection, declarations);
  const endpoints = await snapshot.endpoints(selected);
  const model = await verdictModel(context, records, thresholds.coldAfterDays);
  const { services, parameters } = model;
  const circumstances = { thresholds, nowMs, parameters };
  const decisions = decisionTableOf(await snapshot.decisions());
  const { endpoints: only, ...ofServices } = selected;
  const siblings = only === undefined ? endpoints : await snapshot.endpoints(ofServices);
  const deployments = deploymentsOf(siblings);
  const heads = headUses(siblings, declarations);
  const others = otherCalls(siblings);
  const entries: EndpointEntry[] = [];
  for (const endpoint of endpoints) {
    const key = serviceKey(endpoint);
    const service = services.get(key);
    if (service === undefined) {
      assert.fail(`endpoint ${endpoint.id} has no service ${endpoint.service}`);
    }
    const declaration = declarations?.byEndpoint.get(endpoint.id);
    const isGet = heads.size > 0 && endpoint.method === 'GET';
    const headMs = isGet ? heads.get(placeShapeKey(endpoint)) : undefined;
    const life = lifecycle(endpoint, service, circumstances, declaration, headMs);
    const isOlder = isStale(endpoint, deployments.get(key));
    if (life.status !== null && isOlder) life.marks.push('stale_version');
    const owners = ownersOf(context, endpoint, declaration);
    const entry: EndpointEntry = { endpoint, usage: emptyUsage, lifecycle: life, owners };
    if (declaration) entry.declaration = declaration;
    const decision = decisions.applied(endpoint, nowMs);
    if (decision) entry.decision = decision;
    entries.push(entry);
  }
  for (const uncalled of declarations?.uncalled ?? []) {
    if (!isSelected(uncalled, selection)) continue;
    const { declaration } = uncalled;
    const service = services.get(serviceKey(uncalled));
    const endpoint = listedOf(uncalled);
    const decision = decisions.applied(endpoint, nowMs);
    entries.push({
      endpoint,
      usage: emptyUsage,
      lifecycle: uncalledLifecycle(
        declaration,
        service,
        circumstances,
        others.get(placeMethodKey(uncalled)),
      ),
      declaration,
      owners: ownersOf(context, endpoint, declaration),
      ...(decision && { decision }),
    });
  }
  if (selection.endpoints === undefined) markRenamed(entries, services, thresholds);
  return { entries, selected, endpoints };
}

/**
 * The newest use of HEAD by place and shape: frameworks answer it with the handler of GET, unless HEAD is declared by
 * itself.
 */
function headUses(
  endpoints: readonly EndpointRecord[],
  declarations: Declarations | undefined,
): ReadonlyMap<string, number> {
  const heads = new Map<string, number>();
  for (const endpoint of endpoints) {
    if (endpoint.method !== 'HEAD' || isBucket(endpoint.route)) continue;
    if (declarations?.byEndpoint.get(endpoint.id)?.method === 'HEAD') continue;
    const key = placeShapeKey(endpoint);
    heads.set(key, Math.max(heads.get(key) ?? 0, endpoint.use.lastMs));
  }
  return heads;
}

/** The newest call in `{other}` by place and method, and by place for routes of every method. */
function otherCalls(endpoints: readonly EndpointRecord[]): ReadonlyMap<string, number> {
  const others = new Map<string, number>();
  for (const endpoint of endpoints) {
    if (endpoint.route !== specialRoutes.other) continue;
    for (const method of [endpoint.method, '*']) {
      const key = placeMethodKey({ ...endpoint, method });
      others.set(key, Math.max(others.get(key) ?? 0, endpoint.lastCallMs));
    }
  }
  return others;
}

function placeMethodKey({ service, environment, method }: Omit<ObservedPlace, 'route'>): string {
  return `${service}\0${environment}\0${method}`;
}

type ObservedPlace = Pick<EndpointRecord, 'service' | 'environment' | 'method' | 'route'>;

/** Equal for the endpoints of one shape in one service and environment, whatever their methods. */
function placeShapeKey({ service, environment, route }: EndpointRecord): string {
  return `${service}\0${environment}\0${endpointShape(route)}`;
}

const noOwners: readonly string[] = [];

/** The file of owners goes before the inventory: whoever runs Rollcall wrote it. A resource names one for a service. */
function ownersOf(
  { owners }: QueryContext,
  endpoint: ListedEndpoint,
  declaration: Declaration | undefined,
): readonly string[] {
  if (isBucket(endpoint.route)) return noOwners;
  const owner = declaration?.owner ?? endpoint.traits?.owner?.name;
  return owners.of(endpoint) ?? (owner === undefined ? noOwners : [owner]);
}

/** Offers pairs of a silent endpoint and a new one. Only a whole service shows them. */
function markRenamed(
  entries: readonly EndpointEntry[],
  services: ReadonlyMap<string, ServiceContext>,
  { coldAfterDays }: Thresholds,
): void {
  const byId = new Map<string, EndpointEntry>();
  const silent: EndpointRecord[] = [];
  const begun: EndpointRecord[] = [];
  const coldMs = coldAfterDays * dayMs;
  let firstOfAllMs = Number.POSITIVE_INFINITY;
  for (const { observation } of services.values()) {
    firstOfAllMs = Math.min(firstOfAllMs, observation.firstMs);
  }
  for (const entry of entries) {
    const { status } = entry.lifecycle;
    const { firstCallMs } = entry.endpoint;
    if (status === null || firstCallMs === null) continue;
    const endpoint = entry.endpoint as EndpointRecord;
    const { isContinued } = entry.lifecycle;
    const isSilent = status === 'cold' || status === 'dead' || isContinued === true;
    // Most endpoints are as old as the oldest service, and need no look at their own.
    if (!isSilent && firstCallMs - firstOfAllMs <= coldMs) continue;
    const { firstMs } = services.get(serviceKey(endpoint))!.observation;
    const isBegun = firstCallMs - firstMs > coldMs;
    if (isSilent) silent.push(endpoint);
    if (isBegun) begun.push(endpoint);
    if (isSilent || isBegun) byId.set(endpoint.id, entry);
  }
  for (const { old, successor } of renamedPairs(silent, begun)) {
    const [before, after] = [byId.get(old.id)!, byId.get(successor.id)!];
    before.renamedTo = successor.id;
    after.renamedFrom = old.id;
    for (const { lifecycle: life } of [before, after]) {
      if (!life.marks.includes('renamed')) life.marks.push('renamed');
    }
  }
}

/**
 * Adds what follows from other endpoints: the verdict over all environments of a service where there are several,
 * and, to single endpoints that were selected, which ones were renamed.
 */
async function addVerdictsOfOthers(
  context: QueryContext,
  { service, environment, endpoints }: Selection,
  entries: readonly EndpointEntry[],
): Promise<void> {
  const environments = new Map<string, number>();
  for (const record of await context.snapshot.services()) {
    environments.set(record.service, (environments.get(record.service) ?? 0) + 1);
  }
  const isJoint = ({ endpoint }: EndpointEntry) => (environments.get(endpoint.service) ?? 0) > 1;
  if (endpoints === undefined && !entries.some(isJoint)) return;
  const isWhole = environment === undefined && endpoints === undefined;
  const only = service ?? (entries.length === 1 ? entries[0]!.endpoint.service : undefined);
  const all = isWhole
    ? entries
    : (await judgedEndpoints(context, only === undefined ? {} : { service: only })).entries;
  if (endpoints !== undefined) copyRenamed(all, entries);
  const verdicts = new Map<string, JointVerdict[]>();
  for (const entry of all) {
    const { status, confidence } = entry.lifecycle;
    if (status === null || !isJoint(entry)) continue;
    const key = acrossKey(entry);
    const known = verdicts.get(key);
    if (known) known.push({ status, confidence });
    else verdicts.set(key, [{ status, confidence }]);
  }
  for (const entry of entries) {
    const own = verdicts.get(acrossKey(entry));
    if (own) entry.joint = jointVerdict(own);
  }
}

function copyRenamed(all: readonly EndpointEntry[], entries: readonly EndpointEntry[]): void {
  for (const entry of entries) {
    const known = all.find(({ endpoint }) => endpoint.id === entry.endpoint.id);
    if (known?.renamedTo !== undefined) entry.renamedTo = known.renamedTo;
    if (known?.renamedFrom !== undefined) entry.renamedFrom = known.renamedFrom;
    if (known?.lifecycle.marks.includes('renamed')) entry.lifecycle.marks.push('renamed');
  }
}

/** Equal for an endpoint in several environments. */
export function acrossKey({ endpoint: { service, method, route } }: EndpointEntry): string {
  return `${service}\0${method}\0${endpointShape(route)}`;
}

/**
 * Declarations of the services that a selection may concern; undefined without inventories. A service's
 * endpoints are all needed, since the prefix of its routes and what was never called follow from them.
 */
async function selectedDeclarations(
  snapshot: Snapshot,
  { service, environment }: Selection,
  services: readonly ServiceRecord[],
): Promise<Declarations | undefined> {
  const all = await snapshot.inventories();
  if (all.length === 0) return undefined;
  const narrowed = {
    ...(service !== undefined && { service }),
    ...(environment !== undefined && { environment }),
  };
  const observed = await snapshot.endpoints(narrowed);
  return declarationCache.declarations(all, narrowed, observed, services);
}

const declarationCache = new DeclarationCache();

/** An endpoint that was declared before its first call keeps the id that it had then. */
function withPresentIds(selection: Selection, declarations: Declarations | undefined): Selection {
  const { endpoints, ...rest } = selection;
  if (endpoints === undefined || declarations === undefined) return selection;
  const present = [...endpoints].map((id) => declarations.called.get(id) ?? id);
  return { ...rest, endpoints: new Set(present) };
}

function isSelected(endpoint: UncalledEndpoint, selection: Selection): boolean {
  const { service, environment, endpoints } = selection;
  return (
    (service === undefined || endpoint.service === service) &&
    (environment === undefined || endpoint.environment === environment) &&
    (endpoints?.has(endpoint.id) ?? true)
  );
}

function listedOf({ declaration: _declaration, ...names }: UncalledEndpoint): ListedEndpoint {
  return {
    ...names,
    templated: false,
    firstCallMs: null,
    lastCallMs: null,
    lifetimeCalls: 0,
    lifetimeErrors: 0,
    lifetimeOutcomes: { answered: 0, refused: 0, missing: 0, failed: 0 },
    botCalls: 0,
    lastVersion: '',
    lastCallers: [],
    lastAnsweredVersion: '',
    lastAnsweredCallers: [],
    versions: [],
    use: noUse(),
  };
}

/** Calls in the window or in its life were counted by weights. */
export function isEstimated(endpoint: Pick<EndpointRecord, 'sampling'>, usage: Usage): boolean {
  return endpoint.sampling !== undefined || usage.sampling !== undefined;
}

export function observedSince(
  records: readonly (EndpointRecord | ServiceRecord)[],
): number | undefined {
  let oldestMs: number | undefined;
  for (const { firstCallMs } of records) oldestMs = Math.min(firstCallMs, oldestMs ?? Infinity);
  return oldestMs;
}

/** Counts the whole selection, not only the rows that filters leave. */
export const endpointSummarySchema = named(
  'EndpointSummary',
  z
    .object({
      total_endpoints: count,
      total_requests: count.describe('calls in the window'),
      ...(Object.fromEntries(statuses.map((status) => [status, count])) as Record<
        Status,
        typeof count
      >),
      undocumented: count,
    })
    .describe('counts the whole selection, whatever the filters leave of the list'),
);

export function summarize(
  entries: readonly EndpointEntry[],
): z.output<typeof endpointSummarySchema> {
  const byStatus = Object.fromEntries(statuses.map((status) => [status, 0])) as Record<
    Status,
    number
  >;
  let calls = 0;
  let endpoints = 0;
  for (const { usage, lifecycle: life } of entries) {
    calls += usage.calls;
    if (life.status === null) continue;
    endpoints += 1;
    byStatus[life.status] += 1;
  }
  return {
    total_endpoints: endpoints,
    total_requests: countOf(calls),
    ...byStatus,
    undocumented: entries.filter(({ declaration }) => declaration?.state === 'undocumented').length,
  };
}
