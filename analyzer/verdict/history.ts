import { z } from 'zod';
import type { DailyVerdict, VerdictStore } from '../../core/store/verdicts.ts';
import { isoTime } from '../../core/window.ts';
import type { QueryContext } from '../query/answer-head.ts';
import { defineProjectCommand, type ProjectContext } from '../query/project-command.ts';
import { count, named } from '../query/schema.ts';
import { type Status, statuses } from '../query/status.ts';
import { keptCoverage } from '../query/window.ts';
import { usageByEndpoint } from '../reports/endpoint-usage.ts';
import { dayMs } from './observation.ts';

/**
 * Verdicts over time: one snapshot a day. It is taken by the analyzer's timer (analyzer/verdict/daily.ts), or by the
 * first question of the day.
 */
const date = z.iso.date();

const totalsSchema = named(
  'DailyVerdicts',
  z.object({
    day: date,
    ...(Object.fromEntries(statuses.map((status) => [status, count])) as Record<
      Status,
      typeof count
    >),
  }),
);

export const deadHistory = defineProjectCommand({
  name: 'deadHistory',
  path: '/report/dead/history',
  method: 'GET',
  tag: 'verdicts',
  about: 'Endpoints by status on each day: how dead ones become fewer',
  action: 'read',
  parameters: z.strictObject({}),
  status: 200,
  schema: z.object({
    days: z.array(totalsSchema).describe('days with a snapshot, ascending'),
  }),
  failures: {},
  async run(context) {
    await takeSnapshot(context);
    const totals = await context.verdicts.totals(context.project);
    return {
      days: totals.map(({ day, counts }) => ({
        day: dateOf(day),
        ...(Object.fromEntries(statuses.map((status) => [status, counts[status] ?? 0])) as Record<
          Status,
          number
        >),
      })),
    };
  },
});

const changeSchema = named(
  'VerdictChange',
  z.object({
    day: date,
    status: z.enum(statuses).nullable().describe('null: the endpoint was in no list from then on'),
    confidence: z.number().min(0).max(1).nullable(),
  }),
);

export const endpointVerdicts = defineProjectCommand({
  name: 'endpointVerdicts',
  path: '/endpoints/:id/verdicts',
  method: 'GET',
  tag: 'verdicts',
  about: 'How the verdict of an endpoint changed: one line for each day on which it did',
  action: 'read',
  parameters: z.strictObject({}),
  status: 200,
  schema: z.object({
    changes: z
      .array(changeSchema)
      .describe('ascending; a confidence that moved by less than 0.05 is no change'),
  }),
  failures: {},
  async run(context) {
    await takeSnapshot(context);
    const { id = '' } = context.path;
    const changes = await context.verdicts.history(context.project, id);
    return {
      changes: changes.map(({ day, status, confidence }) => ({
        day: dateOf(day),
        status: status as Status | null,
        confidence,
      })),
    };
  },
});

const dateOf = (day: number): string => isoTime(day * dayMs).slice(0, 10);

/** Stores today's verdicts, unless they are stored or today is no day that the calls make plausible. */
async function takeSnapshot({
  project,
  nowMs,
  verdicts,
  ask,
}: Pick<ProjectContext<unknown>, 'project' | 'nowMs' | 'verdicts' | 'ask'>): Promise<void> {
  const day = Math.floor(nowMs / dayMs);
  const newest = await newestDay(verdicts, project);
  // Clocks of two analyzers may differ by some minutes.
  if (newest === day || newest === day + 1) return;
  if (await ask((context) => isPlausible(day, context))) {
    await verdicts.record(project, day, await ask(dailyVerdicts));
  }
}

/**
 * Whether it may be this day. A wrong clock would store a day of other years, after which no real one is stored, and
 * erase the days before it. Soon after the last call of all services every verdict stays as it is.
 */
async function isPlausible(
  day: number,
  { snapshot, thresholds }: Pick<QueryContext, 'snapshot' | 'thresholds'>,
): Promise<boolean> {
  const newestCallMs = await snapshot.newestCallMs();
  if (newestCallMs === undefined) return true;
  const lastDay = Math.floor(newestCallMs / dayMs);
  return day >= lastDay - 1 && day <= lastDay + thresholds.coldAfterDays + 1;
}

async function newestDay(verdicts: VerdictStore, project: string): Promise<number> {
  return (await verdicts.newestDay(project)) ?? -1;
}

async function dailyVerdicts(context: QueryContext): Promise<DailyVerdict[]> {
  const nowS = Math.ceil(context.nowMs / 1000);
  const coverage = await keptCoverage(context.snapshot, { fromS: nowS - 60, toS: nowS });
  const { entries } = await usageByEndpoint(context, {}, coverage);
  return entries.flatMap(({ endpoint, lifecycle: { status, confidence } }) =>
    status === null ? [] : [{ endpoint: endpoint.id, status, confidence }],
  );
}
