import type { EndpointNote } from './endpoint-traits.ts';
import type { RouteDeclaration } from './store/live-routes.ts';
import { CallWeights } from './weight.ts';

/**
 * A call is one HTTP request that a service answered, taken from one SERVER span. The collector sends calls to
 * the store in columns: typed arrays in one transferable buffer. Repeated values (dimensions: endpoint,
 * context, client) are numbers in the columns, and both sides keep the same dictionary of them.
 */

/** The endpoint of a call. `route` is canonical (core/route/route.ts) or one of `specialRoutes`. */
export interface EndpointName {
  project: string;
  service: string;
  environment: string;
  method: string;
  route: string;
  /** The route is a template made from the path (docs/extraction.md 2.5): the service did not report one. */
  templated: boolean;
  /** The service's own spelling of the route (core/route/display.ts), when it differs. */
  display?: string;
  /** A templated route whose call was refused early (collector/extract/endpoint/early-status.ts): it may not
   *  exist in the service. */
  refused?: true;
}

/** An endpoint without what is known of its route. */
export type EndpointKey = Pick<
  EndpointName,
  'project' | 'service' | 'environment' | 'method' | 'route'
>;

/** Further values that repeat from call to call: the service's version, the consumer, its agent, the error. */
export interface CallContext {
  serviceVersion: string;
  consumer: string;
  /** The user agent's product: `curl`, `Googlebot`; empty without one. */
  agent: string;
  bot: boolean;
  errorType: string;
}

/** Dimension values that a batch uses for the first time, by ascending number; numbers continue the last batch's. */
export interface NewDimensions {
  /** Increases when the dictionary is emptied; a reader then drops all values of the older epoch. */
  epoch: number;
  endpoints: EndpointName[];
  origins: CallContext[];
  clients: string[];
  /** Pairs of endpoint numbers, of this batch or earlier ones: two spellings of one shape that one version of
   *  their service uses side by side (core/store/side-by-side.ts). */
  sideBySide: [number, number][];
}

/** Numbers dimension values from 1; 0 is no value. The collector's thread owns it, the store keeps a copy. */
export class CallDictionary {
  #epoch = 0;
  #endpoints = new Map<string, number>();
  #origins = new Map<string, number>();
  #clients = new Map<string, number>();
  /** By number - 1: keys of `#endpoints`. */
  #endpointKeys: string[] = [];
  #new = noDimensions(0);

  endpoint(name: EndpointName): number {
    const { project, service, environment, method, route, templated } = name;
    const { display = '', refused = false } = name;
    const key = `${project}\0${service}\0${environment}\0${method}\0${route}\0${display}\0${refused}\0${templated}`;
    let id = this.#endpoints.get(key);
    if (id === undefined) {
      id = this.#endpointKeys.push(key);
      this.#endpoints.set(key, id);
      this.#new.endpoints.push(name);
    }
    return id;
  }

  /** The endpoint that has the number. */
  endpointName(number: number): EndpointKey {
    const [project, service, environment, method, route] =
      this.#endpointKeys[number - 1]!.split('\0');
    return {
      project: project!,
      service: service!,
      environment: environment!,
      method: method!,
      route: route!,
    };
  }

  origin(origin: CallContext): number {
    const { serviceVersion, consumer, agent, bot, errorType } = origin;
    const key = `${serviceVersion}\0${consumer}\0${agent}\0${bot ? 1 : 0}\0${errorType}`;
    let id = this.#origins.get(key);
    if (id === undefined) {
      id = this.#origins.size + 1;
      this.#origins.set(key, id);
      this.#new.origins.push(origin);
    }
    return id;
  }

  /** @param address canonical; empty for an unknown client, whose number is 0 */
  client(address: string): number {
    if (address === '') return 0;
    let id = this.#clients.get(address);
    if (id === undefined) {
      id = this.#clients.size + 1;
      this.#clients.set(address, id);
      this.#new.clients.push(address);
    }
    return id;
  }

  /** A text that has no number, as it may be stored. */
  text(text: string): string {
    return text;
  }

  /** Two endpoint numbers are spellings that one version of their service uses side by side. */
  sideBySide(a: number, b: number): void {
    this.#new.sideBySide.push([a, b]);
  }

  get epoch(): number {
    return this.#epoch;
  }

  get size(): number {
    return this.#endpoints.size + this.#origins.size + this.#clients.size;
  }

  /** Returns the values that are new since the last call. The caller owns them and sends them with its batch. */
  takeNew(): NewDimensions {
    const taken = this.#new;
    this.#new = noDimensions(this.#epoch);
    return taken;
  }

