import { z } from 'zod';
import { limits, specialRoutes } from '../../core/limits.ts';
import type { ClientUsage } from '../../core/store/store.ts';
import {
  commonParameters,
  methodParameter,
  pageParameters,
  routeParameter,
} from '../query/parameters.ts';
import { listAnswer, listPlace, question } from '../query/query.ts';
import type { Column } from '../query/table.ts';
import { head } from './endpoint-usage.ts';
import { count, percent } from './figures.ts';
import { narrowed } from './timeseries.ts';

/** One network address that called; calls from nobody known are in no row. */
export interface ClientRow {
  client: string;
  calls: number;
  errors: number;
  error_rate_pct: number | null;
}

const columns: Column<ClientRow>[] = [
  { name: 'client', type: 'string', about: 'address, {other} for the rarest', brief: true },
  { name: 'calls', type: 'integer', about: 'calls in the window', brief: true },
  { name: 'errors', type: 'integer', about: 'of those, statuses of 400 or more', brief: true },
  { name: 'error_rate_pct', type: 'number', about: 'errors of calls', brief: true },
];

/** The busiest clients, at most as many as one list answer holds. */
export const clients = question({
  name: 'clients',
  path: '/clients',
  about: 'The addresses that called in the window, most calls first',
  parameters: z.strictObject({
    ...commonParameters,
    method: methodParameter,
    route: routeParameter,
    ...pageParameters(100),
  }),
  list: { noun: 'clients', columns },
  async answer(asked, parameters) {
    const { snapshot, nowMs } = asked;
    const { service, environment, method, route } = parameters;
    const { selection, observedSinceMs } = await narrowed(snapshot, parameters);
    const place = listPlace('/clients', parameters, nowMs);
    const coverage = await snapshot.coverage(place.window);
    const usages = await snapshot.clients(selection, coverage.window, limits.listRows);
    const estimated = usages.some(
      (usage) => usage.estimated || usage.client === specialRoutes.other,
    );
    return listAnswer({
      title: 'Clients',
      noun: 'clients',
      head: head(
        asked,
        { coverage, observedSinceMs, estimated },
        { service, environment, method, route },
      ),
      columns,
      rows: usages.map(clientRow),
      order: { field: 'calls', descending: true, key: ({ client }) => client },
      place,
      parameters,
    });
  },
});

export function clientRow({ client, calls, errors }: ClientUsage): ClientRow {
  const rate = percent(errors, calls);
  return { client, calls: count(calls), errors: count(errors), error_rate_pct: rate };
}
