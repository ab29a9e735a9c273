import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Dashboard } from '../../../analyzer/api/dashboard.ts';
import { analyzerApp } from '../../../analyzer/api/server.ts';
import { LocalAnswerer } from '../../../analyzer/queue/answerer.ts';
import { openAuthorizer } from '../../../core/auth/authorizer.ts';
import type { Tenancy } from '../../../core/auth/tenancy.ts';
import { openLog } from '../../../core/log.ts';
import type { ConsumerStore } from '../../../core/store/annotations/consumers.ts';
import type { EventStore } from '../../../core/store/annotations/events.ts';
import type { ArrivalStore } from '../../../core/store/arrivals.ts';
import type { DecisionStore } from '../../../core/store/decisions.ts';
import type { InventoryStore } from '../../../core/store/inventory.ts';
import type { CallReader, EndpointStore } from '../../../core/store/store.ts';
import type { KeptEvidence, VerdictStore } from '../../../core/store/verdicts.ts';
import { checkDocumented } from './documented.ts';
import type { PlainCall } from './oracle.ts';

const api = '/api/v1';

/**
 * The analyzer's real HTTP listener on a free port, with a clock that stands still. Every JSON answer of the
 * API is held against the OpenAPI document.
 */
export interface ListenOptions {
  url: string;
  /** Asks `/api/v1` + path and expects 200. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by what the tests expect of them
  get(path: string): Promise<any>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export async function openDoor(
  reader: CallReader,
  nowMs: number,
  tenancy: Pick<Tenancy, 'authorizer' | 'keys'> = withoutKeys,
  dashboard?: Dashboard,
  {
    auth = 'off',
    now = () => nowMs,
    inventories = noInventories,
    decisions = noDecisions,
    endpoints = noEndpoints,
    traceUrl,
    verdicts = noVerdicts(),
    arrivals = noArrivals(),
    consumers = noConsumers,
    events = noEvents,
    basePath = '',
    trustedProxies = [],
  }: {
    auth?: 'off' | 'keys';
    now?: () => number;
    inventories?: InventoryStore;
    decisions?: DecisionStore;
    endpoints?: EndpointStore;
    traceUrl?: string;
    verdicts?: VerdictStore;
    arrivals?: ArrivalStore;
    consumers?: ConsumerStore;
    events?: EventStore;
    basePath?: string;
    trustedProxies?: string[];
  } = {},
): Promise<ListenOptions> {
  const app = analyzerApp({
    answerer: new LocalAnswerer(
      {
        reader,
        inventories: async () => inventories,
        decisions: async () => decisions,
        verdicts: async () => verdicts,
        arrivals: async () => arrivals,
        consumers: async () => consumers,
        events: async () => events,
        endpoints: async () => endpoints,
      },
      { thresholds: { coldAfterDays: 7, deadAfterDays: 30 }, clientsAreHashed: false, traceUrl },
    ),
    tenancy,
    basePath,
    trustedProxies,
    log: openLog('test', 'silent'),
    version: '0.0.0',
    ...(dashboard && { dashboard }),
    page: { ...page, auth },
    now,
  });
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${url}${path}`, init);
    const isJson = response.headers.get('content-type')?.startsWith('application/json');
    const method = init?.method ?? 'GET';
    if (isJson && path.startsWith(api) && method !== 'HEAD') {
      const body: unknown = await response.clone().json();
      checkDocumented(method, path.slice(api.length), response.status, body);
    }
    return response;
  };
  return {
    url,
    fetch: ask,
    async get(path) {
      const response = await ask(`/api/v1${path}`);
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const page = {
  collector: { scheme: 'http', http_port: 4318, grpc_port: 4317 },
  settings: { dead_after_days: 30 },
} as const;

/** The store of a test that declares nothing. */
const noInventories: InventoryStore = {
  replace: () => Promise.reject(new Error('nothing is declared here')),
  remove: () => Promise.reject(new Error('nothing is declared here')),
  inventory: async () => undefined,
  history: async () => [],
  changedSince: async () => ({ revision: '', changed: [] }),
  close: async () => {},
};

/** The store of a test that decides nothing. */
const noEndpoints: EndpointStore = {
  forgetEndpoint: async () => false,
  forgetService: async () => undefined,
  close: async () => {},
};

const noDecisions: DecisionStore = {
  decide: () => Promise.reject(new Error('nothing is decided here')),
  withdraw: async () => 0,
  history: async () => [],
  close: async () => {},
};

/** Nothing ever arrived. */
function noArrivals(): ArrivalStore {
  return { add: async () => {}, since: async () => [], close: async () => {} };
}

/** Keeps evidence in memory, and no snapshots. */
function noVerdicts(): VerdictStore {
  const kept: KeptEvidence[] = [];
  return {
    newestDay: async () => undefined,
    record: async () => undefined,
    totals: async () => [],
    history: async () => [],
    keepEvidence: async (_project, evidence) => void kept.push(evidence),
    evidence: async (_project, endpoint, asOfMs) =>
      kept.find((one) => one.endpoint === endpoint && one.asOfMs === asOfMs),
    close: async () => {},
  };
}

/** The store of a test that tells nothing of consumers. */
const noConsumers: ConsumerStore = {
  put: () => Promise.reject(new Error('nothing is told here')),
  remove: () => Promise.reject(new Error('nothing is told here')),
  close: async () => {},
};

/** The store of a test that tells of no event. */
const noEvents: EventStore = {
  add: () => Promise.reject(new Error('nothing is told here')),
  remove: () => Promise.reject(new Error('nothing is told here')),
  close: async () => {},
};

const withoutKeys = {
  authorizer: openAuthorizer,
  keys: () => Promise.reject(new Error('keys are not asked for')),
};

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** A Wednesday at noon, and some seconds. */
export const nowMs = Date.UTC(2026, 2, 18, 12, 0, 30);

/** A call of GET / that succeeded in 10 ms a minute ago, except for what is told. */
export function call(told: Partial<PlainCall> = {}): PlainCall {
  return {
    service: 'shop',
    environment: 'production',
    method: 'GET',
    route: '/',
    status: 200,
    durationNs: 10_000_000,
    endMs: nowMs - minuteMs,
    client: '203.0.113.7',
    consumer: '',
    agent: 'curl',
    version: '1.0.0',
    ...told,
  };
}

export function repeat(times: number, make: (index: number) => PlainCall): PlainCall[] {
  return Array.from({ length: times }, (_, index) => make(index));
}
