import type { KeyValue } from '../../../collector/otlp/traces-encoder.ts';
import { Random } from '../../../core/random.ts';
import { BodyTemplate, type ResourcePlan, type SpanPlan } from './body-template.ts';

/**
 * The three payloads of the bench, as templates. Several templates of one payload hold different
 * endpoints, clients and statuses in a different order; a loader takes them in turn.
 */
export type PayloadName = 'mixed' | 'server' | 'wide' | 'wide-one-service';

export const payloads: Record<PayloadName, (random: Random) => BodyTemplate> = {
  mixed,
  server: (random) => server(random),
  wide: (random) => wide(random, 10),
  'wide-one-service': (random) => wide(random, 1),
};

const internal = 1;
const serverKind = 2;
const clientKind = 3;

const userAgents = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Mobile/15E148',
  'okhttp/5.1.0',
  'python-requests/2.32.5',
  'node',
];

const nouns = ['users', 'orders', 'items', 'carts', 'invoices', 'reviews', 'shipments', 'returns'];
const routes = nouns.flatMap((noun) => [
  { method: 'GET', route: `/api/v1/${noun}`, path: () => `/api/v1/${noun}` },
  {
    method: 'GET',
    route: `/api/v1/${noun}/:id`,
    path: (random: Random) => `/api/v1/${noun}/${random.below(1e6)}`,
  },
  { method: 'POST', route: `/api/v1/${noun}`, path: () => `/api/v1/${noun}` },
]);

/** As @opentelemetry/sdk-node exports an Express service: 512 spans, six a request, one of them SERVER. */
function mixed(random: Random): BodyTemplate {
  const http: SpanPlan[] = [];
  const express: SpanPlan[] = [];
  const postgres: SpanPlan[] = [];
  for (let trace = 0; http.length + express.length + postgres.length < 512; trace += 1) {
    const { method, route, path } = random.pick(routes);
    // The last request's SERVER span is not ended yet: it comes in the next body.
    if (trace < 85) http.push(serverSpan(trace, method, route, path(random), random));
    express.push(middleware(trace, 'query'), middleware(trace, 'jsonParser'), {
      name: 'request handler',
      kind: internal,
      trace,
      child: true,
      attributes: [
        { key: 'http.route', value: route },
        { key: 'express.name', value: route },
        { key: 'express.type', value: 'request_handler' },
      ],
    });
    if (trace < 85) postgres.push(...queries(trace, random.pick(nouns)));
  }
  express.length = 512 - http.length - postgres.length;
  const resource: ResourcePlan = {
    attributes: nodeResource('shop'),
    scopes: [
      { name: '@opentelemetry/instrumentation-express', spans: express },
      { name: '@opentelemetry/instrumentation-pg', spans: postgres },
      { name: '@opentelemetry/instrumentation-http', spans: http },
    ],
  };
  return new BodyTemplate([resource], [], random);
}

function middleware(trace: number, name: string): SpanPlan {
  return {
    name: `middleware - ${name}`,
    kind: internal,
    trace,
    child: true,
    attributes: [
      { key: 'express.name', value: name },
      { key: 'express.type', value: 'middleware' },
    ],
  };
}

function queries(trace: number, table: string): SpanPlan[] {
  const server: KeyValue[] = [
    { key: 'db.system.name', value: 'postgresql' },
    { key: 'db.namespace', value: 'shop' },
    { key: 'db.connection_string', value: 'postgresql://postgres:5432/shop' },
    { key: 'server.address', value: 'postgres' },
    { key: 'server.port', value: 5432 },
  ];
  const connect = { name: 'pg-pool.connect', kind: clientKind, trace, child: true };
  const query = { name: 'pg.query:SELECT shop', kind: clientKind, trace, child: true };
  const text = `SELECT id, name, state, total, currency, created_at, updated_at FROM ${table} WHERE owner_id = $1 AND deleted_at IS NULL ORDER BY created_at DESC LIMIT $2`;
  return [
    { ...connect, attributes: server },
    { ...query, attributes: [...server, { key: 'db.query.text', value: text }] },
  ];
}

/** 1,000 SERVER spans of about 486 bytes: 24 routes, 300 clients, one error in twenty. */
export function server(random: Random, length = 1000): BodyTemplate {
  const spans = Array.from({ length }, (_, trace) => {
    const { method, route, path } = random.pick(routes);
    return serverSpan(trace, method, route, path(random), random);
  });
  const resource: ResourcePlan = {
    attributes: nodeResource('shop'),
    scopes: [{ name: '@opentelemetry/instrumentation-http', spans }],
  };
  return new BodyTemplate([resource], [], random);
}

