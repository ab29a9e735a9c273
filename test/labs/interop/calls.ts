import { Agent, request } from 'node:http';
import { specialRoutes } from '../../../core/limits.ts';

/**
 * The requests every stack gets, one after the other, and what each of them is: the same list as that of
 * the recorded exports in test/fixtures.
 */
export interface KnownCall {
  method: string;
  /** As it stands in the request line, with its query. */
  target: string;
  headers?: Record<string, string>;
  /** That the service must answer; of two, either: frameworks differ in what an unserved method gets. */
  status: number | readonly [number, number];
  /** Its endpoint; none where no route of the service serves the call. */
  route: string | undefined;
  /** The template Rollcall makes of the path where no span says the route; `route` unless it differs. */
  templated?: string;
  /** The hops of X-Forwarded-For, the farthest first. */
  forwardedFor?: readonly string[];
}

const user = { route: '/users/{id}', status: 200 };
const order = { method: 'POST', route: '/orders', status: 201 };
const item = {
  method: 'GET',
  route: '/orders/{order}/items/{item}',
  templated: '/orders/{id}/items/{id}',
  status: 200,
};
const boom = { method: 'GET', target: '/boom', route: '/boom', status: 500 };
const file = { method: 'GET', route: '/files/{path}', status: 200 };
const thing = { method: 'GET', route: '/api/v1/things/{id}', status: 200 };
const health = { method: 'GET', target: '/health', route: '/health', status: 200 };
const nothing = { method: 'GET', route: undefined, status: 404 };

const remoteParent = (trace: string, span: string) => ({ traceparent: `00-${trace}-${span}-01` });

export const knownCalls: readonly KnownCall[] = [
  health,
  { ...user, method: 'GET', target: '/users/1' },
  { ...user, method: 'GET', target: '/users/42?q=secret' },
  { ...user, method: 'GET', target: '/users/7', forwardedFor: ['203.0.113.7'] },
  { ...user, method: 'HEAD', target: '/users/1' },
  { ...order, target: '/orders' },
  { ...order, target: '/orders?q=secret' },
  { ...item, target: '/orders/1001/items/5' },
  {
    ...item,
    target: '/orders/1002/items/b7',
    headers: remoteParent('9a576f2d0c4724fefba7c1f63f2d00a9', '00f067aa0ba902b7'),
  },
  boom,
  { ...file, target: '/files/a.txt' },
  { ...file, target: '/files/docs/2026/read%20me.md' },
  { ...thing, target: '/api/v1/things/9' },
  {
    ...thing,
    target: '/api/v1/things/6f1c2b9e-8a53-4f0e-9a7c-3d2b1e0f4a55',
    headers: { 'user-agent': 'other-client/2.1 (+test)' },
  },
  { ...nothing, target: '/nope' },
  {
    ...nothing,
    target: '/wp-login.php?q=secret',
    headers: {
      'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    },
  },
  { method: 'GET', target: '/slow', route: '/slow', status: 200 },
  health,
  { ...user, method: 'GET', target: '/users/J%C3%BCrgen' },
  {
    ...user,
    method: 'GET',
    target: '/users/7',
    forwardedFor: ['198.51.100.23', '203.0.113.7'],
    headers: remoteParent('15c923b146a941dd3d802c2a846ad0bb', '00f067aa0ba902b8'),
  },
  boom,
  { ...thing, target: '/api/v1/things/10?q=secret' },
  { ...nothing, target: '/api/v1/nope' },
  // The path is served, the method is not.
  { method: 'DELETE', target: '/orders', route: undefined, status: [404, 405] },
  health,
];

/** What `GET /slow` takes at least. Its services wait 50 ms; Node's timers may end up to one early. */
export const slowMs = 49;

/** What one round of calls adds up to in a report. */
export interface Expectation {
  /** `GET /users/{id} 200` → calls. */
  calls: Map<string, number>;
  /** Address → calls; what no stack could know is in no row. */
  clients: Map<string, number>;
}

/** How a stack tells of its calls, as far as stacks differ. */
export interface Telling {
  /** `framework`: the route's template is in the spans. `path`: only paths are, and Rollcall makes templates. */
  routes: 'framework' | 'path';
  /**
   * Whose address the spans hold when X-Forwarded-For was sent: its first hop, its last one, the socket's
   * peer in spite of it, or `nobody` where they never hold one.
   */
  client: 'first' | 'last' | 'peer' | 'nobody';
}

/**
 * Makes every call once and says what must be in the report.
 * @throws Error when the service answers other than it should: then the service is wrong, not the report
 */
export async function makeCalls(url: string, telling: Telling, into: Expectation): Promise<void> {
  for (const call of knownCalls) {
    const status = await answerOf(url, call);
    if (![call.status].flat().includes(status)) {
      throw new Error(`${call.method} ${call.target} was answered ${status}, not ${call.status}`);
    }
    add(into.calls, `${call.method} ${routeOf(call, telling)} ${status}`);
    const client = clientOf(call, telling);
    if (client !== undefined) add(into.clients, client);
  }
}

function routeOf({ route, templated }: KnownCall, { routes }: Telling): string {
  if (route === undefined) return specialRoutes.unmatched;
  return routes === 'framework' ? route : (templated ?? route);
}

function clientOf({ forwardedFor = [] }: KnownCall, { client }: Telling): string | undefined {
  if (client === 'nobody') return undefined;
  const hop = client === 'peer' ? undefined : forwardedFor.at(client === 'first' ? 0 : -1);
  return hop ?? '127.0.0.1';
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** A connection for each: none stays open to hold up the service's end. */
const agent = new Agent({ keepAlive: false });
/** A service that answers nothing is broken. */
const answerMsMost = 20_000;

function answerOf(url: string, call: KnownCall): Promise<number> {
  const { method, target, forwardedFor, headers } = call;
  const { hostname, port } = new URL(url);
  const forwarded = forwardedFor && { 'x-forwarded-for': forwardedFor.join(', ') };
  const options = {
    method,
    hostname,
    port,
    path: target,
    agent,
    timeout: answerMsMost,
    headers: { 'user-agent': 'fixture-client/1.0', ...forwarded, ...headers },
  };
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode!));
      response.on('error', reject);
    });
    asked.on('timeout', () => asked.destroy(new Error(`no answer in ${answerMsMost} ms`)));
    asked.on('error', (cause) =>
      reject(new Error(`${method} ${target}: ${cause.message}`, { cause })),
    );
    asked.end();
  });
}
