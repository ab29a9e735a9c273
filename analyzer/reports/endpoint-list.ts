import { z } from 'zod';
import { isoTime, type Window } from '../../core/window.ts';
import {
  type Head,
  head,
  headProse,
  headShape,
  type QueryContext,
  selectionNotes,
  selectionOf,
} from '../query/answer-head.ts';
import type { List } from '../query/formats.ts';
import { type ListParameters, listPage } from '../query/list.ts';
import type { Order } from '../query/page.ts';
import { type DecisionFilter, listParameter } from '../query/parameters.ts';
import { named, nextCursor, time } from '../query/schema.ts';
import type { Status } from '../query/status.ts';
import { type Column, sortValue } from '../query/table.ts';
import type { WithRows } from '../query/table-rows.ts';
import { keptCoverage } from '../query/window.ts';
import type { Lifecycle } from '../verdict/lifecycle.ts';
import { endpointFilter, hasOwner, hasStatus } from './endpoint-filter.ts';
import { type EndpointColumn, endpointKey, endpointTable } from './endpoint-row.ts';
import {
  type EndpointEntry,
  endpointSummarySchema,
  summarize,
  usageByEndpoint,
} from './endpoint-usage.ts';
import { type Sparks, sparkPoints, sparksOf } from './series/spark.ts';

export interface EndpointListParameters extends ListParameters {
  service?: string | undefined;
  environment?: string | undefined;
  status?: Status[] | undefined;
  decision?: DecisionFilter[] | undefined;
  owner?: string | undefined;
  min_confidence?: number | undefined;
  method?: string[] | undefined;
  route?: string | undefined;
  q?: string | undefined;
  fields?: EndpointColumn[] | undefined;
  spark?: (typeof sparkPoints)[number] | undefined;
}

/** What the rows of a list hold. */
export const rowParameters = {
  fields: listParameter(endpointTable.names, 'the only fields of the rows'),
  spark: z
    .enum(sparkPoints)
    .optional()
    .describe(
      `${sparkPoints.join(' or ')}: each row also has a series of calls and errors with so many points, or as many as are kept of the window`,
    ),
};

const listShape = {
  ...headShape,
  summary: endpointSummarySchema,
  next_cursor: nextCursor,
  spark_starts: z
    .array(time)
    .optional()
    .describe('starts of the intervals of each spark; absent without spark='),
};

/** Some fields of a row. */
export const endpointPartSchema = named('EndpointPart', endpointTable.schema.partial());

/** A list of endpoints under the summary of the whole; rows of some fields when `fields=` chose them. */
export const endpointListSchema = named(
  'EndpointListAnswer',
  z.union([
    named('EndpointList', z.object({ ...listShape, endpoints: z.array(endpointTable.schema) })),
    named(
      'EndpointPartList',
      z.object({
        ...listShape,
        fields: z.array(z.string()).describe('the fields of the rows, in their order'),
        endpoints: z.array(endpointPartSchema),
      }),
    ),
  ]),
);

export const endpointListOf = (title: string, markdownAlso?: readonly EndpointColumn[]): List => ({
  title,
  noun: 'endpoints',
  table: endpointTable,
  ...(markdownAlso && { markdownAlso }),
  prose: (body: Head) => headProse(body),
});

/** @param definition which endpoints the query lists, and in what order */
export async function endpointList(
  context: QueryContext,
  parameters: EndpointListParameters,
  definition: {
    /** Of the query. */
    path: string;
    sort: EndpointColumn;
    descending: boolean;
    keep: (entry: EndpointEntry) => boolean;
  },
): Promise<WithRows<z.output<typeof endpointListSchema>>> {
  const { service, environment, status, decision, method, route, q, fields, spark } = parameters;
  const { min_confidence: least, owner } = parameters;
  const named = { service, environment, status, decision, owner, method, route, q };
  const filters = { ...named, ...(least !== undefined && { min_confidence: String(least) }) };
  const passes = endpointFilter(filters);
  const { path, sort, descending, keep } = definition;
  const column: Column<EndpointEntry> = endpointTable.columns[sort];
  const order: Order<EndpointEntry> = {
    value: (entry) => sortValue(column, entry),
    descending,
    key: endpointKey,
  };
  const page = await listPage(context, path, parameters, async (window) => {
    const coverage = await keptCoverage(context.snapshot, window);
    const all = await usageByEndpoint(context, selectionOf(parameters), coverage);
    const notes = [...(await selectionNotes(context, parameters)), ...all.notes];
    return {
      head: { ...head(context, { ...all, notes }, filters), summary: summarize(all.entries) },
      rows: all.entries
        .filter((entry) => keep(entry) && passes(entry.endpoint) && isSure(entry.lifecycle, least))
        .filter((entry) => hasStatus(entry.lifecycle, status) && isDecided(entry, decision))
        .filter((entry) => hasOwner(entry, owner)),
      order,
    };
  });
  const sparks = spark && (await sparksOfPage(context, page.rows, page.head, Number(spark)));
  const sparkling = sparks ? page.rows.map((entry) => withSpark(entry, sparks)) : page.rows;
  const window = fields?.some((field) => ofWindow.has(field)) && windowOf(page.head);
  const rows = window ? sparkling.map((entry) => ({ ...entry, window })) : sparkling;
  const answer = {
    ...page.head,
    ...(sparks && { spark_starts: sparks.startsS.map((s) => isoTime(s * 1000)) }),
    next_cursor: page.next_cursor,
  };
  const isJson = parameters.format === 'json' || parameters.format === 'ndjson';
  if (fields === undefined) {
    const endpoints = isJson
      ? endpointTable.rows(rows)
      : rows.map((entry) => endpointTable.row(entry));
    return { ...answer, endpoints };
  }
  const chosen = [...new Set(fields), ...(sparks && !fields.includes('spark') ? sparkField : [])];
  const endpoints = isJson
    ? endpointTable.rows(rows, chosen)
    : rows.map((entry) => endpointTable.part(entry, chosen));
  return { ...answer, fields: chosen, endpoints };
}

function isSure({ confidence }: Lifecycle, least: number | undefined): boolean {
  return least === undefined || (confidence !== null && confidence >= least);
}

function isDecided(
  { decision }: EndpointEntry,
  wanted: readonly DecisionFilter[] | undefined,
): boolean {
  if (wanted === undefined) return true;
  if (decision === undefined) return wanted.includes('none');
  return wanted.includes(decision.returned === null ? decision.decision.action : 'returned');
}

const sparkField: EndpointColumn[] = ['spark'];
/** Fields that the window of the list decides. */
const ofWindow: ReadonlySet<EndpointColumn> = new Set([
  'window_last_callers',
  'window_last_answered_callers',
]);

/** Of the rows of one page: a page costs its own rows. Their window is the one of the list. */
function sparksOfPage(
  { snapshot }: QueryContext,
  rows: readonly EndpointEntry[],
  head: Head,
  points: number,
): Promise<Sparks> {
  const endpoints = new Set(rows.map(({ endpoint }) => endpoint.id));
  return sparksOf(snapshot, { endpoints }, windowOf(head), points);
}

function windowOf({ window }: Head): Window {
  return { fromS: Date.parse(window.from) / 1000, toS: Date.parse(window.to) / 1000 };
}

function withSpark(entry: EndpointEntry, { byEndpoint, none }: Sparks): EndpointEntry {
  return { ...entry, spark: byEndpoint.get(entry.endpoint.id) ?? none };
}
