import { z } from 'zod';
import { commonParameters, filterParameters, pageParameters } from '../parameters.ts';
import { listPlace, question } from '../question.ts';
import { endpointColumns } from './endpoint-row.ts';
import { endpointList } from './report.ts';

/** Dead and never called endpoints, oldest first: code that can go, with who called it last. */
export const dead = question({
  name: 'dead',
  path: '/report/dead',
  about: 'Dead and never called endpoints, longest silent first, with their last callers',
  parameters: z.strictObject({ ...commonParameters, ...filterParameters, ...pageParameters() }),
  list: { noun: 'endpoints', columns: endpointColumns },
  answer(asked, parameters) {
    const place = listPlace('/report/dead', parameters, asked.nowMs);
    return endpointList(asked, parameters, place, {
      title: 'Dead endpoints',
      field: 'last_called_at',
      descending: false,
      keep: ({ life }) => life.status === 'dead' || life.status === 'never_called',
    });
  },
});
