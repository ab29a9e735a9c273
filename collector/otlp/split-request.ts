import { limits } from '../../core/limits.ts';
import { requestTag, resourceSpansTag, scopeSpansTag } from './fields.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import { varintBytes } from './protobuf-writer.ts';
import { RequestBounds, tooMany } from './request-bounds.ts';

/**
 * Splits an ExportTraceServiceRequest into smaller ones with the same spans in the same order. Each slice
 * repeats its resource and its instrumentation scope, when they are short. Only
 * frames are read, a few nanoseconds per span. The cuts depend on the message and `sliceBytes` alone.
 * @param sliceBytes a slice ends with the first span that reaches it, or four times its resource: so repeated
 *   resources add at most a quarter
 * @returns slices in shared memory: each is valid until the next one is taken
 * @throws AppError `invalid` for frames that do not fit, `too_large` beyond a bound, when they are reached
 */
export function* slicesOf(message: Buffer, sliceBytes: number): Generator<Buffer> {
  const cursor = new ProtobufReader();
  const end = cursor.open(message);
  const slice = new Slice(message);
  const bounds = new RequestBounds();
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    if (tag !== requestTag.resourceSpans) {
      cursor.skip(tag, end);
      continue;
    }
    bounds.envelope();
    const resourceEnd = cursor.length(end);
    const start = cursor.at;
    const resource = fieldsOf(cursor, resourceSpansTag.resource, resourceEnd);
    const resourceBytes = lengthOf(resource);
    slice.begin(resource);
    cursor.at = start;
    while (cursor.at < resourceEnd) {
      const scopeTag = cursor.tag(resourceEnd);
      if (scopeTag !== resourceSpansTag.scopeSpans) {
        cursor.skip(scopeTag, resourceEnd);
        continue;
      }
      bounds.envelope();
      const scopeEnd = cursor.length(resourceEnd);
      const scope = scopeOf(cursor, scopeEnd);
      const bytesMax = Math.max(sliceBytes, 4 * (resourceBytes + lengthOf([scope])));
      while (cursor.at < scopeEnd) {
        const fieldStart = cursor.at;
        const fieldTag = cursor.tag(scopeEnd);
        cursor.skip(fieldTag, scopeEnd);
        if (fieldTag !== scopeSpansTag.spans) continue;
        bounds.spans(1);
        slice.add(fieldStart, cursor.at, scope);
        if (slice.bytes < bytesMax) continue;
        yield slice.finish();
        slice.begin(resource);
      }
    }
    if (slice.bytes >= sliceBytes) yield slice.finish();
  }
  if (slice.bytes > 0) yield slice.finish();
}

/**
 * Counts the spans of a request and the envelopes around them, so that one beyond a bound is refused before any of
 * its spans is decoded.
 * @throws AppError `invalid` for frames that do not fit, `too_large` beyond a bound
 */
export function checkFrames(message: Buffer): void {
  const cursor = new ProtobufReader();
  const bounds = new RequestBounds();
  const end = cursor.open(message);
  for (const resourceEnd of contents(cursor, bounds, requestTag.resourceSpans, end)) {
    bounds.envelope();
    for (const scopeEnd of contents(cursor, bounds, resourceSpansTag.scopeSpans, resourceEnd)) {
      bounds.envelope();
      for (const spanEnd of contents(cursor, bounds, scopeSpansTag.spans, scopeEnd)) {
        bounds.spans(1);
        cursor.at = spanEnd;
      }
    }
  }
}

/** Moves the cursor to the content of each field with this tag, and yields its end; the caller moves it there. */
function* contents(
  cursor: ProtobufReader,
  bounds: RequestBounds,
  wanted: number,
  end: number,
): Generator<number> {
  while (cursor.at < end) {
    const tag = cursor.tag(end);
    bounds.field();
    if (tag === wanted) yield cursor.length(end);
    else cursor.skip(tag, end);
  }
}

/** Bytes of the message: from, to. */
type Range = [number, number];

const noScope: Range = [0, 0];

/** The scope of the ScopeSpans at the cursor, with tag and length; encoders write it first. */
function scopeOf(cursor: ProtobufReader, end: number): Range {
  const start = cursor.at;
  let found = noScope;
  while (cursor.at < end && found === noScope) {
    const fieldStart = cursor.at;
    const tag = cursor.tag(end);
    cursor.skip(tag, end);
    if (tag === scopeSpansTag.scope) found = [fieldStart, cursor.at];
  }
  cursor.at = start;
  return found;
}

/** All Resource fields of a ResourceSpans, with their tags and lengths. @throws AppError `too_large` */
function fieldsOf(cursor: ProtobufReader, wanted: number, end: number): Range[] {
  const found: Range[] = [];
  while (cursor.at < end) {
    const start = cursor.at;
    const tag = cursor.tag(end);
    cursor.skip(tag, end);
    if (tag !== wanted) continue;
    if (found.length === limits.resourcePieces) {
      throw tooMany('a ResourceSpans', 'Resources', limits.resourcePieces);
    }
    found.push([start, cursor.at]);
  }
  return found;
}

function lengthOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}

/** What the next slice will hold, as ranges of the message, and the memory it is copied to. */
class Slice {
  readonly #message: Buffer;
  #out: Buffer = Buffer.alloc(0);
  #resources: { resource: Range[]; scopes: { scope: Range; spans: Range[] }[] }[] = [];
  /** Upper bound of the slice's bytes: its part of the message, and frames. */
  bytes = 0;

  constructor(message: Buffer) {
    this.#message = message;
  }

  begin(resource: Range[]): void {
    this.#resources.push({ resource, scopes: [] });
    this.bytes += frameBytesMax + lengthOf(resource);
  }

  /** Takes a span field; neighbours become one range. */
  add(start: number, end: number, scope: Range): void {
    const { scopes } = this.#resources.at(-1)!;
    let group = scopes.at(-1);
    if (group?.scope !== scope) {
      group = { scope, spans: [] };
      scopes.push(group);
      this.bytes += frameBytesMax + lengthOf([scope]);
    }
    const last = group.spans.at(-1);
    if (last?.[1] === start) last[1] = end;
    else group.spans.push([start, end]);
    this.bytes += end - start;
  }

  finish(): Buffer {
    if (this.#out.length < this.bytes) this.#out = Buffer.allocUnsafeSlow(this.bytes);
    let at = 0;
    for (const { resource, scopes } of this.#resources) {
      const lengths = scopes.map(({ scope, spans }) => lengthOf([scope, ...spans]));
      const framed = lengths.reduce((sum, bytes) => sum + 1 + varintBytes(bytes) + bytes, 0);
      at = this.#frame(at, requestTag.resourceSpans, lengthOf(resource) + framed);
      for (const range of resource) at = this.#copy(at, range);
      for (const [place, { scope, spans }] of scopes.entries()) {
        at = this.#frame(at, resourceSpansTag.scopeSpans, lengths[place]!);
        at = this.#copy(at, scope);
        for (const range of spans) at = this.#copy(at, range);
      }
    }
    this.#resources = [];
    this.bytes = 0;
    return this.#out.subarray(0, at);
  }

  #frame(at: number, tag: number, length: number): number {
    const out = this.#out;
    out[at++] = tag;
    let rest = length;
    for (; rest > 127; rest >>>= 7) out[at++] = (rest & 127) | 128;
    out[at++] = rest;
    return at;
  }

  #copy(at: number, [from, to]: Range): number {
    this.#message.copy(this.#out, at, from, to);
    return at + to - from;
  }
}

/** A tag and a length of 32 bits. */
const frameBytesMax = 6;
