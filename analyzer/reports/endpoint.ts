import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { head, headShape } from '../query/answer-head.ts';
import { allIntervals } from '../query/calendar.ts';
import { commonParameters, limitParameter } from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import { keptCoverage, requestedWindow } from '../query/window.ts';
import { clientTable } from './clients.ts';
import { endpointTable } from './endpoint-row.ts';
import { usageByEndpoint } from './endpoint-usage.ts';
import { statusCodes, statusCodesSchema } from './figures.ts';
import { curveSchema, heatmapSchema, latencyOf } from './latency.ts';
import { glance, pointTable, seriesEntries } from './series.ts';

const { window, from, to } = commonParameters;

/** One endpoint: its row of the report, and what the row has no room for. */
export const endpoint = defineQuery({
  name: 'endpoint',
  path: '/endpoints/:id',
  about:
    'One endpoint: its row, status codes, time series, latency heatmap and percentiles, clients and last callers',
  parameters: z.strictObject({ window, from, to, limit: limitParameter(1000, 20) }),
  schema: z.object({
    ...headShape,
    endpoint: endpointTable.schema,
    status_codes: statusCodesSchema,
    interval: z.enum(allIntervals).describe('of time_series'),
    time_series: z.array(pointTable.schema),
    latency_heatmap: heatmapSchema,
    percentile_curve: curveSchema,
    clients: z
      .array(clientTable.schema)
      .describe('most calls first, at most `limit`; then {other}, the rest together'),
    last_callers: endpointTable.schema.shape.last_callers,
  }),
  async answer(context, parameters, { id = '' }) {
    const { snapshot } = context;
    const coverage = await keptCoverage(snapshot, requestedWindow(parameters, context));
    const selection = { endpoints: new Set([id]) };
    const known = await usageByEndpoint(context, selection, coverage);
    const entry = known.entries[0];
    if (entry === undefined) {
      const shown = JSON.stringify(id.slice(0, 100));
      throw new AppError('not_found', `there is no endpoint ${shown}`, { field: 'id' });
    }
    const clients = await snapshot.clients(selection, coverage.window, parameters.limit);
    const series = await glance(snapshot, selection, coverage);
    const latency = await latencyOf(snapshot, selection, coverage.window, entry.usage);
    const row = endpointTable.row(entry);
    return {
      ...head(context, known, {}),
      endpoint: row,
      status_codes: statusCodes(entry.usage),
      interval: series.interval,
      time_series: seriesEntries(series).map((point) => pointTable.row(point)),
      latency_heatmap: latency.heatmap,
      percentile_curve: latency.curve,
      clients: clients.map((client) => clientTable.row(client)),
      last_callers: row.last_callers,
    };
  },
});
