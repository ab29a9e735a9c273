import { dump } from 'js-yaml';
import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { endpointShape } from '../../core/store/endpoint-identity.ts';
import { isoTime } from '../../core/window.ts';
import { commonParameters } from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import { keptCoverage, requestedWindow } from '../query/window.ts';
import { type EndpointEntry, usageByEndpoint } from '../reports/endpoint-usage.ts';
import { countOf, statusCodes } from '../reports/figures.ts';
import { parameterSchema } from './parameter-kind.ts';

const { environment, window, from, to } = commonParameters;
const anyObject = z.record(z.string(), z.unknown());

/** The observed routes of a service as an OpenAPI document: the first inventory of a team that has none. */
export const observedDocument = defineQuery({
  name: 'observedDocument',
  path: '/services/:service/openapi',
  about:
    'The observed routes of a service as an OpenAPI 3.1 document, and how it differs from the inventory',
  parameters: z.strictObject({
    environment,
    window,
    from,
    to,
    format: z.enum(['json', 'yaml']).default('json').describe('json or yaml; json unless told'),
  }),
  schema: z.object({
    openapi: z.literal('3.1.0'),
    info: anyObject,
    servers: z.array(anyObject),
    paths: z
      .record(z.string(), anyObject)
      .describe('operations with x-rollcall: what was observed'),
    'x-rollcall': anyObject.describe('the window, and how the document differs from the inventory'),
  }),
  texts: {
    yaml: {
      contentType: 'application/yaml; charset=utf-8',
      write: (body) => dump(body, { lineWidth: -1, noRefs: true }),
    },
  },
  async answer(context, parameters, { service = '' }) {
    const coverage = await keptCoverage(context.snapshot, requestedWindow(parameters, context));
    const selection = {
      service,
      ...(parameters.environment !== undefined && { environment: parameters.environment }),
    };
    const { entries } = await usageByEndpoint(context, selection, coverage);
    if (entries.length === 0) {
      const message = 'no service of this name was ever observed or declared';
      throw new AppError('not_found', message, { field: 'service' });
    }
    const observed = entries.filter(isPart);
    const isDeclared = entries.some(({ declaration }) => declaration !== undefined);
    return {
      openapi: '3.1.0' as const,
      info: {
        title: service,
        version:
          observed.findLast(({ endpoint }) => endpoint.lastVersion)?.endpoint.lastVersion || '0',
        description:
          'Made of the calls that were observed. Names and kinds of parameters follow from the routes.',
      },
      servers: [{ url: '/' }],
      paths: pathsOf(observed),
      'x-rollcall': {
        generated_at: isoTime(context.nowMs),
        window: {
          from: isoTime(coverage.window.fromS * 1000),
          to: isoTime(coverage.window.toS * 1000),
        },
        ...(isDeclared && { difference: differenceOf(entries, observed) }),
        left_out: entries
          .filter((entry) => entry.lifecycle.status !== null && isOdd(entry))
          .map(nameOf),
      },
    };
  },
});

/** An endpoint that never answered may not exist: a scanner's path, a route behind a gate. */
function isPart({ endpoint, lifecycle }: EndpointEntry): boolean {
  const hasAnswered = endpoint.lastAnsweredMs !== undefined || endpoint.unrecordedMs !== undefined;
  return (
    lifecycle.status !== null &&
    hasAnswered &&
    methods.has(endpoint.method) &&
    endpoint.route.startsWith('/')
  );
}

/** Observed, and no part of the document. */
const isOdd = (entry: EndpointEntry): boolean =>
  entry.endpoint.lastCallMs !== null && !isPart(entry);

