import type { KeyValue, ResourceSpans, Span } from '../../collector/otlp/traces-encoder.ts';
import { Random } from '../../core/random.ts';
import { dayS } from '../../core/window.ts';
import { type Caller, callerOf } from './callers.ts';
import { type CallerKind, historyDays, type ShopEndpoint, type ShopService, shop } from './shop.ts';

const dayMs = dayS * 1000;
const hourMs = 3_600_000;

/** Paths that a scanner tries on the storefront. They match no route. */
const probes = [
  '/wp-login.php',
  '/.env',
  '/admin/config.php',
  '/.git/HEAD',
  '/phpmyadmin/index.php',
];
const probesDaily = 30;

/** A time range in milliseconds since the epoch, half-open, within one hour of UTC. */
export interface Stretch {
  fromMs: number;
  toMs: number;
}

/** The hours of the history, oldest first: whole days, then today until `nowMs`. */
export function historyHours(nowMs: number): Stretch[] {
  const hours: Stretch[] = [];
  const firstMs = today(nowMs) - historyDays * dayMs;
  for (let fromMs = firstMs; fromMs < nowMs; fromMs += hourMs) {
    hours.push({ fromMs, toMs: Math.min(fromMs + hourMs, nowMs) });
  }
  return hours;
}

/**
 * The spans that the shop's services export for a time range: one SERVER span per call. The same seed, range
 * and day of `nowMs` give the same spans.
 * @param times factor on the number of calls; the live traffic has more
 */
export function traffic(seed: number, stretch: Stretch, nowMs: number, times = 1): ResourceSpans[] {
  const random = new Random(seed, stretch.fromMs);
  const daysAgo = (today(nowMs) - today(stretch.fromMs)) / dayMs;
  const days = (stretch.toMs - stretch.fromMs) / dayMs;
  const growth = 1 - (2 / 3) * (daysAgo / historyDays);
  return shop.flatMap((service) => {
    const spans = service.endpoints.flatMap((endpoint) => {
      const { sinceDay = Number.POSITIVE_INFINITY, untilDay = -1 } = endpoint;
      if (daysAgo > sinceDay || daysAgo <= untilDay) return [];
      if (endpoint.monthly) return monthlyJob(service, endpoint, stretch, random);
      const mean =
        endpoint.daily * growth * rhythm(endpoint.callers, stretch.fromMs) * days * times;
      return Array.from({ length: random.poisson(mean) }, () => {
        return call(service, endpoint, moment(stretch, random), random);
      });
    });
    if (service.name === 'storefront') {
      const count = random.poisson(probesDaily * days * times);
      for (let i = 0; i < count; i += 1) spans.push(probe(moment(stretch, random), random));
    }
    if (spans.length === 0) return [];
    return [{ attributes: resource(service, daysAgo), scopes: [{ name: 'shop', spans }] }];
  });
}

/** Traffic of these callers at this hour, as a multiple of their daily average. */
function rhythm(callers: CallerKind, atMs: number): number {
  const date = new Date(atMs);
  const weekend = date.getUTCDay() % 6 === 0;
  // Quiet at 04:00, busy at 16:00 UTC.
  const daylight = 1 - Math.cos(((date.getUTCHours() - 4) / 12) * Math.PI);
  if (callers === 'cron' || callers === 'crawler') return 1;
  if (callers === 'staff' || callers === 'partner')
    return weekend ? 0.1 * daylight : 1.3 * daylight;
  return weekend ? 1.35 * daylight : 0.9 * daylight;
}

function monthlyJob(
  service: ShopService,
  endpoint: ShopEndpoint,
  stretch: Stretch,
  random: Random,
): Span[] {
  const due = new Date(stretch.fromMs);
  due.setUTCDate(1);
  due.setUTCHours(2, 0, 9, 0);
  const dueMs = due.getTime();
  if (dueMs < stretch.fromMs || dueMs >= stretch.toMs) return [];
  return [call(service, endpoint, BigInt(dueMs) * 1_000_000n, random)];
}

