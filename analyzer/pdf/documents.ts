import { limits } from '../../core/limits.ts';
import type { QueryContext } from '../query/answer-head.ts';
import type { Query } from '../query/query.ts';
import { dead } from '../reports/dead.ts';
import type { EndpointRow } from '../reports/endpoint-row.ts';
import { report } from '../reports/report.ts';
import type { SummaryAnswer } from '../reports/summary.ts';
import { summary } from '../reports/summary.ts';
import { colours, PageWriter, type PdfColumn } from './page-writer.ts';

/** The documents of `format=pdf`: a report that people read on paper and pass on. */

interface Parameters {
  service?: string;
  environment?: string;
  [name: string]: unknown;
}

interface EndpointListAnswer {
  notes?: { message: string }[];
  filters: Record<string, string | null>;
  summary: Record<string, number>;
  endpoints: EndpointRow[];
  next_cursor: string | null;
}

/** @returns the bytes of the document of a query; all of it is of one snapshot */
export async function pdfOf(
  query: string,
  context: QueryContext,
  parameters: object,
): Promise<Uint8Array<ArrayBuffer>> {
  const { service, environment, method, route, window, from, to } = parameters as Parameters;
  const common = { service, environment, method, route, window, from, to };
  const figures = await ask<SummaryAnswer>(summary, context, { ...common, limit: 20 });
  const names = [service, environment].filter((name) => name !== undefined && name !== '');
  const title = `${titles[query]}${names.length > 0 ? `: ${names.join(', ')}` : ''}`;
  const writer = new PageWriter(title, context.nowMs);
  const own = { ...parameters, fields: undefined, spark: undefined, cursor: undefined };
  if (query === 'dead') {
    const list = await ask<EndpointListAnswer>(dead, context, own);
    writeHead(writer, title, figures, list);
    writeStatuses(writer, list.summary);
    writeDead(writer, list.endpoints);
    return writer.end();
  }
  const rows = { ...common, ...(query === 'report' && own) };
  const list = await ask<EndpointListAnswer>(report, context, {
    sort: 'total_calls',
    limit: 10_000,
    ...rows,
  });
  writeHead(writer, title, figures, list);
  writeTotals(writer, figures);
  writeStatuses(writer, list.summary);
  writeCharts(writer, figures);
  writeTops(writer, list.endpoints);
  if (query === 'report') {
    const silent = list.endpoints.filter(({ status }) => isSilent(status));
    writer.section(`Dead, cold and never called endpoints (${silent.length})`);
    writeDeadTable(writer, silent);
    writer.section(`All endpoints of the list (${list.endpoints.length})`);
    writeRows(writer, usageColumns, list.endpoints, usageCells);
    if (list.next_cursor !== null) writer.note('The list goes on: this page of it ends here.');
  } else writeClients(writer, figures);
  return writer.end();
}

const titles: Record<string, string> = {
  report: 'API report',
  summary: 'API summary',
  dead: 'Endpoints that nobody calls',
};

function ask<T>(query: Query, context: QueryContext, parameters: object): Promise<T> {
  return query.answer(context, parameters as never, {}) as Promise<T>;
}

const isSilent = (status: string | null): boolean =>
  status === 'dead' || status === 'cold' || status === 'never_called';

function writeHead(
  writer: PageWriter,
  title: string,
  figures: SummaryAnswer,
  list: EndpointListAnswer,
): void {
  const { window, observed_since: since, generated_at: moment } = figures;
  const filters = Object.entries(list.filters).filter(([, value]) => value !== null);
  const lines = [
    `${minute(window.from)} to ${minute(window.to)} UTC, made ${minute(moment)}`,
    since === null ? 'No calls yet.' : `Observed since ${minute(since)}.`,
    ...(filters.length > 0
      ? [`Filters: ${filters.map(([name, value]) => `${name} = ${value}`).join(', ')}.`]
      : []),
    ...(list.notes ?? []).map(({ message }) => message),
  ];
  writer.heading(title, lines);
}

