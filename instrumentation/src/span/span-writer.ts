import type { SpanIds } from './id-source.ts';

/**
 * Encodes spans as OTLP protobuf (opentelemetry-proto 1.7, trace.proto) when requests end: 400 bytes outside the heap
 * instead of a dozen objects that live until they are sent.
 * test/instrumentation/encoding.test.ts holds it against OpenTelemetry's own serializer.
 */

const noBytes = Buffer.alloc(0);

/** An attribute key with its encoded bytes, and a cache of encoded values for `repeated`. */
export class AttributeKey {
  readonly name: string;
  /** KeyValue.key: field 1. */
  readonly head: Buffer;
  readonly known = new Map<string, Buffer>();
  /** The last value: comparing with it is cheaper than a lookup in `known`. */
  lastValue: string | undefined;
  lastEncoded: Buffer = noBytes;

  constructor(name: string) {
    this.name = name;
    const text = Buffer.from(name);
    this.head = Buffer.concat([Buffer.from([0x0a, ...varint(text.length)]), text]);
  }
}

export interface SpanHead {
  name: string;
  /** SpanKind of OTLP: 1 internal, 2 server. */
  kind: number;
  /** 32 and 16 hexadecimal digits. */
  parent: { traceId: string; spanId: string } | undefined;
  traceState: string | undefined;
  startEpochMs: number;
  durationNs: number;
  isError: boolean;
  /** The span's id, and the trace's unless there is a parent. */
  ids: SpanIds;
}

/** Encoded values cached for one key; at this number the cache is cleared. */
const knownValuesMax = 512;
const firstBytes = 64 * 1024;
/** Up to this length a loop copies faster than a call. */
const shortBytes = 64;

export class SpanWriter {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #at = 0;
  #spanAt = 0;
  #spans = 0;
  #attributes = 0;
  readonly #attributesMax: number;
  readonly #charactersMax: number;

  /** @param limits OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT and _VALUE_LENGTH_LIMIT; Infinity for none */
  constructor(limits: { attributes: number; characters: number }) {
    this.#attributesMax = limits.attributes;
    this.#charactersMax = limits.characters;
  }

  /** Spans that were written since the last `take`. */
  get spans(): number {
    return this.#spans;
  }

  /** The encoded ScopeSpans.spans fields, valid until the next `begin`. Starts an empty list. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    this.#spans = 0;
    return taken;
  }

  /** Starts a span. Attributes follow, then `end` or `discard`. */
  begin(head: SpanHead): void {
    this.#spanAt = this.#at;
    this.#attributes = 0;
    this.#room(128);
    // ScopeSpans.spans: field 2. Two bytes for the length: it is nearly always from 128 to 16,383.
    this.#bytes[this.#at] = 0x12;
    this.#at += 3;
    const { bytes, at } = head.ids;
    if (head.parent === undefined) this.#id(0x0a, bytes, at, 16);
    else this.#hexId(0x0a, head.parent.traceId);
    this.#id(0x12, bytes, at + 16, 8);
    if (head.traceState !== undefined && head.traceState !== '') this.#text(0x1a, head.traceState);
    if (head.parent !== undefined) {
      this.#room(16);
      this.#hexId(0x22, head.parent.spanId);
    }
    this.#text(0x2a, head.name);
    this.#room(64);
    this.#bytes[this.#at++] = 0x30;
    this.#bytes[this.#at++] = head.kind;
    this.#times(head.startEpochMs, head.durationNs);
    if (head.isError) {
      // Status.code: ERROR.
      for (const byte of [0x7a, 0x02, 0x18, 0x02]) this.#bytes[this.#at++] = byte;
    }
    // Field 16: sampled, and whether the parent was in another process, which is known.
    const flags = head.parent === undefined ? 0x101 : 0x301;
    this.#bytes[this.#at++] = 0x85;
    this.#bytes[this.#at++] = 0x01;
    this.#at = this.#bytes.writeUInt32LE(flags, this.#at);
  }

