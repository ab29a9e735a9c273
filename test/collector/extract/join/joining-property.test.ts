import { describe, expect, test } from 'vitest';
import { Extractor } from '../../../../collector/extract/extractor.ts';
import {
  type AnyValue,
  encodeTraces,
  type Span,
} from '../../../../collector/otlp/traces-encoder.ts';
import { CallBatch, CallDictionary } from '../../../../core/call.ts';
import { readConfig } from '../../../../core/config/config.ts';
import { Random } from '../../../../core/random.ts';
import { fc } from '../../../support/property.ts';
import { calledOf } from '../../support/called.ts';
import { nowMs, nowNs, span } from '../../support/extracting.ts';

/**
 * Calls of every kind that make several spans, their spans cut into requests anywhere, which come in
 * another order, in batches whose commits fail, and again: the number of calls is always the true one.
 */
const runs = { numRuns: 300 };

describe('X2, X3, X14, X16: the number of calls is the true one', () => {
  test('however the spans are cut, and whichever commits fail', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new Random(seed);
        const { known, calls } = randomCalls(random);
        const collector = new Collector(random);
        collector.deliver([encode(known.flatMap((call) => call.spans))]);
        const bodies = cut(random, calls).map(encode);
        collector.deliver(reordered(random, bodies));
        const expected = [...known, ...calls].reduce((sum, call) => sum + call.truth.length, 0);
        expect(collector.calls.length).toBe(expected);
      }),
      runs,
    );
  });

  test('and in one request route, status and time are, too', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new Random(seed);
        const { calls } = randomCalls(random);
        const collector = new Collector(random);
        const spans = calls.flatMap((call) => call.spans);
        collector.deliver([encode(random.below(2) === 0 ? spans : reordered(random, spans))]);
        const truth = calls.flatMap((call) => call.truth);
        expect(collector.calls.toSorted()).toEqual(truth.toSorted());
      }),
      runs,
    );
  });
});

/** What an exporter and a collector do between them: batches, failures, repeats, recognised digests. */
class Collector {
  readonly calls: string[] = [];
  readonly #random: Random;
  readonly #dictionary = new CallDictionary();
  readonly #extractor: Extractor;
  readonly #committed = new Set<Buffer>();

  constructor(random: Random) {
    this.#random = random;
    const config = readConfig({});
    this.#extractor = new Extractor({ dictionary: this.#dictionary, config, now: () => nowMs });
  }

  /** Sends until all is acknowledged; some of it once more, as if the answer had been lost. */
  deliver(bodies: Buffer[]): void {
    const random = this.#random;
    const waiting = [...bodies];
    let failures = 3;
    let open: Open | undefined;
    while (waiting.length > 0 || open !== undefined) {
      // The next batch is filled while the last one commits.
      const next = waiting.length > 0 ? this.#fill(waiting) : undefined;
      if (open !== undefined) {
        const fails = failures > 0 && random.below(3) === 0;
        if (fails) failures -= 1;
        waiting.push(...this.#settle(open, fails));
      }
      open = next;
    }
    for (const body of bodies) if (random.below(4) === 0) this.#repeat(body);
  }

  #fill(waiting: Buffer[]): Open {
    const batch = new CallBatch();
    const deliveries: Open['deliveries'] = [];
    for (const body of waiting.splice(0, 1 + this.#random.below(4))) {
      const from = batch.length;
      this.#extractor.extract('p', body, batch);
      deliveries.push({ body, from, to: batch.length });
    }
    return { batch, deliveries };
  }

  /** @returns the bodies that come again */
  #settle({ batch, deliveries }: Open, fails: boolean): Buffer[] {
    const words = this.#words();
    if (fails) {
      this.#extractor.forget(batch);
      // Without calls there was nothing to wait for: acknowledged already.
      return deliveries.filter(({ from, to }) => to > from).map(({ body }) => body);
    }
    const called = calledOf(batch, words);
    for (const { body, from, to } of deliveries) {
      if (from === to || this.#committed.has(body)) continue;
      this.#committed.add(body);
      for (const { method, route, status, durationNs } of called.slice(from, to)) {
        this.calls.push(`${method} ${route} ${status} ${durationNs}`);
      }
    }
    return [];
  }

  #repeat(body: Buffer): void {
    const open = this.#fill([body]);
    this.#settle(open, false);
  }

  /** All words so far; the dictionary gives each once. */
  #words() {
    const { endpoints, origins, clients } = this.#dictionary.takeNew();
    this.#all.endpoints.push(...endpoints);
    this.#all.origins.push(...origins);
    this.#all.clients.push(...clients);
    return this.#all;
  }

  readonly #all: ReturnType<CallDictionary['takeNew']> = {
    epoch: 0,
    endpoints: [],
    origins: [],
    clients: [],
    sideBySide: [],
  };
}