function writeTotals(writer: PageWriter, { summary: now, previous }: SummaryAnswer): void {
  const against = (is: number | null, was: number | null | undefined): string => {
    if (is === null || was === null || was === undefined) return 'nothing to compare with';
    if (was === 0) return 'none in the window before';
    const change = (100 * (is - was)) / was;
    return `${change >= 0 ? '+' : '−'}${Math.abs(change).toFixed(1)} % (before: ${number(was)})`;
  };
  writer.section('Totals, against the window before');
  writer.figures([
    {
      label: 'Requests',
      value: number(now.total_requests),
      note: against(now.total_requests, previous?.total_requests),
    },
    {
      label: 'Error rate',
      value: percent(now.error_rate_pct),
      note:
        previous?.error_rate_pct == null
          ? 'nothing to compare with'
          : `before: ${percent(previous.error_rate_pct)}`,
    },
    {
      label: '95th percentile',
      value: ms(now.p95_response_time_ms),
      note: against(now.p95_response_time_ms, previous?.p95_response_time_ms),
    },
    {
      label: 'Average',
      value: ms(now.avg_response_time_ms),
      note: against(now.avg_response_time_ms, previous?.avg_response_time_ms),
    },
    {
      label: 'Clients',
      value: number(now.unique_ips),
      note: against(now.unique_ips, previous?.unique_ips),
    },
  ]);
}

const statusColours: Record<string, string> = {
  active: '#3f8f63',
  cold: '#7fa7c9',
  dead: '#9a6b6b',
  never_called: '#b9a0c9',
  unknown: '#a8aeb5',
  removed: '#6b7280',
};

function writeStatuses(writer: PageWriter, counts: Record<string, number>): void {
  const parts = Object.entries(statusColours).map(([name, colour]) => ({
    name: name.replace('_', ' '),
    value: counts[name] ?? 0,
    colour,
  }));
  writer.shares(
    `Endpoints by status (${number(counts.total_endpoints ?? 0)})`,
    parts.filter(({ value }) => value > 0),
  );
}

function writeCharts(writer: PageWriter, figures: SummaryAnswer): void {
  const { time_series: points, summary: now, window } = figures;
  const axis = { from: minute(window.from), to: minute(window.to) };
  const errors = (point: SummaryAnswer['time_series'][number]) =>
    point.error_4xx_count + point.error_5xx_count;
  writer.shares('Requests by outcome', [
    {
      name: '1xx to 3xx',
      value: now.total_requests - now.error_4xx_count - now.error_5xx_count,
      colour: colours.calls,
    },
    { name: '4xx', value: now.error_4xx_count, colour: colours.error4xx },
    { name: '5xx', value: now.error_5xx_count, colour: colours.error5xx },
  ]);
  writer.chart({
    ...axis,
    title: `Requests by the ${intervalNames[figures.interval] ?? figures.interval}`,
    kind: 'stacked',
    unit: '',
    series: [
      { name: '5xx', colour: colours.error5xx, values: points.map((p) => p.error_5xx_count) },
      { name: '4xx', colour: colours.error4xx, values: points.map((p) => p.error_4xx_count) },
      {
        name: 'other requests',
        colour: colours.calls,
        values: points.map((point) => point.requests - errors(point)),
      },
    ],
  });
  writer.chart({
    ...axis,
    title: 'Average duration',
    kind: 'line',
    unit: ' ms',
    series: [{ name: 'average', colour: colours.calls, values: points.map((p) => p.avg_time_ms) }],
  });
  writer.chart({
    ...axis,
    title: 'Error rate',
    kind: 'line',
    unit: ' %',
    series: [
      {
        name: 'statuses of 400 or more',
        colour: colours.error5xx,
        values: points.map((p) => p.error_rate_pct),
      },
    ],
  });
}

const intervalNames: Record<string, string> = { '5m': '5 minutes', '6h': '6 hours' };

