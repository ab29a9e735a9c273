import { z } from 'zod';
import type { Coverage, ServiceRecord, Snapshot } from '../../core/store/store.ts';
import { isoTime, minuteS, type Window } from '../../core/window.ts';
import {
  type Head,
  head,
  headProse,
  headShape,
  selectionNotes,
  selectionOf,
} from '../query/answer-head.ts';
import { listPage } from '../query/list.ts';
import type { Order } from '../query/page.ts';
import { commonParameters, pageParameters } from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import { count, nextCursor, time } from '../query/schema.ts';
import { tableOf } from '../query/table.ts';
import { keptCoverage } from '../query/window.ts';
import { serviceKey } from '../verdict/model.ts';
import { observedSince } from './endpoint-usage.ts';
import { countOf } from './figures.ts';

interface ServiceEntry {
  record: ServiceRecord;
  calls: number;
}

/** One service in one environment. */
const serviceTable = tableOf<ServiceEntry>()('ServiceRow', {
  service: {
    type: z.string(),
    about: 'service.name',
    value: ({ record }) => record.service,
    brief: true,
  },
  environment: {
    type: z.string(),
    about: 'deployment.environment.name, empty when unnamed',
    value: ({ record }) => record.environment,
    brief: true,
  },
  endpoints: {
    type: count,
    about: 'endpoints ever observed',
    value: ({ record }) => record.endpoints,
    brief: true,
  },
  calls: {
    type: count,
    about: 'calls in the window, ever when no window is given',
    value: ({ calls }) => countOf(calls),
    brief: true,
  },
  first_seen_at: {
    type: time,
    about: 'end of the oldest span',
    value: ({ record }) => isoTime(record.firstCallMs),
    brief: true,
  },
  last_seen_at: {
    type: time,
    about: 'end of the newest span',
    value: ({ record }) => isoTime(record.lastCallMs),
    brief: true,
  },
});

export type ServiceRow = z.output<typeof serviceTable.schema>;

const byName: Order<ServiceEntry> = {
  value: ({ record }) => record.service,
  descending: false,
  key: ({ record }) => record.environment,
};

export const services = defineQuery({
  name: 'services',
  path: '/services',
  about: 'Services by environment; all time unless a window is given',
  parameters: z.strictObject({ ...commonParameters, ...pageParameters() }),
  schema: z.object({
    ...headShape,
    services: z.array(serviceTable.schema),
    next_cursor: nextCursor,
  }),
  list: {
    title: 'Services',
    noun: 'services',
    isStreamed: true,
    table: serviceTable,
    prose: (body: Head) => headProse(body),
  },
  async answer(context, parameters) {
    const { snapshot } = context;
    const { service, environment, window, from, to } = parameters;
    const isWindowed = window !== undefined || from !== undefined || to !== undefined;
    const page = await listPage(context, '/services', parameters, async (requested) => {
      const records = (await snapshot.services())
        .filter((record) => service === undefined || record.service === service)
        .filter((record) => environment === undefined || record.environment === environment);
      const observedSinceMs = observedSince(records);
      const coverage = isWindowed
        ? await keptCoverage(snapshot, requested)
        : wholeLife(observedSinceMs, requested);
      const callsOf = isWindowed
        ? await callsIn(snapshot, parameters, coverage.window)
        : lifetimeCalls;
      const estimated = records.some(({ lastSampledMs }) => lastSampledMs !== undefined);
      const notes = await selectionNotes(context, parameters);
      const known = { coverage, observedSinceMs, estimated, notes };
      return {
        head: head(context, known, { service, environment }),
        rows: records.map((record) => ({ record, calls: callsOf(record) })),
        order: byName,
      };
    });
    const rows = page.rows.map((entry) => serviceTable.row(entry));
    return { ...page.head, services: rows, next_cursor: page.next_cursor };
  },
});

const lifetimeCalls = (record: ServiceRecord): number => record.lifetimeCalls;

function wholeLife(observedSinceMs: number | undefined, { fromS, toS }: Window): Coverage {
  const oldestS = observedSinceMs === undefined ? fromS : Math.floor(observedSinceMs / 1000);
  const window = { fromS: Math.min(fromS, oldestS - (oldestS % minuteS)), toS };
  return { window, resolution: 'minute', incomplete: false };
}

async function callsIn(
  snapshot: Snapshot,
  parameters: { service?: string | undefined; environment?: string | undefined },
  window: Window,
): Promise<(record: ServiceRecord) => number> {
  const selection = selectionOf(parameters);
  const usages = await snapshot.usage(selection, window);
  const calls = new Map<string, number>();
  for (const endpoint of await snapshot.endpoints(selection)) {
    const key = serviceKey(endpoint);
    calls.set(key, (calls.get(key) ?? 0) + (usages.get(endpoint.id)?.calls ?? 0));
  }
  return (record) => calls.get(serviceKey(record)) ?? 0;
}
