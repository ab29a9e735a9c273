import { z } from 'zod';
import { commonParameters, filterParameters, pageParameters } from '../query/parameters.ts';
import { question } from '../query/query.ts';
import { endpointList } from './endpoint-list.ts';
import { endpointColumns } from './endpoint-row.ts';

/** The endpoints that were called most in the window; those without a call in it are not in the list. */
export const top = question({
  name: 'top',
  path: '/report/top',
  about: 'The most called endpoints of the window, most calls first',
  parameters: z.strictObject({ ...commonParameters, ...filterParameters, ...pageParameters(20) }),
  list: { noun: 'endpoints', columns: endpointColumns },
  async answer(asked, parameters) {
    return endpointList(asked, parameters, {
      path: '/report/top',
      title: 'Most called endpoints',
      field: 'total_calls',
      descending: true,
      keep: ({ usage }) => usage.calls > 0,
    });
  },
});
