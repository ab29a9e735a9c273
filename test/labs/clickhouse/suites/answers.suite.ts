import { afterAll, expect, it } from 'vitest';
import { sendTraces } from '../../../../cli/demo/exporter.ts';
import { historyHours, traffic } from '../../../../cli/demo/traffic.ts';
import {
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../../../support/process.ts';
import { newDatabase } from './engine.ts';

/** The demo's shop on both engines: every answer of the REST API is the same, but for the moment it was made. */
const hoursPerBody = 12;
/** Of the demo's three months, to save time. */
const days = Number(process.env.DEMO_DAYS ?? 20);
const ended: (() => Promise<unknown> | unknown)[] = [];

afterAll(async () => {
  for (const end of ended.reverse()) await end();
});

async function startOn(store: string) {
  const env = { ROLLCALL_STORE: store };
  const collector = await startCollectorProcess('', env);
  ended.push(() => collector.stop());
  const analyzer = await startAnalyzerProcess('', env);
  ended.push(() => analyzer.stop());
  return { collector, analyzer };
}

it('every GET of the API answers the same on both engines', async () => {
  const folder = temporaryFolder();
  ended.push(() => folder.remove());
  const { url, end } = newDatabase();
  ended.push(end);
  const engines = [await startOn(`sqlite:${folder.path}/rollcall.db`), await startOn(url)] as const;

  const nowMs = Date.now();
  const hours = historyHours(nowMs).slice(-24 * days);
  const signal = new AbortController().signal;
  let sent = 0;
  while (hours.length > 0) {
    const body = hours.splice(0, hoursPerBody).flatMap((hour) => traffic(1, hour, nowMs));
    for (const { scopes } of body) for (const { spans } of scopes) sent += spans.length;
    // One after the other: rows then have the same numbers.
    for (const { collector } of engines) {
      await sendTraces(`${collector.url}/v1/traces`, body, signal);
    }
  }

  const ask = async (path: string) => {
    const answers = await Promise.all(
      engines.map(async ({ analyzer }) => {
        const response = await fetch(`${analyzer.url}${path}`);
        return { status: response.status, text: await response.text() };
      }),
    );
    return answers as [Answer, Answer];
  };
  const window = `from=${day(nowMs - days * 86_400_000)}&to=${day(nowMs)}`;
  const paths = await pathsOf(engines[0].analyzer.url, window);
  const different: string[] = [];
  for (const path of paths) {
    const [sqlite, clickhouse] = await ask(path);
    expect(sqlite.status, `${path}: ${sqlite.text.slice(0, 300)}`).toBeLessThan(500);
    const [a, b] = [settled(sqlite.text, path), settled(clickhouse.text, path)];
    if (clickhouse.status !== sqlite.status || a !== b) {
      let at = 0;
      while (a[at] === b[at] && at < a.length) at += 1;
      const from = Math.max(0, at - 80);
      different.push(
        `${path}: ${sqlite.status} …${a.slice(from, at + 80)}… but ${clickhouse.status} …${b.slice(from, at + 80)}…`,
      );
    }
  }
  const [report] = await ask(`/api/v1/report?${window}`);
  expect(JSON.parse(report.text).summary.total_requests).toBeGreaterThan(0.9 * sent);
  console.log(`${sent} calls, ${paths.length} answers compared, ${different.length} differ`);
  expect(different).toEqual([]);
}, 600_000);

interface Answer {
  status: number;
  text: string;
}

function day(ms: number): string {
  return new Date(Math.floor(ms / 86_400_000) * 86_400_000).toISOString();
}

/** Without the moment of the answer, and cursors, which name the store. */
function settled(text: string, path: string): string {
  // Of /doctor also without the moment of the last body, which each collector got at its own.
  const isDoctor = path.startsWith('/api/v1/doctor');
  return (isDoctor ? text.replace(/"last_at":"[^"]*"/g, '"last_at":"…"') : text)
    .replace(/"(generated_at|next_cursor|follow_cursor|as_of)":"[^"]*"/g, '"$1":"…"')
    .replace(/as_of=[0-9TZ:.-]+/g, 'as_of=…');
}

/** Every GET of the document, with names and ids put in. */
async function pathsOf(analyzer: string, window: string): Promise<string[]> {
  const read = async (path: string) => (await fetch(`${analyzer}/api/v1${path}`)).json();
  const document = (await read('/openapi.json')) as {
    paths: Record<string, { get?: { parameters?: { name: string; in: string }[] } }>;
  };
  const { endpoints } = (await read(`/report?${window}&limit=1000`)) as {
    endpoints: { id: string; service: string }[];
  };
  const services = [...new Set(endpoints.map(({ service }) => service))];
  const paths: string[] = [];
  for (const [template, { get }] of Object.entries(document.paths)) {
    if (get === undefined || template.includes('openapi.json')) continue;
    const path = template.startsWith('/api/v1') ? template : `/api/v1${template}`;
    const takesWindow = get.parameters?.some(({ name }) => name === 'from') ?? false;
    const question = takesWindow ? `?${window}` : '';
    const ids = path.includes('{id}') ? endpoints.map(({ id }) => id) : [''];
    const names = path.includes('{service}') ? services : [''];
    for (const id of ids) {
      for (const name of names) {
        const put = path.replace('{id}', id).replace('{service}', encodeURIComponent(name));
        paths.push(`${put}${question}`);
      }
    }
  }
  const more = ['csv', 'md', 'json'].map((format) => `/api/v1/report?${window}&format=${format}`);
  const series = ['hour', 'day', 'week'].map(
    (interval) => `/api/v1/timeseries?${window}&interval=${interval}`,
  );
  const searches = ['order=slowest', 'status=5xx', 'bot=true', 'method=GET', 'limit=1000'].map(
    (filter) => `/api/v1/calls?${filter}`,
  );
  return [...new Set([...paths, ...more, ...series, ...searches])];
}
