import type {
  CallBatch,
  CallColumns,
  CallContext,
  CallDictionary,
  Delivery,
  EndpointName,
  NewDimensions,
} from '../../call.ts';
import type { EndpointTraits } from '../../endpoint-traits.ts';
import { CallWeights } from '../../weight.ts';
import { encodeCommit } from '../sqlite/calls/commit-columns.ts';
import { DamagedError } from '../sqlite/sealed.ts';

/**
 * A delivery's calls as bytes that need nothing else: every word stands in them, so that they are the same whichever
 * collector took the delivery, and however it grouped deliveries. `u32 length` and JSON with the words; `u32 length` and
 * the columns (core/store/sqlite/calls/commit-columns.ts), in which a number is the place of its word, from 1 on; the
 * trace ids.
 */
export interface DeliveryWords {
  /** Service, environment, method, route; then 1 when templated, the display, 1 when refused. */
  endpoints: [string, string, string, string, 0 | 1, string, 0 | 1][];
  /** Version, consumer, agent, 1 for a bot, error type. */
  origins: [string, string, string, 0 | 1, string][];
  clients: string[];
}

/** What requests bring beside calls. It belongs to no delivery: the same again changes nothing. */
export interface BesideCalls {
  /** Spellings that one version uses side by side (core/store/side-by-side.ts). */
  sideBySide: readonly [EndpointName, EndpointName][];
  /** What spans say of endpoints (core/endpoint-traits.ts). */
  notes: readonly [EndpointName, EndpointTraits][];
}

/** The words behind the numbers of a collector's dictionary. */
export class Words {
  #epoch = -1;
  endpoints: EndpointName[] = [];
  origins: CallContext[] = [];
  clients: string[] = [];

  learn({ epoch, endpoints, origins, clients }: NewDimensions): void {
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.endpoints = [];
      this.origins = [];
      this.clients = [];
    }
    for (const endpoint of endpoints) this.endpoints.push(endpoint);
    for (const origin of origins) this.origins.push(origin);
    for (const client of clients) this.clients.push(client);
  }
}

/** Numbers of one delivery: the places of words, from 1 on, by number of the collector's dictionary. */
class Places {
  /** By number of the dictionary; of this delivery where `#delivery` says so. */
  #place = new Int32Array(1024);
  #delivery = new Int32Array(1024);
  #current = 0;
  readonly numbers: number[] = [];

  begin(): void {
    this.#current += 1;
    this.numbers.length = 0;
  }

