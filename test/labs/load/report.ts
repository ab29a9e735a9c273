import { endpointKey, nearestRank, type TrueUsage, type TrueWindow } from './truth.ts';

/** A report as a user of the REST API gets it, and how far it is from the truth. */
export interface ReportRow {
  service: string;
  environment: string;
  method: string;
  route: string;
  total_calls: number;
  error_4xx_count: number;
  error_5xx_count: number;
  avg_duration_ms: number;
  min_duration_ms: number;
  p50_duration_ms: number;
  p75_duration_ms: number;
  p90_duration_ms: number;
  p95_duration_ms: number;
  p99_duration_ms: number;
  max_duration_ms: number;
  first_called_at: string;
  last_called_at: string;
  lifetime_calls: number;
  unique_clients: number;
}

export interface Report {
  window: { from: string; to: string; resolution: string };
  estimated: boolean;
  summary: { total_endpoints: number; total_requests: number };
  endpoints: ReportRow[];
  next_cursor?: string | null;
}

/** The whole report of a window, all its pages. @throws Error with the answer when it is not 200 */
export async function askReport(analyzerUrl: string, { fromS, toS }: TrueWindow): Promise<Report> {
  const iso = (seconds: number) => encodeURIComponent(new Date(seconds * 1000).toISOString());
  const question = `${analyzerUrl}/api/v1/report?from=${iso(fromS)}&to=${iso(toS)}`;
  const report = await askJson<Report>(question);
  for (let cursor = report.next_cursor; cursor; ) {
    const page = await askJson<Report>(`${question}&cursor=${encodeURIComponent(cursor)}`);
    report.endpoints.push(...page.endpoints);
    cursor = page.next_cursor;
  }
  return report;
}

export async function askJson<T>(url: string): Promise<T> {
  const answer = await fetch(url);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text) as T;
}

/** The window a report really speaks of. */
export function windowOf(report: Report): TrueWindow {
  return { fromS: Date.parse(report.window.from) / 1000, toS: Date.parse(report.window.to) / 1000 };
}

/**
 * Every difference in words; none when counts, errors, extremes and clients are exact and each percentile
 * is within 1 % of the exact nearest rank.
 * @param lifetime usage over all time: a report lists every endpoint ever called
 */
export function differences(
  report: Report,
  truth: ReadonlyMap<string, TrueUsage>,
  lifetime: ReadonlyMap<string, TrueUsage>,
): string[] {
  const found: string[] = [];
  const rows = new Map(report.endpoints.map((row) => [endpointKey(row), row]));
  for (const key of lifetime.keys()) if (!rows.has(key)) found.push(`${key}: not in the report`);
  for (const [key, row] of rows) {
    const always = lifetime.get(key);
    if (always === undefined) {
      found.push(`${key}: nobody called it`);
      continue;
    }
    for (const difference of [
      ...lifetimeDifferences(row, always),
      ...usageDifferences(row, truth.get(key)),
    ]) {
      found.push(`${key}: ${difference}`);
    }
  }
  const calls = [...truth.values()].reduce((sum, usage) => sum + usage.calls, 0);
  if (report.summary.total_requests !== calls) {
    found.push(`total_requests ${report.summary.total_requests}, truth ${calls}`);
  }
  return found;
}

function lifetimeDifferences(row: ReportRow, truth: TrueUsage): string[] {
  const iso = (ns: bigint) => new Date(Number(ns / 1_000_000n)).toISOString();
  return unequal([
    ['lifetime_calls', row.lifetime_calls, truth.calls],
    ['first_called_at', row.first_called_at, iso(truth.firstEndNs)],
    ['last_called_at', row.last_called_at, iso(truth.lastEndNs)],
  ]);
}

function usageDifferences(row: ReportRow, truth: TrueUsage | undefined): string[] {
  if (truth === undefined) return unequal([['total_calls', row.total_calls, 0]]);
  const found = unequal([
    ['total_calls', row.total_calls, truth.calls],
    ['error_4xx_count', row.error_4xx_count, truth.errors4xx],
    ['error_5xx_count', row.error_5xx_count, truth.errors5xx],
    ['unique_clients', row.unique_clients, truth.uniqueClients],
  ]);
  const near = (name: string, ms: number, exactNs: number, share: number): void => {
    // Half a microsecond is what three decimals of a millisecond cannot show.
    const allowedMs = (exactNs / 1e6) * share + 0.000_500_001;
    if (!(Math.abs(ms - exactNs / 1e6) <= allowedMs)) {
      found.push(`${name} ${ms}, truth ${exactNs / 1e6} (${truth.calls} calls)`);
    }
  };
  near('min_duration_ms', row.min_duration_ms, truth.minNs, 0);
  near('max_duration_ms', row.max_duration_ms, truth.maxNs, 0);
  near('avg_duration_ms', row.avg_duration_ms, truth.sumNs / truth.calls, 1e-9);
  for (const percent of [50, 75, 90, 95, 99] as const) {
    const name = `p${percent}_duration_ms` as const;
    near(name, row[name], nearestRank(truth.durationsNs, percent), 0.01);
  }
  return found;
}

function unequal(facts: [name: string, seen: unknown, truth: unknown][]): string[] {
  return facts
    .filter(([, seen, truth]) => seen !== truth)
    .map(([name, seen, truth]) => `${name} ${seen}, truth ${truth}`);
}

/** Calls by `endpointKey`, as the analyzer reports them right now. */
export async function reportedCalls(
  analyzerUrl: string,
  window: TrueWindow,
): Promise<Map<string, number>> {
  const { endpoints } = await askReport(analyzerUrl, window);
  return new Map(endpoints.map((row) => [endpointKey(row), row.total_calls]));
}
