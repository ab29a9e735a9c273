import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { KnownRoutes } from '../../../collector/extract/endpoint/known-routes.ts';
import { Extractor } from '../../../collector/extract/extractor.ts';
import { encodeTraces, type KeyValue, type Span } from '../../../collector/otlp/traces-encoder.ts';
import { CallDictionary } from '../../../core/call.ts';
import { readConfig } from '../../../core/config/config.ts';
import { openSqliteEndpoints } from '../../../core/store/sqlite/endpoints.ts';
import { openSqliteInventories } from '../../../core/store/sqlite/inventory/inventories.ts';
import { openSqliteReader } from '../../../core/store/sqlite/reader/reader.ts';
import { openSqliteVerdicts } from '../../../core/store/sqlite/verdicts.ts';
import { openSqliteWriter } from '../../../core/store/sqlite/writer/writer.ts';
import { temporaryFolder } from '../../support/process.ts';
import { openDoor } from './door.ts';

/** One call of a service, as its span tells it. */
export interface ToldCall {
  /** Days since `startMs`, with a fraction. */
  at: number;
  method?: string;
  /** `http.route`; absent where the span names none. */
  route?: string;
  path?: string;
  status?: number;
  consumer?: string;
  agent?: string;
  traceState?: string;
  attributes?: KeyValue[];
}

/** What a resource says; `service` is `shop` unless told. */
export interface ToldResource {
  service?: string;
  environment?: string;
  version?: string;
  instance?: string;
}

/** A row of `/report`. */
export interface JudgedRow {
  id: string;
  environment: string;
  method: string;
  route: string;
  status: string;
  confidence: number | null;
  marks: string[];
  lifetime_calls: number;
  // biome-ignore lint/suspicious/noExplicitAny: rows are checked by what the tests expect of them
  [field: string]: any;
}

export const startMs = Date.UTC(2026, 2, 2);
const dayMs = 86_400_000;

/** The real extraction, store and REST API under a clock that a test moves: days pass in no time. */
export async function openWorld(environmentVariables: Record<string, string> = {}) {
  const folder = temporaryFolder();
  const path = join(folder.path, 'rollcall.db');
  let nowMs = startMs;
  const now = () => nowMs;
  const config = readConfig(environmentVariables);
  const openWriter = () => openSqliteWriter({ path, retention: config.retention, now });
  let writer = await openWriter();
  const reader = await openSqliteReader(path);
  const inventories = await openSqliteInventories(path);
  const endpoints = await openSqliteEndpoints(path);
  const verdicts = await openSqliteVerdicts(path);
  const door = await openDoor(reader, nowMs, undefined, undefined, {
    inventories,
    endpoints,
    verdicts,
    now,
  });
  let dictionary = new CallDictionary();
  let knownRoutes = new KnownRoutes();
  let revision = '';
  const makeExtractor = () => new Extractor({ dictionary, config, now, knownRoutes });
  let extractor = makeExtractor();

  const learn = async () => {
    const { revision: newest, changed } = await inventories.changedSince(revision);
    revision = newest;
    knownRoutes.learn(changed);
  };

  return {
    door,
    endpoints,

    /** The day on which the world is, with a fraction. */
    get day(): number {
      return (nowMs - startMs) / dayMs;
    },
    set day(day: number) {
      nowMs = startMs + day * dayMs;
    },

    /** One request with one group of spans for each resource; the clock moves to the latest call if it is behind. */
    async send(...groups: [ToldResource, ToldCall[]][]): Promise<void> {
      const latest = Math.max(...groups.flatMap(([, calls]) => calls.map(({ at }) => at)));
      nowMs = Math.max(nowMs, startMs + latest * dayMs + 1000);
      const body = encodeTraces(
        groups.map(([resource, calls]) => ({
          attributes: resourceAttributes(resource),
          scopes: [{ name: 'test', spans: calls.map(spanOf) }],
        })),
      );
      const batch = writer.newBatch();
      extractor.extract('default', body, batch);
      const digest = createHash('md5').update(body).digest();
      batch.deliveries.push({ project: 'default', digest, firstCall: 0, calls: batch.length });
      await writer.append(batch, dictionary.takeNew());
    },

    /** A new collector: what the old one had in memory is gone. */
    async restart(): Promise<void> {
      await writer.close();
      writer = await openWriter();
      dictionary = new CallDictionary();
      knownRoutes = new KnownRoutes();
      revision = '';
      extractor = makeExtractor();
      await learn();
    },

    async declare(routes: string, service = 'shop'): Promise<void> {
      const response = await door.fetch(`/api/v1/services/${service}/inventory`, {
        method: 'PUT',
        body: routes,
      });
      if (response.status !== 200) throw new Error(await response.text());
      await response.arrayBuffer();
      await learn();
    },

    async undeclare(service = 'shop'): Promise<void> {
      await door.fetch(`/api/v1/services/${service}/inventory`, { method: 'DELETE' });
      await learn();
    },

    compact: () => writer.compact(),

    async rows(query = ''): Promise<JudgedRow[]> {
      const { endpoints: rows } = await door.get(`/report?window=1h&limit=1000${query}`);
      return rows;
    },

    async close(): Promise<void> {
      await door.close();
      await reader.close();
      await inventories.close();
      await endpoints.close();
      await verdicts.close();
      await writer.close();
      folder.remove();
    },
  };
}

function resourceAttributes(told: ToldResource): KeyValue[] {
  const { service = 'shop', environment, version, instance } = told;
  return [
    { key: 'service.name', value: service },
    ...(environment === undefined
      ? []
      : [{ key: 'deployment.environment.name', value: environment }]),
    ...(version === undefined ? [] : [{ key: 'service.version', value: version }]),
    ...(instance === undefined ? [] : [{ key: 'service.instance.id', value: instance }]),
  ];
}

function spanOf({ at, method = 'GET', route, path, status = 200, ...told }: ToldCall): Span {
  const { consumer, agent, traceState, attributes = [] } = told;
  const endNs = BigInt(Math.floor(startMs + at * dayMs)) * 1_000_000n;
  const texts = [
    ['http.request.method', method],
    ['http.route', route],
    ['url.path', path],
    ['enduser.id', consumer],
    ['user_agent.original', agent],
  ] as const;
  return {
    traceId: randomBytes(16),
    spanId: randomBytes(8),
    ...(traceState !== undefined && { traceState }),
    name: method,
    kind: 2,
    startTimeUnixNano: endNs - 5_000_000n,
    endTimeUnixNano: endNs,
    attributes: [
      ...texts.flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }])),
      { key: 'http.response.status_code', value: status },
      ...attributes,
    ],
  };
}
