import { z } from 'zod';
import {
  commonParameters,
  filterParameters,
  formatOrPdfParameter,
  orderParameter,
  pageParameters,
} from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import { isText } from '../query/table.ts';
import {
  endpointList,
  endpointListOf,
  endpointListSchema,
  rowParameters,
} from './endpoint-list.ts';
import { type EndpointColumn, endpointTable } from './endpoint-row.ts';

/** Callers of the window sort as those of the lifetime. */
const unsorted = new Set<string>(['spark', 'window_last_callers', 'window_last_answered_callers']);
const sortFields = endpointTable.names.filter((name) => !unsorted.has(name)) as [
  EndpointColumn,
  ...EndpointColumn[],
];

/** Every endpoint ever observed, also those without a call in the window. */
export const report = defineQuery({
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
    ...rowParameters,
    ...pageParameters(),
    format: formatOrPdfParameter,
  }),
  schema: endpointListSchema,
  hasPdf: true,
  list: { ...endpointListOf('Report'), isStreamed: true },
  answer(context, parameters) {
    const { sort, order } = parameters;
    const descending = order ? order === 'desc' : !isText(sort, endpointTable.columns[sort]);
    return endpointList(context, parameters, {
      path: '/report',
      sort,
      descending,
      keep: () => true,
    });
  },
});
