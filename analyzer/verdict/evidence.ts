import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import type { LastCaller } from '../../core/store/store.ts';
import { isoTime } from '../../core/window.ts';
import type { QueryContext } from '../query/answer-head.ts';
import { defineProjectCommand } from '../query/project-command.ts';
import { time } from '../query/schema.ts';
import { keptCoverage } from '../query/window.ts';
import { acrossKey, type EndpointEntry, usageByEndpoint } from '../reports/endpoint-usage.ts';
import { countOf } from '../reports/figures.ts';
import { jointVerdict } from './environments.ts';
import { type Evidence, evidenceSchema } from './evidence-facts.ts';
import { evidenceText } from './evidence-text.ts';
import type { Lifecycle } from './lifecycle.ts';
import { observationOf } from './observation.ts';
import { reasonsOf } from './reasons.ts';

/** Kept with its moment, so that a link in a pull request shows what it showed when it was pasted. */
export const endpointEvidence = defineProjectCommand({
  name: 'endpointEvidence',
  path: '/endpoints/:id/evidence',
  method: 'GET',
  tag: 'verdicts',
  about: 'Why an endpoint has its verdict, as facts to decide by or as text for a pull request',
  action: 'read',
  parameters: z.strictObject({
    format: z.enum(['json', 'md']).default('json').describe('md: text to paste'),
    as_of: time.optional().describe('the moment of an evidence that was answered before'),
  }),
  status: 200,
  schema: evidenceSchema,
  markdown: evidenceText,
  failures: { 404: 'There is no such endpoint, or no evidence of that moment' },
  async run({ project, ask, verdicts, nowMs, parameters, path: { id = '' } }) {
    const { as_of: asOf } = parameters;
    if (asOf !== undefined) {
      const kept = await verdicts.evidence(project, id, Date.parse(asOf));
      if (kept) return JSON.parse(kept.body) as Evidence;
      const message = `no evidence of ${asOf} is kept for endpoint ${JSON.stringify(id.slice(0, 100))}; without as_of= it is taken now`;
      throw new AppError('not_found', message, { field: 'as_of' });
    }
    const evidence = await ask((context) => evidenceOf(context, id));
    await verdicts.keepEvidence(project, {
      endpoint: id,
      asOfMs: nowMs,
      body: JSON.stringify(evidence),
    });
    return evidence;
  },
});

async function evidenceOf(context: QueryContext, id: string): Promise<Evidence> {
  const { snapshot, nowMs } = context;
  const nowS = Math.ceil(nowMs / 1000);
  const coverage = await keptCoverage(snapshot, { fromS: nowS - 86_400, toS: nowS });
  const { entries } = await usageByEndpoint(context, { endpoints: new Set([id]) }, coverage);
  const entry = entries[0];
  if (entry === undefined) {
    const shown = JSON.stringify(id.slice(0, 100));
    throw new AppError('not_found', `there is no endpoint ${shown}`, { field: 'id' });
  }
  const { endpoint, lifecycle } = entry;
  const { service, environment, method, route } = endpoint;
  const { answered, refused, missing, failed } = endpoint.lifetimeOutcomes;
  const facts = {
    endpoint: { id: endpoint.id, service, environment, method, route },
    verdict: {
      status: lifecycle.status,
      confidence: lifecycle.confidence,
      marks: lifecycle.marks,
      dead_since: timeOf(lifecycle.deadSinceMs),
      expected_at: timeOf(lifecycle.expectedMs),
      reasons: reasonsOf(lifecycle),
    },
    lifetime: {
      calls: countOf(endpoint.lifetimeCalls),
      answered: countOf(answered),
      refused: countOf(refused),
      missing: countOf(missing),
      failed: countOf(failed),
      bot_calls: endpoint.botCalls,
      first_called_at: timeOf(endpoint.firstCallMs),
      last_called_at: timeOf(endpoint.lastCallMs),
      last_answered_at: timeOf(endpoint.lastAnsweredMs ?? null),
      last_used_at: timeOf(lifecycle.lastUseMs),
      estimated: endpoint.sampling !== undefined,
    },
    last_answered_callers: endpoint.lastAnsweredCallers.map(callerOf),
    versions: endpoint.versions
      .slice(0, 10)
      .map(({ version, firstCallMs, lastCallMs, seenCalls }) => ({
        version,
        first_called_at: isoTime(firstCallMs),
        last_called_at: isoTime(lastCallMs),
        calls: seenCalls,
      })),
    siblings: await siblingsOf(context, entry),
    observation: await observationFacts(context, entry),
    ...(await environmentsOf(context, entry)),
    inventory: await inventoryOf(context, entry),
    ending: endingFacts(lifecycle),
    owners: [...entry.owners],
    code_location: await codeOf(context, entry),
  };
  const digest = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
  const asOf = isoTime(nowMs);
  const link = `/endpoints/${encodeURIComponent(id)}/evidence?as_of=${asOf}`;
  return { as_of: asOf, digest, link, ...facts };
}

