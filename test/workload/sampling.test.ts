import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeTraces, type Span } from '../../collector/otlp/traces-encoder.ts';
import { Random } from '../../core/random.ts';
import { connections, postTraces } from '../labs/load/post.ts';
import { askJson, askReport, type ReportRow } from '../labs/load/report.ts';
import type { TrueWindow } from '../labs/load/truth.ts';
import {
  type Running,
  startAnalyzerProcess,
  startCollectorProcess,
  temporaryFolder,
} from '../support/process.ts';

/**
 * Services of a hundred routes whose calls are known one by one, and whose samplers keep some of them: the
 * report is compared with the weights of the spans that were sent, to the call, and its intervals with the
 * calls that there really were.
 */
interface Sampler {
  service: string;
  /** What of `calls` calls it keeps a span of, and what that span says. */
  keep(random: Random, traceId: Buffer): Kept | undefined;
  /** How many calls such a span stands for. */
  weight: number;
}

interface Kept {
  traceState?: string;
  ratio?: number;
}

/** As OpenTelemetry's consistent probability samplers decide: by the last 56 bits of the trace id. */
function byThreshold(service: string, th: string): Sampler {
  const threshold = BigInt(`0x${th.padEnd(14, '0')}`);
  return {
    service,
    weight: 2 ** 56 / Number(2n ** 56n - threshold),
    keep: (_random, traceId) =>
      BigInt(`0x${traceId.toString('hex', 9)}`) >= threshold
        ? { traceState: `vendor=1,ot=th:${th}` }
        : undefined,
  };
}

const samplers: Sampler[] = [
  { service: 'whole', weight: 1, keep: () => ({}) },
  byThreshold('half', '8'),
  byThreshold('eighth', 'e'),
  byThreshold('third', 'aaab'),
  {
    // OTEP 168: r is the number of leading zeros of the random bits.
    service: 'exponent',
    weight: 4,
    keep(random) {
      const r = Math.min(62, Math.clz32(random.u32()));
      return r >= 2 ? { traceState: `ot=p:2;r:${r}` } : undefined;
    },
  },
  {
    service: 'ratio',
    weight: 5,
    keep: (random) => (random.below(5) === 0 ? { ratio: 0.2 } : undefined),
  },
  { service: 'silent', weight: 10, keep: (random) => (random.below(10) === 0 ? {} : undefined) },
];
/** Its instances of one version keep all, those of the other one in eight. */
const mixed: Sampler[] = [
  { ...samplers[0]!, service: 'mixed' },
  { ...samplers[2]!, service: 'mixed' },
];

interface Expected {
  service: string;
  route: string;
  /** Calls there were. */
  truth: number;
  seen: number;
  weight: number;
  variance: number;
  errors: number;
  weightedNs: number;
}

const routesEach = 100;
const nowNs = BigInt(Date.now()) * 1_000_000n;
const nowS = Number(nowNs / 1_000_000_000n);
const everything: TrueWindow = { fromS: nowS - (nowS % 60) - 86_400, toS: nowS - (nowS % 60) + 60 };
const expected = new Map<string, Expected>();
const folder = temporaryFolder();
const store = `${folder.path}/rollcall.db`;
const env = { ROLLCALL_SAMPLING_FACTORS: 'silent=10' };
let collector: Running & { url: string };
let analyzer: Running & { url: string };

beforeAll(async () => {
  collector = await startCollectorProcess(store, env);
  analyzer = await startAnalyzerProcess(store);
  const random = new Random(20_261_122);
  const agent = connections(2);
  for (const sampler of [...samplers, ...mixed]) {
    const spans: Span[] = [];
    for (let n = 0; n < routesEach; n += 1) makeCalls(sampler, `/r${n}`, random, spans);
    for (let at = 0; at < spans.length; at += 500) {
      // Every other body through the JSON door.
      const isJson = (at / 500) % 2 === 1;
      const part = spans.slice(at, at + 500);
      const body = isJson ? json(sampler.service, part) : protobuf(sampler.service, part);
      const headers = isJson ? { 'content-type': 'application/json' } : {};
      const answer = await postTraces(collector.url, agent, body, headers);
      expect([answer.status, answer.body.toString()]).toEqual([200, isJson ? '{}' : '']);
    }
  }
  agent.destroy();
});

