import { type ListParameters, listAnswer, listPlace } from '../query/query.ts';
import { endpointFilter } from './endpoint-filter.ts';
import { type EndpointRow, endpointColumns, endpointKey, endpointRow } from './endpoint-row.ts';
import {
  type EndpointEntry,
  head,
  type QueryContext,
  selectionOf,
  summarize,
  usageByEndpoint,
} from './endpoint-usage.ts';
import type { Status } from './lifecycle.ts';

export interface EndpointListParameters extends ListParameters {
  service?: string | undefined;
  environment?: string | undefined;
  status?: Status[] | undefined;
  method?: string[] | undefined;
  route?: string | undefined;
  q?: string | undefined;
}

/** A list of endpoints under the summary of the whole. */
export async function endpointList(
  asked: QueryContext,
  parameters: EndpointListParameters,
  told: {
    /** Of the question. */
    path: string;
    title: string;
    field: keyof EndpointRow;
    descending: boolean;
    keep: (entry: EndpointEntry) => boolean;
  },
) {
  const { service, environment, status, method, route, q } = parameters;
  const filters = { service, environment, status, method, route, q };
  const passes = endpointFilter(filters);
  const place = listPlace(told.path, parameters, asked.nowMs);
  const roll = await usageByEndpoint(asked, selectionOf(parameters), place.window);
  const rows = roll.entries
    .filter((entry) => told.keep(entry) && passes(entry.endpoint))
    .filter(
      ({ life }) => status === undefined || (life.status !== null && status.includes(life.status)),
    )
    .map(endpointRow);
  return listAnswer({
    title: told.title,
    noun: 'endpoints',
    head: { ...head(asked, roll, filters), summary: summarize(roll.entries) },
    columns: endpointColumns,
    rows,
    order: { field: told.field, descending: told.descending, key: endpointKey },
    place,
    parameters,
  });
}
