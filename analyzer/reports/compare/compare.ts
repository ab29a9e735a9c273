import { z } from 'zod';
import { AppError } from '../../../core/error.ts';
import type { Coverage, Selection, Snapshot } from '../../../core/store/store.ts';
import { dayS, type Window } from '../../../core/window.ts';
import {
  type Head,
  head,
  headProse,
  headShape,
  type QueryContext,
  selectionNotes,
} from '../../query/answer-head.ts';
import { listPage } from '../../query/list.ts';
import type { Order } from '../../query/page.ts';
import {
  commonParameters,
  listParameter,
  methodParameter,
  pageParameters,
  routeParameter,
  timeParameter,
} from '../../query/parameters.ts';
import { defineQuery } from '../../query/query.ts';
import { count, named, nextCursor } from '../../query/schema.ts';
import {
  comparedWindows,
  keptCoverage,
  requestedWindow,
  windowAnswer,
  windowSchema,
} from '../../query/window.ts';
import { filteredSelection } from '../endpoint-filter.ts';
import { equalEdges } from '../series/series.ts';
import {
  type ComparedSide,
  type Comparison,
  compared,
  falseDiscoveryRate,
  verdicts,
} from './comparison.ts';
import { comparisonTable } from './comparison-row.ts';

/** Intervals that a window is cut into, to see how much calls vary within it. */
const intervalsMost = 36;

const summarySchema = named(
  'ComparisonSummary',
  z
    .object(
      Object.fromEntries(verdicts.map((verdict) => [verdict, count])) as Record<
        (typeof verdicts)[number],
        typeof count
      >,
    )
    .describe('endpoints by verdict, whatever verdict= leaves of the list'),
);

/** Two windows side by side: what got worse first. */
export const compare = defineQuery({
  name: 'compare',
  path: '/compare',
  about: 'Every endpoint in two windows, and whether it got worse, better or stayed the same',
  parameters: z.strictObject({
    ...commonParameters,
    before_from: timeParameter('the first moment of the window to compare with'),
    before_to: timeParameter('the moment after the window to compare with'),
    method: methodParameter,
    route: routeParameter,
    verdict: listParameter(verdicts, 'one or more verdicts'),
    ...pageParameters(1000),
  }),
  schema: z.object({
    ...headShape,
    before_window: windowSchema.describe(
      'the window compared with: the one before, of the same length, unless before_from= and before_to= are given',
    ),
    false_discovery_rate_pct: z
      .number()
      .describe('the expected share of false alarms among the endpoints called worse or better'),
    summary: summarySchema,
    endpoints: z.array(comparisonTable.schema).describe('what got worse first'),
    next_cursor: nextCursor,
  }),
  list: {
    title: 'Comparison',
    noun: 'endpoints',
    table: comparisonTable,
    prose: (body: Head) => headProse(body),
  },
  async answer(context, parameters) {
    const { service, environment, method, route, verdict } = parameters;
    const page = await listPage(context, '/compare', parameters, async (window) => {
      const { snapshot } = context;
      const [before, after] = await windowsOf(context, window, parameters);
      const { selection, observedSinceMs } = await filteredSelection(snapshot, parameters);
      const endpoints = await snapshot.endpoints(selection);
      const was = await sideOf(snapshot, selection, before.window);
      const is = await sideOf(snapshot, selection, after.window);
      const all = compared(endpoints, was, is, isPaired(before, after, was, is));
      const notes = await selectionNotes(context, parameters);
      const estimated = all.some(
        (one) => one.before.sampling !== undefined || one.after.sampling !== undefined,
      );
      const known = { coverage: after, observedSinceMs, estimated, notes };
      return {
        head: {
          ...head(context, known, { service, environment, method, route, verdict }),
          before_window: windowAnswer(before),
          false_discovery_rate_pct: 100 * falseDiscoveryRate,
          summary: summaryOf(all),
        },
        rows: all.filter((one) => verdict === undefined || verdict.includes(one.verdict)),
        order: worstFirst,
      };
    });
    const rows = page.rows.map((one) => comparisonTable.row(one));
    return { ...page.head, endpoints: rows, next_cursor: page.next_cursor };
  },
});

/** @throws AppError `invalid` for half a window, or where there is nothing to compare with */
async function windowsOf(
  { snapshot, ...clock }: QueryContext,
  window: Window,
  { before_from, before_to }: { before_from?: number | undefined; before_to?: number | undefined },
): Promise<[before: Coverage, after: Coverage]> {
  if (before_from === undefined && before_to === undefined) {
    const { previous, current } = await comparedWindows(snapshot, window);
    if (previous) return [previous, current];
    const message =
      'the window before is past its retention, wholly or in part: ask for a shorter or later window, or give before_from and before_to';
    throw new AppError('invalid', message, { field: 'window' });
  }
  if (before_from === undefined || before_to === undefined) {
    const field = before_from === undefined ? 'before_from' : 'before_to';
    throw new AppError('invalid', 'give both before_from and before_to, or neither', { field });
  }
  const asked = { from: before_from, to: before_to };
  const before = await keptCoverage(snapshot, beforeWindow(asked, clock));
  return [before, await keptCoverage(snapshot, window)];
}

function beforeWindow(
  asked: { from: number; to: number },
  clock: Omit<QueryContext, 'snapshot'>,
): Window {
  try {
    return requestedWindow(asked, clock);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.code, error.message.replaceAll(/\b(from|to)=/g, 'before_$1='), {
      field: `before_${error.field ?? 'from'}`,
    });
  }
}

/** Both windows are cut at the same times of day. */
function isPaired(before: Coverage, after: Coverage, was: ComparedSide, is: ComparedSide): boolean {
  const shiftS = after.window.fromS - before.window.fromS;
  return shiftS % dayS === 0 && was.intervals.length === is.intervals.length;
}

async function sideOf(
  snapshot: Snapshot,
  selection: Selection,
  window: Window,
): Promise<ComparedSide> {
  const edgesS = await equalEdges(snapshot, window, intervalsMost);
  const intervals: ComparedSide['intervals'][number][] = [];
  for (let n = 1; n < edgesS.length; n++) {
    const interval = { fromS: edgesS[n - 1]!, toS: edgesS[n]! };
    intervals.push(await snapshot.distributions(selection, interval));
  }
  return { usages: await snapshot.usage(selection, window), intervals };
}

function summaryOf(all: readonly Comparison[]): z.output<typeof summarySchema> {
  const counts = { worse: 0, better: 0, same: 0, too_little_data: 0 };
  for (const { verdict } of all) counts[verdict] += 1;
  return counts;
}

/** By verdict; those that fail more often before those that are slower, each by how much; the rest by their calls. */
const worstFirst: Order<Comparison> = {
  value: (one) => {
    const { verdict, errors, before, after } = one;
    const rank = verdicts.indexOf(verdict);
    if (verdict !== 'worse') return [rank, 0, -Math.max(before.calls, after.calls)];
    const row = comparisonTable.row(one);
    return errors.verdict === 'worse'
      ? [rank, 0, -(row.error_rate_change_points ?? 0)]
      : [rank, 1, -Math.max(row.p50_change_pct ?? 0, row.p95_change_pct ?? 0)];
  },
  descending: false,
  key: ({ endpoint }) =>
    `${endpoint.service}\0${endpoint.environment}\0${endpoint.route}\0${endpoint.method}`,
};
