import { z } from 'zod';
import { commonParameters, filterParameters, pageParameters } from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import {
  endpointList,
  endpointListOf,
  endpointListSchema,
  rowParameters,
} from './endpoint-list.ts';

/** Dead and never called endpoints, oldest first: code that can go, with its last callers. */
export const dead = defineQuery({
  name: 'dead',
  path: '/report/dead',
  about: 'Dead and never called endpoints, longest silent first, with their last callers',
  parameters: z.strictObject({
    ...commonParameters,
    ...filterParameters,
    ...rowParameters,
    ...pageParameters(),
  }),
  schema: endpointListSchema,
  list: endpointListOf('Dead endpoints', ['confidence', 'last_callers', 'reasons']),
  answer: (context, parameters) =>
    endpointList(context, parameters, {
      path: '/report/dead',
      sort: 'last_called_at',
      descending: false,
      keep: ({ lifecycle }) => lifecycle.status === 'dead' || lifecycle.status === 'never_called',
    }),
});
