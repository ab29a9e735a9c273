import { limits } from '../../../core/limits.ts';
import { hashBytes, mix } from '../../intern/hash.ts';
import { AttributeSlots } from '../../otlp/attributes.ts';
import {
  eventTag,
  requestTag,
  resourceSpansTag,
  resourceTag,
  scopeSpansTag,
  scopeTag,
  spanTag,
} from '../../otlp/fields.ts';
import { applyConvention, type Convention, conventionOf } from '../conventions.ts';
import { resourceKeys, serviceHashOf } from '../resource.ts';
import { mark, slot, wantedAttributes } from '../span-attributes.ts';
import { portMax } from './call-groups.ts';
import { type SpanTable, spanKind } from './span-table.ts';

/**
 * Reads a request a second time for joining (collector/extract/join/joins.ts): into the columns of `SpanTable`,
 * first the SERVER spans, then other spans of some traces. Runs only for requests in which a SERVER span needs
 * it. Tags: collector/otlp/fields.ts.
 */
export class SecondPass {
  readonly #spans: SpanTable;
  readonly #attributes: AttributeSlots;
  readonly #resource: AttributeSlots;
  #project = '';
  /** Of the current scope. */
  #convention: Convention = conventionOf('');

  constructor(spans: SpanTable) {
    this.#spans = spans;
    this.#attributes = new AttributeSlots(spans.cursor, spanKeys);
    this.#resource = new AttributeSlots(spans.cursor, resourceKeys);
  }

  /** Reads the SERVER spans of a message that was walked without an error. */
  readServers(project: string, message: Buffer): void {
    const spans = this.#spans;
    this.#project = project;
    spans.open(message);
    this.#read(undefined);
    spans.servers = spans.count;
  }

  /** Adds the other spans of the wanted traces. Unreadable ones are skipped: no call is counted by them. */
  readOthers(wants: WantsTrace): void {
    this.#read(wants);
  }

  #read(wants: WantsTrace | undefined): void {
    const { cursor } = this.#spans;
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
    const { cursor } = this.#spans;
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

