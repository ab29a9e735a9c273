import { z } from 'zod';
import {
  type Head,
  head,
  headProse,
  headShape,
  selectionNotes,
  selectionOf,
} from '../../query/answer-head.ts';
import { listPage } from '../../query/list.ts';
import type { Order } from '../../query/page.ts';
import { commonParameters, pageParameters } from '../../query/parameters.ts';
import { defineQuery } from '../../query/query.ts';
import { nextCursor } from '../../query/schema.ts';
import { observedSince } from '../endpoint-usage.ts';
import { eventsIn, eventTable, type TimelineEvent } from './timeline.ts';

const newestFirst: Order<TimelineEvent> = {
  value: ({ atMs }) => atMs,
  descending: true,
  key: ({ id, service, environment, version }) => id ?? `\0${service}\0${environment}\0${version}`,
};

/** Events are permanent facts: retention does not cut their window. */
export const events = defineQuery({
  name: 'events',
  path: '/events',
  about:
    'Events of the window, newest first: deployments, the first call of each version of a service, and what POST /events was told',
  parameters: z.strictObject({ ...commonParameters, ...pageParameters(1000) }),
  schema: z.object({
    ...headShape,
    events: z.array(eventTable.schema),
    next_cursor: nextCursor,
  }),
  list: {
    title: 'Events',
    noun: 'events',
    isStreamed: true,
    table: eventTable,
    prose: (body: Head) => headProse(body),
  },
  async answer(context, parameters) {
    const { snapshot } = context;
    const { service, environment } = parameters;
    const page = await listPage(context, '/events', parameters, async (window) => {
      const selection = selectionOf(parameters);
      const rows = await eventsIn(snapshot, selection, window);
      const observedSinceMs = observedSince(await snapshot.endpoints(selection));
      const coverage = { window, resolution: 'minute' as const, incomplete: false };
      const notes = await selectionNotes(context, parameters);
      const known = { coverage, observedSinceMs, estimated: false, notes };
      return { head: head(context, known, { service, environment }), rows, order: newestFirst };
    });
    const rows = page.rows.map((event) => eventTable.row(event));
    return { ...page.head, events: rows, next_cursor: page.next_cursor };
  },
});
