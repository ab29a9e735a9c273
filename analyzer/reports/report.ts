import { z } from 'zod';
import {
  commonParameters,
  filterParameters,
  orderParameter,
  pageParameters,
} from '../parameters.ts';
import {
  type ListParameters,
  type ListPlace,
  listAnswer,
  listPlace,
  question,
} from '../question.ts';
import {
  type EndpointRow,
  endpointColumns,
  endpointFilter,
  endpointKey,
  endpointRow,
} from './endpoint-row.ts';
import type { Status } from './lifecycle.ts';
import { type Asked, callRoll, head, type RollEntry, selectionOf, summarize } from './roll.ts';

const sortFields = endpointColumns.map(({ name }) => name);
const textFields = endpointColumns
  .filter(({ name, type }) => type === 'string' && !name.endsWith('_at'))
  .map(({ name }) => name);

/** Every endpoint ever observed, also those without a call in the window. */
export const report = question({
  name: 'report',
  path: '/report',
  about: 'Every endpoint ever observed, with its use in the window and its lifecycle',
  parameters: z.strictObject({
    ...commonParameters,
    ...filterParameters,
    sort: z
      .enum(sortFields)
      .default('total_calls')
      .describe(`one of ${sortFields.join(', ')}; total_calls unless told`),
    order: orderParameter,
    ...pageParameters(),
  }),
  list: { noun: 'endpoints', columns: endpointColumns },
  answer(asked, parameters) {
    const place = listPlace('/report', parameters, asked.nowMs);
    const { sort, order } = parameters;
    const descending = order ? order === 'desc' : !textFields.includes(sort);
    return endpointList(asked, parameters, place, {
      title: 'Report',
      field: sort,
      descending,
      keep: () => true,
    });
  },
});

export interface EndpointListParameters extends ListParameters {
  service?: string | undefined;
  environment?: string | undefined;
  status?: Status[] | undefined;
  method?: string[] | undefined;
  route?: string | undefined;
  q?: string | undefined;
}

/** A list of endpoints under the summary of the whole; top and dead are such lists too. */
export function endpointList(
  asked: Asked,
  parameters: EndpointListParameters,
  place: ListPlace,
  told: {
    title: string;
    field: keyof EndpointRow;
    descending: boolean;
    keep: (entry: RollEntry) => boolean;
  },
) {
  const { service, environment, status, method, route, q } = parameters;
  const roll = callRoll(asked, selectionOf(parameters), place.window);
  const passes = endpointFilter({ method, route, q });
  const rows = roll.entries
    .filter((entry) => told.keep(entry) && passes(entry.endpoint))
    .filter(({ life }) => status === undefined || status.includes(life.status))
    .map(endpointRow);
  const filters = { service, environment, status, method, route, q };
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
