import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { historyHours, traffic } from '../../cli/demo/traffic.ts';
import {
  encodeTraces,
  type KeyValue,
  type ResourceSpans,
} from '../../collector/otlp/traces-encoder.ts';
import { serverSpan } from '../support/export-request.ts';
import { type Running, startRollcall, temporaryFolder } from '../support/process.ts';
import { launchChromium } from './browser.ts';

/** A real Rollcall with the dashboard as it is now, and a browser before it. */
export interface World {
  /** Of the analyzer. */
  url: string;
  otlp: string;
  storePath: string;
  browser: Browser;
  /** Asks the API and expects a success. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared with what the page shows
  get(path: string): Promise<any>;
  /** @param key of scope ingest, where one is asked for */
  send(resources: readonly ResourceSpans[], key?: string): Promise<void>;
  close(): Promise<void>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Does nothing when the build is as new as its sources. */
export async function buildDashboard(): Promise<void> {
  await promisify(execFile)(process.execPath, ['analyzer/web/build.ts', '--strict'], { cwd: root });
}

export async function openWorld(env: Record<string, string> = {}): Promise<World> {
  await buildDashboard();
  const folder = temporaryFolder();
  const storePath = `${folder.path}/rollcall.db`;
  let rollcall: Running | undefined;
  let browser: Browser | undefined;
  const close = async () => {
    await browser?.close();
    await rollcall?.stop();
    folder.remove();
  };
  try {
    rollcall = await startRollcall(storePath, env);
    browser = await launchChromium();
  } catch (error) {
    await close();
    throw error;
  }
  const { analyzer, otlp_http: otlp } = rollcall.addresses;
  return {
    url: analyzer!,
    otlp: otlp!,
    storePath,
    browser,
    async get(path) {
      const response = await fetch(`${analyzer}/api/v1${path}`);
      const text = await response.text();
      if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
      return JSON.parse(text);
    },
    send: (resources, key) => post(`${otlp}/v1/traces`, encodeTraces(resources), key),
    close,
  };
}

/** One export at a time is never refused; a rejected span would be a mistake of the test. */
async function post(url: string, body: Uint8Array, key?: string): Promise<void> {
  const headers = {
    'content-type': 'application/x-protobuf',
    ...(key !== undefined && { 'x-api-key': key }),
  };
  const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
  const said = await response.text();
  if (response.status !== 200 || said !== '') {
    throw new Error(`the collector answered ${response.status}: ${said}`);
  }
}

/** The demo's shop: three months with few calls, which make dead endpoints, and two busier weeks. */
export async function sendShop(world: World): Promise<void> {
  const nowMs = Date.now();
  const hours = historyHours(nowMs);
  for (let from = 0; from < hours.length; from += 24) {
    const times = from < hours.length - 15 * 24 ? 0.04 : 0.25;
    const body = hours.slice(from, from + 24).flatMap((hour) => traffic(1, hour, nowMs, times));
    await world.send(body);
  }
}

/** One call, a moment ago unless told. */
export interface MadeCall {
  service?: string;
  version?: string;
  method?: string;
  route: string;
  status?: number;
  client?: string;
  agent?: string;
  consumer?: string;
  agoMs?: number;
  durationMs?: number;
}

export function spansOf(calls: readonly MadeCall[]): ResourceSpans[] {
  const byService = new Map<string, MadeCall[]>();
  for (const call of calls) {
    const { service = 'shop', version = '' } = call;
    const key = JSON.stringify([service, version]);
    byService.set(key, [...(byService.get(key) ?? []), call]);
  }
  return [...byService.values()].map((made) => {
    const { service = 'shop', version } = made[0]!;
    const attributes: KeyValue[] = [{ key: 'service.name', value: service }];
    if (version !== undefined) attributes.push({ key: 'service.version', value: version });
    return { attributes, scopes: [{ name: 'test', spans: made.map(spanOf) }] };
  });
}

function spanOf({ method = 'GET', route, status = 200, agoMs = 0, ...more }: MadeCall) {
  const endNs = BigInt(Date.now() - agoMs) * 1_000_000n;
  const durationNs = BigInt(Math.round((more.durationMs ?? 12) * 1e6));
  const attributes: KeyValue[] = [
    { key: 'http.request.method', value: method },
    { key: 'http.route', value: route },
    { key: 'http.response.status_code', value: status },
    { key: 'client.address', value: more.client ?? '203.0.113.7' },
  ];
  if (more.agent !== undefined) {
    attributes.push({ key: 'user_agent.original', value: more.agent });
  }
  if (more.consumer !== undefined) attributes.push({ key: 'enduser.id', value: more.consumer });
  return serverSpan({
    name: `${method} ${route}`,
    startTimeUnixNano: endNs - durationNs,
    endTimeUnixNano: endNs,
    attributes,
  });
}

/** An inventory of the service `orders`: a route that is called and one that never is. */
export async function declareOrders(world: World): Promise<void> {
  const put = await fetch(`${world.url}/api/v1/services/orders/inventory`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      routes: [
        { method: 'GET', route: '/api/v2/orders', owner: 'team-checkout' },
        { method: 'POST', route: '/never', owner: 'team-checkout' },
      ],
    }),
  });
  if (put.status !== 200) throw new Error(`inventory: ${put.status} ${await put.text()}`);
}
