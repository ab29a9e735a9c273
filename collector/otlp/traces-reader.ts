import { limits } from '../../core/limits.ts';
import { AttributeSlots, type WantedKey } from './attributes.ts';
import {
  eventTag,
  requestTag,
  resourceSpansTag,
  resourceTag,
  scopeSpansTag,
  scopeTag,
  spanTag,
  statusTag,
} from './fields.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import { RequestBounds, tooMany } from './request-bounds.ts';

/**
 * Walks an ExportTraceServiceRequest and stops at resources and SERVER spans, and at their wanted attributes.
 * Everything else is skipped by its length. Nothing is copied or decoded: results are offsets into the message,
 * valid until the next span.
 *
 * Field numbers: opentelemetry-proto 1.11, collector/trace/v1 and trace/v1/trace.proto.
 */
export class TracesReader {
  readonly cursor = new ProtobufReader();
  /** Attributes of the resource, for `visitor.resource`. */
  readonly resource: AttributeSlots;
  /** Attributes of the span, for `visitor.serverSpan`; so are the fields below. */
  readonly attributes: AttributeSlots;
  readonly #visitor: TracesVisitor;
  readonly #bounds = new RequestBounds();
  /** The visitor knows the resource in hand. */
  #resourceTold = false;

  /** Spans of other kinds in the message walked last. */
  otherSpans = 0;
  /** Of those, CLIENT spans. */
  clientSpans = 0;
  /** The visitor is shown CLIENT spans of the traces of this mask: `isNoted`. */
  clientMask = 0;

  /** Offset and length of the instrumentation scope's name, for `visitor.scope`; 0 bytes without one. */
  scopeNameStart = 0;
  scopeNameLength = 0;
  #isScopeNew = false;

  /** Offset of the span's bytes: identifies the span within its message. */
  spanStart = 0;
  traceIdStart = 0;
  traceIdLength = 0;
  spanIdStart = 0;
  spanIdLength = 0;
  parentIdStart = 0;
  /** 0 without a parent. */
  parentIdLength = 0;
  /** Span.flags; 0 when the exporter sends none. */
  flags = 0;
  traceStateStart = 0;
  traceStateLength = 0;
  nameStart = 0;
  nameLength = 0;
  /** Unsigned halves of the 64-bit nanoseconds. */
  startHigh = 0;
  startLow = 0;
  endHigh = 0;
  endLow = 0;
  /** Status.code: 0 unset, 1 ok, 2 error. */
  statusCode = 0;

  #takesAnyKind = false;

  // Where the span's events lie: start and end, one pair each. Most spans have none.
  #events = new Int32Array(32);
  #eventCount = 0;
  readonly #eventAttributes: AttributeSlots;

  constructor(
    wanted: { resource: readonly WantedKey[]; span: readonly WantedKey[] },
    visitor: TracesVisitor,
  ) {
    this.#visitor = visitor;
    this.resource = new AttributeSlots(this.cursor, wanted.resource);
    this.attributes = new AttributeSlots(this.cursor, wanted.span);
    this.#eventAttributes = new AttributeSlots(this.cursor, [{ key: 'exception.type' }]);
  }

  /** @throws AppError `invalid` with the byte offset and the fault, `too_large` beyond a bound */
  walk(message: Buffer): void {
    const { cursor } = this;
    this.otherSpans = 0;
    this.clientSpans = 0;
    this.#bounds.begin();
    const end = cursor.open(message);
    try {
      while (cursor.at < end) {
        const tag = cursor.tag(end);
        if (tag === requestTag.resourceSpans) {
          const resourceSpansEnd = cursor.length(end);
          this.#resourceSpans(cursor.at, resourceSpansEnd);
          cursor.at = resourceSpansEnd;
        } else cursor.skip(tag, end);
      }
    } finally {
      cursor.close();
    }
  }

  /**
   * The type of the span's last exception event, `''` when that names none, null without such an event.
   * Reads the events, which nothing has looked at before.
   * @throws AppError `invalid`
   */
  exceptionType(): string | null {
    for (let i = this.#eventCount - 1; i >= 0; i -= 1) {
      const type = this.#exceptionTypeOf(this.#events[i * 2]!, this.#events[i * 2 + 1]!);
      if (type !== null) return type;
    }
    return null;
  }

