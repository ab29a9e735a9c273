import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import type { Decision, DecisionPlace } from '../../core/store/decisions.ts';
import { jsonInput } from '../query/json-input.ts';
import { defineProjectCommand, type ProjectContext } from '../query/project-command.ts';
import { keptCoverage, requestedWindow } from '../query/window.ts';
import { type EndpointEntry, usageByEndpoint } from '../reports/endpoint-usage.ts';
import { evidenceOf, returnReasons } from './applied-decision.ts';
import { decisionInput, jsonSchemaOf } from './decision-input.ts';
import { decisionHistorySchema, decisionTable, historyRow } from './decision-row.ts';

/** The decision of people on one endpoint: what is to become of it, and why. */
const path = '/endpoints/:id/decision';
const missing = { 404: 'There is no such endpoint' };

const endpointDecisionSchema = z.object({
  service: z.string(),
  environment: z.string(),
  method: z.string(),
  route: z.string(),
  decision: decisionTable.schema.nullable().describe('null where none holds'),
  returned: z
    .enum(returnReasons)
    .nullable()
    .describe('why the decision is to be taken again; null while it holds'),
  history: z
    .array(decisionHistorySchema)
    .describe(`newest first, at most ${limits.decisionHistory}`),
});

export const putDecision = defineProjectCommand({
  name: 'putDecision',
  path,
  method: 'PUT',
  tag: 'decisions',
  about: 'Decides to keep, deprecate or remove an endpoint',
  action: 'decide',
  parameters: z.strictObject({}),
  body: {
    description: 'What is decided, why, until when and by whom.',
    bytesMax: limits.commandBytes,
    schemas: { 'application/json': jsonSchemaOf(decisionInput) },
  },
  status: 200,
  schema: endpointDecisionSchema,
  failures: { ...missing, 409: 'The project has as many decisions as it may' },
  async run(context) {
    const { decision: action, reason, until, by } = jsonInput(decisionInput, context.body);
    const entry = await entryOf(context);
    const decided: Decision = {
      ...placeOf(entry),
      action,
      reason,
      untilMs: until ?? null,
      by,
      decidedMs: context.nowMs,
      ...evidenceOf([entry.endpoint]),
    };
    await context.decisions.decide(context.project, [decided]);
    return describe(context, await entryOf(context));
  },
});

export const getDecision = defineProjectCommand({
  name: 'decision',
  path,
  method: 'GET',
  tag: 'decisions',
  about: 'The decision on an endpoint, whether it still holds, and the earlier ones',
  action: 'read',
  parameters: z.strictObject({}),
  status: 200,
  schema: endpointDecisionSchema,
  failures: missing,
  async run(context) {
    return describe(context, await entryOf(context));
  },
});

export const deleteDecision = defineProjectCommand({
  name: 'deleteDecision',
  path,
  method: 'DELETE',
  tag: 'decisions',
  about: 'Withdraws the decision on an endpoint; its history stays',
  action: 'decide',
  parameters: z.strictObject({
    by: z
      .string()
      .max(limits.decisionAuthorChars)
      .default('')
      .describe(`who withdraws it, at most ${limits.decisionAuthorChars} characters`),
  }),
  status: 204,
  failures: { 404: 'There is no such endpoint, or no decision on it' },
  async run(context) {
    const entry = await entryOf(context);
    const decision = entry.decision?.decision;
    const by = { by: context.parameters.by, decidedMs: context.nowMs };
    const places = decision ? [decision] : [];
    const withdrawn = await context.decisions.withdraw(context.project, places, by);
    if (withdrawn > 0) return undefined;
    const { method, route } = entry.endpoint;
    throw new AppError('not_found', `there is no decision on ${method} ${route}`, { field: 'id' });
  },
});

/** @throws AppError `not_found` */
async function entryOf({
  ask,
  path: { id = '' },
}: ProjectContext<unknown>): Promise<EndpointEntry> {
  return ask(async (context) => {
    const coverage = await keptCoverage(context.snapshot, requestedWindow({}, context));
    const { entries } = await usageByEndpoint(context, { endpoints: new Set([id]) }, coverage);
    const [entry] = entries;
    if (entry !== undefined && entry.lifecycle.status !== null) return entry;
    const shown = JSON.stringify(id.slice(0, 100));
    const message = entry
      ? `endpoint ${shown} is a bucket of calls, on which nothing can be decided`
      : `there is no endpoint ${shown}`;
    throw new AppError('not_found', message, { field: 'id' });
  });
}

function placeOf({ endpoint }: EndpointEntry): DecisionPlace & { environment: string } {
  const { service, environment, method, route } = endpoint;
  return { service, environment, method, route };
}

async function describe(
  { project, decisions }: ProjectContext<unknown>,
  entry: EndpointEntry,
): Promise<z.output<typeof endpointDecisionSchema>> {
  const { decision, returned } = entry.decision ?? { decision: undefined, returned: null };
  const place = placeOf(entry);
  const history = await decisions.history(project, decision ?? place);
  return {
    ...place,
    decision: decision ? decisionTable.row(decision) : null,
    returned,
    history: history.map(historyRow),
  };
}
