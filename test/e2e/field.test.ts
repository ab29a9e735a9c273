import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';

/**
 * Requests of real systems (test/fixtures/field), through a running collector and analyzer: the report must
 * hold exactly the expected endpoints. Each case is a service of its own.
 */
const fixtures = new URL('../fixtures/field/', import.meta.url);
const files = readdirSync(fixtures).sort();
const cases = files.flatMap((file) => /^(.+)\.expected\.json$/.exec(file)?.[1] ?? []);

const folder = temporaryFolder();
let rollcall: Running;

beforeAll(async () => {
  rollcall = await startRollcall(`${folder.path}/rollcall.db`);
});

afterAll(async () => {
  await rollcall?.stop();
  folder.remove();
});

interface ExpectedEndpoint {
  method: string;
  route: string;
  calls: number;
  codes?: Record<string, number>;
  '4xx'?: number;
  '5xx'?: number;
  clients?: string[];
  max_ms?: number | null;
}

test('every request belongs to a case', () => {
  expect(cases.length).toBeGreaterThanOrEqual(15);
  for (const file of files) {
    const name = /^(.+?)(\.\d+)?(\.expected)?\.json$/.exec(file)?.[1];
    if (file !== 'README.md') expect(cases, file).toContain(name);
  }
});

for (const name of cases) {
  test(`${name}: the report holds exactly the expected endpoints`, async () => {
    const service = await send(name);
    const expected = readJson(`${name}.expected.json`).endpoints as ExpectedEndpoint[];
    const rows = await get(`report?window=24h&service=${encodeURIComponent(service)}`);
    const found = rows.endpoints as Record<string, unknown>[];
    const seen: ExpectedEndpoint[] = [];
    for (const row of found) {
      const wanted = expected.find((one) => sameEndpoint(one, row));
      seen.push(await described(row, wanted));
    }
    expect(byName(seen)).toEqual(byName(expected.map((one) => ({ ...one, ...named(one) }))));
  });
}

/** Sends the case's requests. @returns the name of its service */
async function send(name: string): Promise<string> {
  let service = '';
  const requests = files.filter((file) => file.replace(/(\.\d+)?\.json$/, '') === name);
  for (const file of requests) {
    const request = moved(readFileSync(new URL(file, fixtures), 'utf8'));
    service = /"service\.name",\s*"value":\s*\{\s*"stringValue":\s*"([^"]+)"/.exec(request)![1]!;
    const response = await fetch(`${rollcall.addresses.otlp_http}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: request,
    });
    expect(response.status, await response.text()).toBe(200);
  }
  return service;
}

/** Times of the fixtures, moved so that they lie an hour in the past. */
function moved(request: string): string {
  const noonNs = BigInt(Date.UTC(2026, 10, 26, 12)) * 1_000_000n;
  const byNs = BigInt(startMs - 3_600_000) * 1_000_000n - noonNs;
  return request.replace(/("\w+UnixNano":\s*")(\d+)"/g, (_, key: string, ns: string) => {
    return `${key}${BigInt(ns) + byNs}"`;
  });
}

const startMs = Date.now();

/** The row with as much as the expectation speaks of. */
async function described(
  row: Record<string, unknown>,
  expected: ExpectedEndpoint | undefined,
): Promise<ExpectedEndpoint> {
  const detail = await get(`endpoints/${row.id}?window=24h`);
  const codes = detail.status_codes as Record<string, number>;
  const clients = detail.clients as { client: string }[];
  const all: Required<ExpectedEndpoint> = {
    ...named(row as unknown as ExpectedEndpoint),
    calls: row.total_calls as number,
    codes,
    '4xx': row.error_4xx_count as number,
    '5xx': row.error_5xx_count as number,
    clients: clients.map(({ client }) => client).sort(),
    max_ms: row.max_duration_ms as number | null,
  };
  const kept = Object.keys(expected ?? { method: '', route: '', calls: 0, codes: {} });
  return Object.fromEntries(
    Object.entries(all).filter(([key]) => kept.includes(key)),
  ) as unknown as ExpectedEndpoint;
}

function sameEndpoint(expected: ExpectedEndpoint, row: Record<string, unknown>): boolean {
  const { method, route } = named(expected);
  const other = named(row as unknown as ExpectedEndpoint);
  return method === other.method && route === other.route;
}

/** Method and route, parameters without their names. */
function named({ method, route }: Pick<ExpectedEndpoint, 'method' | 'route'>) {
  return { method, route: route.replace(/\{[^{}]*\}/g, '{}') };
}

function byName(endpoints: readonly ExpectedEndpoint[]): ExpectedEndpoint[] {
  const key = ({ method, route }: ExpectedEndpoint) => `${method} ${route}`;
  return endpoints.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

async function get(path: string): Promise<Record<string, unknown>> {
  const response = await fetch(`${rollcall.addresses.analyzer}/api/v1/${path}`);
  const body = await response.text();
  expect(response.status, body).toBe(200);
  return JSON.parse(body) as Record<string, unknown>;
}

// biome-ignore lint/suspicious/noExplicitAny: a fixture of our own
function readJson(file: string): any {
  return JSON.parse(readFileSync(new URL(file, fixtures), 'utf8'));
}