function endingFacts({ ending }: Lifecycle): Evidence['ending'] {
  if (ending === undefined) return null;
  return {
    deprecated: ending.isDeprecated,
    deprecated_since: timeOf(ending.deprecatedSinceMs),
    sunset_at: ending.sunsetAt,
    announced: ending.isAnnounced,
    link: ending.link,
  };
}

/** Tracing middleware in some languages puts its own place on every span: then other routes have the same. */
async function codeOf(
  { snapshot }: QueryContext,
  { endpoint }: EndpointEntry,
): Promise<Evidence['code_location']> {
  const code = endpoint.traits?.code;
  if (code === undefined) return null;
  const { service, environment, route } = endpoint;
  const others = new Set<string>();
  for (const { route: other, traits } of await snapshot.endpoints({ service, environment })) {
    const its = traits?.code;
    const isSame =
      its?.file === code.file && its.line === code.line && its.function === code.function;
    if (isSame && other !== route) others.add(other);
  }
  return {
    function: code.function || null,
    file: code.file || null,
    line: code.line || null,
    shared_by: others.size,
  };
}

const timeOf = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));

function callerOf({ client, consumer, agent, atMs }: LastCaller) {
  return {
    client: client || null,
    consumer: consumer || null,
    agent: agent || null,
    called_at: isoTime(atMs),
  };
}

/** Since the last use; of an endpoint that was never used, since its service is observed. */
async function siblingsOf(
  { snapshot, nowMs }: QueryContext,
  { endpoint, lifecycle }: EndpointEntry,
): Promise<Evidence['siblings']> {
  const selection = { service: endpoint.service, environment: endpoint.environment };
  const record = (await snapshot.services()).find(
    (one) => one.service === endpoint.service && one.environment === endpoint.environment,
  );
  if (record === undefined) return null;
  const sinceMs = lifecycle.lastUseMs ?? endpoint.firstCallMs ?? record.firstCallMs;
  const fromS = Math.ceil(sinceMs / 1000);
  // A use in the second that runs: the window must not be empty, which would be refused as past its retention.
  const asked = { fromS, toS: Math.max(Math.ceil(nowMs / 1000), fromS + 1) };
  const { window } = await keptCoverage(snapshot, asked);
  const usages = await snapshot.usage(selection, window);
  usages.delete(endpoint.id);
  let calls = 0;
  for (const usage of usages.values()) calls += usage.calls;
  return { since: isoTime(window.fromS * 1000), calls: countOf(calls), endpoints: usages.size };
}

/** Gaps that are listed. */
const listedGaps = 20;

async function observationFacts(
  { snapshot, thresholds }: QueryContext,
  { endpoint, lifecycle }: EndpointEntry,
): Promise<Evidence['observation']> {
  const record = (await snapshot.services()).find(
    (one) => one.service === endpoint.service && one.environment === endpoint.environment,
  );
  if (record === undefined) return { since: null, days: 0, gaps: [], gap_count: 0 };
  const { gaps, firstMs } = observationOf(record, thresholds.coldAfterDays);
  return {
    since: isoTime(firstMs),
    days: lifecycle.observedDays,
    gaps: gaps.slice(-listedGaps).map(({ fromMs, toMs }) => ({
      from: isoTime(fromMs),
      to: isoTime(toMs),
      hours: Math.round((toMs - fromMs) / 3_600_000),
    })),
    gap_count: gaps.length,
  };
}

async function environmentsOf(
  context: QueryContext,
  entry: EndpointEntry,
): Promise<Pick<Evidence, 'environments' | 'all_environments'>> {
  const nowS = Math.ceil(context.nowMs / 1000);
  const coverage = await keptCoverage(context.snapshot, { fromS: nowS - 60, toS: nowS });
  const { entries } = await usageByEndpoint(context, { service: entry.endpoint.service }, coverage);
  const own = entries.filter((other) => acrossKey(other) === acrossKey(entry));
  const environments = own.map(({ endpoint: { environment }, lifecycle }) => ({
    environment,
    status: lifecycle.status,
    confidence: lifecycle.confidence,
    last_used_at: timeOf(lifecycle.lastUseMs),
  }));
  const verdicts = environments.flatMap(({ status, confidence }) =>
    status === null ? [] : [{ status, confidence }],
  );
  const all = verdicts.length === 0 ? { status: null, confidence: null } : jointVerdict(verdicts);
  return { environments, all_environments: all };
}

async function inventoryOf(
  { snapshot }: QueryContext,
  { endpoint, declaration }: EndpointEntry,
): Promise<Evidence['inventory']> {
  if (declaration === undefined) return null;
  const own = (await snapshot.inventories()).filter(({ service }) => service === endpoint.service);
  const inventory =
    own.find(({ environment }) => environment === endpoint.environment) ??
    own.find(({ environment }) => environment === null);
  if (inventory === undefined) return null;
  return {
    declared: declaration.state === 'declared',
    format: inventory.format,
    version: inventory.version,
    uploaded_at: isoTime(inventory.createdMs),
  };
}
