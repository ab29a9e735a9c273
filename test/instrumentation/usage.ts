import { setTimeout as pause } from 'node:timers/promises';
import { askJson } from '../labs/load/report.ts';

interface Report {
  summary: { total_requests: number };
  endpoints: { id: string; method: string; route: string; total_calls: number }[];
}

/** `GET /users/:id 200` → calls, as Rollcall's report says of one service; sorted. */
export async function reportedCalls(
  analyzer: string,
  service: string,
): Promise<Record<string, number>> {
  const asked = `service=${encodeURIComponent(service)}&window=1h`;
  const { endpoints } = await askJson<Report>(`${analyzer}/api/v1/report?${asked}`);
  const calls: [string, number][] = [];
  for (const { id, method, route } of endpoints) {
    const endpoint = `${analyzer}/api/v1/endpoints/${id}?window=1h`;
    const { status_codes } = await askJson<{ status_codes: Record<string, number> }>(endpoint);
    for (const [status, count] of Object.entries(status_codes)) {
      calls.push([`${method} ${route} ${status}`, count]);
    }
  }
  return Object.fromEntries(calls.sort());
}

/** Waits until a service has so many calls, or answers how many it has after the time. */
export async function arrived(
  analyzer: string,
  service: string,
  calls: number,
  msMost = 30_000,
): Promise<number> {
  const question = `${analyzer}/api/v1/report?service=${encodeURIComponent(service)}&window=1h`;
  const until = performance.now() + msMost;
  for (;;) {
    const { summary } = await askJson<Report>(question);
    if (summary.total_requests >= calls || performance.now() > until) return summary.total_requests;
    await pause(100);
  }
}
