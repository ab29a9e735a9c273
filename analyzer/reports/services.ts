import { z } from 'zod';
import type { Coverage, ServiceRecord, Snapshot } from '../../core/store/store.ts';
import { isoTime, minuteS, type Window } from '../../core/window.ts';
import { commonParameters, pageParameters } from '../query/parameters.ts';
import { listAnswer, listPlace, question } from '../query/query.ts';
import type { Column } from '../query/table.ts';
import { head, observedSince, selectionOf, serviceKey } from './endpoint-usage.ts';
import { count } from './figures.ts';

/** One service in one environment. `calls` are those of the window, of all time when none was given. */
export interface ServiceRow {
  service: string;
  environment: string;
  endpoints: number;
  calls: number;
  first_seen_at: string;
  last_seen_at: string;
}

const columns: Column<ServiceRow>[] = [
  { name: 'service', type: 'string', about: 'service.name', brief: true },
  {
    name: 'environment',
    type: 'string',
    about: 'deployment.environment.name, empty when unnamed',
    brief: true,
  },
  { name: 'endpoints', type: 'integer', about: 'endpoints ever observed', brief: true },
  {
    name: 'calls',
    type: 'integer',
    about: 'calls in the window, ever when no window is given',
    brief: true,
  },
  { name: 'first_seen_at', type: 'string', about: 'end of the oldest span', brief: true },
  { name: 'last_seen_at', type: 'string', about: 'end of the newest span', brief: true },
];

export const services = question({
  name: 'services',
  path: '/services',
  about: 'Services by environment; all time unless a window is given',
  parameters: z.strictObject({ ...commonParameters, ...pageParameters() }),
  list: { noun: 'services', columns },
  async answer(asked, parameters) {
    const { service, environment, window, from, to } = parameters;
    const place = listPlace('/services', parameters, asked.nowMs);
    const records = (await asked.snapshot.services())
      .filter((record) => service === undefined || record.service === service)
      .filter((record) => environment === undefined || record.environment === environment);
    const observedSinceMs = observedSince(records);
    const isWindowed = window !== undefined || from !== undefined || to !== undefined;
    const coverage = isWindowed
      ? await asked.snapshot.coverage(place.window)
      : wholeLife(observedSinceMs, place.window);
    const calls = isWindowed ? await callsIn(asked, parameters, coverage.window) : lifetimeCalls;
    const estimated = records.some(({ lastSampledMs }) => lastSampledMs !== undefined);
    const known = { coverage, observedSinceMs, estimated };
    return listAnswer({
      title: 'Services',
      noun: 'services',
      head: head(asked, known, { service, environment }),
      columns,
      rows: records.map((record) => serviceRow(record, calls(record))),
      order: { field: 'service', descending: false, key: (row) => row.environment },
      place,
      parameters,
    });
  },
});

function serviceRow(record: ServiceRecord, calls: number): ServiceRow {
  return {
    service: record.service,
    environment: record.environment,
    endpoints: record.endpoints,
    calls: count(calls),
    first_seen_at: isoTime(record.firstCallMs),
    last_seen_at: isoTime(record.lastCallMs),
  };
}

const lifetimeCalls = (record: ServiceRecord): number => record.lifetimeCalls;

function wholeLife(observedSinceMs: number | undefined, { fromS, toS }: Window): Coverage {
  const oldestS = observedSinceMs === undefined ? fromS : Math.floor(observedSinceMs / 1000);
  const window = { fromS: Math.min(fromS, oldestS - (oldestS % minuteS)), toS };
  return { window, resolution: 'minute' };
}

async function callsIn(
  { snapshot }: { snapshot: Snapshot },
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
