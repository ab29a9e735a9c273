import { z } from 'zod';
import { limits } from '../../core/limits.ts';
import {
  type ArrivalOutcome,
  type ArrivalSum,
  arrivalOutcomes,
} from '../../core/store/arrivals.ts';
import { isBucket } from '../../core/store/endpoint-identity.ts';
import type { ServiceRecord } from '../../core/store/store.ts';
import { dayS, isoTime } from '../../core/window.ts';
import type { QueryContext } from '../query/answer-head.ts';
import { escapeMarkdown } from '../query/formats.ts';
import { defineProjectCommand } from '../query/project-command.ts';
import { count, named, percentOrNull, time } from '../query/schema.ts';
import { keptCoverage } from '../query/window.ts';
import { dayMs, observationOf } from '../verdict/observation.ts';
import {
  type ArrivedCounts,
  type CallCoverage,
  callFindings,
  type Finding,
  findingCodes,
  requestFindings,
  spanFindings,
} from './doctor-findings.ts';
import { countOf, percent } from './figures.ts';

/** The days that an answer is of. */
const days = limits.arrivalDays - 1;
/** Gaps of a service that are listed. */
const listedGaps = 5;
/** Clients are added up service by service. */
const clientServices = 30;

const findingSchema = named(
  'Finding',
  z.object({
    code: z.enum(Object.keys(findingCodes) as [Finding['code'], ...Finding['code'][]]).describe(
      Object.entries(findingCodes)
        .map(([code, meaning]) => `${code}: ${meaning}`)
        .join('; '),
    ),
    service: z.string().nullable().describe('null for requests, which belong to no service'),
    environment: z.string().nullable().describe('null where spans are counted by service alone'),
    message: z.string().describe('a sentence for people'),
    advice: z.string().nullable().describe('what mends it'),
  }),
);

const arrivedSchema = named(
  'ArrivedSpans',
  z.object({
    service: z.string(),
    last_at: time.describe('when the newest of them came'),
    spans: z
      .object(
        Object.fromEntries(spanOutcomes().map((outcome) => [outcome, count])) as Record<
          SpanOutcome,
          typeof count
        >,
      )
      .describe(
        'by what became of them, as the metric rollcall_spans_total counts; a refused request counts again when it is repeated',
      ),
  }),
);

const coverageSchema = named(
  'ServiceCoverage',
  z.object({
    service: z.string(),
    environment: z.string(),
    last_seen_at: time.describe('end of the newest span'),
    calls: count.describe(`in the last ${days} days`),
    without_route_pct: percentOrNull.describe(
      'of these calls: no route, or one that is guessed from the path',
    ),
    without_client_pct: percentOrNull.describe(
      `of these calls: no address; null without calls, and past the first ${clientServices} services`,
    ),
    sampled: z.boolean().describe('a span of these days stood for others too'),
    gap_count: count.describe('in its life: observation was interrupted'),
    gaps: z
      .array(z.object({ from: time, to: time }))
      .describe(`the newest ${listedGaps}, ascending`),
  }),
);

const doctorSchema = z.object({
  generated_at: time,
  days: count.describe('of arrived spans and of calls'),
  arrived: z.array(arrivedSchema).describe('by service, counted or not'),
  services: z.array(coverageSchema).describe('services with calls, in each environment'),
  findings: z.array(findingSchema).describe('what does not count, and why'),
});

type DoctorAnswer = z.output<typeof doctorSchema>;

/** What arrived from whom, and why something does not count. */
export const doctor = defineProjectCommand({
  name: 'doctor',
  path: '/doctor',
  method: 'GET',
  tag: 'reports',
  about: 'What arrived from whom in the last days, why something does not count, and what mends it',
  action: 'read',
  parameters: z.strictObject({
    format: z.enum(['json', 'md']).default('json').describe('md: the findings as text'),
  }),
  status: 200,
  schema: doctorSchema,
  failures: {},
  markdown: findingsText,
  async run({ project, arrivals, ask, nowMs }) {
    const today = Math.floor(nowMs / dayMs);
    const sums = await arrivals.since(project, today - days + 1);
    const coverages = await ask(serviceCoverages);
    const byService = Map.groupBy(sums, ({ service }) => service);
    const requests = countsOf(byService.get('') ?? []);
    byService.delete('');
    return {
      generated_at: isoTime(nowMs),
      days,
      arrived: [...byService].map(([service, own]) => ({
        service,
        last_at: isoTime(Math.max(...own.map(({ lastMs }) => lastMs))),
        spans: spansOf(countsOf(own)),
      })),
      services: coverages.map(coverageRow),
      findings: [
        ...requestFindings(requests),
        ...[...byService].flatMap(([service, own]) => spanFindings(service, countsOf(own))),
        ...coverages.flatMap(({ found }) => callFindings(found)),
      ],
    };
  },
});

