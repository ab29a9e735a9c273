import { z } from 'zod';
import { commonParameters, filterParameters, pageParameters } from '../query/parameters.ts';
import { question } from '../query/query.ts';
import { endpointList } from './endpoint-list.ts';
import { endpointColumns } from './endpoint-row.ts';

/** Dead and never called endpoints, oldest first: code that can go, with who called it last. */
export const dead = question({
  name: 'dead',
  path: '/report/dead',
  about: 'Dead and never called endpoints, longest silent first, with their last callers',
  parameters: z.strictObject({ ...commonParameters, ...filterParameters, ...pageParameters() }),
  list: { noun: 'endpoints', columns: endpointColumns },
  async answer(asked, parameters) {
    return endpointList(asked, parameters, {
      path: '/report/dead',
      title: 'Dead endpoints',
      field: 'last_called_at',
      descending: false,
      keep: ({ life }) => life.status === 'dead' || life.status === 'never_called',
    });
  },
});
