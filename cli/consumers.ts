import { apiUrl, askList, print, readDocument, remark, request } from './analyzer.ts';
import { readFlags, UsageError } from './flags.ts';
import { textTable } from './table.ts';

/**
 * `rollcall consumers …`: lists who calls and writes down who they are, over the REST API of an analyzer.
 * @returns the exit code
 */
export async function consumers(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [first = '', ...rest] = args;
  switch (first) {
    case 'list':
      return await list(rest, env);
    case 'set':
      return await set(rest, env);
    case 'put':
      return await put(rest, env);
    case 'remove':
      return await remove(rest, env);
    default: {
      const said = first === '' || first.startsWith('-') ? 'needs' : `has no "${first}", it needs`;
      throw new UsageError(`consumers ${said} one of list, set, put, remove`);
    }
  }
}

/** What the API answers, as far as it is printed. */
interface Answer {
  total_calls: number;
  unrecorded_calls: number;
  consumers: {
    consumer: string | null;
    named_by: string;
    display_name: string | null;
    group: string | null;
    calls: number;
    errors: number;
    refused_count: number;
    missing_count: number;
    failed_count: number;
    endpoints: number | null;
    last_called_at: string;
  }[];
  next_cursor: string | null;
}

/** Parameters of GET /consumers that are flags of `list`. */
const filters = [
  'service',
  'environment',
  'window',
  'route',
  'method',
  'agents',
  'group',
  'limit',
] as const;

async function list(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const text = await askList(args, env, 'consumers', filters);
  if (text === undefined) return 0;
  const answer = JSON.parse(text) as Answer;
  const rows = answer.consumers.map((row) => [
    row.consumer ?? '(unknown)',
    row.named_by,
    row.display_name ?? '',
    row.group ?? '',
    String(row.calls),
    String(row.errors),
    String(row.endpoints ?? ''),
    row.last_called_at,
  ]);
  const head = ['CONSUMER', 'NAMED BY', 'NAME', 'GROUP', 'CALLS', 'ERRORS', 'ENDPOINTS'];
  print(textTable([...head, 'LAST CALL'], rows));
  const { total_calls, unrecorded_calls } = answer;
  const unrecorded =
    unrecorded_calls === 0
      ? ''
      : `, ${unrecorded_calls} of them counted by release 0.1.0, which kept no callers`;
  const more = answer.next_cursor === null ? '' : '; there are more, see --limit';
  remark(`${total_calls} calls${unrecorded}${more}`);
  return 0;
}

async function set([name = '', ...args]: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, {
    'display-name': { type: 'string' },
    group: { type: 'string' },
    contact: { type: 'string' },
    url: { type: 'string' },
  });
  const place = placeOf(name, 'set', own.url, { ...env, ...flags });
  const told = { display_name: own['display-name'], group: own.group, contact: own.contact };
  await request(place, env, { method: 'PUT', body: JSON.stringify(told) });
  remark(`consumer ${name} is written down`);
  return 0;
}

async function put(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, {
    file: { type: 'string' },
    url: { type: 'string' },
  });
  if (own.file === undefined) {
    throw new UsageError('consumers put needs --file FILE, or - for stdin');
  }
  const body = await readDocument(String(own.file));
  const place = apiUrl(own.url, { ...env, ...flags }, 'consumers');
  const text = await request(place, env, { method: 'PUT', body });
  const { consumers: count } = JSON.parse(text) as { consumers: number };
  remark(`${count} consumers are written down; others stay`);
  return 0;
}

async function remove([name = '', ...args]: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, { url: { type: 'string' } });
  const place = placeOf(name, 'remove', own.url, { ...env, ...flags });
  await request(place, env, { method: 'DELETE' });
  remark(`what was written down of consumer ${name} is removed; its calls stay`);
  return 0;
}

function placeOf(
  name: string,
  action: string,
  url: string | boolean | undefined,
  env: NodeJS.ProcessEnv,
): URL {
  if (name === '' || name.startsWith('--')) {
    throw new UsageError(`consumers ${action} needs the name of a consumer first`);
  }
  return apiUrl(url, env, `consumers/${encodeURIComponent(name)}`);
}
