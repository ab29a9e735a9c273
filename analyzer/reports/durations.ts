import { z } from 'zod';
import { head, headShape, selectionNotes } from '../query/answer-head.ts';
import { chosenEndpoints, commonParameters } from '../query/parameters.ts';
import { defineQuery } from '../query/query.ts';
import { keptCoverage, requestedWindow } from '../query/window.ts';
import { chosenSelection } from './endpoint-filter.ts';
import { curveSchema, heatmapSchema, latencyOf } from './latency.ts';

/** The durations of all selected endpoints together: `/endpoints/{id}` has those of one. */
export const latency = defineQuery({
  name: 'latency',
  path: '/latency',
  about: 'Calls of the selected endpoints by time and duration, and the percentiles of all of them',
  parameters: z.strictObject({
    ...commonParameters,
    ...chosenEndpoints,
  }),
  schema: z.object({
    ...headShape,
    latency_heatmap: heatmapSchema,
    percentile_curve: curveSchema,
  }),
  async answer(context, parameters) {
    const { snapshot } = context;
    const coverage = await keptCoverage(snapshot, requestedWindow(parameters, context));
    const { selection, observedSinceMs, filters } = await chosenSelection(context, parameters);
    const usage = await snapshot.total(selection, coverage.window);
    const { heatmap, curve } = await latencyOf(snapshot, selection, coverage.window, usage);
    const notes = await selectionNotes(context, parameters);
    const known = { coverage, observedSinceMs, estimated: usage.sampling !== undefined, notes };
    return {
      ...head(context, known, filters),
      latency_heatmap: heatmap,
      percentile_curve: curve,
    };
  },
});
