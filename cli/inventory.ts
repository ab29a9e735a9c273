import { apiUrl, print, readDocument, remark, request } from './analyzer.ts';
import { readFlags, UsageError } from './flags.ts';
import { textTable } from './table.ts';

/**
 * `rollcall inventory …`: declares a service's routes over the REST API of an analyzer.
 * @returns the exit code
 */
export async function inventory(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [first = '', ...rest] = args;
  switch (first) {
    case 'put':
      return await put(rest, env);
    case 'show':
      return await show(rest, env);
    case 'remove':
      return await remove(rest, env);
    default: {
      const said = first === '' || first.startsWith('-') ? 'needs' : `has no "${first}", it needs`;
      throw new UsageError(`inventory ${said} one of put, show, remove`);
    }
  }
}

/** Flags of every action. */
const shared = {
  service: { type: 'string' },
  environment: { type: 'string' },
  url: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** What the API answers, as far as it is printed. */
interface Answer {
  version: number;
  dry_run: boolean;
  declared_routes: number;
  added_routes: number;
  removed_routes: number;
  called_routes: number;
  never_called_routes: number;
  notes: string[];
  routes: { method: string; route: string; deprecated: boolean; endpoints: Endpoint[] }[];
  undocumented: Endpoint[];
}

interface Endpoint {
  environment: string;
  method: string;
  route: string;
  guessed: boolean;
}

async function put(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, {
    ...shared,
    file: { type: 'string' },
    prefix: { type: 'string' },
    author: { type: 'string' },
    'dry-run': { type: 'boolean' },
  });
  const place = placeOf(own, { ...env, ...flags });
  if (own.file === undefined) {
    throw new UsageError('inventory put needs --file FILE, or - for stdin');
  }
  const body = await readDocument(String(own.file));
  for (const name of ['prefix', 'author'] as const) {
    if (own[name] !== undefined) place.searchParams.set(name, String(own[name]));
  }
  if (own['dry-run']) place.searchParams.set('dry_run', 'true');
  const text = await request(place, env, { method: 'PUT', body });
  return report(text, own.json === true);
}

async function show(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, shared);
  const text = await request(placeOf(own, { ...env, ...flags }), env);
  return report(text, own.json === true);
}

async function remove(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, shared);
  const place = placeOf(own, { ...env, ...flags });
  await request(place, env, { method: 'DELETE' });
  remark(`the inventory of ${own.service} is removed; what was observed stays`);
  return 0;
}

/** The inventory's URL. */
function placeOf(own: Record<string, string | boolean | undefined>, env: NodeJS.ProcessEnv): URL {
  const { service, environment } = own;
  if (service === undefined) throw new UsageError('inventory needs --service NAME');
  const path = `services/${encodeURIComponent(String(service))}/inventory`;
  const place = apiUrl(own.url, env, path);
  if (environment !== undefined) place.searchParams.set('environment', String(environment));
  return place;
}

function report(text: string, asJson: boolean): number {
  if (asJson) {
    print(text);
    return 0;
  }
  const answer = JSON.parse(text) as Answer;
  const rows = [
    ...answer.routes.map(({ method, route, deprecated, endpoints }) => [
      endpoints.length === 0 ? 'never called' : 'called',
      method,
      route,
      [deprecated ? 'deprecated' : '', ...endpoints.map(observed)].filter(Boolean).join(', '),
    ]),
    ...answer.undocumented.map(({ environment, method, route }) => [
      'undocumented',
      method,
      route,
      environment === '' ? '' : `in ${environment}`,
    ]),
  ];
  print(textTable(['STATE', 'METHOD', 'ROUTE', 'OBSERVED AS'], rows));
  for (const note of answer.notes) remark(`note: ${note}`);
  const { version, declared_routes, added_routes, removed_routes } = answer;
  remark(
    `${answer.dry_run ? 'would be version' : 'version'} ${version}: ${declared_routes} routes declared (${added_routes} added, ${removed_routes} removed), ${answer.called_routes} called, ${answer.never_called_routes} never called, ${answer.undocumented.length} undocumented`,
  );
  return 0;
}

const observed = ({ environment, route, guessed }: Endpoint): string =>
  `${route}${environment === '' ? '' : ` in ${environment}`}${guessed ? ' (guessed)' : ''}`;
