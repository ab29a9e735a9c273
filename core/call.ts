import { CallWeights } from './weight.ts';

/**
 * A call is one HTTP request a service answered, taken from one SERVER span. Calls travel in columns:
 * typed arrays in one transferable buffer, whose integers point into a dictionary of words (endpoint,
 * origin, client) that both sides keep and extend.
 */

/** Where a call went. `route` is canonical (core/route/route.ts) or one of `specialRoutes`. */
export interface EndpointName {
  project: string;
  service: string;
  environment: string;
  method: string;
  route: string;
  /** The route was made up from the path (docs/extraction.md 2.5), not told by the service. */
  templated: boolean;
  /** The service's own spelling of the route (core/route/display.ts), where it is another. */
  display?: string;
  /** The route is made up and the call was refused (collector/extract/endpoint/early-status.ts): nothing says that it exists. */
  refused?: true;
}

/** What else is said of a call and repeats: the service's version, who called with what, what failed. */
export interface CallContext {
  serviceVersion: string;
  consumer: string;
  /** The user agent's product: `curl`, `Googlebot`; empty when none was sent. */
  agent: string;
  bot: boolean;
  errorType: string;
}

/** Words a batch uses for the first time, in the order of their numbers, which go on from the last batch. */
export interface NewDimensions {
  /** Counts the times the dictionary began anew; a reader forgets all words of an older epoch. */
  epoch: number;
  endpoints: EndpointName[];
  origins: CallContext[];
  clients: string[];
  /** Pairs of endpoint numbers, of this batch or earlier ones: two spellings of one shape that one version of
   *  their service uses side by side (core/store/side-by-side.ts). */
  sideBySide: [number, number][];
}

/** Numbers for words, from 1 on; 0 is nothing. The collector's thread owns it, the store mirrors it. */
export class CallDictionary {
  #epoch = 0;
  #endpoints = new Map<string, number>();
  #origins = new Map<string, number>();
  #clients = new Map<string, number>();
  #new = noDimensions(0);

  endpoint(name: EndpointName): number {
    const { project, service, environment, method, route, display = '', refused = false } = name;
    const key = `${project}\0${service}\0${environment}\0${method}\0${route}\0${display}\0${refused}`;
    let id = this.#endpoints.get(key);
    if (id === undefined) {
      id = this.#endpoints.size + 1;
      this.#endpoints.set(key, id);
      this.#new.endpoints.push(name);
    }
    return id;
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

  /** @param address canonical text of an address; empty for an unknown client, which is 0. */
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

  /** The words since the last take; they belong to the caller, and to the batch that uses them. */
  takeNew(): NewDimensions {
    const words = this.#new;
    this.#new = noDimensions(this.#epoch);
    return words;
  }

  /** Forgets every word. Only between batches: a batch's numbers must all be of one epoch. */
  reset(): void {
    this.#epoch += 1;
    this.#endpoints.clear();
    this.#origins.clear();
    this.#clients.clear();
    this.#new = noDimensions(this.#epoch);
  }
}

function noDimensions(epoch: number): NewDimensions {
  return { epoch, endpoints: [], origins: [], clients: [], sideBySide: [] };
}

/** One export request: the calls `firstCall … firstCall + calls - 1` of its batch, counted once by digest. */
export interface Delivery {
  project: string;
  /** 16 bytes that identify the request's message after decompression. */
  digest: Uint8Array;
  firstCall: number;
  calls: number;
}

const bytesPerCall = 64;

/** Views of one buffer. Each column holds `capacity` entries, the first `length` of its batch are used. */
export interface CallColumns {
  buffer: ArrayBuffer;
  capacity: number;
  /** Negative for a call whose duration is no latency. */
  durationNs: Float64Array;
  /** Bytes of the body; -1 when the span does not say. */
  requestBytes: Float64Array;
  responseBytes: Float64Array;
  /** Numbers of the dictionary. */
  endpoint: Int32Array;
  origin: Int32Array;
  client: Int32Array;
  /** The span's end: whole seconds since the epoch, and the nanoseconds beyond. */
  endS: Uint32Array;
  endNs: Uint32Array;
  /** HTTP status; 0 when there was none. */
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

/** A growing batch of calls. After it is handed to a store its columns belong to the store. */
export class CallBatch {
  columns: CallColumns;
  length = 0;
  deliveries: Delivery[] = [];
  /** Of the calls that stand for another number of calls than one. */
  readonly weights = new CallWeights();

  constructor(columns: CallColumns = callColumns(1024)) {
    this.columns = columns;
  }

  /** Makes room for one more call and returns its index; the caller fills every column of it. */
  push(): number {
    if (this.length === this.columns.capacity) this.#grow();
    const index = this.length;
    this.length = index + 1;
    return index;
  }

  /** Takes back the calls from `length` on: a request that turned out undecodable leaves nothing. */
  truncate(length: number): void {
    this.length = length;
    this.weights.truncate(length);
  }

  #grow(): void {
    const old = this.columns;
    const next = callColumns(old.capacity * 2);
    next.durationNs.set(old.durationNs);
    next.requestBytes.set(old.requestBytes);
    next.responseBytes.set(old.responseBytes);
    next.endpoint.set(old.endpoint);
    next.origin.set(old.origin);
    next.client.set(old.client);
    next.endS.set(old.endS);
    next.endNs.set(old.endNs);
    next.traceId.set(old.traceId);
    next.status.set(old.status);
    this.columns = next;
  }
}