  /**
   * The resource of a ResourceSpans, in any number of pieces.
   * @returns the hash of its bytes
   */
  #readResource(start: number, end: number): number {
    const { cursor } = this.#spans;
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
    const spans = this.#spans;
    const { cursor } = spans;
    let scope = 0;
    this.#convention = this.#conventionOf(start, end);
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag !== scopeSpansTag.scope && tag !== scopeSpansTag.spans) {
        cursor.skip(tag, end);
        continue;
      }
      const fieldEnd = cursor.length(end);
      if (tag === scopeSpansTag.scope) {
        // Comes before the spans, as its field number does; in another position it is ignored.
        scope = mix(scope, hashBytes(cursor.view, cursor.at, fieldEnd - cursor.at));
      } else if (spans.count < limits.joinedSpans) {
        const isTaken =
          wants === undefined
            ? this.#server(cursor.at, fieldEnd)
            : this.#other(cursor.at, fieldEnd, wants);
        if (isTaken) spans.keep(service, instance, scope);
      }
      cursor.at = fieldEnd;
    }
  }

  /** Of the spans of a ScopeSpans. */
  #conventionOf(start: number, end: number): Convention {
    const { cursor } = this.#spans;
    cursor.at = start;
    const scopeEnd = cursor.seek(scopeSpansTag.scope, end);
    const nameEnd = scopeEnd < 0 ? -1 : cursor.seek(scopeTag.name, scopeEnd);
    return conventionOf(nameEnd < 0 ? '' : cursor.bytes.toString('utf8', cursor.at, nameEnd));
  }

  #server(start: number, end: number): boolean {
    const spans = this.#spans;
    return this.#span(start, end, undefined) && spans.kind[spans.count] === spanKind.server;
  }

  #other(start: number, end: number, wants: WantsTrace): boolean {
    const spans = this.#spans;
    try {
      return this.#span(start, end, wants) && spans.kind[spans.count] !== spanKind.server;
    } catch {
      return false;
    }
  }

  /**
   * Reads a span into the columns after the last kept one.
   * @param wants decides by the trace whether to read on; undefined: only SERVER spans are read
   * @returns whether it was read to its end
   */
  #span(start: number, end: number, wants: WantsTrace | undefined): boolean {
    const spans = this.#spans;
    const { cursor } = spans;
    const { view } = cursor;
    const at = spans.begin(start, end);
    this.#attributes.begin();
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      switch (tag) {
        case spanTag.kind:
          spans.kind[at] = cursor.varint(end);
          if (wants === undefined && spans.kind[at] !== spanKind.server) return false;
          break;
        case spanTag.startTime:
        case spanTag.endTime: {
          const time = cursor.fixed(8, end);
          const ns = view.getUint32(time + 4, true) * 2 ** 32 + view.getUint32(time, true);
          if (tag === spanTag.startTime) spans.startNs[at] = ns;
          else spans.endNs[at] = ns;
          break;
        }
        case spanTag.flags:
          spans.flags[at] = view.getUint32(cursor.fixed(4, end), true);
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
          if (tag === spanTag.traceId && wants !== undefined && !wants(spans.trace[at]!))
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

  /** Validates an event or status of a span that may be read as a call later: a malformed one fails here. */
  #prove(tag: number, end: number): void {
    const { cursor } = this.#spans;
    while (cursor.at < end) {
      const field = cursor.tag(end);
      if (tag === spanTag.events && field === eventTag.attributes) {
        const fieldEnd = cursor.length(end);
        this.#resource.take(cursor.at, fieldEnd);
        cursor.at = fieldEnd;
      } else cursor.skip(field, end);
    }
  }

  #takeField(at: number, tag: number, start: number, end: number): void {
    const spans = this.#spans;
    switch (tag) {
      case spanTag.traceId:
        spans.trace[at] = this.#validId(start, end, 16);
        break;
      case spanTag.spanId:
        spans.id[at] = this.#validId(start, end, 8);
        break;
      case spanTag.parentSpanId:
        spans.parent[at] = this.#validId(start, end, 8);
        break;
      case spanTag.name:
        spans.name[at] = start;
        spans.nameEnd[at] = end;
        break;
      default:
        this.#attributes.take(start, end);
    }
  }

  /** The offset of an id; 0 for one that is all zeros or has a wrong length (docs/extraction.md X12). */
  #validId(start: number, end: number, length: number): number {
    if (end - start !== length) return 0;
    const { bytes } = this.#spans.cursor;
    for (let at = start; at < end; at += 1) if (bytes[at] !== 0) return start;
    return 0;
  }

  /** Reads the attributes into the columns. */
  #describe(at: number): void {
    const spans = this.#spans;
    const attributes = this.#attributes;
    if ((attributes.marks & (mark.other | mark.rpc)) !== 0) {
      applyConvention(attributes, spans.cursor.bytes, this.#convention);
    }
    spans.marks[at] = attributes.marks;
    const route = attributes.firstString(routeSlots);
    if (route >= 0) {
      spans.route[at] = attributes.start(route);
      spans.routeEnd[at] = attributes.end(route);
    }
    spans.connection[at] = this.#connection();
    spans.request[at] = this.#requestHash();
  }

  #connection(): number {
    const attributes = this.#attributes;
    const slot = portSlots.find((slot) => {
      const port = attributes.number(slot);
      return port > 0 && port <= portMax;
    });
    if (slot === undefined) return 0;
    const isHttp1 = versionSlots.some((slot) => /^(HTTP\/)?1(\.\d)?$/i.test(attributes.text(slot)));
    return attributes.number(slot) + (isHttp1 ? portMax + 1 : 0);
  }

  /** Hash of method and path; the path within a URL is the same path. */
  #requestHash(): number {
    const attributes = this.#attributes;
    const { bytes, view } = this.#spans.cursor;
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
}

/** @param trace offset of the 16 bytes of its id; 0 without a valid one */
type WantsTrace = (trace: number) => boolean;

const { keys: httpKeys } = wantedAttributes([]);
const portKeys = ['network.peer.port', 'net.sock.peer.port', 'net.peer.port', 'client.port'];
const versionKeys = ['network.protocol.version', 'net.protocol.version', 'http.flavor'];
const connectionKeys = [...portKeys, ...versionKeys];
const spanKeys = [...httpKeys, ...connectionKeys.map((key) => ({ key }))];
const portSlots = portKeys.map((_, place) => httpKeys.length + place);
const versionSlots = versionKeys.map((_, place) => httpKeys.length + portKeys.length + place);

const methodSlots = [slot.method, slot.oldMethod];
const pathSlots = [slot.path, slot.oldTarget, slot.url, slot.oldUrl];
const routeSlots = [slot.route, slot.urlTemplate, slot.nextRoute];

const slash = 0x2f;

/** The offset of the path in a URL: its third slash. */
function pathOfUrl(bytes: Buffer, start: number, end: number): number {
  let slashes = 0;
  for (let at = start; at < end; at += 1) {
    if (bytes[at] === slash) slashes += 1;
    if (slashes === 3) return at;
  }
  return slashes < 2 ? start : end;
}
