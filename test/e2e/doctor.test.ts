import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeTraces, type Span } from '../../collector/otlp/traces-encoder.ts';
import { protobufType, serverSpan } from '../support/export-request.ts';
import { type Running, runToEnd, startRollcall, temporaryFolder } from '../support/process.ts';

const adminKey = 'the-operator-has-chosen-this-one-well';
const folder = temporaryFolder();
let rollcall: Running;
const keys: Record<string, string> = {};

beforeAll(async () => {
  rollcall = await startRollcall(`${folder.path}/rollcall.db`, {
    ROLLCALL_AUTH: 'keys',
    ROLLCALL_ADMIN_KEY: adminKey,
    ROLLCALL_EXCLUDE_ROUTES: '/health',
  });
  for (const project of ['shop', 'other']) {
    await operate('/projects', { name: project });
    for (const scope of ['ingest', 'read']) {
      keys[`${project} ${scope}`] = (await operate('/keys', { project, scope })).key;
    }
  }
}, 60_000);
afterAll(async () => {
  await rollcall?.stop();
  folder.remove();
});

async function operate(path: string, body: object): Promise<{ key: string }> {
  const response = await fetch(`${rollcall.addresses.analyzer}/api/v1${path}`, {
    method: 'POST',
    headers: { 'x-api-key': adminKey, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as { key: string };
}

const resource = (service: string, spans: Span[]) => ({
  attributes: [{ key: 'service.name', value: service }],
  scopes: [{ name: 'test', spans }],
});
const spans = (count: number, more: Partial<Span> = {}): Span[] =>
  Array.from({ length: count }, () => serverSpan(more));

async function send(body: Buffer, key: string, path = '/v1/traces'): Promise<number> {
  const response = await fetch(`${rollcall.addresses.otlp_http}${path}`, {
    method: 'POST',
    headers: { 'content-type': protobufType, 'x-api-key': key },
    body: new Uint8Array(body),
  });
  await response.arrayBuffer();
  return response.status;
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of the API
async function doctor(project: string, format?: 'md'): Promise<any> {
  const query = format === undefined ? '' : `?format=${format}`;
  const response = await fetch(`${rollcall.addresses.analyzer}/api/v1/doctor${query}`, {
    headers: { 'x-api-key': keys[`${project} read`]! },
  });
  expect(response.status).toBe(200);
  return format === undefined ? response.json() : response.text();
}

it('says what arrived from whom within seconds, and why it does not count', async () => {
  expect(await doctor('shop', 'md')).toBe('Nothing has arrived yet.\n');
  const key = keys['shop ingest']!;
  const future = { endTimeUnixNano: BigInt(Date.now() + 3_600_000) * 1_000_000n };
  const health = [
    { key: 'http.request.method', value: 'GET' },
    { key: 'http.route', value: '/health' },
    { key: 'http.response.status_code', value: 200 },
  ];
  const body = encodeTraces([
    resource('worker', spans(12, { kind: 1 })),
    resource('orders', [
      ...spans(3),
      ...spans(4, { kind: 3 }),
      ...spans(1, future),
      ...spans(2, { attributes: health }),
    ]),
    resource('rpc', spans(5, { attributes: [{ key: 'rpc.system', value: 'grpc' }] })),
  ]);
  expect(await send(body, key)).toBe(200);
  // The same bytes again are one delivery, and arrive once
  expect(await send(body, key)).toBe(200);
  expect(await send(Buffer.from('no protobuf'), key)).toBe(400);
  expect(await send(Buffer.alloc(0), key, '/v1/metrics')).toBe(200);
  expect(await send(body, keys['shop read']!)).toBe(403);
  await expect
    .poll(async () => (await doctor('shop')).findings.length, { timeout: 20_000, interval: 200 })
    .toBeGreaterThan(5);
  const answer = await doctor('shop');
  const nothing = { stored: 0, not_server: 0, not_http: 0, excluded: 0, rejected: 0, duplicate: 0 };
  expect(
    answer.arrived.map(({ service, spans: counts }: { service: string; spans: object }) => [
      service,
      counts,
    ]),
  ).toEqual([
    ['orders', { ...nothing, stored: 3, not_server: 4, excluded: 2, rejected: 1 }],
    ['rpc', { ...nothing, not_http: 5 }],
    ['worker', { ...nothing, not_server: 12 }],
  ]);
  expect(answer.findings.map(({ message }: { message: string }) => message)).toEqual([
    '1 request refused: the key has scope read, exporters need ingest.',
    '1 request could not be decoded.',
    '1 request brought metrics, which Rollcall does not store.',
    '1 span of orders was not taken: the end is more than 10 minutes in the future.',
    '2 calls of orders were left out, as configured.',
    '5 SERVER spans came from rpc, none of HTTP.',
    '12 spans came from worker, none of kind SERVER.',
    '100 % of the calls of orders name no address of a client.',
  ]);
  expect(answer.services).toMatchObject([
    { service: 'orders', calls: 3, without_route_pct: 0, without_client_pct: 100, gap_count: 0 },
  ]);
  expect(await doctor('shop', 'md')).toContain(
    '- 12 spans came from worker, none of kind SERVER. Is the HTTP server instrumentation on?',
  );
});

it('is a command of the command line too', async () => {
  const run = (args: string[]) =>
    runToEnd('cli/rollcall.mjs', { ROLLCALL_KEY: keys['shop read']! }, [
      'doctor',
      '--url',
      rollcall.addresses.analyzer!,
      ...args,
    ]);
  const text = await run([]);
  expect(text.code).toBe(0);
  expect(text.output).toContain('- 12 spans came from worker, none of kind SERVER.');
  const json = await run(['--json']);
  expect(JSON.parse(json.output).arrived).toHaveLength(3);
});

it('tells a project nothing of another', async () => {
  expect(await doctor('other')).toMatchObject({ arrived: [], services: [], findings: [] });
});
