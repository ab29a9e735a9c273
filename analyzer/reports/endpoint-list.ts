import { z } from 'zod';
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
import { named, nextCursor } from '../query/schema.ts';
import type { Status } from '../query/status.ts';
import { type Column, sortValue } from '../query/table.ts';
import { keptCoverage } from '../query/window.ts';
import { endpointFilter } from './endpoint-filter.ts';
import { type EndpointColumn, endpointKey, endpointTable } from './endpoint-row.ts';
import {
  type EndpointEntry,
  endpointSummarySchema,
  summarize,
  usageByEndpoint,
} from './endpoint-usage.ts';
import type { Lifecycle } from './lifecycle.ts';

export interface EndpointListParameters extends ListParameters {
  service?: string | undefined;
  environment?: string | undefined;
  status?: Status[] | undefined;
  method?: string[] | undefined;
  route?: string | undefined;
  q?: string | undefined;
}

/** A list of endpoints under the summary of the whole. */
export const endpointListSchema = named(
  'EndpointList',
  z.object({
    ...headShape,
    summary: endpointSummarySchema,
    endpoints: z.array(endpointTable.schema),
    next_cursor: nextCursor,
  }),
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
): Promise<z.output<typeof endpointListSchema>> {
  const { service, environment, status, method, route, q } = parameters;
  const filters = { service, environment, status, method, route, q };
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
        .filter((entry) => keep(entry) && passes(entry.endpoint))
        .filter(({ lifecycle }) => hasStatus(lifecycle, status)),
      order,
    };
  });
  const endpoints = page.rows.map((entry) => endpointTable.row(entry));
  return { ...page.head, endpoints, next_cursor: page.next_cursor };
}

/** A bucket has no status, and is in no list of one. */
function hasStatus({ status }: Lifecycle, wanted: readonly Status[] | undefined): boolean {
  return wanted === undefined || (status !== null && wanted.includes(status));
}