  of(number: number): number {
    if (number === 0) return 0;
    if (number >= this.#place.length) this.#grow(number);
    if (this.#delivery[number] !== this.#current) {
      this.#delivery[number] = this.#current;
      this.#place[number] = this.numbers.push(number);
    }
    return this.#place[number]!;
  }

  #grow(number: number): void {
    const length = 2 ** Math.ceil(Math.log2(number + 1));
    const place = new Int32Array(length);
    const delivery = new Int32Array(length);
    place.set(this.#place);
    delivery.set(this.#delivery);
    this.#place = place;
    this.#delivery = delivery;
  }
}

/** Encodes deliveries, one after another. */
export class DeliveryEncoder {
  readonly words = new Words();
  readonly #endpoints = new Places();
  readonly #origins = new Places();
  readonly #clients = new Places();

  encode(batch: CallBatch, { firstCall, calls }: Delivery): Buffer {
    const columns = slice(batch.columns, firstCall, calls);
    const [endpoint, origin, client] = [columns.endpoint, columns.origin, columns.client];
    for (const places of [this.#endpoints, this.#origins, this.#clients]) places.begin();
    const rows = {
      endpoint: endpoint.map((number) => this.#endpoints.of(number)),
      origin: origin.map((number) => this.#origins.of(number)),
      client: client.map((number) => this.#clients.of(number)),
    };
    const encoded = encodeCommit(columns, calls, rows, weightsOf(batch, firstCall, calls));
    const words = Buffer.from(JSON.stringify(this.#wordsOfDelivery()));
    const traceIds = columns.traceId.subarray(0, calls * 16);
    const body = Buffer.allocUnsafe(8 + words.length + encoded.length + traceIds.length);
    let at = body.writeUInt32LE(words.length);
    at += words.copy(body, at);
    at = body.writeUInt32LE(encoded.length, at);
    body.set(encoded, at);
    body.set(traceIds, at + encoded.length);
    return body;
  }

  #wordsOfDelivery(): DeliveryWords {
    const { endpoints, origins, clients } = this.words;
    return {
      endpoints: this.#endpoints.numbers.map((number) => {
        const name = endpoints[number - 1]!;
        const { service, environment, method, route, templated, display = '', refused } = name;
        return [service, environment, method, route, templated ? 1 : 0, display, refused ? 1 : 0];
      }),
      origins: this.#origins.numbers.map((number) => {
        const { serviceVersion, consumer, agent, bot, errorType } = origins[number - 1]!;
        return [serviceVersion, consumer, agent, bot ? 1 : 0, errorType];
      }),
      clients: this.#clients.numbers.map((number) => clients[number - 1]!),
    };
  }
}

function slice(columns: CallColumns, from: number, calls: number): CallColumns {
  const to = from + calls;
  return {
    buffer: columns.buffer,
    capacity: calls,
    durationNs: columns.durationNs.subarray(from, to),
    requestBytes: columns.requestBytes.subarray(from, to),
    responseBytes: columns.responseBytes.subarray(from, to),
    endpoint: columns.endpoint.subarray(from, to),
    origin: columns.origin.subarray(from, to),
    client: columns.client.subarray(from, to),
    endS: columns.endS.subarray(from, to),
    endNs: columns.endNs.subarray(from, to),
    status: columns.status.subarray(from, to),
    traceId: columns.traceId.subarray(from * 16, to * 16),
  };
}

function weightsOf({ weights }: CallBatch, from: number, calls: number): CallWeights | undefined {
  if (weights.length === 0) return undefined;
  const own = new CallWeights();
  for (let i = 0; i < weights.length; i++) {
    const call = weights.call[i]! - from;
    if (call >= 0 && call < calls) own.add(call, weights.weight[i]!, weights.copies[i]!);
  }
  return own;
}

/** The parts of a body. @throws DamagedError */
export function splitBody(body: Buffer, what: string): BodyParts {
  try {
    return partsOf(body);
  } catch (error) {
    throw new DamagedError(what, (error as Error).message);
  }
}

interface BodyParts {
  words: DeliveryWords;
  columns: Buffer;
  traceIds: Buffer;
}

function partsOf(body: Buffer): BodyParts {
  const wordsEnd = 4 + body.readUInt32LE(0);
  const words = JSON.parse(body.subarray(4, wordsEnd).toString()) as DeliveryWords;
  const columnsEnd = wordsEnd + 4 + body.readUInt32LE(wordsEnd);
  const columns = body.subarray(wordsEnd + 4, columnsEnd);
  return { words, columns, traceIds: body.subarray(columnsEnd) };
}

/** Numbers of the words in a dictionary, by their place; 0 stays 0. */
export function numbersOf(
  { endpoints, origins, clients }: DeliveryWords,
  project: string,
  dictionary: CallDictionary,
): { endpoint: number[]; origin: number[]; client: number[] } {
  return {
    endpoint: [
      0,
      ...endpoints.map(([service, environment, method, route, templated, display, refused]) =>
        dictionary.endpoint({
          ...{ project, service, environment, method, route, templated: templated === 1 },
          ...(display !== '' && { display }),
          ...(refused === 1 && { refused: true as const }),
        }),
      ),
    ],
    origin: [
      0,
      ...origins.map(([serviceVersion, consumer, agent, bot, errorType]) =>
        dictionary.origin({ serviceVersion, consumer, agent, bot: bot === 1, errorType }),
      ),
    ],
    client: [0, ...clients.map((client) => dictionary.client(client))],
  };
}
