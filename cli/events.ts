import { apiUrl, askList, print, remark, request } from './analyzer.ts';
import { readFlags, UsageError } from './flags.ts';
import { textTable } from './table.ts';

/**
 * `rollcall events …`: lists deployments and other events, and tells of one, over the REST API of an analyzer: a line
 * of a deployment pipeline.
 * @returns the exit code
 */
export async function events(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [first = '', ...rest] = args;
  switch (first) {
    case 'list':
      return await list(rest, env);
    case 'add':
      return await add(rest, env);
    case 'remove':
      return await remove(rest, env);
    default: {
      const said = first === '' || first.startsWith('-') ? 'needs' : `has no "${first}", it needs`;
      throw new UsageError(`events ${said} one of list, add, remove`);
    }
  }
}

/** What the API answers, as far as it is printed. */
interface Row {
  at: string;
  kind: string;
  service: string | null;
  environment: string | null;
  version: string | null;
  title: string | null;
  id: string | null;
}

const filters = ['service', 'environment', 'window', 'from', 'to', 'limit'] as const;

async function list(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const text = await askList(args, env, 'events', filters);
  if (text === undefined) return 0;
  const { events: rows } = JSON.parse(text) as { events: Row[] };
  const head = ['AT', 'KIND', 'SERVICE', 'ENVIRONMENT', 'VERSION', 'TITLE', 'ID'];
  const cells = rows.map((row) => [
    row.at,
    row.kind,
    row.service ?? '(all)',
    row.environment ?? '(all)',
    row.version ?? '',
    row.title ?? '',
    row.id ?? '',
  ]);
  print(textTable(head, cells));
  return 0;
}

/** Fields of POST /events that are flags of `add`. */
const fields = ['kind', 'title', 'at', 'service', 'environment', 'version', 'link'] as const;

async function add(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, {
    ...Object.fromEntries(fields.map((name) => [name, { type: 'string' as const }])),
    url: { type: 'string' },
  });
  for (const name of ['kind', 'title'] as const) {
    if (own[name] === undefined) throw new UsageError(`events add needs --${name}`);
  }
  const place = apiUrl(own.url, { ...env, ...flags }, 'events');
  const told = Object.fromEntries(fields.map((name) => [name, own[name]]));
  const text = await request(place, env, { method: 'POST', body: JSON.stringify(told) });
  const { id, at } = JSON.parse(text) as Row;
  print(String(id));
  remark(`the event stands at ${at}`);
  return 0;
}

async function remove([id = '', ...args]: string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (id === '' || id.startsWith('--')) {
    throw new UsageError('events remove needs the id of an event first');
  }
  const { env: flags, own } = readFlags(args, { url: { type: 'string' } });
  const place = apiUrl(own.url, { ...env, ...flags }, `events/${encodeURIComponent(id)}`);
  await request(place, env, { method: 'DELETE' });
  remark(`event ${id} is removed`);
  return 0;
}
