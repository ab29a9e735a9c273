import { limits } from '../core/limits.ts';
import { finish, hashBytes, mix, sameBytes } from './byte-range.ts';
import { AttributeSlots } from './otlp/attributes.ts';
import { Cursor } from './otlp/protobuf.ts';
import {
  eventTag,
  requestTag,
  resourceSpansTag,
  resourceTag,
  scopeSpansTag,
  spanTag,
} from './otlp/traces.ts';
import { resourceKeys, serviceHashOf } from './resource.ts';
import { mark, slot, wantedAttributes } from './span-attributes.ts';

/**
 * The spans of one request that joining looks at (collector/joins.ts), in columns of offsets: first its
 * SERVER spans, in the message's order, then the others of some traces. Read only when a SERVER span of
 * the request asks for it; field numbers as in otlp/traces.ts.
 */
export class RequestSpans {
  /** Of these the first `servers` are SERVER spans. */
  count = 0;
  servers = 0;
  /** Where the span's bytes lie. */
  start = new Int32Array(firstSpans);
  end = new Int32Array(firstSpans);
  /** Where the ids lie; 0 when it has none that is valid. */
  trace = new Int32Array(firstSpans);
  id = new Int32Array(firstSpans);
  parent = new Int32Array(firstSpans);
  kind = new Int32Array(firstSpans);
  flags = new Int32Array(firstSpans);
  /** Marks of its attributes (span-attributes.ts). */
  marks = new Int32Array(firstSpans);
  /** Hashes: of the service, of its instance, of the instrumentation scope, of method and path. */
  service = new Int32Array(firstSpans);
  instance = new Int32Array(firstSpans);
  scope = new Int32Array(firstSpans);
  request = new Int32Array(firstSpans);
  /** The client's port; 0 when the span does not say. */
  port = new Int32Array(firstSpans);
  /** Where route (0: none) and name lie. */
  route = new Int32Array(firstSpans);
  routeEnd = new Int32Array(firstSpans);
  name = new Int32Array(firstSpans);
  nameEnd = new Int32Array(firstSpans);
  /** Nanoseconds, rounded to 256: rounding keeps what lies within what. */
  startNs = new Float64Array(firstSpans);
  endNs = new Float64Array(firstSpans);

  readonly cursor = new Cursor();
  #project = '';
  readonly #attributes: AttributeSlots;
  readonly #resource: AttributeSlots;
  /** Open addressing over (trace, id): span + 1, or 0. */
  #byId = new Int32Array(firstSpans * 2);
  #indexed = 0;

  constructor() {
    this.#attributes = new AttributeSlots(this.cursor, spanKeys);
    this.#resource = new AttributeSlots(this.cursor, resourceKeys);
  }

  /** Reads the SERVER spans of a message that was walked without an error. */
  open(project: string, message: Buffer): void {
    this.#project = project;
    this.cursor.open(message);
    this.servers = 0;
    this.count = 0;
    this.#indexed = 0;
    this.#byId.fill(0);
    this.#read(undefined);
    this.servers = this.count;
  }

  /**
   * Adds the other spans of the traces that are wanted. What cannot be read is left out: it is nothing
   * that a call would be counted by.
   */
  readOthers(wants: WantsTrace): void {
    this.#read(wants);
  }

  /** Lets the message go, and memory that only an enormous request needs. */
  close(): void {
    this.cursor.close();
    if (this.start.length <= keptSpans) return;
    this.#resize(firstSpans, 0);
    this.#byId = new Int32Array(firstSpans * 2);
  }

  /** The first span with the id at `id` in the trace at `trace`, or -1. */
  find(trace: number, id: number): number {
    const { view } = this.cursor;
    return this.findId(view, trace, view, id);
  }

