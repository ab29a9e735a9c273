import { JSON_SCHEMA, load } from 'js-yaml';
import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import { type Decision, type DecisionPlace, placeKey } from '../../core/store/decisions.ts';
import type { EndpointRecord } from '../../core/store/store.ts';
import { checkedInput } from '../query/json-input.ts';
import { commonParameters, formatParameter } from '../query/parameters.ts';
import { defineProjectCommand } from '../query/project-command.ts';
import { defineQuery } from '../query/query.ts';
import { count } from '../query/schema.ts';
import { evidenceOf } from './applied-decision.ts';
import { decisionEntry, decisionFile, jsonSchemaOf } from './decision-input.ts';
import { decisionTable } from './decision-row.ts';
import { declaredRoutes } from './declared-places.ts';

const { service, environment } = commonParameters;

/** All decisions that hold: what `rollcall.decisions.yaml` holds, so that review is code review. */
export const decisions = defineQuery({
  name: 'decisions',
  path: '/decisions',
  about: 'Every decision on an endpoint, by service, environment, route and method',
  parameters: z.strictObject({ service, environment, format: formatParameter }),
  schema: z.object({ decisions: z.array(decisionTable.schema) }),
  list: {
    title: 'Decisions',
    noun: 'decisions',
    table: decisionTable,
    prose: ({ decisions: rows }: { decisions: unknown[] }) => `${rows.length} decisions.`,
  },
  async answer({ snapshot }, parameters) {
    const all = await snapshot.decisions();
    const chosen = all.filter(
      (decision) =>
        (parameters.service ?? decision.service) === decision.service &&
        (parameters.environment ?? decision.environment) === decision.environment,
    );
    return { decisions: chosen.map((decision) => decisionTable.row(decision)) };
  },
});

export const importDecisions = defineProjectCommand({
  name: 'importDecisions',
  path: '/decisions',
  method: 'PUT',
  tag: 'decisions',
  about: 'Takes over the decisions of a file; those that are the same stay as they are',
  action: 'decide',
  parameters: z.strictObject({
    prune: z
      .enum(['true', 'false'])
      .default('false')
      .describe('true or false; true withdraws decisions on services of the file that it lacks'),
    dry_run: z
      .enum(['true', 'false'])
      .default('false')
      .describe('true or false; true answers what would change and stores nothing'),
  }),
  body: {
    description: 'A file of decisions, as `rollcall decisions export` writes it, in YAML or JSON.',
    bytesMax: limits.decisionsBytes,
    schemas: {
      'application/yaml': { type: 'string' },
      'application/json': jsonSchemaOf(z.object({ decisions: z.array(decisionEntry) })),
    },
  },
  status: 200,
  schema: z.object({
    decided: count.describe('new or changed'),
    unchanged: count,
    withdrawn: count,
    unknown: z
      .array(z.string())
      .describe('operations of the file that were neither called nor declared; taken over too'),
    dry_run: z.boolean(),
  }),
  failures: {
    409: 'The project has as many decisions as it may',
    413: 'The file is too large',
  },
  async run(context) {
    const { project, nowMs, parameters } = context;
    const entries = readFile(context.body);
    const plan = await context.ask(async ({ snapshot }) => {
      const services = new Set(entries.map((entry) => entry.service));
      const endpoints = (await snapshot.endpoints({})).filter((one) => services.has(one.service));
      const declared = declaredRoutes(await snapshot.inventories());
      const before = (await snapshot.decisions()).filter((one) => services.has(one.service));
      return planOf(entries, before, observedTable(endpoints), declared, nowMs);
    });
    const prunes = parameters.prune === 'true';
    if (parameters.dry_run !== 'true') {
      await context.decisions.decide(project, plan.changed);
      if (prunes) {
        const by = { by: 'import', decidedMs: nowMs };
        await context.decisions.withdraw(project, plan.missing, by);
      }
    }
    return {
      decided: plan.changed.length,
      unchanged: entries.length - plan.changed.length,
      withdrawn: prunes ? plan.missing.length : 0,
      unknown: plan.unknown,
      dry_run: parameters.dry_run === 'true',
    };
  },
});

type Entry = z.output<typeof decisionEntry>;

/** @throws AppError `invalid` that names the entry */
function readFile(text: string): Entry[] {
  const file = checkedInput(decisionFile, parse(text));
  if (file.decisions.length > limits.decidedEndpoints) {
    const message = `the file has ${file.decisions.length} decisions; a project has at most ${limits.decidedEndpoints}`;
    throw new AppError('too_large', message);
  }
  const places = new Map<string, number>();
  return file.decisions.map((value, index) => {
    const entry = checkedInput(decisionEntry, value, `decision ${index + 1}`);
    const key = placeKey(placeOf(entry));
    const earlier = places.get(key);
    if (earlier !== undefined) {
      const message = `decisions ${earlier + 1} and ${index + 1} are on one endpoint, ${entry.method} ${entry.route}`;
      throw new AppError('invalid', message, { field: 'decisions' });
    }
    places.set(key, index);
    return entry;
  });
}

/** JSON is YAML. Anchors are shared, not copied. */
function parse(text: string): unknown {
  try {
    return load(text, { schema: JSON_SCHEMA });
  } catch (error) {
    const message = `the file is no YAML: ${(error as Error).message.slice(0, 200)}`;
    throw new AppError('invalid', message, { field: 'decisions' });
  }
}

const placeOf = ({ service: name, environment: where, method, route }: Entry): DecisionPlace => ({
  service: name,
  environment: where ?? null,
  method,
  route,
});

/** Observed endpoints by their place in their environment, and by that in all environments. */
function observedTable(endpoints: readonly EndpointRecord[]): Map<string, EndpointRecord[]> {
  const table = new Map<string, EndpointRecord[]>();
  for (const endpoint of endpoints) {
    for (const where of [endpoint.environment, null]) {
      const key = placeKey({ ...endpoint, environment: where });
      const known = table.get(key);
      if (known) known.push(endpoint);
      else table.set(key, [endpoint]);
    }
  }
  return table;
}

function planOf(
  entries: readonly Entry[],
  before: readonly Decision[],
  observed: ReadonlyMap<string, readonly EndpointRecord[]>,
  declared: ReadonlySet<string>,
  nowMs: number,
): { changed: Decision[]; missing: Decision[]; unknown: string[] } {
  const earlier = new Map(before.map((decision) => [placeKey(decision), decision]));
  const changed: Decision[] = [];
  const unknown: string[] = [];
  for (const entry of entries) {
    const place = placeOf(entry);
    const key = placeKey(place);
    const { decision: action, reason, until, by } = entry;
    const endpoints = observed.get(key) ?? [];
    if (endpoints.length === 0 && !declared.has(placeKey({ ...place, environment: null }))) {
      unknown.push(`${place.service}: ${place.method} ${place.route}`);
    }
    const decision: Decision = {
      ...place,
      action,
      reason,
      untilMs: until ?? null,
      by,
      decidedMs: nowMs,
      ...evidenceOf(endpoints),
    };
    const known = earlier.get(key);
    earlier.delete(key);
    if (!known || !isSame(known, decision)) changed.push(decision);
  }
  return { changed, missing: [...earlier.values()], unknown };
}

const isSame = (a: Decision, b: Decision): boolean =>
  a.action === b.action && a.reason === b.reason && a.untilMs === b.untilMs && a.by === b.by;
