import { z } from 'zod';
import { AppError } from '../../core/error.ts';
import { limits } from '../../core/limits.ts';
import {
  type Inventory,
  type InventoryPlace,
  type InventoryVersion,
  inventoryChange,
  type NewInventory,
} from '../../core/store/inventory.ts';
import type { EndpointRecord } from '../../core/store/store.ts';
import { isoTime } from '../../core/window.ts';
import {
  type CommandBody,
  defineProjectCommand,
  type ProjectCommand,
  type ProjectContext,
} from '../query/project-command.ts';
import { count, named, time } from '../query/schema.ts';
import { type MatchedEndpoint, matchesOf } from './declarations.ts';

/** Of the inventory of a service. */
const inventoryPath = '/services/:service/inventory';

export const environmentParameter = z
  .string()
  .max(limits.environmentBytes)
  .optional()
  .describe(
    `the one environment that the inventory is for, empty for the unnamed one; without it the inventory is for every environment that has none of its own; at most ${limits.environmentBytes} characters`,
  );

const endpointSchema = named(
  'MatchedEndpoint',
  z.object({
    id: z.string().describe('for /endpoints/{id}'),
    environment: z.string(),
    method: z.string(),
    route: z.string().describe('as it was observed'),
    guessed: z
      .boolean()
      .describe('it fits only when a literal of its made-up route is a parameter value'),
  }),
);

const versionSchema = named(
  'InventoryVersion',
  z.object({
    version: count,
    created_at: time,
    author: z.string().nullable(),
    format: z.string().describe('how the upload was understood'),
    declared_routes: count,
    added_routes: count.describe('against the version before'),
    removed_routes: count.describe('against the version before'),
  }),
);

const routeSchema = named(
  'DeclaredRoute',
  z.object({
    method: z.string().describe('* for every method'),
    route: z.string().describe('as declared'),
    deprecated: z.boolean(),
    owner: z.string().nullable(),
    sunset_at: z.string().nullable(),
    operation_id: z.string().nullable(),
    added_at: time.nullable().describe('when a later version than the first added it'),
    endpoints: z
      .array(endpointSchema)
      .describe('observed endpoints that it takes; empty when never called'),
  }),
);

const inventorySchema = named(
  'Inventory',
  versionSchema.extend({
    service: z.string(),
    environment: z
      .string()
      .nullable()
      .describe('null for every environment without one of its own'),
    dry_run: z.boolean().describe('nothing was stored'),
    prefixes: z.array(z.string()).describe('paths of the servers that calls may come with'),
    called_routes: count,
    never_called_routes: count,
    notes: z.array(z.string()).describe('what the upload held and was left out'),
    routes: z.array(routeSchema),
    undocumented: z.array(endpointSchema).describe('observed endpoints that no route takes'),
    former_routes: z
      .array(z.object({ method: z.string(), route: z.string(), removed_at: time }))
      .describe('declared by an earlier version and by none since, latest first'),
    versions: z.array(versionSchema).describe(`newest first, at most ${limits.inventoryVersions}`),
  }),
);

/** A body that declares routes. */
export const inventoryBody: CommandBody = {
  description:
    'An OpenAPI 3 or Swagger 2 document, lines of METHOD /route, {"routes": [{"method", "route", "deprecated"}]} or the output of a route printer. The content decides, not the type.',
  bytesMax: limits.inventoryBytes,
  schemas: {
    'application/json': {},
    'application/yaml': { type: 'string' },
    'text/plain': { type: 'string' },
  },
};