afterAll(async () => {
  await analyzer?.stop();
  await collector?.stop();
  folder.remove();
});

function makeCalls(sampler: Sampler, route: string, random: Random, spans: Span[]): void {
  const key = `${sampler.service} ${route}`;
  const own = expected.get(key) ?? {
    service: sampler.service,
    route,
    truth: 0,
    seen: 0,
    weight: 0,
    variance: 0,
    errors: 0,
    weightedNs: 0,
  };
  expected.set(key, own);
  // From 60 to 400 calls a route: of fewer, one in ten would leave a route unseen now and then.
  const calls = Math.round(60 * 6.7 ** random.next());
  const weight = Math.round(sampler.weight * 65_536) / 65_536;
  own.truth += calls;
  for (let n = 0; n < calls; n += 1) {
    const traceId = Buffer.from(random.bytes(16));
    const durationNs = Math.round(random.lognormal(20e6, 1));
    const status = random.below(10) === 0 ? 500 : 200;
    const kept = sampler.keep(random, traceId);
    if (kept === undefined) continue;
    own.seen += 1;
    own.weight += weight;
    own.variance += weight * (weight - 1);
    own.errors += status === 500 ? weight : 0;
    own.weightedNs += weight * durationNs;
    const endNs = nowNs - BigInt(random.below(3_000)) * 1_000_000_000n;
    spans.push({
      traceId,
      spanId: Buffer.from(random.bytes(8)),
      ...(kept.traceState !== undefined && { traceState: kept.traceState }),
      name: `GET ${route}`,
      kind: 2,
      startTimeUnixNano: endNs - BigInt(durationNs),
      endTimeUnixNano: endNs,
      attributes: [
        { key: 'http.request.method', value: 'GET' },
        { key: 'http.route', value: route },
        { key: 'http.response.status_code', value: status },
        ...(kept.ratio !== undefined ? [{ key: 'X-SampleRatio', value: kept.ratio }] : []),
      ],
    });
  }
}

function protobuf(service: string, spans: Span[]): Buffer {
  const attributes = [{ key: 'service.name', value: service }];
  return encodeTraces([{ attributes, scopes: [{ name: 'test', spans }] }]);
}

function json(service: string, spans: Span[]): Buffer {
  const value = (of: unknown) =>
    typeof of === 'string'
      ? { stringValue: of }
      : Number.isInteger(of)
        ? { intValue: String(of) }
        : { doubleValue: of };
  const jsonSpans = spans.map((span) => ({
    ...span,
    traceId: Buffer.from(span.traceId).toString('hex'),
    spanId: Buffer.from(span.spanId).toString('hex'),
    startTimeUnixNano: String(span.startTimeUnixNano),
    endTimeUnixNano: String(span.endTimeUnixNano),
    attributes: span.attributes.map((each) => ({ key: each.key, value: value(each.value) })),
  }));
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  const resourceSpans = [{ resource, scopeSpans: [{ spans: jsonSpans }] }];
  return Buffer.from(JSON.stringify({ resourceSpans }));
}

interface SampledRow extends ReportRow {
  marks: string[];
  estimated?: boolean;
  total_calls_interval?: [number, number];
}

async function rows(): Promise<SampledRow[]> {
  const report = await askReport(analyzer.url, everything);
  expect(report.estimated).toBe(true);
  return report.endpoints as SampledRow[];
}

describe('after the last acknowledgement', () => {
  answersTheWeights();
});

describe('after a restart', () => {
  beforeAll(async () => {
    expect((await collector.stop()).code).toBe(0);
    collector = await startCollectorProcess(store, env);
  });
  answersTheWeights();
});

