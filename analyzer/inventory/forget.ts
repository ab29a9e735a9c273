import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import type { Snapshot } from '../../core/store/store.ts';
import { defineProjectCommand } from '../query/project-command.ts';
import { count } from '../query/schema.ts';
import { environmentParameter } from './commands.ts';
import { declarationsOf } from './declarations.ts';

/** Commands that forget what was observed. What is called again afterwards is observed anew. */
export const forgetEndpoint = defineProjectCommand({
  name: 'forgetEndpoint',
  path: '/endpoints/:id',
  method: 'DELETE',
  tag: 'inventory',
  about:
    'Forgets an endpoint: its record, its usage and its calls; it is new if it is called again',
  action: 'decide',
  parameters: z.strictObject({}),
  status: 204,
  failures: { 404: 'There is no such endpoint' },
  async run({ project, endpoints, path: { id = '' } }) {
    if (await endpoints.forgetEndpoint(project, id)) return undefined;
    const shown = JSON.stringify(id.length > 100 ? `${id.slice(0, 100)}…` : id);
    throw new AppError('not_found', `there is no observed endpoint ${shown}`, { field: 'id' });
  },
});

export const forgetService = defineProjectCommand({
  name: 'forgetService',
  path: '/services/:service',
  method: 'DELETE',
  tag: 'inventory',
  about:
    'Forgets a service: its endpoints with their verdicts and evidence, its inventories, decisions and events',
  action: 'decide',
  parameters: z.strictObject({
    environment: environmentParameter.describe(
      'the one environment that is forgotten, empty for the unnamed one; every environment unless told',
    ),
  }),
  status: 200,
  schema: z.object({ service: z.string(), forgotten_endpoints: count }),
  failures: { 404: 'Nothing is known of the service there' },
  async run({ project, endpoints, ask, path: { service = '' }, parameters: { environment } }) {
    const declared = await ask(({ snapshot }) => declaredIds(snapshot, service, environment));
    const forgotten = await endpoints.forgetService(project, service, environment, declared);
    if (forgotten !== undefined) return { service, forgotten_endpoints: forgotten };
    const shown = JSON.stringify(service.length > 100 ? `${service.slice(0, 100)}…` : service);
    const where = environment === undefined ? '' : ` in environment ${JSON.stringify(environment)}`;
    throw new AppError('not_found', `nothing is known of a service ${shown}${where}`, {
      field: 'service',
    });
  },
});

/** The ids that declared endpoints of a service have before their first call. */
async function declaredIds(
  snapshot: Snapshot,
  service: string,
  environment: string | undefined,
): Promise<string[]> {
  const inventories = (await snapshot.inventories()).filter((one) => one.service === service);
  const observed = await snapshot.endpoints({ service });
  const { uncalled, called } = declarationsOf(inventories, observed, await snapshot.services());
  const own = uncalled.filter((one) => (environment ?? one.environment) === one.environment);
  const environmentOf = new Map(observed.map((endpoint) => [endpoint.id, endpoint.environment]));
  const since = [...called].filter(
    ([, id]) => environment === undefined || environmentOf.get(id) === environment,
  );
  return [...own.map(({ id }) => id), ...since.map(([id]) => id)];
}