export const prefixParameter = z
  .string()
  .regex(/^(\/[^\s?#]{0,200})?$/)
  .optional()
  .describe(
    "the path below which the routes are served, such as /v1, in place of the document's servers; empty for none",
  );

export const putInventory = defineProjectCommand({
  name: 'putInventory',
  path: inventoryPath,
  method: 'PUT',
  tag: 'inventory',
  about: 'Replaces the declared routes of a service: an OpenAPI document or a list of routes',
  action: 'declare',
  body: inventoryBody,
  failures: {
    409: 'The project has as many inventories as it may',
    413: 'The body or its number of routes is too large',
  },
  parameters: z.strictObject({
    environment: environmentParameter,
    prefix: prefixParameter,
    dry_run: z
      .enum(['true', 'false'])
      .default('false')
      .describe('true or false; true answers what would match and stores nothing'),
    author: z
      .string()
      .max(100)
      .default('')
      .describe('who uploads, for the list of versions, at most 100 characters'),
  }),
  status: 200,
  schema: inventorySchema,
  async run(context) {
    const { project, inventories, parameters } = context;
    const { next, notes } = await uploadOf(context, parameters.author);
    const isDryRun = parameters.dry_run === 'true';
    const inventory = isDryRun
      ? await preview(context, next)
      : await inventories.replace(project, placeOf(context), next);
    return { ...(await describe(context, inventory)), dry_run: isDryRun, notes };
  },
});

export const getInventory = defineProjectCommand({
  name: 'inventory',
  path: inventoryPath,
  method: 'GET',
  tag: 'inventory',
  about: 'The declared routes of a service, what was called of them, and earlier versions',
  action: 'read',
  failures: { 404: 'The service has no inventory there' },
  parameters: z.strictObject({ environment: environmentParameter }),
  status: 200,
  schema: inventorySchema,
  async run(context) {
    const { project, inventories } = context;
    const place = placeOf(context);
    const inventory = await inventories.inventory(project, place);
    if (inventory !== undefined) return describe(context, inventory);
    const { service, environment } = place;
    const where = environment === null ? '' : ` of environment ${JSON.stringify(environment)}`;
    const message = `service ${JSON.stringify(service)} has no inventory${where}; PUT one here`;
    throw new AppError('not_found', message, { field: 'service' });
  },
});

export const deleteInventory = defineProjectCommand({
  name: 'deleteInventory',
  path: inventoryPath,
  method: 'DELETE',
  tag: 'inventory',
  about: 'Removes the declared routes of a service; what was observed stays',
  action: 'declare',
  failures: { 404: 'The service has no inventory there' },
  parameters: z.strictObject({
    environment: environmentParameter,
    author: z.string().max(100).default('').describe('who removes it, at most 100 characters'),
  }),
  status: 204,
  async run(context) {
    const { project, inventories, parameters, nowMs } = context;
    const by = { author: parameters.author, createdMs: nowMs };
    await inventories.remove(project, placeOf(context), by);
    return undefined;
  },
});

/** All commands on inventories below /api/v1. */
export const inventoryCommands: readonly ProjectCommand[] = [
  putInventory,
  getInventory,
  deleteInventory,
];

type PlaceContext = ProjectContext<{ environment?: string | undefined }>;

/** @throws AppError `invalid` */
export function placeOf({ path, parameters }: PlaceContext): InventoryPlace {
  const { service = '' } = path;
  const bytes = Buffer.byteLength(service);
  if (bytes > 0 && bytes <= limits.serviceNameBytes) {
    return { service, environment: parameters.environment ?? null };
  }
  const message = `the service's name has ${bytes} bytes; it has 1 to ${limits.serviceNameBytes}`;
  throw new AppError('invalid', message, { field: 'service' });
}

/** The body as an inventory. @throws AppError `invalid`, `too_large` */
export async function uploadOf(
  context: ProjectContext<{ prefix?: string | undefined }>,
  author: string,
): Promise<{ next: NewInventory; notes: string[] }> {
  const { readInventory, body, nowMs, parameters } = context;
  const { format, routes, prefixes, notes } = await readInventory(body);
  const told = parameters.prefix?.replace(/\/+$/, '');
  const chosen = told === undefined ? prefixes : [told].filter((text) => text !== '');
  return { next: { author, createdMs: nowMs, format, routes, prefixes: chosen }, notes };
}

/** The inventory that an upload would make. */
export async function preview(context: PlaceContext, next: NewInventory): Promise<Inventory> {
  const { project, inventories } = context;
  const place = placeOf(context);
  const before = await inventories.inventory(project, place);
  const [newest] = await inventories.history(project, place);
  const change = inventoryChange(before, next.routes, next.createdMs);
  const version = (newest?.version ?? 0) + 1;
  return { ...place, ...next, ...change, version, declaredRoutes: next.routes.length };
}

async function describe(
  context: PlaceContext,
  inventory: Inventory,
): Promise<z.output<typeof inventorySchema>> {
  const { project, inventories } = context;
  const place = placeOf(context);
  const { service } = place;
  const matches = await context.ask(async ({ snapshot }) =>
    matchesOf(
      inventory,
      await snapshot.inventories(),
      await snapshot.endpoints({ service }),
      await snapshot.services(),
    ),
  );
  const routes = inventory.routes.map((route, index) => ({
    method: route.method || '*',
    route: route.route,
    deprecated: route.deprecated,
    owner: route.owner ?? null,
    sunset_at: route.sunset ?? null,
    operation_id: route.operationId ?? null,
    added_at: route.addedMs === undefined ? null : isoTime(route.addedMs),
    endpoints: matches.routes[index]!.map(matchedEndpoint),
  }));
  const calledRoutes = routes.filter(({ endpoints }) => endpoints.length > 0).length;
  const versions = await inventories.history(project, place);
  return {
    service,
    environment: inventory.environment,
    ...versionAnswer(inventory),
    dry_run: false,
    prefixes: inventory.prefixes,
    called_routes: calledRoutes,
    never_called_routes: routes.length - calledRoutes,
    notes: [],
    routes,
    undocumented: matches.undocumented.map((endpoint) => observed(endpoint, false)),
    former_routes: inventory.former.map(({ method, route, removedMs }) => ({
      method: method || '*',
      route,
      removed_at: isoTime(removedMs),
    })),
    versions: versions.map(versionAnswer),
  };
}

function versionAnswer(version: InventoryVersion): z.output<typeof versionSchema> {
  return {
    version: version.version,
    created_at: isoTime(version.createdMs),
    author: version.author || null,
    format: version.format,
    declared_routes: version.declaredRoutes,
    added_routes: version.addedRoutes,
    removed_routes: version.removedRoutes,
  };
}

const matchedEndpoint = ({ endpoint, guessed }: MatchedEndpoint) => observed(endpoint, guessed);

function observed(endpoint: EndpointRecord, guessed: boolean): z.output<typeof endpointSchema> {
  const { id, environment, method, route } = endpoint;
  return { id, environment, method, route, guessed };
}
