import { z } from 'zod';
import {
  commonParameters,
  type DecisionFilter,
  filterParameters,
  pageParameters,
} from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import {
  endpointList,
  endpointListOf,
  endpointListSchema,
  rowParameters,
} from './endpoint-list.ts';

/** The list is work to do: without `decision=`, endpoints with a decision that holds are left out. */
const undecided: DecisionFilter[] = ['none', 'returned'];

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
  list: {
    ...endpointListOf('Dead endpoints', ['confidence', 'last_callers', 'reasons']),
    isStreamed: true,
  },
  answer: (context, parameters) =>
    endpointList(
      context,
      { ...parameters, decision: parameters.decision ?? undecided },
      {
        path: '/report/dead',
        sort: 'last_called_at',
        descending: false,
        keep: ({ lifecycle, decision }) =>
          lifecycle.status === 'dead' ||
          lifecycle.status === 'never_called' ||
          (decision?.returned ?? null) !== null,
      },
    ),
});
