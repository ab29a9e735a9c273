import type { CallContext } from '../../../../../core/call.ts';
import { Random } from '../../../../../core/random.ts';
import { StoredCalls } from '../../../../../core/store/sqlite/calls/stored-calls.ts';

export interface StoredCall {
  endpoint: number;
  status: number;
  endS: number;
  endNs: number;
  durationNs: number;
  client: number;
  origin: number;
  requestBytes: number;
  responseBytes: number;
  traceId: Uint8Array;
  weight: number;
  copies: number;
}

export function storedCalls(calls: readonly StoredCall[]): StoredCalls {
  const stored = new StoredCalls(1);
  for (const call of calls) {
    const i = stored.push(1);
    const { columns } = stored;
    columns.endpoint[i] = call.endpoint;
    columns.status[i] = call.status;
    columns.endS[i] = call.endS;
    columns.endNs[i] = call.endNs;
    columns.durationNs[i] = call.durationNs;
    columns.client[i] = call.client;
    columns.origin[i] = call.origin;
    columns.requestBytes[i] = call.requestBytes;
    columns.responseBytes[i] = call.responseBytes;
    columns.traceId.set(call.traceId, i * 16);
    if (call.weight !== 1) stored.weights.add(i, call.weight, call.copies);
  }
  return stored;
}

export function plainCalls(stored: StoredCalls): StoredCall[] {
  const { columns, weights } = stored;
  const calls: StoredCall[] = [];
  for (let i = 0; i < stored.length; i++) {
    calls.push({
      endpoint: columns.endpoint[i]!,
      status: columns.status[i]!,
      endS: columns.endS[i]!,
      endNs: columns.endNs[i]!,
      durationNs: columns.durationNs[i]!,
      client: columns.client[i]!,
      origin: columns.origin[i]!,
      requestBytes: columns.requestBytes[i]!,
      responseBytes: columns.responseBytes[i]!,
      traceId: columns.traceId.slice(i * 16, i * 16 + 16),
      weight: 1,
      copies: 1,
    });
  }
  for (let i = 0; i < weights.length; i++) {
    const call = calls[weights.call[i]!]!;
    call.weight = weights.weight[i]!;
    call.copies = weights.copies[i]!;
  }
  return calls;
}

export interface Shape {
  calls: number;
  endpoints: number;
  clients: number;
  origins: number;
  /** Share of calls with a weight. */
  weighted?: number;
  /** The unit of times: 1 for nanoseconds, 1,000 for microseconds. */
  unitNs?: number;
}

/** Calls as a busy service sends them: few endpoints and clients have most of them. */
export function madeStoredCalls(seed: number, shape: Shape): StoredCall[] {
  const random = new Random(seed);
  const { unitNs = 1, weighted = 0 } = shape;
  const skewed = (bound: number): number => Math.floor(bound * random.next() ** 3);
  const unit = (ns: number): number => Math.floor(ns / unitNs) * unitNs;
  return Array.from({ length: shape.calls }, (_, i) => {
    const isWeighted = random.next() < weighted;
    const isFailed = random.next() < 0.05;
    const clients = shape.clients;
    return {
      endpoint: 1 + skewed(shape.endpoints),
      status: isFailed ? random.pick([0, 404, 500, 503]) : random.pick([200, 201]),
      endS: 1_795_000_000 + Math.floor((30 * i) / shape.calls) + random.below(2),
      endNs: unit(random.below(1_000_000_000)),
      durationNs: random.next() < 0.02 ? -1 : unit(random.lognormal(20_000_000, 1)),
      client: random.next() < 0.1 ? 0 : 1 + skewed(clients),
      origin: 1 + skewed(shape.origins),
      requestBytes: random.next() < 0.5 ? -1 : random.below(2000),
      responseBytes: random.next() < 0.1 ? -1 : Math.floor(random.lognormal(2000, 1)),
      traceId: random.bytes(16),
      weight: isWeighted ? 2.5 : 1,
      copies: isWeighted ? 2 + random.below(2) : 1,
    };
  });
}

/** The context of an origin row: versions repeat, consumers hardly. */
export function contextOf(origin: number): CallContext {
  return {
    serviceVersion: `1.${origin % 3}`,
    consumer: `consumer ${origin}`,
    agent: origin % 2 === 0 ? 'curl' : '',
    bot: origin % 7 === 0,
    errorType: origin % 5 === 0 ? 'timeout' : '',
  };
}