  /** The same, of ids that lie elsewhere. */
  findId(traceView: DataView, trace: number, idView: DataView, id: number): number {
    const mask = this.#byId.length - 1;
    const { view } = this.cursor;
    let place = idHash(traceView, trace, idView, id) & mask;
    for (;;) {
      const span = this.#byId[place]! - 1;
      if (span < 0) return -1;
      if (
        sameBytes(view, this.id[span]!, idView, id, 8) &&
        sameBytes(view, this.trace[span]!, traceView, trace, 16)
      ) {
        return span;
      }
      place = (place + 1) & mask;
    }
  }

  sameTrace(a: number, b: number): boolean {
    const { view } = this.cursor;
    return sameBytes(view, this.trace[a]!, view, this.trace[b]!, 16);
  }

  text(start: number, end: number): string {
    return this.cursor.bytes.toString('utf8', start, Math.min(end, start + limits.routeBytes));
  }

  #read(wants: WantsTrace | undefined): void {
    const { cursor } = this;
    cursor.at = 0;
    const end = cursor.bytes.length;
    for (;;) {
      const resourceEnd = cursor.seek(requestTag.resourceSpans, end);
      if (resourceEnd < 0) return;
      this.#readResourceSpans(cursor.at, resourceEnd, wants);
      cursor.at = resourceEnd;
    }
  }

  #readResourceSpans(start: number, end: number, wants: WantsTrace | undefined): void {
    const { cursor } = this;
    const instance = this.#readResource(start, end);
    const service = serviceHashOf(this.#project, this.#resource);
    cursor.at = start;
    for (;;) {
      const scopeEnd = cursor.seek(resourceSpansTag.scopeSpans, end);
      if (scopeEnd < 0) return;
      this.#readScopeSpans(cursor.at, scopeEnd, service, instance, wants);
      cursor.at = scopeEnd;
    }
  }

  /** The resource of a ResourceSpans, in however many pieces. @returns the hash of its bytes */
  #readResource(start: number, end: number): number {
    const { cursor } = this;
    let instance = 0;
    this.#resource.begin();
    cursor.at = start;
    for (;;) {
      const resourceEnd = cursor.seek(resourceSpansTag.resource, end);
      if (resourceEnd < 0) return instance;
      instance = mix(instance, hashBytes(cursor.view, cursor.at, resourceEnd - cursor.at));
      for (;;) {
        const attributeEnd = cursor.seek(resourceTag.attributes, resourceEnd);
        if (attributeEnd < 0) break;
        this.#resource.take(cursor.at, attributeEnd);
        cursor.at = attributeEnd;
      }
    }
  }

  #readScopeSpans(
    start: number,
    end: number,
    service: number,
    instance: number,
    wants: WantsTrace | undefined,
  ): void {
    const { cursor } = this;
    let scope = 0;
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag !== scopeSpansTag.scope && tag !== scopeSpansTag.spans) {
        cursor.skip(tag, end);
        continue;
      }
      const fieldEnd = cursor.length(end);
      if (tag === scopeSpansTag.scope) {
        // Stands before the spans, as its number does; elsewhere it says nothing.
        scope = mix(scope, hashBytes(cursor.view, cursor.at, fieldEnd - cursor.at));
      } else if (this.count < limits.joinedSpans) {
        const taken =
          wants === undefined
            ? this.#server(cursor.at, fieldEnd)
            : this.#other(cursor.at, fieldEnd, wants);
        if (taken) {
          this.service[this.count] = service;
          this.instance[this.count] = instance;
          this.scope[this.count] = scope;
          this.#index(this.count);
          this.count += 1;
        }
      }
      cursor.at = fieldEnd;
    }
  }

  #server(start: number, end: number): boolean {
    return this.#span(start, end, undefined) && this.kind[this.count] === serverKind;
  }

  #other(start: number, end: number, wants: WantsTrace): boolean {
    try {
      return this.#span(start, end, wants) && this.kind[this.count] !== serverKind;
    } catch {
      return false;
    }
  }

  /**
   * Reads a span into the columns behind the last one.
   * @param wants tells by the trace whether to read on; undefined: SERVER spans are read
   * @returns whether it was read to its end
   */
  #span(start: number, end: number, wants: WantsTrace | undefined): boolean {
    const { cursor } = this;
    const { view } = cursor;
    if (this.count === this.start.length) this.#resize(this.count * 2, this.count);
    const at = this.#begin(start, end);
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      switch (tag) {
        case spanTag.kind:
          this.kind[at] = cursor.varint(end);
          if (wants === undefined && this.kind[at] !== serverKind) return false;
          break;
        case spanTag.startTime:
        case spanTag.endTime: {
          const time = cursor.fixed(8, end);
          const ns = view.getUint32(time + 4, true) * 2 ** 32 + view.getUint32(time, true);
          if (tag === spanTag.startTime) this.startNs[at] = ns;
          else this.endNs[at] = ns;
          break;
        }
        case spanTag.flags:
          this.flags[at] = view.getUint32(cursor.fixed(4, end), true);
          break;
        case spanTag.events:
        case spanTag.status: {
          const fieldEnd = cursor.length(end);
          if (wants !== undefined) this.#prove(tag, fieldEnd);
          cursor.at = fieldEnd;
          break;
        }
        case spanTag.traceId:
        case spanTag.spanId:
        case spanTag.parentSpanId:
        case spanTag.name:
        case spanTag.attributes: {
          const fieldEnd = cursor.length(end);
          this.#takeField(at, tag, cursor.at, fieldEnd);
          cursor.at = fieldEnd;
          if (tag === spanTag.traceId && wants !== undefined && !wants(this.trace[at]!))
            return false;
          break;
        }
        default:
          cursor.skip(tag, end);
      }
    }
    this.#describe(at);
    return true;
  }

  /** An event or the status of a span that may come to be read as a call: what is malformed shows here. */
  #prove(tag: number, end: number): void {
    const { cursor } = this;
    while (cursor.at < end) {
      const field = cursor.tag(end);
      if (tag === spanTag.events && field === eventTag.attributes) {
        const fieldEnd = cursor.length(end);
        this.#resource.take(cursor.at, fieldEnd);
        cursor.at = fieldEnd;
      } else cursor.skip(field, end);
    }
  }

  #begin(start: number, end: number): number {
    const at = this.count;
    this.start[at] = start;
    this.end[at] = end;
    this.trace[at] = 0;
    this.id[at] = 0;
    this.parent[at] = 0;
    this.kind[at] = 0;
    this.flags[at] = 0;
    this.route[at] = 0;
    this.name[at] = 0;
    this.nameEnd[at] = 0;
    this.startNs[at] = 0;
    this.endNs[at] = 0;
    this.#attributes.begin();
    return at;
  }

  #takeField(at: number, tag: number, start: number, end: number): void {
    switch (tag) {
      case spanTag.traceId:
        this.trace[at] = this.#validId(start, end, 16);
        break;
      case spanTag.spanId:
        this.id[at] = this.#validId(start, end, 8);
        break;
      case spanTag.parentSpanId:
        this.parent[at] = this.#validId(start, end, 8);
        break;
      case spanTag.name:
        this.name[at] = start;
        this.nameEnd[at] = end;
        break;
      default:
        this.#attributes.take(start, end);
    }
  }

  /** Where it lies; 0 for an id that is all zeros or has another length (OTLP.md X12). */
  #validId(start: number, end: number, length: number): number {
    if (end - start !== length) return 0;
    const { bytes } = this.cursor;
    for (let at = start; at < end; at += 1) if (bytes[at] !== 0) return start;
    return 0;
  }

  #describe(at: number): void {
    const attributes = this.#attributes;
    this.marks[at] = attributes.marks;
    const route = attributes.firstString(routeSlots);
    if (route >= 0) {
      this.route[at] = attributes.start(route);
      this.routeEnd[at] = attributes.end(route);
    }
    this.port[at] = 0;
    for (const slot of portSlots) {
      const port = attributes.number(slot);
      if (port > 0 && port < 65_536) {
        this.port[at] = port;
        break;
      }
    }
    this.request[at] = this.#requestHash();
  }

  #requestHash(): number {
    const attributes = this.#attributes;
    const { bytes, view } = this.cursor;
    const method = attributes.firstString(methodSlots);
    const path = attributes.firstString(pathSlots);
    let hash = 0;
    if (method >= 0) {
      for (let at = attributes.start(method); at < attributes.end(method); at += 1) {
        hash = mix(hash, bytes[at]! & 0xdf);
      }
    }
    if (path < 0) return hash;
    let start = attributes.start(path);
    let end = start;
    while (end < attributes.end(path) && bytes[end] !== 0x3f && bytes[end] !== 0x23) end += 1;
    if (bytes[start] !== slash) start = pathOfUrl(bytes, start, end);
    return mix(hash, end === start ? 1 : hashBytes(view, start, end - start));
  }

  #index(span: number): void {
    if (this.trace[span] === 0 || this.id[span] === 0) return;
    if (this.#indexed * 2 >= this.#byId.length) this.#rehash();
    if (this.#put(span)) this.#indexed += 1;
  }

  /** The first span with an id keeps it. */
  #put(span: number): boolean {
    const { view } = this.cursor;
    const mask = this.#byId.length - 1;
    const [trace, id] = [this.trace[span]!, this.id[span]!];
    if (this.findId(view, trace, view, id) >= 0) return false;
    let place = idHash(view, trace, view, id) & mask;
    while (this.#byId[place] !== 0) place = (place + 1) & mask;
    this.#byId[place] = span + 1;
    return true;
  }

  #rehash(): void {
    const old = this.#byId;
    this.#byId = new Int32Array(old.length * 2);
    for (const span of old) if (span !== 0) this.#put(span - 1);
  }

  #resize(spans: number, kept: number): void {
    const grown = (column: Int32Array) => {
      const next = new Int32Array(spans);
      next.set(column.subarray(0, kept));
      return next;
    };
    for (const name of intColumns) this[name] = grown(this[name]);
    const [starts, ends] = [new Float64Array(spans), new Float64Array(spans)];
    starts.set(this.startNs.subarray(0, kept));
    ends.set(this.endNs.subarray(0, kept));
    this.startNs = starts;
    this.endNs = ends;
  }
}

