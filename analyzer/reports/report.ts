import { z } from 'zod';
import {
  commonParameters,
  filterParameters,
  orderParameter,
  pageParameters,
} from '../query/parameters.ts';
import { question } from '../query/query.ts';
import { endpointList } from './endpoint-list.ts';
import { endpointColumns } from './endpoint-row.ts';

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
  async answer(asked, parameters) {
    const { sort, order } = parameters;
    const descending = order ? order === 'desc' : !textFields.includes(sort);
    return endpointList(asked, parameters, {
      path: '/report',
      title: 'Report',
      field: sort,
      descending,
      keep: () => true,
    });
  },
});
