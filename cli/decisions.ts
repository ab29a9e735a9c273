import { writeFile } from 'node:fs/promises';
import { dump } from 'js-yaml';
import { apiUrl, print, readDocument, remark, request } from './analyzer.ts';
import { readFlags, UsageError } from './flags.ts';

/** The file's name in a repository. */
const fileName = 'rollcall.decisions.yaml';

/**
 * `rollcall decisions …`: decisions on endpoints as a file, so that their review is code review. Endpoints are named by
 * service, environment, method and route, so that the file fits another installation too.
 * @returns the exit code
 */
export async function decisions(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [first = '', ...rest] = args;
  switch (first) {
    case 'export':
      return await exportFile(rest, env);
    case 'import':
      return await importFile(rest, env);
    default: {
      const said = first === '' || first.startsWith('-') ? 'needs' : `has no "${first}", it needs`;
      throw new UsageError(`decisions ${said} one of export, import`);
    }
  }
}

interface Row {
  service: string;
  environment: string | null;
  method: string;
  route: string;
  decision: string;
  reason: string;
  until: string | null;
  by: string;
}

async function exportFile(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, {
    service: { type: 'string' },
    environment: { type: 'string' },
    file: { type: 'string' },
    url: { type: 'string' },
  });
  const url = apiUrl(own.url, { ...env, ...flags }, 'decisions');
  for (const name of ['service', 'environment'] as const) {
    if (own[name] !== undefined) url.searchParams.set(name, String(own[name]));
  }
  const { decisions: rows } = JSON.parse(await request(url, env)) as { decisions: Row[] };
  const text = yamlOf(rows);
  if (own.file === undefined || own.file === '-') print(text.trimEnd());
  else {
    await writeFile(String(own.file), text);
    remark(`"${own.file}" has ${rows.length} decisions`);
  }
  return 0;
}

/** Fields without a value are left out; what stays is the same from one export to the next. */
function yamlOf(rows: readonly Row[]): string {
  const entries = rows.map(
    ({ service, environment, method, route, decision, reason, until, by }) => ({
      service,
      ...(environment !== null && { environment }),
      method,
      route,
      decision,
      ...(reason !== '' && { reason }),
      ...(until !== null && { until: until.replace(/T00:00:00(\.000)?Z$/, '') }),
      ...(by !== '' && { by }),
    }),
  );
  return `# Decisions on endpoints. rollcall decisions import --file ${fileName}\n${dump({ decisions: entries }, { lineWidth: -1 })}`;
}

async function importFile(args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { env: flags, own } = readFlags(args, {
    file: { type: 'string' },
    url: { type: 'string' },
    prune: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
  });
  const body = await readDocument(String(own.file ?? fileName));
  const url = apiUrl(own.url, { ...env, ...flags }, 'decisions');
  if (own.prune) url.searchParams.set('prune', 'true');
  if (own['dry-run']) url.searchParams.set('dry_run', 'true');
  const answer = JSON.parse(await request(url, env, { method: 'PUT', body })) as {
    decided: number;
    unchanged: number;
    withdrawn: number;
    unknown: string[];
    dry_run: boolean;
  };
  for (const name of answer.unknown) remark(`note: neither called nor declared: ${name}`);
  const { decided, unchanged, withdrawn, dry_run } = answer;
  const would = dry_run ? 'would be ' : '';
  remark(`${would}${decided} decided, ${unchanged} unchanged, ${withdrawn} withdrawn`);
  return 0;
}
