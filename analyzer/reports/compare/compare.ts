import { z } from 'zod';
import { AppError } from '../../../core/error.ts';
import { limits } from '../../../core/limits.ts';
import type { Selection } from '../../../core/store/store.ts';
import type { Window } from '../../../core/window.ts';
import {
  type Head,
  head,
  headProse,
  headShape,
  type Note,
  type QueryContext,
  selectionNotes,
  selectionOf,
} from '../../query/answer-head.ts';
import { listPage } from '../../query/list.ts';
import type { Order } from '../../query/page.ts';
import {
  chosenEndpoints,
  commonParameters,
  listParameter,
  pageParameters,
  timeParameter,
} from '../../query/parameters.ts';
import { defineQuery } from '../../query/query.ts';
import { count, named, nextCursor } from '../../query/schema.ts';
import { keptCoverage, windowAnswer, windowSchema } from '../../query/window.ts';
import { serviceKey } from '../../verdict/model.ts';
import { chosenSelection } from '../endpoint-filter.ts';
import { deploymentsOf } from '../series/deployments.ts';
import {
  type ComparedGroup,
  type Comparison,
  compared,
  falseDiscoveryRate,
  verdicts,
} from './comparison.ts';
import { type ComparisonEntry, comparisonTable } from './comparison-row.ts';
import { type VersionPair, versionGroup, versionPairs } from './version-pairs.ts';
import { type WindowPair, windowGroup, windowPair } from './window-pair.ts';

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

const versionPairSchema = named(
  'ComparedVersions',
  z.object({
    service: z.string(),
    environment: z.string(),
    before_version: z.string(),
    version: z.string(),
  }),
);

const versionParameter = (what: string) =>
  z
    .string()
    .min(1)
    .max(limits.versionBytes)
    .optional()
    .describe(`${what}, at most ${limits.versionBytes} characters`);

const compareParameters = z.strictObject({
  ...commonParameters,
  by: z
    .enum(['window', 'version'])
    .optional()
    .describe(
      'window or version: whether two windows are compared, or two versions of each service within one window; version where version= or before_version= is given, else window unless told',
    ),
  before_from: timeParameter('the first moment of the window to compare with'),
  before_to: timeParameter('the moment after the window to compare with'),
  before_version: versionParameter(
    'the service.version to compare with; that which appeared before the other one unless told',
  ),
  version: versionParameter('the service.version to compare; the newest unless told'),
  ...chosenEndpoints,
  verdict: listParameter(verdicts, 'one or more verdicts'),
  ...pageParameters(1000),
});

type CompareParameters = z.output<typeof compareParameters>;

/** Two windows, or two versions of each service, side by side: what got worse first. */
export const compare = defineQuery({
  name: 'compare',
  path: '/compare',
  about:
    'Every endpoint in two windows or of two versions, and whether it got worse, better or stayed the same: "did the newest version make it slower" is /compare?by=version',
  parameters: compareParameters,
  schema: z.object({
    ...headShape,
    by: z.enum(['window', 'version']).describe('what is compared'),
    before_window: windowSchema.describe(
      'the window compared with: the one before, of the same length, unless before_from= and before_to= are given; the window itself where versions are compared',
    ),
    versions: z
      .array(versionPairSchema)
      .optional()
      .describe(
        'the versions compared, one pair for each service that has both; absent where windows are compared',
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
    isStreamed: true,
    table: comparisonTable,
    prose: (body: Head) => headProse(body),
  },
  async answer(context, parameters) {
    const by = whatIsCompared(parameters);
    const { verdict } = parameters;
    const page = await listPage(context, '/compare', parameters, async (window) => {
      const { selection, observedSinceMs, filters } = await chosenSelection(context, parameters);
      const sides =
        by === 'version'
          ? await versionSides(context, selection, window, parameters)
          : await windowSides(context, selection, window, parameters);
      const all = entriesOf(compared(sides.groups), sides.versions);
      const notes = [...(await selectionNotes(context, parameters)), ...(sides.notes ?? [])];
      const estimated = all.some(
        (one) => one.before.sampling !== undefined || one.after.sampling !== undefined,
      );
      const known = { coverage: sides.windows.after, observedSinceMs, estimated, notes };
      return {
        head: {
          ...head(context, known, { ...filters, verdict }),
          by,
          before_window: windowAnswer(sides.windows.before),
          ...(sides.versions && { versions: sides.versions.map(versionsAnswer) }),
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

/** @throws AppError `invalid` for parameters of both kinds */
function whatIsCompared(parameters: CompareParameters): 'window' | 'version' {
  const given = (names: readonly (keyof CompareParameters)[]) =>
    names.find((name) => parameters[name] !== undefined);
  const ofVersions = given(['before_version', 'version']);
  const ofWindows = given(['before_from', 'before_to']);
  const by = parameters.by ?? (ofVersions === undefined ? 'window' : 'version');
  const other = by === 'version' ? ofWindows : ofVersions;
  if (other === undefined) return by;
  const message =
    by === 'version'
      ? `${other} is of the comparison of two windows: versions are compared within one window`
      : `${other} is of the comparison of two versions: leave by=window out`;
  throw new AppError('invalid', message, { field: other });
}

/** The calls that are compared. */
interface Sides {
  windows: WindowPair;
  groups: ComparedGroup[];
  versions?: VersionPair[];
  notes?: Note[];
}

async function windowSides(
  context: QueryContext,
  selection: Selection,
  window: Window,
  parameters: CompareParameters,
): Promise<Sides> {
  const windows = await windowPair(context, window, parameters);
  return { windows, groups: [await windowGroup(context.snapshot, selection, windows)] };
}

async function versionSides(
  { snapshot }: QueryContext,
  selection: Selection,
  window: Window,
  parameters: CompareParameters,
): Promise<Sides> {
  const coverage = await keptCoverage(snapshot, window);
  // A version belongs to its service, whichever endpoints are selected.
  const deployments = deploymentsOf(await snapshot.endpoints(selectionOf(parameters)));
  const { pairs, notes } = versionPairs(deployments, parameters);
  const groups: ComparedGroup[] = [];
  for (const pair of pairs) {
    const { service, environment } = pair;
    const own = { ...selection, service, environment };
    groups.push(await versionGroup(snapshot, own, pair, coverage.window));
  }
  return { windows: { before: coverage, after: coverage }, groups, versions: pairs, notes };
}

function entriesOf(
  all: readonly Comparison[],
  versions: readonly VersionPair[] = [],
): ComparisonEntry[] {
  const byService = new Map(versions.map((pair) => [serviceKey(pair), pair]));
  return all.map((one) => {
    const pair = byService.get(serviceKey(one.endpoint));
    return { ...one, ...(pair && { versions: pair }) };
  });
}

function versionsAnswer({ service, environment, before, after }: VersionPair) {
  return { service, environment, before_version: before, version: after };
}

function summaryOf(all: readonly Comparison[]): z.output<typeof summarySchema> {
  const counts = { worse: 0, better: 0, same: 0, too_little_data: 0 };
  for (const { verdict } of all) counts[verdict] += 1;
  return counts;
}

/** By verdict; those that fail more often before those that are slower, each by how much; the rest by their calls. */
const worstFirst: Order<ComparisonEntry> = {
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
