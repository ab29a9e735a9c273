import { setTimeout as pause } from 'node:timers/promises';
import { end, freePort, listening, withService } from '../../labs/interop/service.ts';
import { reported, total, unequal } from '../../labs/interop/trial.ts';
import { http1Caller, http2Caller } from './caller.ts';
import type { RouteCase, Stack } from './cases.ts';
import type { Receiver } from './receiver.ts';

/** What became of one stack's cases. */
export interface Outcome {
  /** By kind of route: what is wrong, none when all is right. */
  kinds: Map<string, string[]>;
  /** What is in the exported inventory and not expected, or the other way round. */
  inventory: string[];
  /** Everything that is wrong, in words. */
  differences: string[];
}

export interface Place {
  /** The app, installed. */
  folder: string;
  /** The built `register` of the package. */
  register: string;
  node: string;
  receiver: Receiver;
  analyzer: string;
}

/** Every case this many times: a route must come out the same on a connection that is kept. */
const rounds = 2;
const arrivalMsMost = 20_000;
/** On a busy machine. */
const startMsMost = 60_000;

export async function tryStack(stack: Stack, place: Place): Promise<Outcome> {
  const port = await freePort();
  const app = stack.isCommonJs ? 'app.cjs' : 'app.mjs';
  const command = [place.node, ...(stack.nodeFlags ?? []), '--import', place.register, app];
  const env = {
    PORT: String(port),
    HTTP2: stack.http2 === true ? '1' : '0',
    OTEL_SERVICE_NAME: stack.name,
    OTEL_EXPORTER_OTLP_ENDPOINT: place.receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: '200',
    ...stack.env,
  };
  return withService(place.folder, command, env, async (service) => {
    await listening(port, service, startMsMost);
    const declared = await inventoryOf(stack, place, 1);
    const expected = new Map<string, number>();
    const told: string[] = [];
    const caller = stack.http2 === true ? await http2Caller(port) : http1Caller(port);
    for (let round = 0; round < rounds; round += 1) {
      for (const one of stack.cases) {
        const status = await caller.call(one);
        const key = `${one.method} ${one.route} ${one.status}`;
        expected.set(key, (expected.get(key) ?? 0) + 1);
        const isTold = status === one.status || one.abort === 'waiting';
        if (!isTold) told.push(`${one.method} ${one.path} answered ${status}, not ${one.status}`);
      }
    }
    const afterwards = await afterCalls(stack, place);
    const later = stack.later === undefined ? [] : await addLater(stack, place, port, expected);
    caller.close();
    const seen = await arrived(place.analyzer, stack.name, total(expected));
    await end(service);
    const wrong = unequal(seen, expected);
    const inventory = [...compare(declared, stack.inventory), ...afterwards, ...later];
    const errorTypes = wrongErrorTypes(stack, place);
    const complaints = service
      .output()
      .split('\n')
      .filter((line) => line.includes('rollcall') && /failed|not /.test(line));
    return {
      kinds: byKind(stack.cases, wrong),
      inventory,
      differences: [...told, ...wrong, ...inventory, ...errorTypes, ...complaints],
    };
  });
}

/** Routes that only calls show: the inventory that lists them declares no route with a repeated mount. */
async function afterCalls(stack: Stack, place: Place): Promise<string[]> {
  const { inventoryAfterCalls: expected = [] } = stack;
  if (expected.length === 0) return [];
  const routes = await inventoryOf(stack, place, 2);
  const repeated = routes.filter((route) => /(\/-\/x){2}/.test(route));
  const missing = expected.filter((route) => !routes.includes(route));
  return [
    ...repeated.map((route) => `declared after calls: ${route}`),
    ...missing.map((route) => `not declared after calls: ${route}`),
  ];
}

/** What handlers threw; Nest answers errors itself, and node:http has nothing to throw to. */
function wrongErrorTypes({ name, app }: Stack, { receiver }: Place): string[] {
  const mine = receiver.failures.filter(({ service }) => service === name);
  const isTold = app !== 'nest' && app !== 'http';
  return mine.flatMap(({ path, errorType }) => {
    const thrown = path.endsWith('/boom-async') ? 'RangeError' : 'Error';
    const expected = isTold ? thrown : '500';
    return errorType === expected ? [] : [`${path}: error.type ${errorType}, not ${expected}`];
  });
}

/** Adds a route to the running app, and calls it: it comes out right, and a later inventory lists it. */
async function addLater(
  stack: Stack,
  place: Place,
  port: number,
  expected: Map<string, number>,
): Promise<string[]> {
  const caller = stack.http2 === true ? await http2Caller(port) : http1Caller(port);
  const base = stack.name.startsWith('express') ? '/api/v1' : '';
  const call = (method: string, path: string, route: string) => {
    expected.set(`${method} ${route} 200`, 1);
    return caller.call({ kind: 'added later', method, path, route, status: 200 });
  };
  await call('POST', stack.later!, stack.later!);
  await call('GET', `${base}/later/5`, `${base}/later/{id}`);
  caller.close();
  const isLater = (route: string) => /^GET \/(?:.*\/)?later\/(?::id|\{id\})$/.test(route);
  const count = stack.inventoryAfterCalls === undefined ? 2 : 3;
  const routes = await inventoryOf(stack, place, count, (found) => found.some(isLater));
  return routes.some(isLater)
    ? []
    : [`the inventory after ${stack.later} has no route of that name`];
}

/** The routes of the last inventory, once there are `count`. */
/** The last inventory, once there are so many and it is complete; or when the time is over. */
async function inventoryOf(
  stack: Stack,
  { receiver }: Place,
  count: number,
  isComplete: (routes: readonly string[]) => boolean = () => true,
): Promise<string[]> {
  if (stack.inventory.length === 0) return [];
  const mine = () => receiver.inventories.filter(({ service }) => service === stack.name);
  const routes = () => (mine().at(-1)?.attributes['rollcall.routes'] ?? []) as string[];
  const until = Date.now() + arrivalMsMost;
  while ((mine().length < count || !isComplete(routes())) && Date.now() < until) await pause(50);
  const last = mine().at(-1);
  if (last !== undefined && last.kind !== internalKind) return [`a span of kind ${last.kind}`];
  return routes();
}

/** OTLP's SPAN_KIND_INTERNAL. */
const internalKind = 1;

function compare(seen: readonly string[], expected: readonly string[]): string[] {
  return [
    ...seen.filter((route) => !expected.includes(route)).map((route) => `declared: ${route}`),
    ...expected.filter((route) => !seen.includes(route)).map((route) => `not declared: ${route}`),
  ];
}

function byKind(cases: readonly RouteCase[], wrong: readonly string[]): Map<string, string[]> {
  const kinds = new Map<string, string[]>();
  for (const { kind, method, route, status } of cases) {
    const key = `${method} ${route} ${status}:`;
    const found = kinds.get(kind) ?? [];
    found.push(...wrong.filter((line) => line.startsWith(key) && !found.includes(line)));
    kinds.set(kind, found);
  }
  return kinds;
}

/** `METHOD route status` → calls, once as many as were made have arrived, or their time is over. */
async function arrived(analyzer: string, service: string, calls: number) {
  const until = Date.now() + arrivalMsMost;
  for (;;) {
    const { calls: seen } = await reported(analyzer, service);
    if (total(seen) >= calls || Date.now() > until) return seen;
    await pause(200);
  }
}
