import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { commonParameters, limitParameter } from '../query/parameters.ts';
import { jsonAnswer, question } from '../query/query.ts';
import { requestedWindow } from '../query/window.ts';
import { clientRow } from './clients.ts';
import { endpointRow } from './endpoint-row.ts';
import { head, usageByEndpoint } from './endpoint-usage.ts';
import { statusCodes } from './figures.ts';
import { glance, seriesPoint } from './timeseries.ts';

const { window, from, to } = commonParameters;

/** One endpoint: its row of the report, and what the row has no room for. */
export const endpoint = question({
  name: 'endpoint',
  path: '/endpoints/:id',
  about: 'One endpoint: its row, status codes, time series, clients and last callers',
  parameters: z.strictObject({ window, from, to, limit: limitParameter(1000, 20) }),
  async answer(asked, parameters, { id = '' }) {
    const { snapshot, nowMs } = asked;
    const asking = requestedWindow(parameters, nowMs);
    const selection = { endpoints: new Set([id]) };
    const roll = await usageByEndpoint(asked, selection, asking);
    const entry = roll.entries[0];
    if (entry === undefined) {
      const shown = JSON.stringify(id.slice(0, 100));
      throw new AppError('not_found', `there is no endpoint ${shown}`, { field: 'id' });
    }
    const clients = await snapshot.clients(selection, roll.coverage.window, parameters.limit);
    const series = await glance(snapshot, selection, roll.coverage);
    const row = endpointRow(entry);
    return jsonAnswer({
      ...head(asked, roll, {}),
      endpoint: row,
      status_codes: statusCodes(entry.usage),
      interval: series.interval,
      time_series: series.usages.map((usage, n) => seriesPoint(series.startsS[n]!, usage)),
      clients: clients.map(clientRow),
      last_callers: row.last_callers,
    });
  },
});