describe('a span that cannot stand for what it says', () => {
  test('counts as one call, and /metrics tells of it', async () => {
    const agent = connections(1);
    const span = spanWith('ot=th:8;rv:00000000000000');
    const answer = await postTraces(collector.url, agent, protobuf('doubtful', [span]));
    agent.destroy();
    expect(answer.status).toBe(200);
    const row = (await rows()).find(({ service }) => service === 'doubtful');
    expect(row).toMatchObject({ total_calls: 1, marks: expect.not.arrayContaining(['sampled']) });
    const metrics = await (await fetch(`${collector.url}/metrics`)).text();
    expect(metrics).toContain('rollcall_calls_repaired_total{repair="weight_ignored"} 1\n');
  });
});

function spanWith(traceState: string): Span {
  const endNs = nowNs - 1_000_000_000n;
  return {
    traceId: Buffer.alloc(16, 0xff),
    spanId: Buffer.alloc(8, 1),
    traceState,
    name: 'GET /',
    kind: 2,
    startTimeUnixNano: endNs - 1_000_000n,
    endTimeUnixNano: endNs,
    attributes: [{ key: 'http.request.method', value: 'GET' }],
  };
}

function answersTheWeights(): void {
  test('every count is the sum of the weights that were sent', async () => {
    const found = await rows();
    expect(found).toHaveLength(expected.size);
    for (const row of found) {
      const own = expected.get(`${row.service} ${row.route}`)!;
      const what = `${row.service} ${row.route}`;
      expect(row.total_calls, what).toBe(Math.round(own.weight));
      expect(row.lifetime_calls, what).toBe(Math.round(own.weight));
      expect(row.error_5xx_count, what).toBe(Math.round(own.errors));
      expect(Math.abs(row.avg_duration_ms - own.weightedNs / own.weight / 1e6)).toBeLessThan(0.001);
      if (row.service === 'whole') {
        expect([row.total_calls, row.marks], what).toEqual([own.truth, []]);
        expect(Object.keys(row)).not.toContain('estimated');
        expect(Object.keys(row)).not.toContain('total_calls_interval');
        continue;
      }
      const reach = 1.96 * Math.sqrt(own.variance);
      const low = Math.max(own.seen, Math.floor(own.weight - reach));
      expect(row, what).toMatchObject({ estimated: true, marks: ['sampled'] });
      expect(row.total_calls_interval, what).toEqual([low, Math.ceil(own.weight + reach)]);
    }
  });

  test('the true number of calls lies in the interval of about 95 % of the endpoints', async () => {
    const sampled = (await rows()).filter(({ estimated }) => estimated);
    expect(sampled).toHaveLength(7 * routesEach);
    const holds = sampled.filter(
      ({ service, route, total_calls_interval: [low, high] = [0, 0] }) => {
        const { truth } = expected.get(`${service} ${route}`)!;
        return low <= truth && truth <= high;
      },
    );
    const share = holds.length / sampled.length;
    // Of 700; where a handful of spans stands for all, a normal interval is a little too kind.
    expect(share).toBeGreaterThan(0.92);
    expect(share).toBeLessThan(0.98);
  });

  test('the totals of a service estimate the calls that there were', async () => {
    const iso = (seconds: number) => new Date(seconds * 1000).toISOString();
    for (const { service } of [...samplers, mixed[0]!]) {
      const own = [...expected.values()].filter((each) => each.service === service);
      const sum = (field: 'truth' | 'weight') =>
        own.reduce((total, each) => total + each[field], 0);
      const { summary } = await askJson<{
        summary: { total_requests: number; total_requests_interval?: [number, number] };
      }>(
        `${analyzer.url}/api/v1/summary?service=${service}&from=${iso(everything.fromS)}&to=${iso(everything.toS)}`,
      );
      expect(summary.total_requests, service).toBe(Math.round(sum('weight')));
      const [low, high] = summary.total_requests_interval ?? [sum('truth'), sum('truth')];
      expect(low, service).toBeLessThanOrEqual(sum('truth'));
      expect(high, service).toBeGreaterThanOrEqual(sum('truth'));
    }
  });
}
