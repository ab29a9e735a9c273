import { delimiter, dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { askJson } from '../load/report.ts';
import { type Expectation, makeCalls, slowMs } from './calls.ts';
import { end, freePort, listening, withService } from './service.ts';
import type { Stack } from './stacks.ts';

/** What became of one stack's calls. */
export interface Verdict {
  expected: number;
  counted: number;
  /** Every (method, route, status) has its count, and there is no other. */
  routesExact: boolean;
  /** Calls whose client the report knows; undefined where nobody asked. */
  clientsKnown: number | undefined;
  /** Whether each address has its count. */
  clientsExact: boolean;
  /** In words; none when all is exact. */
  differences: string[];
}

/** Where Rollcall listens. */
export interface Listeners {
  otlp_http: string;
  otlp_grpc: string;
  analyzer: string;
}

/** Times every known call is made. */
const rounds = 4;
/** A Java agent on a busy machine. */
export const startMsMost = 300_000;
/** From the last call to its count: exporters wait a second, and one retry may lie between. */
const flushMsMost = 30_000;

/**
 * Starts the service, calls it, waits for its exporter and compares what Rollcall says.
 * @param folder the toolchain's, prepared
 * @throws Error with the service's output when it does not do its part
 */
export async function tryStack(stack: Stack, folder: string, doors: Listeners): Promise<Verdict> {
  const port = await freePort();
  const command = stack.command.map((word) => word.replace('{port}', String(port)));
  return withService(folder, command, environment(stack, folder, doors, port), async (service) => {
    await listening(port, service, startMsMost);
    const expected: Expectation = { calls: new Map(), clients: new Map() };
    for (let round = 1; round <= rounds; round += 1) {
      await makeCalls(`http://127.0.0.1:${port}`, stack, expected);
    }
    await arrived(doors, stack.name, total(expected.calls));
    // What else it holds it sends at its end: nothing more may come.
    await end(service);
    return judge(doors, stack.name, expected, service.output());
  });
}

export function environment(
  stack: Stack,
  folder: string,
  doors: Listeners,
  port: number,
): Record<string, string> {
  const endpoint = stack.protocol === 'grpc' ? doors.otlp_grpc : doors.otlp_http;
  return {
    PORT: String(port),
    // What a toolchain has installed, and the Node this runs on.
    PATH: [`${folder}/venv/bin`, dirname(process.execPath), process.env.PATH].join(delimiter),
    OTEL_SERVICE_NAME: stack.name,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    ...(stack.protocolIsDefault ? {} : { OTEL_EXPORTER_OTLP_PROTOCOL: stack.protocol }),
    // Nobody wants to wait the default five seconds for each stack.
    OTEL_BSP_SCHEDULE_DELAY: '500',
    ...stack.env,
  };
}

/** Waits until the count is there, or the exporter's time is over: then the comparison says what is missing. */
async function arrived({ analyzer }: Listeners, service: string, calls: number): Promise<void> {
  const question = `${analyzer}/api/v1/report?service=${service}&window=1h`;
  const until = Date.now() + flushMsMost;
  while (Date.now() < until) {
    const { summary } = await askJson<{ summary: { total_requests: number } }>(question);
    if (summary.total_requests >= calls) return;
    await pause(100);
  }
}

async function judge(
  { analyzer }: Listeners,
  service: string,
  expected: Expectation,
  said: string,
): Promise<Verdict> {
  const { endpoints, calls } = await reported(analyzer, service);
  const slow = endpoints
    .filter(({ route, min_duration_ms }) => route === '/slow' && min_duration_ms < slowMs)
    .map(({ min_duration_ms }) => `/slow took ${min_duration_ms} ms`);
  const { clients: rows } = await askJson<{ clients: { client: string; calls: number }[] }>(
    `${analyzer}/api/v1/clients?service=${service}&window=1h`,
  );
  const clients = new Map(rows.map((row) => [row.client, row.calls]));
  const ofCalls = unequal(calls, expected.calls);
  const ofClients = unequal(clients, expected.clients);
  return {
    expected: total(expected.calls),
    counted: total(calls),
    routesExact: ofCalls.length === 0,
    clientsKnown: total(clients),
    clientsExact: ofClients.length === 0,
    differences: [...ofCalls, ...ofClients, ...slow, ...complaints(said)],
  };
}

interface ReportedEndpoint {
  id: string;
  method: string;
  route: string;
  min_duration_ms: number;
}

/** A service's endpoints, and how often which was called by `METHOD route status`. */
export async function reported(
  analyzer: string,
  service: string,
): Promise<{ endpoints: ReportedEndpoint[]; calls: Map<string, number> }> {
  const { endpoints } = await askJson<{ endpoints: ReportedEndpoint[] }>(
    `${analyzer}/api/v1/report?service=${service}&window=1h`,
  );
  const calls = new Map<string, number>();
  for (const { id, method, route } of endpoints) {
    const url = `${analyzer}/api/v1/endpoints/${id}?window=1h`;
    const { status_codes } = await askJson<{ status_codes: Record<string, number> }>(url);
    for (const [status, count] of Object.entries(status_codes)) {
      calls.set(`${method} ${route} ${status}`, count);
    }
  }
  return { endpoints, calls };
}

/** Lines in which an exporter says that it failed: a service that is counted and whose log fills is not right. */
export function complaints(said: string): string[] {
  const failed =
    /fail\w* to export|export\w* (?:failed|error)|otlp\w*exportererror|transient error/i;
  return said
    .split('\n')
    .filter((line) => failed.test(line))
    .slice(0, 3)
    .map((line) => `the exporter says: ${line.slice(0, 300)}`);
}

export function unequal(
  seen: ReadonlyMap<string, number>,
  truth: ReadonlyMap<string, number>,
): string[] {
  return [...new Set([...truth.keys(), ...seen.keys()])]
    .filter((key) => seen.get(key) !== truth.get(key))
    .sort()
    .map((key) => `${key}: ${seen.get(key) ?? 0} counted, ${truth.get(key) ?? 0} expected`);
}

export function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