type WantsTrace = (trace: number) => boolean;

const serverKind = 2;
const firstSpans = 1024;
/** Columns of more spans are let go after their request: 65,536 spans take 5 MiB. */
const keptSpans = 65_536;

const intColumns = [
  'start',
  'end',
  'trace',
  'id',
  'parent',
  'kind',
  'flags',
  'marks',
  'service',
  'instance',
  'scope',
  'request',
  'port',
  'route',
  'routeEnd',
  'name',
  'nameEnd',
] as const;

const { keys: httpKeys } = wantedAttributes([]);
const portKeys = ['network.peer.port', 'net.sock.peer.port', 'net.peer.port', 'client.port'];
const spanKeys = [...httpKeys, ...portKeys.map((key) => ({ key }))];
const portSlots = portKeys.map((_, place) => httpKeys.length + place);

const methodSlots = [slot.method, slot.oldMethod];
const pathSlots = [slot.path, slot.oldTarget, slot.url, slot.oldUrl];
const routeSlots = [slot.route, slot.urlTemplate, slot.nextRoute];

/** Marks that make a SERVER span a call (OTLP.md 2.1). */
export function isHttp(marks: number): boolean {
  return (marks & (mark.http | mark.rpc)) === mark.http;
}

function idHash(traceView: DataView, trace: number, idView: DataView, id: number): number {
  return finish(mix(hashBytes(traceView, trace, 16), hashBytes(idView, id, 8)));
}

const slash = 0x2f;

/** Where the path of a whole URL begins: at its third slash. */
function pathOfUrl(bytes: Buffer, start: number, end: number): number {
  let slashes = 0;
  for (let at = start; at < end; at += 1) {
    if (bytes[at] === slash) slashes += 1;
    if (slashes === 3) return at;
  }
  return slashes < 2 ? start : end;
}