interface Open {
  batch: CallBatch;
  deliveries: { body: Buffer; from: number; to: number }[];
}

interface Scoped extends Span {
  scope: string;
}

interface Call {
  /** In the order of their ends. */
  spans: Scoped[];
  /** As `method route status nanoseconds`. */
  truth: string[];
  /** Its spans come in one request: cut apart they are more calls. */
  isWhole?: boolean;
}

function encode(spans: readonly Scoped[]): Buffer {
  const scopes = [...new Set(spans.map((one) => one.scope))];
  return encodeTraces([
    {
      attributes: [{ key: 'service.name', value: 'shop' }],
      scopes: scopes.map((name) => ({ name, spans: spans.filter((one) => one.scope === name) })),
    },
  ]);
}

/** Spans in the order of their ends, as a batch processor has them, cut anywhere. */
function cut(random: Random, calls: readonly Call[]): Scoped[][] {
  const units = calls
    .flatMap((call) => (call.isWhole ? [call.spans] : call.spans.map((one) => [one])))
    .toSorted((a, b) => Number(a.at(-1)!.endTimeUnixNano - b.at(-1)!.endTimeUnixNano));
  const pieces: Scoped[][] = [];
  const most = 1 + random.below(8);
  while (units.length > 0) pieces.push(units.splice(0, 1 + random.below(most)).flat());
  return pieces;
}

function reordered<T>(random: Random, list: readonly T[]): T[] {
  const next = [...list];
  for (let i = next.length - 1; i > 0; i -= 1) {
    if (random.below(2) === 0) continue;
    const j = random.below(i + 1);
    [next[i], next[j]] = [next[j]!, next[i]!];
  }
  return next;
}

const local = 0x101;
const remote = 0x301;

function randomCalls(random: Random): { known: Call[]; calls: Call[] } {
  const shape = new Shape(random);
  return {
    known: [shape.nested(1, 0), shape.flagless(), shape.siblings()],
    calls: Array.from({ length: 1 + random.below(12) }, () => shape.any()),
  };
}

/** Makes calls one after another, each in a trace of its own. */
class Shape {
  readonly #random: Random;
  #number = 0;
  #trace: Buffer = Buffer.alloc(16);
  #fromNs = 0n;

  constructor(random: Random) {
    this.#random = random;
  }

  any(): Call {
    const random = this.#random;
    const shapes = [
      () => this.plain(),
      () => this.nested(1 + random.below(3), random.below(3)),
      () => this.nested(1, random.below(3)),
      () => this.twoWithin(),
      () => this.within(random.pick([{ kind: 5 }, { kind: 1 }, { kind: 2 }])),
      () => this.flagless(),
      () => this.siblings(),
      () => this.retried(),
      () => this.callsItself(),
    ];
    return random.pick(shapes)();
  }

  plain(): Call {
    this.#begin();
    const parent = this.#random.below(2) === 0 ? undefined : this.#id();
    const outer = this.#server(this.#id(), parent, remote, 0, 100, { 'http.route': '/users/:id' });
    return { spans: [outer], truth: [told(outer, '/users/{id}')] };
  }