  /**
   * Reads another span of the current message, of any kind, in place of the visitor's span.
   * @throws AppError `invalid`
   */
  readSpan(start: number, end: number): void {
    this.#takesAnyKind = true;
    try {
      this.cursor.at = start;
      this.#span(end);
    } finally {
      this.#takesAnyKind = false;
    }
  }

  /** The resource may stand behind the spans or in pieces, so it is looked for first. */
  #resourceSpans(start: number, end: number): void {
    const { cursor, resource } = this;
    this.#bounds.envelope();
    this.#resourceTold = false;
    resource.begin();
    let pieces = 0;
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag !== resourceSpansTag.resource) {
        cursor.skip(tag, end);
        continue;
      }
      pieces += 1;
      if (pieces > limits.resourcePieces) {
        throw tooMany('a ResourceSpans', 'Resources', limits.resourcePieces);
      }
      this.#resourceAttributes(cursor.length(end));
    }
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === resourceSpansTag.scopeSpans) this.#scopeSpans(cursor.length(end));
      else cursor.skip(tag, end);
    }
    this.#visitor.resourceEnd?.();
  }

  #scopeSpans(end: number): void {
    const { cursor } = this;
    this.#bounds.envelope();
    const start = cursor.at;
    this.scopeNameLength = 0;
    this.#isScopeNew = true;
    // Encoders write the scope first; elsewhere it is looked for.
    if (cursor.bytes[start] !== scopeSpansTag.scope) {
      const scopeEnd = cursor.seek(scopeSpansTag.scope, end);
      if (scopeEnd >= 0) this.#scope(scopeEnd);
      cursor.at = start;
    }
    const spansLeft = this.#bounds.spansLeft;
    let spans = 0;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === scopeSpansTag.spans) {
        const spanEnd = cursor.length(end);
        spans += 1;
        if (spans > spansLeft) break;
        if (this.#isOther(cursor.at, spanEnd)) this.otherSpans += 1;
        else this.#mayBeServer(cursor.at, spanEnd);
        cursor.at = spanEnd;
      } else if (tag === scopeSpansTag.scope) this.#scope(cursor.length(end));
      else cursor.skip(tag, end);
    }
    this.#bounds.spans(spans);
  }

  /** The name of the scope that lies from the cursor to there. */
  #scope(end: number): void {
    const { cursor } = this;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === scopeTag.name) {
        const nameEnd = cursor.length(end);
        this.scopeNameStart = cursor.at;
        this.scopeNameLength = nameEnd - cursor.at;
        cursor.at = nameEnd;
      } else cursor.skip(tag, end);
    }
  }

  /** A span that is not laid out as usual, or a SERVER span. */
  #mayBeServer(start: number, end: number): void {
    if (this.#span(end)) {
      this.#tellServerSpan();
      return;
    }
    this.otherSpans += 1;
    if (this.nameLength === inventoryName.length) this.#noteInventory(this.nameStart, start, end);
  }

  /** Tells of an inventory span; its name is as long as that of one. Nearly every other name differs at once. */
  #noteInventory(nameStart: number, start: number, end: number): void {
    const { bytes } = this.cursor;
    for (let i = 0; i < inventoryName.length; i += 1) {
      if (bytes[nameStart + i] !== inventoryName.charCodeAt(i)) return;
    }
    this.#visitor.inventorySpan?.(start, end);
  }

  /** A resource without SERVER spans costs its visitor nothing. */
  #tellServerSpan(): void {
    if (!this.#resourceTold) {
      this.#resourceTold = true;
      this.#visitor.resource();
    }
    if (this.#isScopeNew) this.#visitor.scope();
    this.#isScopeNew = false;
    this.#visitor.serverSpan();
  }

  /** Takes the attributes of a Resource; the cursor ends at its end. */
  #resourceAttributes(end: number): void {
    const { cursor, resource } = this;
    let count = 0;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === resourceTag.attributes) {
        count += 1;
        if (count > limits.resourceAttributes) {
          throw tooMany('a Resource', 'attributes', limits.resourceAttributes);
        }
        const attributeEnd = cursor.length(end);
        resource.take(cursor.at, attributeEnd);
        cursor.at = attributeEnd;
      } else cursor.skip(tag, end);
    }
  }

  /** Whether a span laid out as all encoders do is of another kind than SERVER; nothing is noted of it. */
  #isOther(start: number, end: number): boolean {
    const { bytes } = this.cursor;
    if (
      bytes[start] !== spanTag.traceId ||
      bytes[start + 1] !== 16 ||
      bytes[start + 18] !== spanTag.spanId ||
      bytes[start + 19] !== 8
    ) {
      return false;
    }
    let at = start + 28;
    if (bytes[at] === spanTag.parentSpanId && bytes[at + 1] === 8) at += 10;
    const name = at;
    if (bytes[at] === spanTag.name && bytes[at + 1]! < 128) at += 2 + bytes[at + 1]!;
    if (at + 1 >= end || bytes[at] !== spanTag.kind) return false;
    const kind = bytes[at + 1]!;
    if (kind >= 128 || kind === serverKind) return false;
    if (kind === clientKind) {
      this.clientSpans += 1;
      if (isNoted(bytes, start + 2, this.clientMask)) this.#visitor.clientSpan?.(start);
    }
    if (at === name + inventoryNameBytes) this.#noteInventory(name + 2, start, end);
    return true;
  }

  /**
   * Reads a span; false as soon as its kind turns out to be another than SERVER. Encoders write the
   * fields in the order of their numbers, the kind before attributes and events, so that nothing behind
   * it is looked at; in another order the same is found with more work.
   */
  #span(end: number): boolean {
    const { cursor, attributes } = this;
    const { bytes } = cursor;
    let kind = 0;
    this.#reset();
    this.spanStart = cursor.at;
    if (end - cursor.at > limits.spanBytesCounted) this.#countFields(end);
    let at = this.#ids(cursor.at, end);
    while (at < end) {
      const tag = bytes[at]!;
      // The commonest fields with a length of one byte; all others, and those, go the long way.
      const next = at + 2 < end ? at + 2 + bytes[at + 1]! : end + 1;
      if (tag === spanTag.attributes && bytes[at + 1]! < 128 && next <= end) {
        attributes.take(at + 2, next);
        at = next;
      } else if (tag === spanTag.name && bytes[at + 1]! < 128 && next <= end) {
        this.nameStart = at + 2;
        this.nameLength = next - at - 2;
        at = next;
      } else if (tag === spanTag.kind) {
        cursor.at = at + 1;
        kind = cursor.varint(end);
        if (kind !== serverKind && !this.#takesAnyKind) return false;
        at = cursor.at;
      } else {
        cursor.at = at;
        this.#field(end);
        at = cursor.at;
      }
    }
    return kind === serverKind;
  }

  /** A span of usual size cannot hold too many fields. @throws AppError `too_large` */
  #countFields(end: number): void {
    const { cursor } = this;
    const start = cursor.at;
    for (let count = 0; cursor.at < end; count += 1) {
      if (count === limits.spanFields) throw tooMany('a span', 'fields', limits.spanFields);
      cursor.skip(cursor.tag(end), end);
    }
    cursor.at = start;
  }

  /** Takes trace, span and parent id, when they lie as all encoders lay them. @returns what follows */
  #ids(start: number, end: number): number {
    const { bytes } = this.cursor;
    if (
      end - start < 38 ||
      bytes[start] !== spanTag.traceId ||
      bytes[start + 1] !== 16 ||
      bytes[start + 18] !== spanTag.spanId ||
      bytes[start + 19] !== 8
    ) {
      return start;
    }
    this.traceIdStart = start + 2;
    this.traceIdLength = 16;
    this.spanIdStart = start + 20;
    this.spanIdLength = 8;
    if (bytes[start + 28] !== spanTag.parentSpanId || bytes[start + 29] !== 8) return start + 28;
    this.parentIdStart = start + 30;
    this.parentIdLength = 8;
    return start + 38;
  }

  /** One field of a span. */
  #field(end: number): void {
    const { cursor } = this;
    const tag = cursor.tag(end);
    switch (tag) {
      case spanTag.startTime: {
        const at = cursor.fixed(8, end);
        this.startLow = cursor.view.getUint32(at, true);
        this.startHigh = cursor.view.getUint32(at + 4, true);
        break;
      }
      case spanTag.endTime: {
        const at = cursor.fixed(8, end);
        this.endLow = cursor.view.getUint32(at, true);
        this.endHigh = cursor.view.getUint32(at + 4, true);
        break;
      }
      case spanTag.flags:
        this.flags = cursor.view.getUint32(cursor.fixed(4, end), true);
        break;
      case spanTag.traceId:
      case spanTag.spanId:
      case spanTag.traceState:
      case spanTag.parentSpanId:
      case spanTag.name:
      case spanTag.attributes:
      case spanTag.events:
      case spanTag.status:
        this.#lengthDelimited(tag, cursor.length(end));
        break;
      default:
        cursor.skip(tag, end);
    }
  }

  #lengthDelimited(tag: number, end: number): void {
    const { cursor } = this;
    const start = cursor.at;
    cursor.at = end;
    switch (tag) {
      case spanTag.traceId:
        this.traceIdStart = start;
        this.traceIdLength = end - start;
        break;
      case spanTag.spanId:
        this.spanIdStart = start;
        this.spanIdLength = end - start;
        break;
      case spanTag.traceState:
        this.traceStateStart = start;
        this.traceStateLength = end - start;
        break;
      case spanTag.parentSpanId:
        this.parentIdStart = start;
        this.parentIdLength = end - start;
        break;
      case spanTag.name:
        this.nameStart = start;
        this.nameLength = end - start;
        break;
      case spanTag.attributes:
        this.attributes.take(start, end);
        cursor.at = end;
        break;
      case spanTag.events:
        this.#noteEvent(start, end);
        break;
      default:
        this.#status(start, end);
    }
  }

  #reset(): void {
    this.attributes.begin();
    this.traceIdLength = 0;
    this.spanIdLength = 0;
    this.traceStateLength = 0;
    this.parentIdLength = 0;
    this.flags = 0;
    this.nameLength = 0;
    this.startHigh = 0;
    this.startLow = 0;
    this.endHigh = 0;
    this.endLow = 0;
    this.statusCode = 0;
    this.#eventCount = 0;
  }

  #noteEvent(start: number, end: number): void {
    // Too short to be named `exception`.
    if (end - start < exceptionEventBytesLeast) return;
    if (this.#eventCount * 2 === this.#events.length) {
      const next = new Int32Array(this.#events.length * 2);
      next.set(this.#events);
      this.#events = next;
    }
    this.#events[this.#eventCount * 2] = start;
    this.#events[this.#eventCount * 2 + 1] = end;
    this.#eventCount += 1;
  }

  /** A Status that comes twice is merged: the code that was given last. */
  #status(start: number, end: number): void {
    const { cursor } = this;
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === statusTag.code) this.statusCode = cursor.varint(end);
      else cursor.skip(tag, end);
    }
  }

  /** `exception.type` of an event named `exception`, `''` when it has none; null for another event. */
  #exceptionTypeOf(start: number, end: number): string | null {
    const { cursor } = this;
    const attributes = this.#eventAttributes;
    let isException = false;
    attributes.begin();
    cursor.at = start;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === eventTag.name) {
        const nameEnd = cursor.length(end);
        isException = cursor.bytes.toString('latin1', cursor.at, nameEnd) === 'exception';
        cursor.at = nameEnd;
      } else if (tag === eventTag.attributes) {
        const attributeEnd = cursor.length(end);
        attributes.take(cursor.at, attributeEnd);
        cursor.at = attributeEnd;
      } else cursor.skip(tag, end);
    }
    return isException ? attributes.text(0) : null;
  }
}

