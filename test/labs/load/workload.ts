import {
  encodeTraces,
  type KeyValue,
  type ResourceSpans,
  type Span,
} from '../../../collector/otlp/traces-encoder.ts';
import { Random } from '../../../core/random.ts';
import type { TrueCall } from './truth.ts';

/**
 * Export requests of made-up services, and the calls that a reader must count in them. Deterministic:
 * body `n` of a workload is the same bytes whenever it is asked for, so nothing must be kept to send it
 * again.
 */
export interface WorkloadOptions {
  seed: number;
  routes: number;
  spansPerBody: number;
  /** Calls end in the `spreadS` seconds before this time; late ones `lateS` before that. */
  nowMs: number;
  spreadS: number;
  /** Share of calls that are `lateS` old, 0 to 1. */
  lateShare: number;
  lateS: number;
}

export interface WorkloadBody {
  bytes: Buffer;
  calls: TrueCall[];
}

interface Endpoint {
  service: string;
  method: string;
  /** As the framework says it, and in the canonical spelling. */
  spelled: string;
  route: string;
  path: (random: Random) => string;
  medianNs: number;
  errorShare: number;
  clients: number;
}

const environment = 'test';
/** One endpoint in twenty has thousands of callers, and all of them together two calls in five. */
const busyEvery = 20;
const busyShare = 0.4;
const busyClients = 3_000;
const clientKind = 3;
const serverKind = 2;
const internalKind = 1;

export class Workload {
  readonly endpoints: readonly Endpoint[];
  #options: WorkloadOptions;
  #busy: readonly Endpoint[];

  constructor(options: WorkloadOptions) {
    this.#options = options;
    const random = new Random(options.seed);
    this.endpoints = Array.from({ length: options.routes }, (_, n) => makeEndpoint(n, random));
    this.#busy = this.endpoints.filter((_, n) => n % busyEvery === 0);
  }

  body(number: number): WorkloadBody {
    const random = new Random(this.#options.seed * 1_000_003 + number + 1);
    const calls: TrueCall[] = [];
    const byService = new Map<string, Span[]>();
    while (calls.length < this.#options.spansPerBody) {
      const endpoint = random.pick(random.next() < busyShare ? this.#busy : this.endpoints);
      const call = this.#call(endpoint, random);
      calls.push(call);
      const spans = byService.get(endpoint.service) ?? [];
      byService.set(endpoint.service, spans);
      spans.push(...spansOf(call, endpoint, random));
    }
    const resources: ResourceSpans[] = [...byService].map(([service, spans]) => ({
      attributes: [
        { key: 'service.name', value: service },
        { key: 'service.version', value: '1.0.0' },
        { key: 'deployment.environment.name', value: environment },
      ],
      scopes: [{ name: '@opentelemetry/instrumentation-http', spans }],
    }));
    return { bytes: encodeTraces(resources), calls };
  }

  #call(endpoint: Endpoint, random: Random): TrueCall {
    const { nowMs, spreadS, lateShare, lateS } = this.#options;
    const ageS = random.next() * spreadS + (random.next() < lateShare ? lateS : 0);
    const endNs = BigInt(Math.floor(nowMs - ageS * 1000)) * 1_000_000n + BigInt(random.below(1e6));
    const drawn = Math.floor(random.lognormal(endpoint.medianNs, 1));
    return {
      service: endpoint.service,
      environment,
      method: endpoint.method,
      route: endpoint.route,
      status: status(endpoint, random),
      durationNs: Math.min(60e9, Math.max(50_000, drawn)),
      endNs,
      client: client(endpoint, random),
    };
  }
}

function makeEndpoint(number: number, random: Random): Endpoint {
  const noun = `thing${number}`;
  const shape = number % 4;
  const shapes = [
    { spelled: `/${noun}`, route: `/${noun}`, path: () => `/${noun}` },
    {
      spelled: `/${noun}/:id`,
      route: `/${noun}/{id}`,
      path: (random: Random) => `/${noun}/${random.below(1e6)}`,
    },
    {
      spelled: `/v1/${noun}/{id}`,
      route: `/v1/${noun}/{id}`,
      path: (random: Random) => `/v1/${noun}/${random.below(1e6)}`,
    },
    {
      spelled: `/${noun}/<int:id>/parts`,
      route: `/${noun}/{id}/parts`,
      path: (random: Random) => `/${noun}/${random.below(1e6)}/parts`,
    },
  ];
  return {
    service: `service-${number % 3}`,
    method: ['GET', 'GET', 'POST', 'PUT', 'DELETE'][number % 5]!,
    ...shapes[shape]!,
    // From 50 µs to 60 s: medians spread evenly over the six decades.
    medianNs: 50_000 * 1.2e6 ** random.next(),
    errorShare: number % 7 === 0 ? 0.3 : 0.02,
    clients: number % busyEvery === 0 ? busyClients : 1 + random.below(60),
  };
}

function status(endpoint: Endpoint, random: Random): number {
  if (random.next() >= endpoint.errorShare) return random.pick([200, 200, 200, 201, 204, 304]);
  return random.pick([400, 401, 404, 409, 422, 429, 500, 502, 503]);
}

function client(endpoint: Endpoint, random: Random): string {
  const number = random.below(endpoint.clients);
  if (number % 50 === 49) return '';
  if (number % 50 === 48) return `2001:db8::${(number + 1).toString(16)}`;
  return `198.18.${number >> 8}.${number & 255}`;
}

/** The call's SERVER span, and now and then others that must not be counted. */
function spansOf(call: TrueCall, endpoint: Endpoint, random: Random): Span[] {
  const ids = { traceId: random.bytes(16), spanId: random.bytes(8) };
  const times = {
    startTimeUnixNano: call.endNs - BigInt(call.durationNs),
    endTimeUnixNano: call.endNs,
  };
  const path = endpoint.path(random);
  const attributes = random.below(3) > 0 ? stable(call, endpoint, path) : old(call, endpoint, path);
  const span: Span = {
    ...ids,
    ...times,
    name: `${call.method} ${endpoint.spelled}`,
    kind: serverKind,
    attributes,
    flags: 0x101,
  };
  if (random.below(4) > 0) return [span];
  const child = { ...times, traceId: ids.traceId, parentSpanId: ids.spanId, flags: 0x101 };
  return [
    { ...child, spanId: random.bytes(8), name: 'middleware', kind: internalKind, attributes },
    { ...child, spanId: random.bytes(8), name: 'GET', kind: clientKind, attributes },
    span,
  ];
}

function stable(call: TrueCall, endpoint: Endpoint, path: string): KeyValue[] {
  return [
    { key: 'http.request.method', value: call.method },
    { key: 'url.path', value: path },
    { key: 'http.route', value: endpoint.spelled },
    { key: 'http.response.status_code', value: call.status },
    ...(call.client === '' ? [] : [{ key: 'client.address', value: call.client }]),
    { key: 'user_agent.original', value: 'okhttp/5.1.0' },
  ];
}

/** The names before 2023, with the status as text as some exporters send it. */
function old(call: TrueCall, endpoint: Endpoint, path: string): KeyValue[] {
  return [
    { key: 'http.method', value: call.method },
    { key: 'http.target', value: `${path}?page=1` },
    { key: 'http.route', value: endpoint.spelled },
    { key: 'http.status_code', value: String(call.status) },
    ...(call.client === '' ? [] : [{ key: 'net.peer.ip', value: call.client }]),
    { key: 'http.user_agent', value: 'okhttp/5.1.0' },
  ];
}
