import { z } from 'zod';
import type { Inventory, InventoryPlace } from '../../core/store/inventory.ts';
import type { Snapshot } from '../../core/store/store.ts';
import { head, headShape } from '../query/answer-head.ts';
import { commonParameters } from '../query/parameters.ts';
import { defineProjectCommand } from '../query/project-command.ts';
import { count } from '../query/schema.ts';
import { keptCoverage, requestedWindow } from '../query/window.ts';
import { endpointPartSchema } from '../reports/endpoint-list.ts';
import { type EndpointColumn, endpointTable } from '../reports/endpoint-row.ts';
import { endpointSummarySchema, summarize, usageByEndpoint } from '../reports/endpoint-usage.ts';
import {
  environmentParameter,
  inventoryBody,
  placeOf,
  prefixParameter,
  preview,
  uploadOf,
} from './commands.ts';

/** Fields that judge an endpoint; the durations of a report are left out. */
const checkedFields: readonly EndpointColumn[] = endpointTable.names.filter(
  (name) => !/_duration_ms$|^error_|^success_|^spark$|_interval$/.test(name),
);

/**
 * The report that a service would have if a document were its inventory. A gate in CI reads it with a key of scope
 * `read` before the document is merged: nothing is stored.
 */
export const checkInventory = defineProjectCommand({
  name: 'checkInventory',
  path: '/services/:service/check',
  method: 'POST',
  tag: 'inventory',
  about: 'Every endpoint of a service as if the document were its inventory; stores nothing',
  action: 'read',
  parameters: z.strictObject({
    environment: environmentParameter,
    prefix: prefixParameter,
    window: commonParameters.window,
    from: commonParameters.from,
    to: commonParameters.to,
  }),
  body: inventoryBody,
  status: 200,
  schema: z.object({
    ...headShape,
    format: z.string().describe('how the document was understood'),
    declared_routes: count,
    left_out: z.array(z.string()).describe('what the document held and was left out'),
    summary: endpointSummarySchema,
    fields: z.array(z.string()).describe('the fields of the rows, in their order'),
    endpoints: z.array(endpointPartSchema),
  }),
  failures: { 413: 'The body or its number of routes is too large' },
  async run(context) {
    const { service, environment } = placeOf(context);
    const { next, notes } = await uploadOf(context, '');
    const inventory = await preview(context, next);
    return context.ask(async (query) => {
      const window = requestedWindow(context.parameters, query);
      const coverage = await keptCoverage(query.snapshot, window);
      const snapshot = await replacing(query.snapshot, inventory);
      const selection = { service, ...(environment !== null && { environment }) };
      const all = await usageByEndpoint({ ...query, snapshot }, selection, coverage);
      return {
        ...head(query, all, { service, environment: environment ?? undefined }),
        format: inventory.format,
        declared_routes: inventory.declaredRoutes,
        left_out: notes,
        summary: summarize(all.entries),
        fields: [...checkedFields],
        endpoints: all.entries.map((entry) => endpointTable.part(entry, checkedFields)),
      };
    });
  },
});

/** The snapshot with one inventory in place of the stored one. */
async function replacing(snapshot: Snapshot, inventory: Inventory): Promise<Snapshot> {
  const stored = await snapshot.inventories();
  const inventories = [...stored.filter((other) => !isSamePlace(other, inventory)), inventory];
  return new Proxy(snapshot, {
    get(target, name) {
      if (name === 'inventories') return async () => inventories;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

const isSamePlace = (a: InventoryPlace, b: InventoryPlace): boolean =>
  a.service === b.service && a.environment === b.environment;
