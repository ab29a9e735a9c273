import { z } from 'zod';
import { commonParameters, filterParameters, pageParameters } from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import {
  endpointList,
  endpointListOf,
  endpointListSchema,
  rowParameters,
} from './endpoint-list.ts';

/** The endpoints that were called most in the window; those without a call in it are not in the list. */
export const top = defineQuery({
  name: 'top',
  path: '/report/top',
  about: 'The most called endpoints of the window, most calls first',
  parameters: z.strictObject({
    ...commonParameters,
    ...filterParameters,
    ...rowParameters,
    ...pageParameters(20),
  }),
  schema: endpointListSchema,
  list: endpointListOf('Most called endpoints'),
  answer: (context, parameters) =>
    endpointList(context, parameters, {
      path: '/report/top',
      sort: 'total_calls',
      descending: true,
      keep: ({ usage }) => usage.calls > 0,
    }),
});