  end(): void {
    const bodyAt = this.#spanAt + 3;
    const length = this.#at - bodyAt;
    if (length > 0x3fff || length < 0x80) {
      const size = varint(length);
      this.#room(size.length);
      this.#bytes.copyWithin(this.#spanAt + 1 + size.length, bodyAt, this.#at);
      this.#bytes.set(size, this.#spanAt + 1);
      this.#at += size.length - 2;
    } else {
      this.#bytes[this.#spanAt + 1] = (length & 0x7f) | 0x80;
      this.#bytes[this.#spanAt + 2] = length >> 7;
    }
    this.#spans += 1;
  }

  /** Removes the span that was begun. */
  discard(): void {
    this.#at = this.#spanAt;
  }

  /** A text attribute whose values repeat: method, route, client. Encoded values are cached. */
  repeated(key: AttributeKey, value: string): void {
    if (!this.#counts()) return;
    if (key.lastValue !== value) {
      let encoded = key.known.get(value);
      if (encoded === undefined) {
        if (key.known.size >= knownValuesMax) key.known.clear();
        encoded = keyValue(key, textValue(value.slice(0, this.#charactersMax)));
        key.known.set(value, encoded);
      }
      key.lastValue = value;
      key.lastEncoded = encoded;
    }
    this.#copy(key.lastEncoded);
  }

  /** A text attribute whose values do not repeat. */
  text(key: AttributeKey, value: string): void {
    if (!this.#counts()) return;
    const text = value.length > this.#charactersMax ? value.slice(0, this.#charactersMax) : value;
    const bytes = byteLength(text);
    const anyValueBytes = 1 + sizeOf(bytes) + bytes;
    const whole = key.head.length + 1 + sizeOf(anyValueBytes) + anyValueBytes;
    this.#room(whole + 8);
    this.#bytes[this.#at++] = 0x4a;
    this.#varint(whole);
    this.#copy(key.head);
    this.#bytes[this.#at++] = 0x12;
    this.#varint(anyValueBytes);
    this.#bytes[this.#at++] = 0x0a;
    this.#varint(bytes);
    this.#characters(text, bytes);
  }

  /** @param value a safe integer, not negative */
  integer(key: AttributeKey, value: number): void {
    if (!this.#counts()) return;
    const size = sizeOf(value);
    const whole = key.head.length + 3 + size;
    this.#room(whole + 4);
    this.#bytes[this.#at++] = 0x4a;
    this.#varint(whole);
    this.#copy(key.head);
    this.#bytes[this.#at++] = 0x12;
    this.#bytes[this.#at++] = size + 1;
    this.#bytes[this.#at++] = 0x18;
    this.#varint(value);
  }

  list(key: AttributeKey, values: readonly string[]): void {
    if (!this.#counts()) return;
    const cut = values.map((value) => value.slice(0, this.#charactersMax));
    this.#copy(keyValue(key, listValue(cut)));
  }

  #counts(): boolean {
    this.#attributes += 1;
    return this.#attributes <= this.#attributesMax;
  }

  #id(tag: number, bytes: Buffer, from: number, length: number): void {
    this.#bytes[this.#at++] = tag;
    this.#bytes[this.#at++] = length;
    for (let i = from; i < from + length; i += 1) this.#bytes[this.#at++] = bytes[i]!;
  }

  #hexId(tag: number, digits: string): void {
    this.#bytes[this.#at++] = tag;
    this.#bytes[this.#at++] = digits.length / 2;
    this.#at += this.#bytes.write(digits, this.#at, 'hex');
  }

  #text(tag: number, text: string): void {
    const bytes = byteLength(text);
    this.#room(bytes + 8);
    this.#bytes[this.#at++] = tag;
    this.#varint(bytes);
    this.#characters(text, bytes);
  }

  #characters(text: string, bytes: number): void {
    if (bytes === text.length && bytes <= shortBytes) {
      for (let i = 0; i < bytes; i += 1) this.#bytes[this.#at++] = text.charCodeAt(i);
    } else {
      this.#at += this.#bytes.write(
        text,
        this.#at,
        bytes,
        bytes === text.length ? 'latin1' : 'utf8',
      );
    }
  }

  /** Nanoseconds as two halves of 32 bits: beyond 2^53 a number does not hold them. */
  #times(startEpochMs: number, durationNs: number): void {
    // Milliseconds are below 2^41: in parts of 2^20 every product stays exact.
    const upper = Math.floor(startEpochMs / 2 ** 20);
    const low = (startEpochMs % 2 ** 20) * 1e6 + ((upper * 1e6) % 2 ** 12) * 2 ** 20;
    const high = Math.floor((upper * 1e6) / 2 ** 12);
    this.#bytes[this.#at++] = 0x39;
    this.#fixed64(high, low);
    this.#bytes[this.#at++] = 0x41;
    this.#fixed64(high, low + durationNs);
  }

  /** @param low may exceed 2^32: the carry is added to `high` */
  #fixed64(high: number, low: number): void {
    this.#at = this.#bytes.writeUInt32LE(low % 2 ** 32, this.#at);
    this.#at = this.#bytes.writeUInt32LE(high + Math.floor(low / 2 ** 32), this.#at);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  #copy(bytes: Buffer): void {
    const { length } = bytes;
    this.#room(length);
    if (length <= shortBytes) {
      const to = this.#bytes;
      let at = this.#at;
      for (let i = 0; i < length; i += 1) to[at++] = bytes[i]!;
    } else this.#bytes.set(bytes, this.#at);
    this.#at += length;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#at + bytes));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}

/**
 * A whole ExportTraceServiceRequest of one resource and scope.
 * @param spans of `SpanWriter.take`
 * @param memory to write it to, if it is large enough
 */
export function traceRequest(
  resource: Buffer,
  scope: Buffer,
  spans: Buffer,
  memory?: Buffer,
): Buffer {
  const scopeField = delimited(0x0a, scope);
  const resourceField = delimited(0x0a, resource);
  const scopeSpans = head(0x12, scopeField.length + spans.length);
  const fields = resourceField.length + scopeSpans.length + scopeField.length + spans.length;
  const parts = [head(0x0a, fields), resourceField, scopeSpans, scopeField, spans];
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  // An eighth more than needed, so that the next request fits too. Pages that are never written take no memory.
  const request =
    memory !== undefined && memory.length >= bytes
      ? memory.subarray(0, bytes)
      : Buffer.allocUnsafeSlow(bytes + (bytes >> 3)).subarray(0, bytes);
  let at = 0;
  for (const part of parts) {
    request.set(part, at);
    at += part.length;
  }
  return request;
}

/** A Resource message. */
export function encodedResource(attributes: Readonly<Record<string, unknown>>): Buffer {
  const pairs = Object.entries(attributes).flatMap(([name, value]) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) {
      return [attribute(name, Buffer.from([0x18, ...varint(value)]))];
    }
    if (typeof value === 'boolean') return [attribute(name, Buffer.from([0x10, value ? 1 : 0]))];
    if (Array.isArray(value)) return [attribute(name, listValue(value.map(String)))];
    return value === undefined || value === null ? [] : [attribute(name, textValue(String(value)))];
  });
  return Buffer.concat(pairs);
}

/** An InstrumentationScope message. */
export function encodedScope(name: string, version: string): Buffer {
  return Buffer.concat([delimited(0x0a, Buffer.from(name)), delimited(0x12, Buffer.from(version))]);
}

function attribute(name: string, value: Buffer): Buffer {
  const key = delimited(0x0a, Buffer.from(name));
  return delimited(0x0a, Buffer.concat([key, delimited(0x12, value)]));
}

/** Span.attributes, field 9, with its KeyValue. @param value an AnyValue's fields */
function keyValue(key: AttributeKey, value: Buffer): Buffer {
  return delimited(0x4a, Buffer.concat([key.head, delimited(0x12, value)]));
}

function textValue(text: string): Buffer {
  return delimited(0x0a, Buffer.from(text));
}

function listValue(texts: readonly string[]): Buffer {
  return delimited(0x2a, Buffer.concat(texts.map((text) => delimited(0x0a, textValue(text)))));
}

function delimited(tag: number, bytes: Buffer): Buffer {
  return Buffer.concat([head(tag, bytes.length), bytes]);
}

function head(tag: number, length: number): Buffer {
  return Buffer.from([tag, ...varint(length)]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}

function sizeOf(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/** In UTF-8. */
function byteLength(text: string): number {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text);
  }
  return text.length;
}