/** Methods that a path item has a field for (OpenAPI 3.1, Path Item Object). */
const methods = new Set(['GET', 'PUT', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH', 'TRACE']);

const nameOf = ({ endpoint }: EndpointEntry): string => `${endpoint.method} ${endpoint.route}`;
const namesOf = (entries: readonly EndpointEntry[]): string[] =>
  [...new Set(entries.map(nameOf))].sort();

function differenceOf(
  entries: readonly EndpointEntry[],
  observed: readonly EndpointEntry[],
): object {
  return {
    undocumented: namesOf(
      observed.filter(({ declaration }) => declaration?.state === 'undocumented'),
    ),
    removed_and_observed: namesOf(
      observed.filter(({ declaration }) => declaration?.state === 'removed'),
    ),
    declared_and_never_called: namesOf(
      entries.filter(({ lifecycle }) => lifecycle.status === 'never_called'),
    ),
  };
}

/** By shape of the route, since OpenAPI takes `/a/{x}` and `/a/{y}` for one path; environments are added up. */
function pathsOf(entries: readonly EndpointEntry[]): Record<string, Record<string, unknown>> {
  const byShape = Map.groupBy(entries, ({ endpoint }) => endpointShape(endpoint.route));
  const used = new Set<string>();
  const paths: [string, Record<string, unknown>][] = [];
  for (const ofShape of byShape.values()) {
    const { route, display } = ofShape[0]!.endpoint;
    const { path, parameters } = templateOf(route, display);
    const item: Record<string, unknown> = parameters.length > 0 ? { parameters } : {};
    for (const [method, ofMethod] of Map.groupBy(ofShape, ({ endpoint }) => endpoint.method)) {
      item[method.toLowerCase()] = operationOf(method, path, ofMethod, used);
    }
    paths.push([path, item]);
  }
  return Object.fromEntries(paths.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The route with names that are unique in it and that OpenAPI allows, and its parameters. */
function templateOf(route: string, display: string): { path: string; parameters: object[] } {
  const parameters: object[] = [];
  const used = new Set<string>();
  const path = route.replace(/\{([^{}]*)\}/g, (_whole, told: string) => {
    const plain = told.replace(/[^\w.-]/g, '') || 'parameter';
    let name = plain;
    for (let n = 2; used.has(name); n += 1) name = `${plain}${n}`;
    used.add(name);
    const schema = parameterSchema(told, display);
    parameters.push({ name, in: 'path', required: true, schema });
    return `{${name}}`;
  });
  // Characters that begin the query or the fragment of a URL are no part of a path.
  return { path: path.replaceAll('?', '%3F').replaceAll('#', '%23'), parameters };
}

function operationOf(
  method: string,
  path: string,
  entries: readonly EndpointEntry[],
  used: Set<string>,
): object {
  const statuses = new Map<string, number>();
  let calls = 0;
  let lifetimeCalls = 0;
  let lastCallMs = 0;
  const consumers = new Set<string>();
  for (const { endpoint, usage } of entries) {
    calls += countOf(usage.calls);
    lifetimeCalls += countOf(endpoint.lifetimeCalls);
    lastCallMs = Math.max(lastCallMs, endpoint.lastCallMs ?? 0);
    for (const { consumer, agent } of endpoint.lastAnsweredCallers)
      consumers.add(consumer || agent);
    for (const [status, count] of Object.entries(statusCodes(usage))) {
      if (Number(status) >= 100) statuses.set(status, (statuses.get(status) ?? 0) + count);
    }
  }
  consumers.delete('');
  const responses = [...statuses].map(([status, count]) => [
    status,
    { description: `${count} calls in the window`, 'x-rollcall': { calls: count } },
  ]);
  const isDeprecated = entries.some(({ declaration }) => declaration?.deprecated);
  const declared = entries.find(
    ({ declaration }) => declaration?.state === 'declared',
  )?.declaration;
  const { owners } = entries[0]!;
  return {
    operationId: operationIdOf(method, path, declared?.operationId, used),
    summary: `${method} ${path}`,
    ...(owners.length > 0 && { 'x-owner': owners.join(', ') }),
    ...(isDeprecated && { deprecated: true }),
    responses:
      responses.length > 0
        ? Object.fromEntries(responses)
        : { default: { description: 'no call in the window' } },
    'x-rollcall': {
      calls,
      lifetime_calls: lifetimeCalls,
      last_called_at: isoTime(lastCallMs),
      consumers: [...consumers],
      endpoints: entries.map(({ endpoint, lifecycle }) => ({
        id: endpoint.id,
        environment: endpoint.environment,
        status: lifecycle.status,
      })),
    },
  };
}

/** @param used the ids of operations before it: each is used once */
function operationIdOf(method: string, path: string, told: string | undefined, used: Set<string>) {
  const plain = told ?? `${method.toLowerCase()}${path.replace(/\W+/g, '_').replace(/_$/, '')}`;
  let id = plain;
  for (let n = 2; used.has(id); n += 1) id = `${plain}${n}`;
  used.add(id);
  return id;
}