function serverSpan(
  trace: number,
  method: string,
  route: string,
  path: string,
  random: Random,
  client = `203.0.${random.below(3)}.${random.below(100) + 1}`,
): SpanPlan {
  const status = random.below(20) > 0 ? 200 : random.pick([201, 301, 400, 404, 422, 500, 503]);
  return {
    name: `${method} ${route}`,
    kind: serverKind,
    trace,
    child: false,
    attributes: [
      { key: 'http.request.method', value: method },
      { key: 'url.scheme', value: 'http' },
      { key: 'server.address', value: 'www.shop.example.com' },
      { key: 'network.peer.address', value: client },
      { key: 'network.peer.port', value: 30_000 + random.below(30_000) },
      { key: 'client.address', value: client },
      { key: 'user_agent.original', value: random.pick(userAgents) },
      { key: 'url.path', value: path },
      { key: 'network.protocol.version', value: '1.1' },
      { key: 'http.response.status_code', value: status },
      ...(status >= 500 ? [{ key: 'error.type', value: String(status) }] : []),
      { key: 'http.route', value: route },
    ],
  };
}

/** 10,000 endpoints and 100,000 clients, all SERVER: each send draws endpoint and client of each span. */
function wide(random: Random, services: number): BodyTemplate {
  const routesEach = 10_000 / services;
  const spansEach = 1000 / services;
  const routeMark = '~~~~';
  const clientMark = '^^^^^^^^^^^^^^^';
  let trace = 0;
  const resources = Array.from({ length: services }, (_, number) => {
    const spans = Array.from({ length: spansEach }, () => {
      const route = `/api/v1/resource-${routeMark}/:id`;
      const span = serverSpan(
        trace,
        'GET',
        route,
        route.replace(':id', '12345'),
        random,
        clientMark,
      );
      trace += 1;
      return span;
    });
    return {
      attributes: nodeResource(`service-${number}`),
      scopes: [{ name: '@opentelemetry/instrumentation-http', spans }],
    };
  });
  return new BodyTemplate(
    resources,
    [
      { text: routeMark, words: words(routesEach, (n) => String(n).padStart(4, '0')) },
      { text: clientMark, words: addresses() },
    ],
    random,
  );
}

function words(count: number, word: (number: number) => string): Uint8Array {
  return Buffer.from(Array.from({ length: count }, (_, number) => word(number)).join(''));
}

/** 100,000 addresses that are all written in 15 characters. */
function addresses(): Uint8Array {
  return words(100_000, (n) => {
    const [a, b, c] = [n % 100, Math.floor(n / 100) % 100, Math.floor(n / 10_000)];
    return `10${c}.${100 + b}.${100 + a}.200`;
  });
}

function nodeResource(service: string): KeyValue[] {
  return [
    { key: 'service.instance.id', value: 'f4e70976-d66b-48a4-8987-1935c487791c' },
    { key: 'service.version', value: '1.2.3' },
    { key: 'deployment.environment.name', value: 'production' },
    { key: 'service.name', value: service },
    { key: 'telemetry.sdk.language', value: 'nodejs' },
    { key: 'telemetry.sdk.name', value: 'opentelemetry' },
    { key: 'telemetry.sdk.version', value: '3.0.0' },
  ];
}

/** Fresh bodies of a payload, every one distinct from all others. */
export class BodySource {
  readonly templates: BodyTemplate[];
  #random: Random;
  #turn = 0;
  /** By connection and template: a body being sent may not be written to. */
  #buffers: Buffer[][] = [];

  constructor(name: PayloadName, seed: number, templates = 8) {
    this.#random = new Random(seed);
    this.templates = Array.from({ length: templates }, () => payloads[name](this.#random));
  }

  /** A body whose calls end now. Its bytes are overwritten by the same connection's next body. */
  next(connection: number, nowNs: bigint): { bytes: Buffer; template: BodyTemplate } {
    const turn = this.#turn % this.templates.length;
    this.#turn += 1;
    const template = this.templates[turn]!;
    this.#buffers[connection] ??= [];
    this.#buffers[connection][turn] ??= Buffer.from(template.bytes);
    const bytes = this.#buffers[connection][turn];
    template.stamp(bytes, this.#random, nowNs);
    return { bytes, template };
  }
}