/**
 * Whether a trace is one of those that a mask of up to 16 bits chooses: ids end in random bytes, also those of X-Ray and
 * of 64 bits.
 */
export function isNoted(bytes: Buffer, trace: number, mask: number): boolean {
  return (((bytes[trace + 14]! << 8) | bytes[trace + 15]!) & mask) === 0;
}

/** Receives the walk's findings in the message's order, and reads their values from the walk. */
export interface TracesVisitor {
  /** The SERVER spans that follow are of this resource, which may be empty. */
  resource(): void;
  /** The SERVER spans that follow are of the scope named by `scopeNameStart` and `scopeNameLength`. */
  scope(): void;
  serverSpan(): void;
  /** A CLIENT span that is laid out as all encoders do; the resource is read. */
  clientSpan?(start: number): void;
  /** A span of another kind whose name says that it declares routes; the resource is read. */
  inventorySpan?(start: number, end: number): void;
  /** All spans of a resource were walked; `resource` has its attributes, SERVER spans or not. */
  resourceEnd?(): void;
}

const serverKind = 2;
const clientKind = 3;
/** docs/inventory.md, over OTLP. */
const inventoryName = 'rollcall.inventory';
/** Tag, length and the name. */
const inventoryNameBytes = 2 + inventoryName.length;
/** Tag, length and the name. */
const exceptionEventBytesLeast = 2 + 'exception'.length;
