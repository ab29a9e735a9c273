import { z } from 'zod';
import { eventsWithin } from '../../../core/store/annotations/events.ts';
import type { Selection, Snapshot } from '../../../core/store/store.ts';
import { isoTime, type Window } from '../../../core/window.ts';
import { time } from '../../query/schema.ts';
import { tableOf } from '../../query/table.ts';
import { deploymentsOf } from './deployments.ts';

/** One event on the time axis: a deployment that was observed, or what somebody told. */
export interface TimelineEvent {
  atMs: number;
  kind: string;
  /** Absent for an event that was observed. */
  id?: string;
  title?: string;
  service?: string;
  environment?: string;
  version?: string;
  /** The version before it, of a deployment that was observed. */
  previous?: string;
  link?: string;
}

export const eventTable = tableOf<TimelineEvent>()('Event', {
  at: {
    type: time,
    about: 'when it happened: of a deployment, the end of the first call that the version answered',
    value: ({ atMs }) => isoTime(atMs),
    brief: true,
  },
  kind: {
    type: z.string(),
    about:
      'deployment: the first call of a version of a service; and whatever POST /events was told, such as incident',
    value: ({ kind }) => kind,
    brief: true,
  },
  service: {
    type: z.string().nullable(),
    about: 'service.name; null for an event of all services',
    value: ({ service }) => service ?? null,
    brief: true,
  },
  environment: {
    type: z.string().nullable(),
    about: 'deployment.environment.name, empty when unnamed; null for all environments',
    value: ({ environment }) => environment ?? null,
    brief: true,
  },
  version: {
    type: z.string().nullable(),
    about: 'service.version; null for an event of none',
    value: ({ version }) => version ?? null,
    brief: true,
  },
  previous_version: {
    type: z.string().nullable(),
    about: 'the version before, of an observed deployment; null for the first that was observed',
    value: ({ previous }) => previous ?? null,
    brief: true,
  },
  title: {
    type: z.string().nullable(),
    about: 'as POST /events was told; null of an observed deployment',
    value: ({ title }) => title ?? null,
    brief: true,
  },
  link: {
    type: z.string().nullable(),
    about: 'an address to read more at, as POST /events was told; null without',
    value: ({ link }) => link ?? null,
  },
  id: {
    type: z.string().nullable(),
    about: 'for DELETE /events/{id}; null of an observed deployment, which cannot be deleted',
    value: ({ id }) => id ?? null,
  },
});

export type EventRow = z.output<typeof eventTable.schema>;

/** What every answer with a time series says of its events. */
export const eventsSchema = z
  .array(eventTable.schema)
  .describe(
    'deployments of the window and the events that were told, oldest first, of the services asked for, whichever endpoints are selected',
  );

/** The events of a window, oldest first: of the selected services, whichever endpoints are selected. */
export async function eventsIn(
  snapshot: Snapshot,
  { service, environment }: Selection,
  window: Window,
): Promise<TimelineEvent[]> {
  const services = {
    ...(service !== undefined && { service }),
    ...(environment !== undefined && { environment }),
  };
  const deployments = deploymentsOf(await snapshot.endpoints(services));
  const observed = [...deployments.values()]
    .flat()
    .map((deployment): TimelineEvent => ({ ...deployment, kind: 'deployment' }));
  return eventsWithin([...observed, ...(await snapshot.events())], services, window);
}
