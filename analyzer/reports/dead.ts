import { z } from 'zod';
import { removalPlan } from '../inventory/removal-plan.ts';
import {
  commonParameters,
  type DecisionFilter,
  filterParameters,
  formatOrPdfParameter,
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

const confidenceParameter = z
  .string()
  .regex(/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/, 'must be a number from 0 to 1 such as 0.9')
  .transform(Number)
  .optional()
  .describe(
    'least confidence, 0 to 1: only endpoints that will not be used with so much certainty',
  );

/** Dead and never called endpoints, oldest first: code that can go, with its last callers. */
export const dead = defineQuery({
  name: 'dead',
  path: '/report/dead',
  about: 'Dead and never called endpoints, longest silent first, with their last callers',
  parameters: z.strictObject({
    ...commonParameters,
    ...filterParameters,
    min_confidence: confidenceParameter,
    ...rowParameters,
    ...pageParameters(),
    format: formatOrPdfParameter,
  }),
  schema: endpointListSchema,
  hasPdf: true,
  list: {
    ...endpointListOf('Dead endpoints', ['confidence', 'last_callers', 'reasons']),
    isStreamed: true,
    document: removalPlan,
  },
  answer: (context, parameters) =>
    endpointList(
      context,
      { ...parameters, decision: parameters.decision ?? undecided },
      {
        path: '/report/dead',
        sort: 'last_used_at',
        descending: false,
        keep: ({ lifecycle, decision }) =>
          // A status that was asked for is listed, whichever it is.
          parameters.status !== undefined ||
          lifecycle.status === 'dead' ||
          lifecycle.status === 'never_called' ||
          (decision?.returned ?? null) !== null,
      },
    ),
});
