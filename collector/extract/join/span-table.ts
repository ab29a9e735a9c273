import { grown } from '../../../core/column.ts';
import { limits } from '../../../core/limits.ts';
import { idHash, sameBytes } from '../../intern/hash.ts';
import { ProtobufReader } from '../../otlp/protobuf-reader.ts';

/**
 * The spans of one request that joining needs (collector/extract/join/joins.ts), in columns of offsets into its
 * message: first its SERVER spans, in the message's order, then other spans of some traces. Identified by
 * index, found by id. `SecondPass` writes them: `open`, then `begin` and `keep` for each.
 */
export class SpanTable {
  /** The first `servers` of them are SERVER spans. */
  count = 0;
  servers = 0;
  /** Offset of the span's bytes. */
  start = new Int32Array(firstSpans);
  end = new Int32Array(firstSpans);
  /** Offsets of the ids; 0 without a valid one. */
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
  /** The client's port, 0 when unknown; plus 65,536 when the protocol is HTTP/1. */
  connection = new Int32Array(firstSpans);
  /** Offsets of route (0: none) and name. */
  route = new Int32Array(firstSpans);
  routeEnd = new Int32Array(firstSpans);
  name = new Int32Array(firstSpans);
  nameEnd = new Int32Array(firstSpans);
  /** Nanoseconds, rounded to 256: rounding keeps which span contains which. */
  startNs = new Float64Array(firstSpans);
  endNs = new Float64Array(firstSpans);

  /** Reads the current message. */
  readonly cursor = new ProtobufReader();
  /** Open addressing over (trace, id): span + 1, or 0. */
  #byId = new Int32Array(firstSpans * 2);
  #indexed = 0;

  /** Begins a message, without spans yet. */
  open(message: Buffer): void {
    this.cursor.open(message);
    this.servers = 0;
    this.count = 0;
    this.#indexed = 0;
    this.#byId.fill(0);
  }

  /**
   * @returns the index for this span, its columns cleared. Unless `keep` is called, the next span gets the same
   *   index
   */
  begin(start: number, end: number): number {
    const at = this.count;
    if (at === this.start.length) this.#resize(at * 2, at);
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
    return at;
  }

  /** Keeps the span that was begun last, after its columns were written; these three are hashes. */
  keep(service: number, instance: number, scope: number): void {
    const at = this.count;
    this.service[at] = service;
    this.instance[at] = instance;
    this.scope[at] = scope;
    this.#index(at);
    this.count = at + 1;
  }

  /** Releases the message, and memory that only a very large request needs. */
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

  /** The same, for ids in other memory. */
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

  /** The text at this offset, at most as long as a stored route. */
  text(start: number, end: number): string {
    return this.cursor.bytes.toString('utf8', start, Math.min(end, start + limits.routeBytes));
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
    for (const name of intColumns) this[name] = grown(this[name].subarray(0, kept), spans);
    this.startNs = grown(this.startNs.subarray(0, kept), spans);
    this.endNs = grown(this.endNs.subarray(0, kept), spans);
  }
}

/** Span.kind. */
export const spanKind = { internal: 1, server: 2 } as const;

const firstSpans = 1024;
/** Larger columns are released after their request: 65,536 spans take 5 MiB. */
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
  'connection',
  'route',
  'routeEnd',
  'name',
  'nameEnd',
] as const;