  /** SERVER spans in a chain, with INTERNAL ones between. */
  nested(depth: number, between: number): Call {
    this.#begin();
    const remoteParent = this.#random.below(2) === 0;
    const top = this.#server(
      this.#id(),
      remoteParent ? this.#id() : undefined,
      remoteParent ? remote : local,
      0,
      100,
    );
    const spans = [top];
    let parent = top.spanId;
    for (let level = 1; level <= depth; level += 1) {
      for (let i = 0; i < between; i += 1) {
        const inner = this.#internal(this.#id(), parent, local, level * 5 - 2, 102 - level * 5);
        spans.push(inner);
        parent = inner.spanId;
      }
      const route = level === depth ? { 'http.route': '/users/:id' } : {};
      const status = { 'http.response.status_code': 203 };
      const more = { ...route, ...status };
      const inner = this.#server(this.#id(), parent, local, level * 5, 100 - level * 5, more);
      spans.push(inner);
      parent = inner.spanId;
    }
    return { spans: spans.toReversed(), truth: [told(top, '/users/{id}')] };
  }

  /** Two SERVER spans one after the other within one. */
  twoWithin(): Call {
    this.#begin();
    const top = this.#server(this.#id(), undefined, local, 0, 100, { 'http.route': '/users/:id' });
    const first = this.#server(this.#id(), top.spanId, local, 10, 40);
    const second = this.#server(this.#id(), top.spanId, local, 50, 90);
    const truth = [told(top, '/users/{id}')];
    return { spans: [first, second, top], truth, isWhole: true };
  }

  /** A call whose local parent is no call. */
  within(change: Partial<Span>): Call {
    this.#begin();
    const top = { ...this.#internal(this.#id(), undefined, local, 0, 100), ...change };
    const inner = this.#server(this.#id(), top.spanId, local, 5, 95, { 'http.route': '/jobs/:id' });
    return { spans: [inner, top], truth: [told(inner, '/jobs/{id}')] };
  }

  flagless(): Call {
    this.#begin();
    const top = this.#server(this.#id(), this.#id(), 0, 0, 100);
    const route = { 'http.route': '/users/:id' };
    const inner = this.#server(this.#id(), top.spanId, 0, 5, 95, route);
    return { spans: [inner, top], truth: [told(top, '/users/{id}')] };
  }

  siblings(): Call {
    this.#begin();
    const parent = this.#id();
    const top = this.#server(this.#id(), parent, remote, 0, 100);
    const inner = this.#server(this.#id(), parent, remote, 5, 95, { 'http.route': '/users/:id' });
    return { spans: [{ ...inner, scope: 'framework' }, top], truth: [told(top, '/users/{id}')] };
  }

  /** Two calls under one parent, one after the other. */
  retried(): Call {
    this.#begin();
    const parent = this.#id();
    const route = { 'http.route': '/users/:id' };
    const first = this.#server(this.#id(), parent, remote, 0, 40, route);
    const second = this.#server(this.#id(), parent, remote, 41, 100, route);
    const truth = [told(first, '/users/{id}'), told(second, '/users/{id}')];
    return { spans: [first, second], truth };
  }

  /** A service that asks itself something else over the network. */
  callsItself(): Call {
    this.#begin();
    const top = this.#server(this.#id(), undefined, local, 0, 100, { 'http.route': '/users/:id' });
    const client = { ...this.#internal(this.#id(), top.spanId, local, 5, 95), kind: 3 };
    const other = { 'url.path': '/orders', 'http.route': '/orders' };
    const inner = this.#server(this.#id(), client.spanId, remote, 10, 90, other);
    return {
      spans: [inner, client, top],
      truth: [told(inner, '/orders'), told(top, '/users/{id}')],
    };
  }

  #begin(): void {
    this.#trace = this.#bytes(16);
    this.#fromNs = nowNs - 60_000_000_000n + BigInt(this.#random.below(50)) * 1_000_000n;
  }

  #id(): Buffer {
    return this.#bytes(8);
  }

  #bytes(length: number): Buffer {
    this.#number += 1;
    const bytes = Buffer.alloc(length, 7);
    bytes.writeUInt32BE(this.#number, length - 4);
    return bytes;
  }

  #server(
    spanId: Uint8Array,
    parentSpanId: Uint8Array | undefined,
    flags: number,
    fromMs: number,
    toMs: number,
    attributes: Record<string, AnyValue> = {},
  ): Scoped {
    const http = {
      'http.request.method': 'GET',
      'url.path': '/users/7',
      'http.response.status_code': 200,
      ...attributes,
    };
    return { ...this.#span(spanId, parentSpanId, flags, fromMs, toMs, http), scope: 'server' };
  }

  #internal(
    spanId: Uint8Array,
    parentSpanId: Uint8Array | undefined,
    flags: number,
    fromMs: number,
    toMs: number,
  ): Scoped {
    const made = this.#span(spanId, parentSpanId, flags, fromMs, toMs, {});
    return { ...made, kind: 1, name: 'middleware', scope: 'framework' };
  }

  #span(
    spanId: Uint8Array,
    parentSpanId: Uint8Array | undefined,
    flags: number,
    fromMs: number,
    toMs: number,
    attributes: Record<string, AnyValue>,
  ): Span {
    return span(attributes, {
      traceId: this.#trace,
      spanId,
      ...(parentSpanId !== undefined && { parentSpanId }),
      flags,
      startTimeUnixNano: this.#fromNs + BigInt(fromMs) * 1_000_000n,
      endTimeUnixNano: this.#fromNs + BigInt(toMs) * 1_000_000n,
    });
  }
}

function told({ startTimeUnixNano, endTimeUnixNano }: Span, route: string): string {
  return `GET ${route} 200 ${endTimeUnixNano - startTimeUnixNano}`;
}