  /** Empties the dictionary. Only between batches: all numbers of a batch are of one epoch. */
  reset(): void {
    this.#epoch += 1;
    this.#endpoints.clear();
    this.#endpointKeys = [];
    this.#origins.clear();
    this.#clients.clear();
    this.#new = noDimensions(this.#epoch);
  }
}

function noDimensions(epoch: number): NewDimensions {
  return { epoch, endpoints: [], origins: [], clients: [], sideBySide: [] };
}

/** One export request: calls `firstCall … firstCall + calls - 1` of its batch, counted once by digest (X13). */
export interface Delivery {
  project: string;
  /** 16 bytes: a hash of the message after decompression. */
  digest: Uint8Array;
  firstCall: number;
  calls: number;
}

const bytesPerCall = 64;

/** Views of one buffer. Each column has `capacity` entries; a batch uses the first `length`. */
export interface CallColumns {
  buffer: ArrayBuffer;
  capacity: number;
  /** Negative: the duration is no latency (X7). */
  durationNs: Float64Array;
  /** Bytes of the body; -1 when the span has none. */
  requestBytes: Float64Array;
  responseBytes: Float64Array;
  /** Numbers from the dictionary. */
  endpoint: Int32Array;
  origin: Int32Array;
  client: Int32Array;
  /** The span's end: whole seconds since the epoch, and the nanoseconds beyond. */
  endS: Uint32Array;
  endNs: Uint32Array;
  /** HTTP status; 0 without one. */
  status: Uint16Array;
  /** 16 bytes a call; zeros when unknown. */
  traceId: Uint8Array;
}

export function callColumns(capacity: number, buffer?: ArrayBuffer): CallColumns {
  const memory = buffer ?? new ArrayBuffer(capacity * bytesPerCall);
  let offset = 0;
  const take = (bytesEach: number): number => {
    const start = offset;
    offset += bytesEach * capacity;
    return start;
  };
  return {
    buffer: memory,
    capacity,
    durationNs: new Float64Array(memory, take(8), capacity),
    requestBytes: new Float64Array(memory, take(8), capacity),
    responseBytes: new Float64Array(memory, take(8), capacity),
    endpoint: new Int32Array(memory, take(4), capacity),
    origin: new Int32Array(memory, take(4), capacity),
    client: new Int32Array(memory, take(4), capacity),
    endS: new Uint32Array(memory, take(4), capacity),
    endNs: new Uint32Array(memory, take(4), capacity),
    traceId: new Uint8Array(memory, take(16), capacity * 16),
    status: new Uint16Array(memory, take(2), capacity),
  };
}

const numberColumns = [
  'durationNs',
  'requestBytes',
  'responseBytes',
  'endpoint',
  'origin',
  'client',
  'endS',
  'endNs',
  'status',
] as const satisfies (keyof CallColumns)[];

/** Copies the calls `from` to `end - 1` of some columns to `to` and on of others, or of the same ones. */
export function copyCalls(
  source: CallColumns,
  from: number,
  end: number,
  target: CallColumns,
  to: number,
): void {
  for (const name of numberColumns) target[name].set(source[name].subarray(from, end), to);
  target.traceId.set(source.traceId.subarray(from * 16, end * 16), to * 16);
}

/** A growing batch of calls. `append` transfers its columns to the store. */
export class CallBatch {
  columns: CallColumns;
  length = 0;
  deliveries: Delivery[] = [];
  /** Routes that services declare, from the same requests as the calls; almost always none. */
  readonly declarations: RouteDeclaration[] = [];
  /** What spans say of endpoints beside their calls; almost always nothing new. */
  readonly notes: EndpointNote[] = [];
  /** Sampling weights of the calls whose weight is not 1. */
  readonly weights = new CallWeights();

  constructor(columns: CallColumns = callColumns(1024)) {
    this.columns = columns;
  }

  /** Adds a call and returns its index; the caller writes every column of it. */
  push(): number {
    if (this.length === this.columns.capacity) this.#grow();
    const index = this.length;
    this.length = index + 1;
    return index;
  }

  /** Removes the calls from `length` on, when their request turns out to be undecodable. */
  truncate(length: number): void {
    this.length = length;
    this.weights.truncate(length);
  }

  /** Takes calls out; those behind them move up. @param calls ascending, of no delivery yet */
  remove(calls: readonly number[]): void {
    if (calls.length === 0) return;
    const { columns } = this;
    let to = calls[0]!;
    calls.forEach((removed, i) => {
      const from = removed + 1;
      const end = calls[i + 1] ?? this.length;
      copyCalls(columns, from, end, columns, to);
      to += end - from;
    });
    this.length = to;
    this.weights.remove(calls);
  }

  #grow(): void {
    const old = this.columns;
    const next = callColumns(old.capacity * 2);
    copyCalls(old, 0, old.capacity, next, 0);
    this.columns = next;
  }
}
