import { z } from 'zod';
import { commonParameters, filterParameters, pageParameters } from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import {
  endpointList,
  endpointListOf,
  endpointListSchema,
  rowParameters,
} from '../reports/endpoint-list.ts';
import type { EndpointEntry } from '../reports/endpoint-usage.ts';
import { outcomeCount } from '../reports/figures.ts';

/** Former routes that are still called, and decided removals that callers run into: who has to be told. */
export const removed = defineQuery({
  name: 'removed',
  path: '/report/removed',
  about:
    'Endpoints that were removed, or are to be, and that are called all the same, with their callers',
  parameters: z.strictObject({
    ...commonParameters,
    ...filterParameters,
    ...rowParameters,
    ...pageParameters(),
  }),
  schema: endpointListSchema,
  list: endpointListOf('Removed endpoints that are called', ['missing_count', 'last_callers']),
  answer: (context, parameters) =>
    endpointList(context, parameters, {
      path: '/report/removed',
      sort: 'last_called_at',
      descending: true,
      keep: isMissed,
    }),
});

/**
 * Called since no inventory declares it. An endpoint that people decided to remove counts when it was not found within
 * the window: a brown-out answers 410 for an hour, before the code is deleted.
 */
function isMissed({ endpoint, usage, declaration, decision }: EndpointEntry): boolean {
  if (declaration?.state === 'removed') {
    return (endpoint.lastCallMs ?? 0) > (declaration.removedMs ?? 0);
  }
  return decision?.decision.action === 'remove' && outcomeCount(usage, 'missing') > 0;
}