type SpanOutcome = Exclude<ArrivalOutcome, 'refused' | 'undecodable' | 'other_signal'>;

function spanOutcomes(): SpanOutcome[] {
  const ofRequests: readonly ArrivalOutcome[] = ['refused', 'undecodable', 'other_signal'];
  return arrivalOutcomes.filter((outcome) => !ofRequests.includes(outcome)) as SpanOutcome[];
}

function countsOf(sums: readonly ArrivalSum[]): ArrivedCounts {
  const counts = Object.fromEntries(arrivalOutcomes.map((outcome) => [outcome, 0])) as Record<
    ArrivalOutcome,
    number
  >;
  for (const { outcome, count: more } of sums) counts[outcome] += more;
  const byReason = (wanted: ArrivalOutcome) =>
    Object.fromEntries(
      sums
        .filter(({ outcome }) => outcome === wanted)
        .map(({ reason, count: more }) => [reason, more]),
    );
  return {
    counts,
    rejected: byReason('rejected'),
    refused: byReason('refused'),
    otherSignals: byReason('other_signal'),
  };
}

const spansOf = ({ counts }: ArrivedCounts): Record<SpanOutcome, number> =>
  Object.fromEntries(spanOutcomes().map((outcome) => [outcome, counts[outcome]])) as Record<
    SpanOutcome,
    number
  >;

interface Coverage {
  record: ServiceRecord;
  found: CallCoverage;
  gaps: readonly { fromMs: number; toMs: number }[];
}

/** What is known of the calls of each service. */
async function serviceCoverages({
  snapshot,
  thresholds,
  nowMs,
}: QueryContext): Promise<Coverage[]> {
  const records = await snapshot.services();
  if (records.length === 0) return [];
  const toS = Math.ceil(nowMs / 1000);
  const { window } = await keptCoverage(snapshot, { fromS: toS - days * dayS, toS });
  const usages = await snapshot.usage({}, window);
  const calls = new Map<string, { all: number; withoutRoute: number }>();
  for (const endpoint of await snapshot.endpoints({})) {
    const usage = usages.get(endpoint.id);
    if (usage === undefined) continue;
    const key = JSON.stringify([endpoint.service, endpoint.environment]);
    const known = calls.get(key) ?? { all: 0, withoutRoute: 0 };
    known.all += usage.calls;
    if (endpoint.templated || isBucket(endpoint.route)) known.withoutRoute += usage.calls;
    calls.set(key, known);
  }
  const coverages: Coverage[] = [];
  for (const record of records) {
    const { service, environment } = record;
    const known = calls.get(JSON.stringify([service, environment])) ?? { all: 0, withoutRoute: 0 };
    const { gaps, lastSampledMs = 0 } = observationOf(record, thresholds.coldAfterDays);
    let withoutClient: number | undefined;
    if (coverages.length < clientServices && known.all > 0) {
      const clients = await snapshot.clients(
        { service, environment },
        window,
        limits.listedClients,
      );
      withoutClient = Math.max(
        0,
        clients.reduce((left, client) => left - client.calls, known.all),
      );
    }
    coverages.push({
      record,
      gaps,
      found: {
        service,
        environment,
        calls: known.all,
        withoutRoute: known.withoutRoute,
        withoutClient,
        isSampled: lastSampledMs >= window.fromS * 1000,
        gaps: gaps.length,
      },
    });
  }
  return coverages;
}

function coverageRow({ record, found, gaps }: Coverage): DoctorAnswer['services'][number] {
  const { service, environment, calls, withoutRoute, withoutClient, isSampled } = found;
  return {
    service,
    environment,
    last_seen_at: isoTime(record.lastCallMs),
    calls: countOf(calls),
    without_route_pct: percent(withoutRoute, calls),
    without_client_pct: withoutClient === undefined ? null : percent(withoutClient, calls),
    sampled: isSampled,
    gap_count: gaps.length,
    gaps: gaps
      .slice(-listedGaps)
      .map(({ fromMs, toMs }) => ({ from: isoTime(fromMs), to: isoTime(toMs) })),
  };
}

/** For a terminal: what arrived, then one line a finding. */
function findingsText({ arrived, services, findings }: DoctorAnswer): string {
  if (arrived.length === 0 && services.length === 0 && findings.length === 0) {
    return 'Nothing has arrived yet.\n';
  }
  const lines = arrived.map(({ service, spans }) => {
    const all = Object.values(spans).reduce((sum, one) => sum + one, 0);
    return `- ${escapeMarkdown(service)}: ${all} spans arrived, ${spans.stored} of them are calls.`;
  });
  for (const { message, advice } of findings) {
    lines.push(`- ${escapeMarkdown(advice === null ? message : `${message} ${advice}`)}`);
  }
  return `${lines.join('\n')}\n`;
}