const usageColumns: PdfColumn[] = [
  { heading: 'Method', share: 8 },
  { heading: 'Route', share: 34 },
  { heading: 'Service', share: 14 },
  { heading: 'Status', share: 9 },
  { heading: 'Requests', share: 10, align: 'right' },
  { heading: 'Errors', share: 8, align: 'right' },
  { heading: 'p50', share: 9, align: 'right' },
  { heading: 'p95', share: 9, align: 'right' },
  { heading: 'Last call', share: 11, align: 'right' },
];

function usageCells(row: EndpointRow): string[] {
  return [
    row.method,
    row.route_display,
    row.service,
    row.status?.replace('_', ' ') ?? 'bucket',
    number(row.total_calls),
    percent(row.error_rate_pct),
    ms(row.p50_duration_ms),
    ms(row.p95_duration_ms),
    row.last_called_at?.slice(0, 10) ?? 'never',
  ];
}

function writeTops(writer: PageWriter, rows: readonly EndpointRow[]): void {
  const called = rows.filter(({ total_calls: calls }) => calls > 0);
  const top = (title: string, value: (row: EndpointRow) => number) => {
    const best = called
      .filter((row) => value(row) > 0)
      .sort((a, b) => value(b) - value(a))
      .slice(0, 10);
    writer.section(title);
    if (best.length === 0) writer.note('None in this window.');
    else writer.table(usageColumns, best.map(usageCells));
  };
  top('Busiest', (row) => row.total_calls);
  top('Slowest, by 95th percentile', (row) => row.p95_duration_ms ?? 0);
  top('Most failing, by errors', (row) => row.error_4xx_count + row.error_5xx_count);
}

const deadColumns: PdfColumn[] = [
  { heading: 'Method', share: 8 },
  { heading: 'Route', share: 30 },
  { heading: 'Service', share: 13 },
  { heading: 'Status', share: 10 },
  { heading: 'Last call', share: 10 },
  { heading: 'All calls', share: 9, align: 'right' },
  { heading: 'Last callers', share: 32 },
];

function writeDead(writer: PageWriter, rows: readonly EndpointRow[]): void {
  writer.section(`Dead and never called endpoints (${rows.length}), longest silent first`);
  writeDeadTable(writer, rows);
}

function writeDeadTable(writer: PageWriter, rows: readonly EndpointRow[]): void {
  if (rows.length === 0) {
    writer.note('None.');
    return;
  }
  writeRows(writer, deadColumns, rows, (row) => [
    row.method,
    row.route_display,
    row.service,
    row.status?.replace('_', ' ') ?? '',
    row.last_called_at?.slice(0, 10) ?? 'never',
    number(row.lifetime_calls),
    row.last_callers
      .map(({ client, consumer, agent }) => consumer ?? client ?? agent ?? 'unknown')
      .join(', '),
  ]);
}

/** The first rows of a list as a table. */
function writeRows(
  writer: PageWriter,
  columns: readonly PdfColumn[],
  rows: readonly EndpointRow[],
  cellsOf: (row: EndpointRow) => string[],
): void {
  const shown = rows.slice(0, limits.documentRows);
  writer.table(columns, shown.map(cellsOf));
  const left = rows.length - shown.length;
  if (left > 0) writer.note(`${number(left)} more are left out here: format=csv has all of them.`);
}

function writeClients(writer: PageWriter, { top_ips: clients }: SummaryAnswer): void {
  writer.section('Clients with most requests');
  if (clients.length === 0) {
    writer.note('None in this window.');
    return;
  }
  writer.table(
    [
      { heading: 'Client', share: 60 },
      { heading: 'Requests', share: 20, align: 'right' },
      { heading: 'Errors', share: 20, align: 'right' },
    ],
    clients.map(({ ip, requests, errors }) => [ip, number(requests), number(errors)]),
  );
}

const minute = (time: string): string => time.slice(0, 16).replace('T', ' ');
const number = (value: number): string => value.toLocaleString('en-US');
const percent = (value: number | null): string =>
  value === null ? '–' : `${Number(value.toFixed(2))} %`;

function ms(value: number | null): string {
  if (value === null) return '–';
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ms`;
}