function call(service: ShopService, endpoint: ShopEndpoint, endNs: bigint, random: Random): Span {
  const caller = callerOf(endpoint.callers, random);
  let status = endpoint.status ?? 200;
  let dice = random.next();
  for (const [failure, share] of Object.entries(endpoint.failures ?? {})) {
    if (dice >= 0 && dice < share) status = Number(failure);
    dice -= share;
  }
  const durationMs = random.lognormal(endpoint.medianMs, 0.45);
  const path = endpoint.route.replace(/:\w+|\{\w+\}|<int:\w+>/g, () =>
    String(1 + random.below(9000)),
  );
  const known: Answer = { method: endpoint.method, route: endpoint.route, path, status, caller };
  const attributes = service.oldNames ? oldNames(known) : stableNames(known);
  const name = `${endpoint.method} ${endpoint.route}`;
  return serverSpan(name, endNs, durationMs, status, attributes, random);
}

function probe(endNs: bigint, random: Random): Span {
  const path = random.pick(probes);
  const address = `198.51.100.${200 + random.below(20)}`;
  const caller: Caller = { address, userAgent: 'curl/8.5.0', consumer: '', bot: false };
  const attributes = stableNames({ method: 'GET', route: '', path, status: 404, caller });
  return serverSpan('GET', endNs, random.lognormal(1.5, 0.3), 404, attributes, random);
}

function serverSpan(
  name: string,
  endNs: bigint,
  durationMs: number,
  status: number,
  attributes: KeyValue[],
  random: Random,
): Span {
  return {
    traceId: random.bytes(16),
    spanId: random.bytes(8),
    name,
    kind: 2,
    startTimeUnixNano: endNs - BigInt(Math.round(durationMs * 1e6)),
    endTimeUnixNano: endNs,
    attributes,
    ...(status >= 500 ? { status: { code: 2 } } : {}),
  };
}

interface Answer {
  method: string;
  /** Empty when no route matched. */
  route: string;
  path: string;
  status: number;
  caller: Caller;
}

function stableNames({ method, route, path, status, caller }: Answer): KeyValue[] {
  return present({
    'http.request.method': method,
    'url.scheme': 'https',
    'url.path': path,
    'http.route': route,
    'http.response.status_code': status,
    'client.address': caller.address,
    'user_agent.original': caller.userAgent,
    'user_agent.synthetic.type': caller.bot ? 'bot' : '',
    'enduser.id': caller.consumer,
    'error.type': status >= 500 ? String(status) : '',
  });
}

/** The same call with the attribute names from before semantic conventions 1.21. */
function oldNames({ method, route, path, status, caller }: Answer): KeyValue[] {
  return present({
    'http.method': method,
    'http.scheme': 'https',
    'http.target': path,
    'http.route': route,
    'http.status_code': status,
    'net.peer.ip': caller.address,
    'http.user_agent': caller.userAgent,
    'enduser.id': caller.consumer,
  });
}

function resource(service: ShopService, daysAgo: number): KeyValue[] {
  const release = Math.floor((historyDays - daysAgo) / service.releaseDays);
  return present({
    'service.name': service.name,
    'service.version': `2.${release}.0`,
    'deployment.environment.name': 'production',
    'telemetry.sdk.language': service.language,
  });
}

function present(attributes: Record<string, string | number>): KeyValue[] {
  const all = Object.entries(attributes).map(([key, value]) => ({ key, value }));
  return all.filter(({ value }) => value !== '');
}

function moment({ fromMs, toMs }: Stretch, random: Random): bigint {
  const offsetNs = Math.floor(random.next() * (toMs - fromMs) * 1e6);
  return BigInt(fromMs) * 1_000_000n + BigInt(offsetNs);
}

function today(atMs: number): number {
  return Math.floor(atMs / dayMs) * dayMs;
}
